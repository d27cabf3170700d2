"""Who may come in, and what the vault makes of requests that no client would send. Under the sanitizers too."""
import contextlib
import shutil
import socket
import ssl
import subprocess

import pytest

from vault import Vault, answers, connect, identity, is_let_in
from vault import TIME_REQUEST as TIME


@pytest.fixture
def vault(tmp_path):
    with Vault(tmp_path / "v") as running_vault:
        yield running_vault


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A machine whose vault no test harms."""
    with Vault(tmp_path_factory.mktemp("shared")) as vault:
        yield vault.machine("pc1")


# ---- Certificates ----

def test_certificates_that_this_vault_did_not_give_open_nothing(vault, tmp_path):
    pc = vault.machine("pc1")
    own = identity(pc)
    with Vault(tmp_path / "other") as other:
        shutil.copy(identity(other.machine("pc1")) / "machine.pem", own / "other.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=pc1", "-keyout", own / "key", "-out", own / "certificate"], check=True, capture_output=True)
    (own / "self-made.pem").write_bytes((own / "key").read_bytes() + (own / "certificate").read_bytes())
    assert is_let_in(pc)
    for certificate in ("other.pem", "self-made.pem", None):
        assert not is_let_in(pc, certificate=certificate), certificate


def test_older_tls_is_refused(vault):
    pc = vault.machine("pc1")
    assert not is_let_in(pc, tls=ssl.TLSVersion.TLSv1_2)
    assert is_let_in(pc)


def test_a_connection_of_a_machine_ends_when_it_is_revoked(vault):
    pc = vault.machine("pc1")
    with connect(pc) as idle, connect(pc) as sending:
        assert b"kura-now" in answers(idle, TIME)
        head = f"PUT /v1/repositories/pc1/packs/{'a' * 64} HTTP/1.1\r\nHost: v\r\nContent-Length: 100000\r\n\r\n"
        sending.sendall(head.encode() + b"x" * 1000)
        vault.run("revoke", "pc1", "--why", "stolen")
        for connection in (idle, sending):
            assert answers(connection, TIME, patience=5) == b""


# ---- Requests that say two things ----

CHUNKED = b"Transfer-Encoding: chunked\r\n"
# A second request lies in what follows each of these, for whoever takes the body to end before it.
SHAPES = {
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(TIME),
    "two lengths in one": b"Content-Length: 0, %d\r\n\r\n" % len(TIME),
    "a length with a sign": b"Content-Length: +0\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a length in hex": b"Content-Length: 0x0\r\n\r\n",
    "a length that overflows": b"Content-Length: 18446744073709551616\r\n\r\n",
    "length and chunks": b"Content-Length: %d\r\n" % (len(TIME) + 5) + CHUNKED + b"\r\n0\r\n\r\n",
    "chunks and length": CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "another encoding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks, and then not": CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a huge chunk": CHUNKED + b"\r\nffffffffffffffff\r\n",
    "a chunk that overflows": CHUNKED + b"\r\n10000000000000000\r\n",
    "a chunk without a size": CHUNKED + b"\r\n;x=y\r\n",
    "a chunk with a sign": CHUNKED + b"\r\n+0\r\n\r\n",
    "a chunk that ends elsewhere": CHUNKED + b"\r\n2\r\nabcd\r\n0\r\n\r\n",
    "an extension without end": CHUNKED + b"\r\n5;" + b"x" * 300_000 + b"\r\nabcde\r\n0\r\n\r\n",
    "a header folded": b"X: a\r\n Content-Length: 0\r\nContent-Length : 0\r\n\r\n",
    "a blank before the colon": b"Content-Length : 0\r\n\r\n",
    "a zero byte": b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "a lone carriage return": b"X: a\rContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_request_that_can_be_read_in_two_ways_ends_its_connection(shape, shared):
    with connect(shared) as connection:
        got = answers(connection, b"POST /v1/renew HTTP/1.1\r\nHost: v\r\n" + SHAPES[shape] + TIME)
    assert b"kura-now" not in got, "what was hidden in the body was answered"
    assert got.count(b"HTTP/1.1 ") <= 1 and b" 200 " not in got[:20]
    assert is_let_in(shared)


def test_a_machine_that_is_slow_on_every_connection_keeps_others_out_of_nothing(vault, tmp_path):
    attacker, pc = vault.machine("pc1"), vault.machine("pc2")
    head = b"PUT /v1/repositories/pc1/packs/" + b"a" * 64 + b" HTTP/1.1\r\nHost: v\r\n"
    beginnings = [b"", b"P", head, head + b"Content-Length: 1000000\r\n\r\n", head + b"Content-Length: 1000000\r\n\r\nabc",
                  b"POST /v1/renew HTTP/1.1\r\nHost: v\r\n" + CHUNKED + b"\r\n5\r\nab"]
    held = []
    for number in range(140):  # more than it may have
        with contextlib.suppress(OSError):
            connection = connect(attacker, address="127.0.0.2")
            held.append(connection)
            connection.sendall(beginnings[number % len(beginnings)])
    silent = [socket.create_connection(("127.0.0.1", vault.port), source_address=("127.0.0.3", 0)) for _ in range(140)]
    assert len(held) > 100, "the attack does not take place"
    (tmp_path / "source").mkdir()
    pc.backup(tmp_path / "source")
    pc.assert_whole()
    for connection in held + silent:
        connection.close()
