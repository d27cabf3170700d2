"""Who is root on a machine has its real certificate and key, and uses them against the vault: floods, forged times, and
memory. With real clocks and sizes: not under the sanitizers."""
import contextlib
import re
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from kura import LONG, MIB, PROGRAM, fake_clock, needs_faketime, tree_of
from vault import Vault, answers, connect, is_let_in, request

ALTERED_CLIENT = Path(PROGRAM).with_name("kura_altered_client")
JUNK = 10_000 if LONG else 200
CONNECTIONS = 100 if LONG else 40



def at(offset):
    """The environment of a program whose wall clock is so far from the real one: "-3d"."""
    return fake_clock(FAKETIME=offset)


@pytest.fixture
def vault(tmp_path):
    with Vault(tmp_path / "v") as running_vault:
        yield running_vault


@pytest.fixture
def source(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").write_text("day 0")
    return tmp_path / "source"


def backed_up_daily(vault, source, days):
    """A good backup a day, the last one today: {snapshot: its files}."""
    good, pc = {}, None
    for day in range(days):
        vault.environment.update(at(f"-{days - 1 - day}d"))
        vault.start()
        vault.run("clock", "trust", "--why", "it was off")
        if pc is None:
            pc = vault.machine("pc1")
            vault.run("policy", "pc1", f"daily={days}")
        pc.environment.update(at(f"-{days - 1 - day}d"))
        (source / "file").write_text(f"day {day}")
        good[pc.backup(source)] = tree_of(source)
        vault.stop()
    return pc, good


@needs_faketime
def test_a_flood_of_junk_with_forged_times_pushes_no_good_daily_out(tmp_path, source):
    vault = Vault(tmp_path / "v", environment=at("-8d"))
    pc, good = backed_up_daily(vault, source, 7)
    with vault:
        flood = subprocess.run([ALTERED_CLIENT, pc.state, f"{vault.address}/pc1", "junk", str(JUNK)],
                               stdout=subprocess.PIPE, timeout=1200, check=True)
        assert int(flood.stdout) == JUNK, "all of it was taken"
        snapshots = vault.repository("pc1") / "objects/snapshots"
        before = {path.name: path.read_bytes() for path in snapshots.iterdir()}
        vault.stop()
        vault.start()  # it looks at what is kept when it starts
        vault.verify("pc1")
        gone = set(before) - {line.split()[0].decode() for line in
                              request(pc, "GET", "/v1/repositories/pc1/snapshots")[1].splitlines()}
        assert gone, "retention let nothing go"
        assert not gone & set(good)
        for snapshot in (list(good)[0], list(good)[-1]):
            assert tree_of(pc.restored(f"{snapshot}:{source}", tmp_path / "target")) == good[snapshot]
        # What went does not come back.
        name = sorted(gone)[0]
        status, said = request(pc, "PUT", f"/v1/repositories/pc1/snapshots/{name}", body=before[name])
        assert status == 409 and b"does not come back" in said
        assert name.encode() not in request(pc, "GET", "/v1/repositories/pc1/snapshots")[1]


# ---- Clocks ----

@needs_faketime
def test_a_certificate_that_has_ended_opens_nothing(tmp_path):
    vault = Vault(tmp_path / "v")
    with vault:
        pc = vault.machine("pc1")
        assert is_let_in(pc)
    for days, good in ((89, True), (91, False)):
        vault.environment.update(at(f"+{days}d"))
        with vault:
            vault.run("clock", "trust", "--why", "it was off")
            assert is_let_in(pc) is good, days


# ---- Memory ----

def memory_of(vault):
    """The most that it ever had, bytes."""
    status = Path(f"/proc/{vault.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def test_a_machine_that_sends_many_large_snapshots_at_once_is_given_memory_for_one(vault):
    pc, size = vault.machine("pc1"), 60_000_000
    head = f"PUT /v1/repositories/pc1/snapshots/{{}} HTTP/1.1\r\nHost: v\r\nContent-Length: {size}\r\n\r\n"
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(connect(pc))
        first.sendall(head.format("00" * 32).encode() + bytes(size - 1))
        for number in range(1, 9):
            connection = stack.enter_context(connect(pc))
            sent = head.format(f"{number:02x}" * 32).encode() + bytes(1000)
            assert answers(connection, sent).startswith(b"HTTP/1.1 409"), number
        assert answers(first, b"\0", 2).startswith(b"HTTP/1.1 422")  # it is none
    assert memory_of(vault) < 256 * MIB


def test_a_stranger_whose_chunk_never_begins_takes_no_memory(vault):
    vault.machine("pc1")
    context = ssl._create_unverified_context()
    with context.wrap_socket(socket.create_connection(("127.0.0.1", vault.port), timeout=10)) as stranger:
        stranger.sendall(b"POST /v1/enrol HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\n5;")
        with pytest.raises(OSError):
            for _ in range(256):
                stranger.sendall(b"x" * MIB)
    assert memory_of(vault) < 128 * MIB


def test_what_is_announced_takes_no_memory(vault):
    """Snapshots and keys are taken as a whole: as they come, not as they are promised."""
    pc = vault.machine("pc1")
    held = []
    for _ in range(CONNECTIONS):
        connection = connect(pc)
        head = f"PUT /v1/repositories/pc1/snapshots/{'a' * 64} HTTP/1.1\r\nHost: v\r\nContent-Length: {64 * MIB}\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 1000)
        held.append(connection)
    assert is_let_in(pc, address="127.0.0.2")
    assert memory_of(vault) < 1024 * MIB
    for connection in held:
        connection.close()


@pytest.mark.skipif(not LONG, reason="it sends half a gigabyte")
def test_lists_of_packs_that_are_not_there_take_no_memory_for_ever(vault, source):
    pc = vault.machine("pc1")
    pc.backup(source)
    for _ in range(3):
        done = subprocess.run([ALTERED_CLIENT, pc.state, f"{vault.address}/pc1", "packs", "4000000"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600, check=True)
        assert int(done.stdout) == 0 and b"4000000 packs that are not in the repository" in done.stderr, done.stderr
    assert memory_of(vault) < 512 * MIB
    pc.backup(source)
