"""The built program, driven from outside; nothing of the caller's environment reaches it but KURA_SIMD and KURA_IO_URING.

KURA in the environment names the program.
"""
import contextlib
import dataclasses
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "format"))  # source_trees: hard trees and their facts

PROGRAM = os.environ["KURA"]
PASSPHRASE = "correct horse \u8535 battery"
KINDS = ("config", "keys", "packs", "index", "snapshots", "leases", "condemned")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
MIB = 1 << 20
LONG = os.environ.get("KURA_LONG") == "1"  # `./run test-long`: hundreds of times what `./run test` does a few times
SEED = int(os.environ.get("KURA_TEST_SEED", time.time_ns() % 1_000_000))

_FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
needs_faketime = pytest.mark.skipif(not _FAKETIME, reason="the package faketime is not installed")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes devices, mounts or other users' files")


@dataclasses.dataclass
class Done:
    """What a run of the program gave."""
    code: int
    out: bytes
    err: bytes

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self):
        last = self.lines[-1]
        assert last["type"] == "summary", last
        return last

    @property
    def errors(self):
        return [line for line in self.lines if line["type"] == "error"]

    def of_type(self, kind):
        return [line for line in self.lines if line["type"] == kind]


class Kura:
    """The program with a repository, a state folder and a recovery key of its own, all below `folder`."""

    def __init__(self, folder, *options, init=True, passphrase=None, program=PROGRAM, before=()):
        """`passphrase` seals the recovery key into the repository; without it there is a key file, which opens much
        faster. `before` is what the program is run through (setpriv, faketime). Without `init` nothing is made."""
        self.folder = Path(folder)
        self.repository, self.state = self.folder / "repository", self.folder / "state"
        self.program, self.before = str(program), tuple(before)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                            "TMPDIR": str(self.folder), "KURA_REPO": str(self.repository),
                            "KURA_STATE_DIR": str(self.state)}
        for name in ("KURA_SIMD", "KURA_IO_URING"):  # what a whole run may be told
            if name in os.environ:
                self.environment[name] = os.environ[name]
        if passphrase is not None:
            self.keys = {"KURA_PASSPHRASE": passphrase}
        else:
            self.keys = {"KURA_RECOVERY_KEY_FILE": str(self.folder / "recovery-key")}
            options = ("--recovery-key-out", self.folder / "recovery-key", *options)
        if init:
            self.run("init", *options, keys=passphrase is not None)

    def command(self, *arguments):
        return [*self.before, self.program, *map(_text, arguments)]

    def with_keys(self, keys=True, **more):
        return {**self.environment, **(self.keys if keys else {}), **more}

    def run(self, *arguments, code=0, keys=True, env=None, **more):
        """Runs it to its end, which is to be exit code `code` (None: any; a tuple: one of these)."""
        done = subprocess.run(self.command(*arguments), env=self.with_keys(keys, **(env or {})),
                              stdin=subprocess.DEVNULL, stdout=more.pop("stdout", subprocess.PIPE),
                              stderr=subprocess.PIPE, timeout=more.pop("timeout", 120), **more)
        wanted = code if isinstance(code, tuple) or code is None else (code,)
        said = ((done.stdout or b"")[-2000:] + done.stderr[-2000:]).decode(errors="backslashreplace")
        assert wanted is None or done.returncode in wanted, f"{arguments}: exit code {done.returncode}, not {code}\n{said}"
        return Done(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments, **more):
        return self.run(*arguments, "--json", **more)

    def start(self, *arguments, keys=True, **more):
        """Begins it; `running` below ends it."""
        more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.Popen(self.command(*arguments), env=self.with_keys(keys), **more)

    def copied_to(self, folder):
        """The same machine with a repository and a state of its own below `folder`, to be harmed."""
        for name in ("repository", "state"):
            shutil.copytree(self.folder / name, folder / name)
        shutil.copy(self.folder / "recovery-key", folder)
        return Kura(folder, init=False)

    def backup(self, *arguments, **more):
        """The id of the snapshot."""
        return self.json("backup", *arguments, **more).summary["snapshot_id"]

    def snapshots(self, **more):
        return self.json("snapshots", **more).of_type("snapshot")

    def ids(self):
        return [snapshot["id"] for snapshot in self.snapshots()]

    def objects(self, *kinds):
        """The files of the repository's objects."""
        return sorted(path for kind in kinds or KINDS for path in (self.repository / kind).rglob("*")
                      if path.is_file() and len(path.name) == 64)

    def restored(self, snapshot, target, *more, code=0):
        """Restores into a new folder `target` and gives it."""
        shutil.rmtree(target, ignore_errors=True)
        self.run("restore", snapshot, "--target", target, *more, code=code)
        return Path(target)

    def assert_whole(self, keys=True):
        summary = self.json("check", keys=keys).summary
        assert summary["errors"] == 0 and summary["opened"] is keys, summary
        return summary


def _text(argument):
    return argument if isinstance(argument, (bytes, str)) else os.fspath(argument)


@contextlib.contextmanager
def running(process):
    """A process that is ended, whatever happens."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.communicate()


def fake_clock(**more):
    """The environment of a program whose wall clock, and no other, is what `more` says: FAKETIME="-3d"."""
    return {"LD_PRELOAD": _FAKETIME[0], "NO_FAKE_STAT": "1", "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", **more}


def wait_until(condition, seconds=20):
    """Until `condition()` is true, which is seen from outside only; so long at most."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def creep_until(process, condition):
    """Lets it run in steps of 20 ms until `condition()` is true, and leaves it stopped there: however slow the looking
    is, it cannot run past the moment."""
    while not condition():
        assert process.poll() is None, "it ended before"
        process.send_signal(signal.SIGCONT)
        time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)


@contextlib.contextmanager
def mounted(folder, *options):
    """A file system mounted at `folder` for a while: mounted(f, "-t", "tmpfs", "-o", "size=1m", "tmpfs")."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", *options, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def tree_of(folder):
    """relative path -> bytes of every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(Path(folder).rglob("*")) if path.is_file() and not path.is_symlink()}


def fill(folder, files, size, chance):
    """Makes `files` files of about `size` random bytes in a new folder."""
    Path(folder).mkdir(parents=True)
    for i in range(files):
        (Path(folder) / f"file-{i}").write_bytes(chance.randbytes(chance.randrange(size // 2, size * 3 // 2)))
    return Path(folder)


def flip(path, at=None, chance=None):
    """Changes one bit of a file (an object is read-only), and gives where."""
    data = bytearray(path.read_bytes())
    at = at if at is not None else chance.randrange(len(data))
    data[at] ^= 1
    replace(path, bytes(data))
    return at


def replace(path, data):
    """Other bytes in a file that may be read-only; its times stay."""
    times = path.stat()
    path.chmod(0o600)
    path.write_bytes(data)
    path.chmod(times.st_mode & 0o7777)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def set_back(path, seconds):
    """Makes it an object that came in so long ago: in a folder that is the time of the file."""
    when = path.stat().st_mtime - seconds
    os.utime(path, (when, when))
