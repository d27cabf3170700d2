"""A machine and its vault: enrolment, backups through it, and what a machine cannot do there."""
import contextlib
import hashlib
import json
import random
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

from kura import LONG, SEED, Kura, running
from vault import Vault, identity, receipts, request


@pytest.fixture
def vault(tmp_path):
    with Vault(tmp_path / "v") as running_vault:
        yield running_vault


@pytest.fixture
def source(tmp_path):
    """A few files, some small, one of several packs' worth of chunks."""
    folder = tmp_path / "source"
    folder.mkdir()
    for i in range(20):
        (folder / f"file-{i}").write_bytes(random.Random(i).randbytes(500 * i + 1))
    (folder / "large").write_bytes(random.Random(99).randbytes(3_000_000))
    return folder


def same(one, other):
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_a_machine_enrols_backs_up_and_restores(vault, source, tmp_path):
    pc = vault.machine("pc1")
    snapshot = pc.backup(source)
    (source / "file-3").write_text("changed")
    second = pc.json("backup", source).summary
    assert second["chunks_reused"] > 0 and pc.ids() == [snapshot, second["snapshot_id"]]
    same(pc.restored("latest", tmp_path / "out") / source.relative_to("/"), source)
    pc.assert_whole()
    assert vault.verify("pc1").summary["entries"] >= 4
    assert [line["snapshots"] for line in vault.run("status", "--json").lines] == [2]


def test_a_machine_that_lost_its_state_goes_on_after_it_is_enrolled_again(vault, source):
    pc = vault.machine("pc1")
    pc.backup(source)
    shutil.rmtree(pc.state)
    pc.run("backup", source, code=1, keys=False)
    pc.run("enrol", vault.address, vault.invite("pc1"), keys=False)
    assert len(pc.ids()) == 1


def test_several_machines_share_a_repository(vault, source):
    one = vault.machine("pc1", "office")
    one.backup(source)
    two = vault.machine("pc2", "office", init=False)
    assert len(two.snapshots(keys=False)) == 1


def test_a_token_works_once(vault, tmp_path):
    token = vault.invite("pc1")
    Kura(tmp_path, init=False).run("enrol", vault.address, token, keys=False)
    refused = Kura(tmp_path / "other", init=False).run("enrol", vault.address, token, keys=False, code=1)
    assert b"used" in refused.err


def test_a_token_trusts_its_own_vault_and_no_other(vault, tmp_path):
    with Vault(tmp_path / "other") as other:
        kura = Kura(tmp_path, init=False)
        refused = kura.run("enrol", other.address, vault.invite("pc1"), keys=False, code=1)
    assert b"not the vault that the token is from" in refused.err
    assert not list(kura.state.rglob("*.pem"))


def test_who_shows_no_certificate_is_told_nothing(vault):
    pc = vault.machine("pc1")
    for path in ("/v1/time", "/v1/repositories/pc1/packs", "/v1/repositories/nobody/packs", "/v1/renew", "/v2/x"):
        status, body = request(pc, "GET", path, certificate=False)
        assert status in (403, 404) and b"pc1" not in body, path


def test_another_machines_repository_is_as_if_it_were_not_there(vault, source):
    pc = vault.machine("pc1")
    other = vault.machine("pc2")
    other.backup(source)
    pack = vault.packs("pc2")[0].name
    answers = {request(pc, "GET", f"/v1/repositories/{name}/{what}")
               for name in ("pc2", "nobody") for what in ("packs", f"packs/{pack}", "journal")}
    assert len(answers) == 1 and answers.pop()[0] == 403
    body = b"x" * 100
    status, _ = request(pc, "PUT", f"/v1/repositories/pc2/packs/{hashlib.sha256(body).hexdigest()}", body=body)
    assert status == 403


def test_paths_lead_nowhere_else(vault):
    pc = vault.machine("pc1")
    for path in ("/v1/repositories/../../etc/passwd", "/v1/repositories/pc1/../pc1/packs", "/v1/repositories/pc1/packs/..",
                 "/v1/repositories/pc1/tmp", "/v1/repositories/pc1/packs/" + "a" * 63, "/v1/repositories/pc1/keys/" + "A" * 64,
                 "/v1/repositories//packs", "/", "/v1", "/v1/repositories/pc1/packs/" + "a" * 64 + "/x"):
        status, _ = request(pc, "GET", path, "--path-as-is")
        assert status in (403, 404), path


def test_nothing_is_deleted_or_overwritten_by_a_machine(vault, source):
    pc = vault.machine("pc1")
    pc.backup(source)
    objects = vault.repository("pc1") / "objects"
    before = {path: path.read_bytes() for path in objects.rglob("*") if path.is_file()}
    for path in before:
        if len(path.name) != 64:
            continue
        kind = path.relative_to(objects).parts[0]
        if kind == "leases":
            continue
        url = f"/v1/repositories/pc1/{kind}/{path.name}"
        assert request(pc, "DELETE", url)[0] == 403
        assert request(pc, "PUT", url, body=b"something else")[0] in (403, 409, 422)
    junk = hashlib.sha256(b"junk").hexdigest()
    for kind in ("condemned", "config"):
        assert request(pc, "PUT", f"/v1/repositories/pc1/{kind}/{junk}", body=b"junk")[0] in (403, 409)
    assert {path: path.read_bytes() for path in before} == before
    pc.assert_whole()


def test_a_commit_without_all_that_it_needs_is_refused(vault, source, tmp_path):
    """The objects of a whole repository, but for one pack."""
    (tmp_path / "local").mkdir()
    local = Kura(tmp_path / "local")
    local.backup(source)
    pc = vault.machine("pc1", init=False)
    missing = local.objects("packs")[-1]
    status = {}
    for path in local.objects("config", "keys", "packs", "index", "snapshots"):
        if path != missing:
            kind = path.relative_to(local.repository).parts[0]
            status[kind] = request(pc, "PUT", f"/v1/repositories/pc1/{kind}/{path.name}", body=path.read_bytes())
    assert status["packs"][0] == 200 and status["snapshots"][0] == 404
    assert missing.name.encode() in status["snapshots"][1]
    assert request(pc, "GET", "/v1/repositories/pc1/snapshots") == (200, b"")
    url = f"/v1/repositories/pc1/packs/{missing.name}"
    assert request(pc, "PUT", url, body=missing.read_bytes())[0] == 200
    snapshot = local.objects("snapshots")[0]
    url = f"/v1/repositories/pc1/snapshots/{snapshot.name}"
    first = request(pc, "PUT", url, body=snapshot.read_bytes())
    assert first[0] == 200 and request(pc, "PUT", url, body=snapshot.read_bytes()) == first  # the same receipt
    assert len(request(pc, "GET", "/v1/repositories/pc1/snapshots")[1].splitlines()) == 1


def test_a_snapshot_of_another_repository_or_an_uncertified_machine_is_refused(vault, source, tmp_path):
    pc = vault.machine("pc1")
    pc.backup(source)
    (tmp_path / "stranger").mkdir()
    stranger = Kura(tmp_path / "stranger")
    stranger.backup(source)
    for path in stranger.objects("index", "packs"):
        kind = path.relative_to(stranger.repository).parts[0]
        request(pc, "PUT", f"/v1/repositories/pc1/{kind}/{path.name}", body=path.read_bytes())
    snapshot = stranger.objects("snapshots")[0]
    status, _ = request(pc, "PUT", f"/v1/repositories/pc1/snapshots/{snapshot.name}", body=snapshot.read_bytes())
    assert status == 403
    key = stranger.objects("keys")[0]
    assert request(pc, "PUT", f"/v1/repositories/pc1/keys/{key.name}", body=key.read_bytes())[0] == 403
    assert len(pc.ids()) == 1


def test_a_revoked_machine_is_not_let_in_from_that_moment(vault, source):
    pc = vault.machine("pc1")
    pc.backup(source)
    vault.run("revoke", "pc1", "--why", "stolen")
    refused = pc.run("backup", source, code=1, keys=False)
    assert b"does not know this machine" in refused.err
    assert request(pc, "POST", "/v1/renew", body=b"{}")[0] == 403
    vault.stop()
    vault.start()  # and stays so
    assert request(pc, "GET", "/v1/time")[0] == 403
    pc.run("enrol", vault.address, vault.invite("pc1"), keys=False)
    assert len(pc.ids()) == 1


def test_receipts_show_a_journal_that_was_rolled_back(vault, source):
    pc = vault.machine("pc1")
    pc.backup(source)
    journal = vault.repository("pc1") / "journal"
    old = journal.read_bytes()
    (source / "file-1").write_text("changed")
    pc.backup(source)
    kept = receipts(pc, "pc1")
    assert vault.verify("pc1", "--receipts", kept).summary["receipts"] == 2
    vault.stop()
    journal.write_bytes(old)
    told = vault.verify("pc1", "--receipts", kept, code=4)
    assert "lacks 1 of 2 receipts" in told.errors[-1]["message"]


def test_an_altered_journal_is_not_served(vault, source):
    pc = vault.machine("pc1")
    for i in range(3):
        (source / "file-1").write_text(str(i))
        pc.backup(source)
    vault.stop()
    journal = vault.repository("pc1") / "journal"
    altered = bytearray(journal.read_bytes())
    altered[len(altered) // 2] ^= 1
    journal.write_bytes(altered)
    vault.start()
    told = pc.run("snapshots", code=(1, 4), keys=False)
    assert b"journal" in told.err
    assert journal.read_bytes() == altered


KILLS = 200 if LONG else 6


def assert_as_a_machine_was_told(vault, pc, done):
    """Of `done` backups that ended well, and of some that did not."""
    assert len(pc.ids()) >= done > 0
    pc.assert_whole()
    vault.verify("pc1", "--receipts", receipts(pc, "pc1"))


def test_a_killed_vault_has_every_snapshot_that_it_gave_a_receipt_for(vault, source):
    pc, chance, done = vault.machine("pc1"), random.Random(SEED), 0
    print(f"KURA_TEST_SEED={SEED}")
    for i in range(KILLS):
        (source / "large").write_bytes(random.Random(i).randbytes(8_000_000))
        with running(pc.start("backup", source, "--json", keys=False)) as backup:
            with contextlib.suppress(subprocess.TimeoutExpired):  # still at work
                backup.wait(timeout=chance.uniform(0.05, 0.6))
            vault.stop(signal.SIGKILL)
            vault.start()
            backup.wait(timeout=60)  # it tries again by itself
            done += backup.returncode == 0
    assert_as_a_machine_was_told(vault, pc, done)


def test_a_killed_machine_leaves_nothing_half_done_and_goes_on(vault, source):
    pc, chance, killed = vault.machine("pc1"), random.Random(SEED), 0
    print(f"KURA_TEST_SEED={SEED}")
    for i in range(KILLS):
        (source / "large").write_bytes(random.Random(i).randbytes(8_000_000))
        with running(pc.start("backup", source, "--json", keys=False)) as backup:
            with contextlib.suppress(subprocess.TimeoutExpired):
                backup.wait(timeout=chance.uniform(0.02, 0.5))
            backup.kill()
            killed += backup.wait() != 0
    assert killed > 0
    pc.backup(source)
    assert_as_a_machine_was_told(vault, pc, KILLS - killed + 1)
    vault.stop()
    assert list((vault.repository("pc1") / "objects/tmp").iterdir()) == [], "what was cut off is forgotten"


def test_what_a_crash_left_of_noting_the_time_does_not_keep_it_from_being_noted(vault):
    vault.stop()
    before = (vault.root / "clock").read_text()
    (vault.root / "clock.new").write_text("torn")
    vault.start()
    assert int((vault.root / "clock").read_text()) > int(before)


def test_garbage_and_slow_strangers_keep_nobody_out(vault, source):
    pc = vault.machine("pc1")
    address = ("127.0.0.1", vault.port)
    waiting = [socket.create_connection(address) for _ in range(40)]  # that say nothing
    for _ in range(20):
        with socket.create_connection(address) as stranger:
            stranger.sendall(random.Random(1).randbytes(4000))
    context = ssl._create_unverified_context()
    slow = [context.wrap_socket(socket.create_connection(address)) for _ in range(10)]
    for connection in slow:
        connection.sendall(b"GET /v1/authority HTTP/1.1\r\nHost: v\r\nX")  # and no more
    with context.wrap_socket(socket.create_connection(address)) as long, contextlib.suppress(OSError):
        long.sendall(b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100_000)
        assert long.recv(1000) == b""
    pc.backup(source)
    for connection in waiting + slow:
        connection.close()


def test_an_upload_that_is_cut_off_leaves_nothing(vault):
    pc = vault.machine("pc1")
    own = identity(pc)
    context = ssl.create_default_context(cafile=own / "authority.pem")
    context.check_hostname = False
    context.load_cert_chain(own / "machine.pem")
    for _ in range(3):
        with context.wrap_socket(socket.create_connection(("127.0.0.1", vault.port))) as connection:
            head = f"PUT /v1/repositories/pc1/packs/{'a' * 64} HTTP/1.1\r\nHost: v\r\nContent-Length: 100000\r\n\r\n"
            connection.sendall(head.encode() + b"z" * 50_000)
    assert request(pc, "GET", "/v1/time")[0] == 200
    assert vault.packs("pc1") == []
    temporaries = vault.repository("pc1") / "objects/tmp"
    vault.stop()
    assert not temporaries.exists() or list(temporaries.iterdir()) == []


def test_a_machine_not_enrolled_is_told_what_to_do(vault, tmp_path):
    kura = Kura(tmp_path, init=False)
    told = kura.run("-r", f"{vault.address}/pc1", "snapshots", code=1, keys=False)
    assert b"not enrolled" in told.err and b"kura enrol" in told.err


def test_places_that_are_none_to_listen_at_are_refused(tmp_path):
    vault = Vault(tmp_path)
    for place in ("127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:80x", "nowhere:7443"):
        vault.run("serve", "--listen", place, code=2)


def test_what_was_refused_and_what_changed_is_in_the_log(vault, source):
    pc = vault.machine("pc1")
    snapshot = pc.backup(source)
    request(pc, "DELETE", f"/v1/repositories/pc1/snapshots/{snapshot}")
    request(pc, "GET", "/v1/time", certificate=False)
    vault.stop()
    lines = [json.loads(line) for line in (vault.folder / "vault.log").read_text().splitlines()]
    stored = [line for line in lines if line["level"] == "info" and line["path"].endswith(snapshot)]
    refused = [line for line in lines if line["event"] == "refused"]
    assert [line["machine"] for line in stored] == ["pc1"]
    assert {(line["method"], line["machine"]) for line in refused} >= {("DELETE", "pc1"), ("GET", "")}
    assert all(line["address"] == "127.0.0.1" for line in stored + refused)
