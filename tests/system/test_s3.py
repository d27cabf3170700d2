"""Repositories in the bucket of a real S3 server, straight and through a proxy that fails."""
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from kura import MIB, Kura, fill, tree_of
from s3_proxy import Proxy

EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def server_program():
    """KURA_S3_SERVER, or shared/testbed/s3-server beside the clone."""
    named = os.environ.get("KURA_S3_SERVER")
    root = Path(__file__).resolve().parents[2]
    beside = [folder / "shared/testbed/s3-server" for folder in root.parents]
    return next((path for path in [Path(named)] if path.is_file()), None) if named else \
        next((path for path in beside if path.is_file()), None)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The facts of a server that runs for this module; it takes about 11 seconds to start."""
    program = server_program()
    if program is None:
        pytest.skip("no S3 server: KURA_S3_SERVER names none, and shared/testbed/s3-server is not beside the clone")
    folder = tmp_path_factory.mktemp("s3")
    done = subprocess.run(["bash", program, "start", folder], stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    yield dict(line.split("=", 1) for line in done.stdout.split())
    subprocess.run(["bash", program, "stop", folder], check=True, timeout=60)


def request(server, method, path, *headers):
    """A request to the server by curl, for what kura does not do: buckets. Gives the status and the body."""
    command = ["curl", "-sS", "-X", method, "--aws-sigv4", "aws:amz:us-east-1:s3", "-K", "-", "-w", "\n%{http_code}",
               "-H", f"x-amz-content-sha256: {EMPTY_HASH}", *(part for h in headers for part in ("-H", h)),
               f"{server['S3_ENDPOINT']}/{path}"]
    user = f'user = "{server["S3_ACCESS_KEY"]}:{server["S3_SECRET_KEY"]}"'
    out = subprocess.run(command, input=user, text=True, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    body, _, status = out.rpartition("\n")
    return int(status), body


@pytest.fixture
def bucket(server, request_name):
    assert request(server, "PUT", request_name)[0] == 200
    return request_name


@pytest.fixture
def request_name(request):
    return request.node.name.replace("_", "-").replace("[", "-").replace("]", "").lower()[-60:].strip("-")


class S3Kura(Kura):
    """kura on an S3 address, perhaps at another port than the server's."""

    def __init__(self, folder, server, place, port=None, options="?retry=2s", **more):
        self.server, self.place, self.options = server, place, options
        super().__init__(folder, init=False)
        self.environment.update({name: server[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")})
        self.through(port or server["S3_PORT"])
        if more.get("init", True):
            self.run("init", "--recovery-key-out", self.folder / "recovery-key")

    def through(self, port):
        self.environment["KURA_REPO"] = f"s3+http://127.0.0.1:{port}/{self.place}{self.options}"
        return self


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


def test_locked_objects_are_not_removed_and_survive_gc(tmp_path, server, request_name, source):
    assert request(server, "PUT", request_name, "x-amz-bucket-object-lock-enabled: true")[0] == 200
    kura = S3Kura(tmp_path, server, request_name, options="?object-lock=1d&retry=2s")
    snapshot = kura.backup(source)
    done = kura.run("forget", snapshot, code=1)
    assert b"is locked until" in done.err
    kura.run("gc", "--keep-orphans", "0s", code=(0, 1))
    assert_restores(kura, source, tmp_path)
    status, versions = request(server, "GET", f"{request_name}?prefix=snapshots%2F&versions=")
    version = versions.split("<VersionId>")[1].split("<")[0]
    assert status == 200 and request(server, "DELETE", f"{request_name}/snapshots/{snapshot}?versionId={version}")[0] == 403


def test_a_lock_is_refused_by_a_bucket_that_cannot_lock(tmp_path, server, bucket):
    kura = S3Kura(tmp_path, server, bucket, options="?object-lock=1d", init=False)
    assert b"Object Lock" in kura.run("init", "--recovery-key-out", tmp_path / "key", code=(1, 2)).err
