"""Repositories in the bucket of a real S3 server, straight and through a proxy that fails."""
import random
import re
import shutil
import ssl
import subprocess
import threading
from datetime import datetime, timezone
from pathlib import Path

import pytest

from kura import MIB, Kura, fill, running, tree_of, wait_until
from mounts import drop_caches, listed, mount, needs_fuse, refuses
from s3_proxy import Proxy
from s3_server import Gateway, S3Kura, head, keys, request, running_server
from s3_signature import is_signed, signed_fields


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    yield from running_server(tmp_path_factory.mktemp("s3"))


@pytest.fixture
def bucket(server, request_name):
    assert request(server, "PUT", request_name)[0] == 200
    return request_name


@pytest.fixture
def request_name(request):
    return request.node.name.replace("_", "-").replace("[", "-").replace("]", "").lower()[-60:].strip("-")


@pytest.fixture
def source(tmp_path):
    return fill(tmp_path / "source", 6, MIB, random.Random(1))


@pytest.fixture
def kura(tmp_path, server, bucket):
    return S3Kura(tmp_path, server, f"{bucket}/some where/é")


def through_proxy(server, kura, fault):
    proxy = Proxy("127.0.0.1", int(server["S3_PORT"]), fault)
    kura.through(proxy.port)
    return proxy


def once(wanted, what, times=1):
    """A fault at the first so many requests that begin so."""
    left = [times]

    def fault(request):
        if not request.startswith(wanted[0]) or wanted[1] not in request or left[0] == 0:
            return None
        left[0] -= 1
        return what
    return fault


def assert_restores(kura, source, tmp_path):
    kura.assert_whole()
    target = kura.restored("latest", tmp_path / "back")
    assert tree_of(target / str(source)[1:]) == tree_of(source)


def test_a_bucket_is_a_repository_like_a_folder(kura, source, tmp_path):
    first = kura.backup(source)
    (source / "file-0").unlink()
    kura.backup(source)
    assert_restores(kura, source, tmp_path)
    assert kura.json("stats").summary
    kura.run("forget", first)
    kura.run("gc")
    assert_restores(kura, source, tmp_path)


def test_copies_go_from_a_folder_to_a_bucket_and_back(kura, source, tmp_path, server, bucket):
    kura.backup(source)
    kura.run("copy", "--to", tmp_path / "folder")
    address = kura.environment["KURA_REPO"].replace("/some%20where", "").replace("some where/é", "copy")
    kura.environment["KURA_REPO"] = str(tmp_path / "folder")
    kura.run("copy", "--to", address)
    kura.environment["KURA_REPO"] = address
    assert_restores(kura, source, tmp_path)


def test_init_wants_a_bucket_that_is_there_and_room_in_it(tmp_path, server, bucket):
    missing = S3Kura(tmp_path / "a", server, "no-such-bucket", init=False)
    done = missing.run("init", "--recovery-key-out", tmp_path / "key-a", code=1)
    assert b"no bucket no-such-bucket" in done.err
    assert request(server, "PUT", f"{bucket}/foreign", "Content-Length: 0")[0] == 200
    full = S3Kura(tmp_path / "b", server, bucket, init=False)
    assert b"not empty" in full.run("init", "--recovery-key-out", tmp_path / "key-b", code=1).err


def test_a_wrong_secret_is_told_and_never_shown(kura):
    kura.environment["AWS_SECRET_ACCESS_KEY"] = "hunter2"
    done = kura.run("snapshots", code=1)
    assert b"AWS_SECRET_ACCESS_KEY" in done.err and b"hunter2" not in done.err + done.out


@pytest.mark.parametrize("what", ["503", "cut", "cut-answer"])
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_what_fails_once_is_tried_again(kura, source, tmp_path, server, method, what):
    kura.backup(source)
    (source / "more").write_bytes(random.Random(2).randbytes(MIB))
    proxy = through_proxy(server, kura, once((method, "/"), what, times=2))
    kura.backup(source)
    assert_restores(kura, source, tmp_path)
    proxy.close()


@pytest.mark.parametrize("what", ["503", "cut", "endless"])
def test_what_keeps_failing_leaves_nothing_half_done_and_the_next_run_goes_on(kura, source, tmp_path, server, what):
    proxy = through_proxy(server, kura, lambda request: what if "PUT" in request and "/snapshots/" in request else None)
    done = kura.run("backup", source, code=1)
    assert b"cannot store snapshot" in done.err
    proxy.close()
    kura.through(server["S3_PORT"])
    assert kura.ids() == []
    summary = kura.json("backup", source).summary
    assert summary["bytes_stored_new"] < MIB  # the packs were stored already
    assert_restores(kura, source, tmp_path)


def test_a_put_that_a_server_only_claims_to_have_done_is_found_by_check_and_mended_by_the_next_backup(
        kura, source, tmp_path, server):
    proxy = through_proxy(server, kura, once(("PUT", "/packs/"), "lie"))
    kura.run("backup", source)
    proxy.close()
    kura.through(server["S3_PORT"])
    kura.run("check", code=4)
    shutil.rmtree(kura.state / "cache", ignore_errors=True)
    kura.run("backup", source)
    assert tree_of(kura.restored("latest", tmp_path / "back") / str(source)[1:]) == tree_of(source)


def test_changed_bytes_are_never_taken_for_contents(kura, source, tmp_path, server):
    kura.backup(source)
    proxy = through_proxy(server, kura, lambda request: "flip" if "GET" in request and "/packs/" in request else None)
    kura.run("restore", "latest", "--target", tmp_path / "back", code=(1, 4))
    whole = tree_of(source)
    for path, data in tree_of(tmp_path / "back").items():
        assert data == whole[Path(path).name]
    proxy.close()


@pytest.fixture
def locking_bucket(server, request_name):
    assert request(server, "PUT", request_name, "x-amz-bucket-object-lock-enabled: true")[0] == 200
    return request_name


def locked_for(server, bucket, *kinds):
    """How many seconds each of the bucket's objects is still locked, by its key."""
    until = {key: head(server, f"{bucket}/{key}")["x-amz-object-lock-retain-until-date"]
             for kind in kinds for key in keys(server, bucket, kind)}
    now = datetime.now(timezone.utc)
    return {key: (datetime.fromisoformat(date[:19] + "+00:00") - now).total_seconds() for key, date in until.items()}


DAY = 24 * 3600
NEEDED = ("packs/", "index/", "config/", "keys/")


def test_locked_objects_are_not_removed_and_survive_gc(tmp_path, server, locking_bucket, source):
    kura = S3Kura(tmp_path, server, locking_bucket, options="?object-lock=1d&retry=2s")
    snapshot = kura.backup(source)
    done = kura.run("forget", snapshot, code=1)
    assert b"is locked until" in done.err
    kura.run("gc", "--keep-orphans", "0s", code=(0, 1))
    assert_restores(kura, source, tmp_path)
    status, versions = request(server, "GET", f"{locking_bucket}?prefix=snapshots%2F&versions=")
    version = versions.split("<VersionId>")[1].split("<")[0]
    path = f"{locking_bucket}/snapshots/{snapshot}?versionId={version}"
    assert status == 200 and request(server, "DELETE", path)[0] == 403


def test_a_snapshot_locks_all_that_it_needs_for_the_whole_time_also_what_is_old(tmp_path, server, locking_bucket, source):
    kura = S3Kura(tmp_path, server, locking_bucket, options="?object-lock=1d&retry=2s")
    kura.backup(source)
    assert all(DAY < left < 1.6 * DAY for left in locked_for(server, locking_bucket, *NEEDED).values())
    kura.options = "?object-lock=30d&retry=2s"
    kura.through(server["S3_PORT"]).backup(source)  # stores nothing but its own snapshot
    left = locked_for(server, locking_bucket, *NEEDED)
    assert {key.split("/")[0] for key in left} == {"packs", "index", "config", "keys"}
    assert all(left[key] > 30 * DAY - 60 for key in left), left
    assert sorted(int(left / DAY + 0.5) for left in locked_for(server, locking_bucket, "snapshots/").values()) == [1, 30]


def test_locks_that_hold_long_enough_cost_no_request(tmp_path, server, locking_bucket, source):
    kura = S3Kura(tmp_path, server, locking_bucket, options="?object-lock=1d&retry=2s")
    kura.backup(source)
    proxy = through_proxy(server, kura, lambda request: None)
    (source / "more").write_bytes(b"more")
    kura.backup(source)
    old = [line for line in proxy.requests if line.startswith("HEAD") and "/keys/" in line]
    assert old == [] and not any("retention" in line for line in proxy.requests)
    (locks,) = kura.state.rglob("locks")
    locks.write_bytes(b"KURALOCK" + bytes(50))  # damaged: the server is asked instead
    kura.backup(source)
    assert any(line.startswith("HEAD") and "/keys/" in line for line in proxy.requests)
    assert not any("retention" in line for line in proxy.requests)
    proxy.close()


def test_a_lock_that_cannot_be_made_longer_keeps_the_snapshot_from_appearing(tmp_path, server, locking_bucket, source):
    kura = S3Kura(tmp_path, server, locking_bucket, options="?object-lock=1d&retry=2s")
    before = kura.backup(source)
    kura.options = "?object-lock=30d&retry=1s"
    proxy = through_proxy(server, kura, lambda line: "503" if "retention" in line and "/packs/" in line else None)
    (source / "more").write_bytes(b"more")
    done = kura.run("backup", source, code=1)
    assert b"cannot lock pack" in done.err
    proxy.close()
    kura.through(server["S3_PORT"])
    assert kura.ids() == [before]


def test_copies_lock_what_they_need_too(tmp_path, server, locking_bucket, source):
    (tmp_path / "folder").mkdir()
    (tmp_path / "s3").mkdir()
    folder = Kura(tmp_path / "folder")
    folder.backup(source)
    kura = S3Kura(tmp_path / "s3", server, locking_bucket, options="?object-lock=2d&retry=2s", init=False)
    folder.run("copy", "--to", kura.environment["KURA_REPO"],
               env={name: server[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")})
    left = locked_for(server, locking_bucket, *NEEDED)
    assert left and all(time > 2 * DAY - 60 for time in left.values()), left


def test_a_lock_is_refused_by_a_bucket_that_cannot_lock(tmp_path, server, bucket):
    kura = S3Kura(tmp_path, server, bucket, options="?object-lock=1d", init=False)
    assert b"cannot lock objects" in kura.run("init", "--recovery-key-out", tmp_path / "key", code=2).err
    assert keys(server, bucket) == []


def test_a_bucket_that_can_lock_wants_to_be_told_how_long_or_not_at_all(tmp_path, server, locking_bucket, source):
    kura = S3Kura(tmp_path, server, locking_bucket, init=False)
    done = kura.run("init", "--recovery-key-out", kura.folder / "recovery-key", code=2)
    assert b"object-lock=30d" in done.err and b"object-lock=none" in done.err
    kura.options = "?object-lock=none&retry=2s"
    kura.through(server["S3_PORT"]).run("init", "--recovery-key-out", kura.folder / "recovery-key")
    kura.backup(source)
    kura.options = "?retry=2s"
    assert_restores(kura.through(server["S3_PORT"]), source, tmp_path)  # who only reads is not asked


# ---- Lines that break ----

def test_a_line_that_breaks_before_a_pack_is_through_gets_it_there_in_parts(tmp_path, server, bucket):
    source = fill(tmp_path / "source", 3, 12 * MIB, random.Random(1))
    kura = S3Kura(tmp_path, server, bucket)
    proxy = through_proxy(server, kura, None)
    proxy.fault, proxy.most = lambda line: None, 9 * MIB
    kura.backup(source)
    assert any("partNumber=4" in line for line in proxy.requests)
    proxy.close()
    assert_restores(kura.through(server["S3_PORT"]), source, tmp_path)
    assert "<Upload>" not in request(server, "GET", f"{bucket}?uploads=")[1]


def test_a_part_that_is_cut_off_is_sent_again_and_not_the_others(tmp_path, server, bucket):
    source = fill(tmp_path / "source", 2, 12 * MIB, random.Random(1))
    kura = S3Kura(tmp_path, server, bucket, options="?retry=30s")
    second, last = once(("PUT", "partNumber=2"), "cut", times=2), once(("POST", "uploadId="), "cut-answer")
    proxy = through_proxy(server, kura, lambda line: None)

    def fault(line):
        if not any("?uploads=" in seen for seen in proxy.requests):
            return "cut" if line.startswith("PUT") and "/packs/" in line else None
        return second(line) or last(line)
    proxy.fault = fault
    kura.backup(source)
    parts = [line.split("partNumber=")[1][0] for line in proxy.requests if "partNumber=" in line]
    assert parts.count("1") == 1 and parts.count("2") == 3 and parts.count("3") == 1
    proxy.close()
    assert_restores(kura.through(server["S3_PORT"]), source, tmp_path)


def test_an_upload_in_parts_that_fails_leaves_nothing_behind(tmp_path, server, bucket):
    source = fill(tmp_path / "source", 2, 12 * MIB, random.Random(1))
    kura = S3Kura(tmp_path, server, bucket, options="?retry=1s")
    proxy = through_proxy(server, kura, lambda line: "cut" if line.startswith("PUT") and "/packs/" in line and
                          "partNumber=1" not in line else None)
    assert b"cannot store pack" in kura.run("backup", source, code=1).err
    proxy.close()
    assert keys(server, bucket, "packs/") == [] and "<Upload>" not in request(server, "GET", f"{bucket}?uploads=")[1]


def test_uploads_that_an_earlier_run_left_are_ended_when_they_are_a_day_old(tmp_path, server, bucket, source):
    kura = S3Kura(tmp_path, server, bucket)
    name = "packs/aa/" + "a" * 64
    foreign = "elsewhere/file"
    for key in (name, foreign):
        assert request(server, "POST", f"{bucket}/{key}?uploads=")[0] == 200
    uploads = request(server, "GET", f"{bucket}?uploads=")[1]
    kura.backup(source)
    assert request(server, "GET", f"{bucket}?uploads=")[1].count("<Upload>") == 2  # not old: perhaps still at work
    # The server's clock cannot be set, so its answer is made to look old.
    old = re.sub(r"<Initiated>....", "<Initiated>2020", uploads).encode()
    whole = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(old), old)
    proxy = through_proxy(server, kura, lambda line: whole if "max-uploads" in line else None)
    (source / "more").write_bytes(b"more")
    kura.backup(source)
    proxy.close()
    left = request(server, "GET", f"{bucket}?uploads=")[1]
    assert name not in left and foreign in left


# ---- Repair by parity ----

def with_parity(folder, server, place, options):
    kura = S3Kura(folder, server, place, options=options, init=False)
    kura.run("init", "--parity=4+2", "--recovery-key-out", kura.folder / "recovery-key")
    return kura


def overwrite(server, bucket, key, folder):
    """Other bytes, as many, under the key of an object."""
    (folder / "junk").write_bytes(random.Random(3).randbytes(int(head(server, f"{bucket}/{key}")["content-length"])))
    assert request(server, "PUT", f"{bucket}/{key}", body=f"@{folder / 'junk'}")[0] == 200


@pytest.mark.parametrize("locks", [False, True])
def test_a_bucket_is_repaired_like_a_folder(tmp_path, server, request_name, source, locks):
    more = ("x-amz-bucket-object-lock-enabled: true",) if locks else ()
    assert request(server, "PUT", request_name, *more)[0] == 200
    kura = with_parity(tmp_path, server, request_name, "?retry=2s" + ("&object-lock=1d" if locks else ""))
    kura.backup(source)
    overwrite(server, request_name, keys(server, request_name, "packs/")[0], tmp_path)
    for kind in ("config/", "index/"):
        key, = keys(server, request_name, kind)
        assert request(server, "DELETE", f"{request_name}/{key}")[0] == 204
    dry = kura.json("check", "--repair", "--dry-run", keys=False, code=4)
    assert [line["repaired"] for line in dry.of_type("repair")] == [True]  # the config, without which no more is seen
    done = kura.json("check", "--repair", keys=False)
    assert len(done.of_type("repair")) == 3 and done.summary["errors"] == 0
    assert_restores(kura, source, tmp_path)
    if locks:
        left = locked_for(server, request_name, *NEEDED)
        assert min(left.values()) > DAY - 60, left


def test_a_repair_that_does_not_get_through_does_not_say_that_it_has(tmp_path, server, bucket):
    source = tmp_path / "source"
    source.write_bytes(random.Random(1).randbytes(17 * MIB))
    kura = with_parity(tmp_path, server, bucket, "?retry=1s")
    kura.backup(source)
    pack = max(keys(server, bucket, "packs/"), key=lambda key: int(head(server, f"{bucket}/{key}")["content-length"]))
    overwrite(server, bucket, pack, tmp_path)

    def fault(line):  # the pack has to go in parts, and is never put together
        if line.startswith("PUT") and "/packs/" in line and "partNumber" not in line:
            return "cut"
        return "503" if line.startswith("POST") and "uploadId=" in line else None
    proxy = through_proxy(server, kura, fault)
    done = kura.json("check", "--repair", keys=False, code=1)
    assert "cannot store pack" in done.errors[-1]["message"] and done.of_type("repair") == []
    assert any("partNumber=2" in line for line in proxy.requests)
    proxy.close()


# ---- The server goes away ----

def test_a_server_that_is_killed_and_comes_back_is_waited_for(tmp_path, server, bucket):
    source = fill(tmp_path / "source", 4, 12 * MIB, random.Random(1))
    kura = S3Kura(tmp_path, server, bucket, options="?retry=2m")
    gateway = Gateway(server)
    killed = threading.Event()

    def fault(line):
        if line.startswith("PUT") and "/packs/" in line and not killed.is_set():
            gateway.kill()
            killed.set()
    proxy = through_proxy(server, kura, fault)
    with running(kura.start("backup", source)) as process:
        assert killed.wait(60)
        gateway.start(server)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    proxy.close()
    assert_restores(kura.through(server["S3_PORT"]), source, tmp_path)


def test_a_server_that_stays_away_ends_the_backup_and_the_next_uses_what_was_stored(tmp_path, server, bucket):
    source = fill(tmp_path / "source", 6, 12 * MIB, random.Random(1))
    kura = S3Kura(tmp_path, server, bucket, options="?retry=1s")
    proxy = through_proxy(server, kura, None)
    stored = []

    def fault(line):
        if line.startswith("PUT") and "/packs/" in line:
            stored.append(line)
        return "cut" if len(stored) > 1 else None
    proxy.fault = fault
    assert b"what is stored already is used" in kura.run("backup", source, code=1).err
    proxy.close()
    kura.through(server["S3_PORT"])
    assert kura.ids() == []
    assert kura.json("backup", source).summary["bytes_stored_new"] < 50 * MIB
    assert_restores(kura, source, tmp_path)


# ---- HTTPS, tokens, clocks ----

@needs_fuse
def test_a_mount_gives_errors_while_the_server_is_silent_or_gone_and_reads_when_it_answers(tmp_path, server, bucket):
    source = fill(tmp_path / "source", 5, 20_000, random.Random(1))
    for name in ("large", "unread"):
        (source / name).write_bytes(random.Random(name).randbytes(16 * MIB))
    kura = S3Kura(tmp_path, server, bucket, options="?retry=1h")
    kura.backup(source)
    gateway = Gateway(server)
    with mount(kura, tmp_path / "mnt", "--patience", "2s") as at:
        shown = at.below(source)
        names = listed(shown)
        with gateway.silent():
            assert refuses(shown / "large")
            assert listed(shown) == names
        wait_until(lambda: not refuses(shown / "large"), 60)
        assert (shown / "large").read_bytes() == (source / "large").read_bytes()
        gateway.kill()
        drop_caches()
        assert all(refuses(shown / "unread") for _ in range(3))
        assert listed(shown) == names
        said = at.stop()
    gateway.start(server)
    assert said.count("does not answer") == 2, said


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, and certificates by it for localhost and for another host: a folder."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.pem", "-subj", "/CN=our authority", "-days", "2")
    for host in ("localhost", "elsewhere.example"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-CA", "ca.pem",
                "-CAkey", "ca.key", "-keyout", f"{host}.key", "-out", f"{host}.pem", "-subj", f"/CN={host}",
                "-addext", f"subjectAltName=DNS:{host}", "-addext", "basicConstraints=critical,CA:FALSE", "-days", "2")
    return folder


def https_proxy(server, kura, certificates, host):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{host}.pem", certificates / f"{host}.key")
    proxy = Proxy("127.0.0.1", int(server["S3_PORT"]), tls=context)
    kura.through(proxy.port, scheme="s3", host="localhost")
    return proxy


@pytest.mark.parametrize("variable", ["CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_https_with_an_authority_of_ones_own(kura, source, tmp_path, server, certificates, variable):
    proxy = https_proxy(server, kura, certificates, "localhost")
    kura.environment[variable] = str(certificates / "ca.pem")
    kura.backup(source)
    assert_restores(kura, source, tmp_path)
    proxy.close()


def test_a_certificate_of_an_unknown_authority_or_for_another_host_is_refused(kura, server, certificates):
    proxy = https_proxy(server, kura, certificates, "localhost")
    done = kura.run("snapshots", code=1)
    assert b"certificate" in done.err and b"CURL_CA_BUNDLE" in done.err
    proxy.close()
    kura.environment["CURL_CA_BUNDLE"] = str(certificates / "ca.pem")
    proxy = https_proxy(server, kura, certificates, "elsewhere.example")
    done = kura.run("snapshots", code=1)
    assert b"localhost" in done.err and b"Name the server as its certificate does" in done.err
    assert proxy.requests == []
    proxy.close()


def test_plain_http_and_https_at_the_wrong_port_are_told_apart(kura, server, certificates):
    kura.options = "?retry=1s"
    kura.through(server["S3_PORT"], scheme="s3", host="localhost")
    assert b"a server without encryption is s3+http://" in kura.run("snapshots", code=1).err
    proxy = https_proxy(server, kura, certificates, "localhost")
    kura.through(proxy.port)
    assert b"a server with encryption is s3://" in kura.run("snapshots", code=1).err
    proxy.close()


def test_a_session_token_is_sent_and_signed(kura, server):
    proxy = through_proxy(server, kura, lambda line: None)
    kura.environment["AWS_SESSION_TOKEN"] = "a/token+of=ours"
    kura.run("snapshots", code=(0, 1))  # this server has given no such token, and may pass over it
    fields = signed_fields(proxy.heads[0])
    proxy.close()
    assert fields["x-amz-security-token"] == "a/token+of=ours"
    assert is_signed(proxy.heads[0], server["S3_SECRET_KEY"])
    assert not is_signed(proxy.heads[0].replace(b"a/token", b"b/token"), server["S3_SECRET_KEY"])
    assert not is_signed(proxy.heads[0], "another secret")


def test_a_clock_that_is_wrong_is_told_with_both_times(kura, server):
    kura.before = ("faketime", "-f", "+20m")
    done = kura.run("snapshots", code=1)
    assert b"RequestTimeTooSkewed" in done.err and b"clock" in done.err and done.err.count(b"Z") >= 2
