"""A vault whose objects lie in the bucket of a real S3 server with Object Lock."""
import random
import re
import signal
import time
from datetime import datetime, timezone

import pytest

from kura import LONG, MIB, fill, running, tree_of, wait_until
from s3_server import Gateway, head, keys, request, running_server
from vault import Vault
from vault import request as ask_vault

LOCK = 12  # seconds
LATEST = LOCK * 1.5 + 1


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    yield from running_server(tmp_path_factory.mktemp("s3"))


@pytest.fixture
def bucket(server, request_name):
    assert request(server, "PUT", request_name, "x-amz-bucket-object-lock-enabled: true")[0] == 200
    return request_name


@pytest.fixture
def request_name(request):
    return request.node.name.replace("_", "-").lower()[-60:].strip("-")


@pytest.fixture
def source(tmp_path):
    return fill(tmp_path / "source", 6, MIB, random.Random(1))


def vault_in(folder, server, bucket, *serve, options=f"object-lock={LOCK}s&retry=2s"):
    place = f"s3+http://127.0.0.1:{server['S3_PORT']}/{bucket}/vaults/a?{options}"
    return Vault(folder, "a", ("--upkeep-every", "1s", *serve), init=("--store", place),
                 environment={name: server[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")})


@pytest.fixture
def vault(tmp_path, server, bucket):
    with vault_in(tmp_path / "v", server, bucket) as running_vault:
        yield running_vault


def locks(server, bucket, kinds=("packs", "index", "snapshots", "keys", "config")):
    """Of each locked object in the repository pc1, until when (s since 1970)."""
    found = {}
    for kind in kinds:
        for key in keys(server, bucket, f"vaults/a/pc1/{kind}/"):
            headers = head(server, f"{bucket}/{key}")
            assert headers["x-amz-object-lock-mode"] == "COMPLIANCE", key
            until = re.sub(r"\.\d+", "", headers["x-amz-object-lock-retain-until-date"]).replace("Z", "+00:00")
            found[key] = datetime.fromisoformat(until).astimezone(timezone.utc).timestamp()
    return found


def assert_restores(pc, source, target):
    restored = pc.restored("latest", target)
    assert tree_of(restored / str(source)[1:]) == tree_of(source)


def test_it_takes_backups_and_gives_them_back_also_after_a_restart(vault, source, tmp_path, server, bucket):
    pc = vault.machine("pc1")
    first = pc.backup(source)
    (source / "file-0").unlink()
    second = pc.backup(source)
    assert_restores(pc, source, tmp_path / "one")
    vault.stop()
    vault.start()
    assert pc.ids() == [first, second]
    assert_restores(pc, source, tmp_path / "two")
    pc.assert_whole()
    assert not (vault.repository("pc1") / "objects").exists()
    assert keys(server, bucket, "vaults/a/pc1/packs/") and not keys(server, bucket, "vaults/a/pc1/leases/")
    left = {path.name for path in vault.repository("pc1").iterdir()}
    assert not {name for name in left if name.startswith("tmp")}, left


def test_two_repositories_in_a_bucket_do_not_see_each_other(vault, source, tmp_path):
    pc1, pc2 = vault.machine("pc1"), vault.machine("pc2")
    one = pc1.backup(source)
    (source / "file-1").unlink()
    two = pc2.backup(source)
    assert pc1.ids() == [one] and pc2.ids() == [two]
    assert_restores(pc2, source, tmp_path / "two")


def test_what_is_kept_stays_locked_and_no_lock_gets_shorter(vault, source, server, bucket):
    pc = vault.machine("pc1")
    pc.backup(source)
    before = locks(server, bucket)
    assert {key.split("/")[3] for key in before} == {"packs", "index", "snapshots", "keys", "config"}
    assert all(LOCK <= until - time.time() + 3 and until - time.time() <= LATEST for until in before.values())
    wait_until(lambda: all(until > before[key] for key, until in locks(server, bucket).items()), 30)
    after = locks(server, bucket)
    assert all(until - time.time() >= LOCK - 3 for until in after.values())
    vault.stop()  # what it remembered is forgotten, and nothing is locked for less time
    vault.start()
    pc.backup(source)
    assert all(until >= after[key] for key, until in locks(server, bucket).items() if key in after)


def test_whoever_has_the_vault_and_its_access_key_destroys_nothing(vault, source, tmp_path, server, bucket):
    pc = vault.machine("pc1")
    pc.backup(source)
    vault.stop(signal.SIGKILL)
    pack = keys(server, bucket, "vaults/a/pc1/packs/")[0]
    version = head(server, f"{bucket}/{pack}")["x-amz-version-id"]
    assert request(server, "DELETE", f"{bucket}/{pack}?versionId={version}")[0] == 403
    retention = ("<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>2026-01-01T00:00:00Z</RetainUntilDate></Retention>")
    assert request(server, "PUT", f"{bucket}/{pack}?retention&versionId={version}", body=retention)[0] in (400, 403)
    assert request(server, "PUT", f"{bucket}/{pack}", body="junk")[0] == 200  # over it, as a new version
    junk = head(server, f"{bucket}/{pack}")["x-amz-version-id"]
    assert junk != version
    assert request(server, "DELETE", f"{bucket}/{pack}?versionId={junk}")[0] == 204  # what the operator does
    vault.start()
    assert_restores(pc, source, tmp_path / "back")


def test_what_somebody_hides_in_the_bucket_comes_back_from_the_other_vault(vault, source, tmp_path, server, bucket):
    pc, b = vault.machine("pc1"), Vault(tmp_path / "b", "b")
    pc.backup(source)
    b.start_pulling()
    b.follow(vault)
    wait_until(lambda: b.snapshots_if_any("pc1"))
    b.stop()
    vault.stop()
    hidden = keys(server, bucket, "vaults/a/pc1/packs/")
    for pack in hidden:
        assert request(server, "DELETE", f"{bucket}/{pack}")[0] == 204  # behind a marker
    assert not keys(server, bucket, "vaults/a/pc1/packs/")
    vault.start("--scrub-rate", "1GB")
    wait_until(lambda: vault.run("status", "--json").lines[0]["damaged"] == len(hidden))
    assert b.pull().summary["repaired_there"] == len(hidden)
    assert keys(server, bucket, "vaults/a/pc1/packs/") == hidden
    assert_restores(pc, source, tmp_path / "back")


def test_what_expires_goes_when_its_lock_has_ended(tmp_path, source, server, bucket):
    with vault_in(tmp_path / "v", server, bucket, options="object-lock=4s&retry=2s") as vault:
        pc = vault.machine("pc1")
        vault.run("policy", "pc1", "daily=1")
        names = []
        for i in range(3):
            (source / "file-1").write_bytes(random.Random(10 + i).randbytes(100_000))
            names.append(pc.backup(source))
            if i == 1:  # while it is kept, its lock is renewed: it ends then or later
                gone = f"vaults/a/pc1/snapshots/{names[1]}"
                until = locks(server, bucket)[gone]
        wait_until(lambda: pc.ids() == [names[0], names[2]])
        vault.stop()
        vault.start()
        assert pc.ids() == [names[0], names[2]]
        wait_until(lambda: gone not in keys(server, bucket, "vaults/a/pc1/snapshots/"), 60)
        assert time.time() >= until - 1  # the end of a lock is told in whole seconds
        assert_restores(pc, source, tmp_path / "back")
        assert b'"error"' not in (vault.folder / "vault.log").read_bytes()


def test_bytes_that_are_not_what_they_should_be_never_reach_the_bucket(vault, source, server, bucket):
    pc = vault.machine("pc1")
    pc.backup(source)
    before = keys(server, bucket, "vaults/a/pc1/")
    for name, body in (("ab" * 32, b"x" * 100_000), ("cd" * 32, b"")):
        status, _ = ask_vault(pc, "PUT", f"/v1/repositories/pc1/packs/{name}", body=body)
        assert status == 422 or status == 400, status
    assert keys(server, bucket, "vaults/a/pc1/") == before


def test_a_vault_that_starts_without_its_bucket_goes_on_when_it_is_back(tmp_path, source, server, bucket):
    vault = vault_in(tmp_path / "v", server, bucket, options=f"object-lock={LOCK}s&retry=1s")
    gateway = Gateway(server)
    try:
        vault.start()
        pc = vault.machine("pc1")
        first = pc.backup(source)
        vault.stop()
        gateway.kill()
        vault.start()
        refused = pc.run("backup", source, code=1, keys=False)
        assert b"bucket" in refused.err or b"cannot" in refused.err
        gateway.start(server)
        wait_until(lambda: pc.run("snapshots", code=None).code == 0, 30)
        second = pc.backup(source)
        assert pc.ids() == [first, second]
    finally:
        vault.stop()


def test_a_vault_killed_in_the_middle_loses_no_commit(vault, source, tmp_path):
    pc, rng, told = vault.machine("pc1"), random.Random(7), []
    for i in range(100 if LONG else 5):
        (source / "file-2").write_bytes(random.Random(50 + i).randbytes(3_000_000))
        with running(pc.start("backup", source, keys=False)) as process:
            time.sleep(rng.uniform(0.05, 0.8))
            vault.stop(signal.SIGKILL)
            vault.start()
            process.wait(timeout=60)
        told = [*told, *[line for line in pc.ids() if line not in told]]
        assert pc.ids() == told
    pc.backup(source)
    assert_restores(pc, source, tmp_path / "back")
    pc.assert_whole()


def test_a_bucket_that_does_not_fit_is_refused_at_once(tmp_path, server):
    plain = "a-plain-bucket"
    assert request(server, "PUT", plain)[0] == 200
    for options, why in ((f"object-lock={LOCK}s", "cannot lock objects"), ("retry=2s", "for how long")):
        with pytest.raises(AssertionError, match=why):
            vault_in(tmp_path / options.replace("=", "-"), server, plain, options=options)
    with pytest.raises(AssertionError, match="no bucket"):
        vault_in(tmp_path / "none", server, "there-is-none")
    with pytest.raises(AssertionError, match="is no bucket"):
        Vault(tmp_path / "folder", "a", init=("--store", str(tmp_path / "elsewhere")))
    assert not list(tmp_path.glob("*/vault/vault.key"))
