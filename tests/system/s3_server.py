"""A real S3 server for tests, and requests to it for what kura does not do."""
import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from kura import Kura, wait_until

EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def server_program():
    """KURA_S3_SERVER, or shared/testbed/s3-server beside the clone."""
    named = os.environ.get("KURA_S3_SERVER")
    root = Path(__file__).resolve().parents[2]
    beside = [folder / "shared/testbed/s3-server" for folder in root.parents]
    return next((path for path in [Path(named)] if path.is_file()), None) if named else \
        next((path for path in beside if path.is_file()), None)


def running_server(folder):
    """For a fixture: the facts of a server that runs meanwhile; it takes about 11 seconds to start."""
    program = server_program()
    if program is None:
        pytest.skip("no S3 server: KURA_S3_SERVER names none, and shared/testbed/s3-server is not beside the clone")
    done = subprocess.run(["bash", program, "start", folder], stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    yield {**dict(line.split("=", 1) for line in done.stdout.split()), "folder": folder}
    subprocess.run(["bash", program, "stop", folder], check=True, timeout=60)


def request(server, method, path, *headers, body=None):
    """A request to the server by curl. Gives the status and the body of the answer."""
    command = ["curl", "-sS", "-X", method, "--aws-sigv4", "aws:amz:us-east-1:s3", "-K", "-", "-w", "\n%{http_code}",
               *(part for h in headers for part in ("-H", h))]
    if body is None:
        command += ["-H", f"x-amz-content-sha256: {EMPTY_HASH}"]
    else:
        command += ["-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--data-binary", body]
    user = f'user = "{server["S3_ACCESS_KEY"]}:{server["S3_SECRET_KEY"]}"'
    out = subprocess.run([*command, f"{server['S3_ENDPOINT']}/{path}"], input=user, text=True, stdout=subprocess.PIPE,
                         check=True, timeout=60).stdout
    body, _, status = out.rpartition("\n")
    return int(status), body


def head(server, path):
    """The headers of the answer, with names in lower case."""
    command = ["curl", "-sS", "-I", "--aws-sigv4", "aws:amz:us-east-1:s3", "-K", "-",
               "-H", f"x-amz-content-sha256: {EMPTY_HASH}", f"{server['S3_ENDPOINT']}/{path}"]
    user = f'user = "{server["S3_ACCESS_KEY"]}:{server["S3_SECRET_KEY"]}"'
    out = subprocess.run(command, input=user, text=True, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    lines = [line.split(":", 1) for line in out.splitlines() if ":" in line]
    return {name.lower(): value.strip() for name, value in lines}


def keys(server, bucket, prefix=""):
    status, body = request(server, "GET", f"{bucket}?list-type=2&prefix={prefix.replace('/', '%2F')}")
    assert status == 200, body
    return [part.split("</Key>")[0] for part in body.split("<Key>")[1:]]


class Gateway:
    """The server's own process, which takes the requests: stopped for a while, killed, and started again as it was."""

    def __init__(self, server):
        self.record, self.port = Path(server["folder"]) / "pid/rgw", int(server["S3_PORT"])
        self.log = Path(server["folder"]) / "log/rgw.out"

    @contextlib.contextmanager
    def silent(self):
        pid = self._pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def _pid(self):
        return int(self.record.read_text().split()[0])

    def kill(self):
        pid = self._pid()
        self.command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not _is_running(pid))

    def start(self, server):
        with self.log.open("ab") as log:
            process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True)
        started = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
        self.record.write_text(f"{process.pid} {started}\n")
        wait_until(lambda: _answers(server), 60)


def _is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _answers(server):
    return subprocess.run(["curl", "-s", "-o", "/dev/null", "--max-time", "5", server["S3_ENDPOINT"]],
                          check=False).returncode == 0


class S3Kura(Kura):
    """kura on an S3 address, perhaps at another port than the server's."""

    def __init__(self, folder, server, place, port=None, options="?retry=2s", **more):
        self.server, self.place, self.options = server, place, options
        super().__init__(folder, init=False)
        self.environment.update({name: server[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")})
        self.through(port or server["S3_PORT"])
        if more.get("init", True):
            self.run("init", "--recovery-key-out", self.folder / "recovery-key")

    def through(self, port, scheme="s3+http", host="127.0.0.1"):
        self.environment["KURA_REPO"] = f"{scheme}://{host}:{port}/{self.place}{self.options}"
        return self
