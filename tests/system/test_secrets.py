"""Nothing that is secret lies about: in the repository, the state, the output, the process list, temporary files."""
import os
import random
import re
import shutil
import socket
import threading
from pathlib import Path

import pytest

from kura import MIB, Kura, tree_of

PASSPHRASE, NEW_PASSPHRASE = "MARK-PASSPHRASE-zebra-kilo", "MARK-NEW-PASSPHRASE-yankee-lima"
CONTENTS, NAME = b"MARK-CONTENTS-quebec", b"MARK-NAME-romeo"
TARGET, ATTRIBUTE = b"MARK-TARGET-sierra", b"MARK-XATTR-tango"
SECRETS = (PASSPHRASE.encode(), NEW_PASSPHRASE.encode(), CONTENTS, NAME, TARGET, ATTRIBUTE)


class CommandLines(threading.Thread):
    """Looks at every process's command line and environment as ps shows it, until it is stopped."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen, self.looks, self.stopped = set(), 0, threading.Event()
        self.start()

    def run(self):
        while not self.stopped.is_set():
            for process in os.listdir("/proc"):
                if process.isdigit():
                    try:
                        with open(f"/proc/{process}/cmdline", "rb") as file:
                            line = file.read()
                    except OSError:
                        continue
                    if line.split(b"\0")[0].endswith(b"kura"):
                        self.seen.add(line)
            self.looks += 1


def searched(folder, wanted):
    """Where below a folder one of the texts lies, in contents or names."""
    return [(path, text) for path in folder.rglob("*") for text in wanted
            if text in os.fsencode(path.name) or path.is_file() and text in path.read_bytes()]


def make_source(folder):
    folder.mkdir()
    (folder / NAME.decode()).write_bytes(CONTENTS * 10)
    (folder / "large").write_bytes(CONTENTS + random.Random(1).randbytes(2 * MIB) + CONTENTS * 50_000)
    (folder / "link").symlink_to(TARGET.decode())
    os.setxattr(folder / "large", b"user.mark", ATTRIBUTE)
    (folder / (NAME.decode() + "-folder")).mkdir()
    (folder / "small").write_bytes(random.Random(2).randbytes(100) + CONTENTS + random.Random(3).randbytes(100))


@pytest.fixture
def workplace(tmp_path):
    """The repository, the state and TMPDIR lie apart from the source: (kura, source)."""
    make_source(tmp_path / "source")
    (tmp_path / "program" / "tmp").mkdir(parents=True)
    kura = Kura(tmp_path / "program", passphrase=PASSPHRASE)
    kura.environment["TMPDIR"] = str(tmp_path / "program" / "tmp")
    return kura, tmp_path / "source"


def test_no_secret_is_left_anywhere_by_any_command(workplace, tmp_path):
    kura, source = workplace
    (tmp_path / "wrong").write_text(NEW_PASSPHRASE)
    lines, outputs = CommandLines(), []
    for command in (["backup", source], ["backup", source], ["check"], ["snapshots"], ["key", "list"], ["stats"],
                    ["restore", "latest", "--target", tmp_path / "t"], ["key", "add", "--label", "second"],
                    ["key", "passphrase"], ["gc"], ["check", "--passphrase-file", tmp_path / "wrong"],
                    ["snapshots", "--passphrase-file", tmp_path / "wrong"],
                    ["forget", "--keep-daily", "1"], ["copy", "--to", tmp_path / "twin"]):
        for flags in ([], ["--json"]):
            if command[:2] == ["key", "passphrase"]:
                old, new = (PASSPHRASE, NEW_PASSPHRASE) if not flags else (NEW_PASSPHRASE, PASSPHRASE)
                env = {"KURA_PASSPHRASE": old, "KURA_NEW_PASSPHRASE": new}
            else:
                env = {"KURA_NEW_PASSPHRASE": NEW_PASSPHRASE}
            done = kura.run(*command, *flags, env=env, code=(0, 1))
            outputs.append(done.out + done.err)
    done = kura.run("ls", "latest", env={"KURA_PASSPHRASE": "MARK-wrong"}, code=1)
    outputs.append(done.out + done.err)
    lines.stopped.set(), lines.join()
    assert lines.looks > 10 and lines.seen, "nobody looked"
    said = b"".join(outputs)
    for secret in (PASSPHRASE.encode(), NEW_PASSPHRASE.encode(), CONTENTS, b"MARK-wrong"):
        assert secret not in said and not [line for line in lines.seen if secret in line]
    assert searched(kura.repository, SECRETS) == [] and searched(tmp_path / "twin", SECRETS) == []
    # docs/security.md: what listings are made of, for telling what is unchanged
    allowed_in_the_machines_cache = (NAME, ATTRIBUTE)
    assert searched(kura.state, [s for s in SECRETS if s not in allowed_in_the_machines_cache]) == []
    assert os.listdir(kura.environment["TMPDIR"]) == []


def test_the_state_of_the_machine_is_its_own(workplace):
    kura, source = workplace
    kura.run("backup", source)
    for path in [kura.state, *kura.state.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    for path in kura.repository.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_recovery_secret_is_only_in_the_key_file(tmp_path):
    make_source(tmp_path / "source")
    kura = Kura(tmp_path)
    kura.run("backup", tmp_path / "source"), kura.run("check")
    kura.run("restore", "latest", "--target", tmp_path / "t")
    key_file = tmp_path / "recovery-key"
    assert key_file.stat().st_mode & 0o777 == 0o600
    line, = [line for line in key_file.read_bytes().splitlines() if line.startswith(b"KURA-RECOVERY-KEY-1")]
    secret = line.split()[2]
    for folder in (kura.repository, kura.state):
        assert searched(folder, [secret, bytes.fromhex(secret.decode())]) == []
    done = kura.run("key", "add", "--out", tmp_path / "second-key")
    assert secret not in done.out + done.err and secret in (tmp_path / "second-key").read_bytes()
    assert (tmp_path / "second-key").stat().st_mode & 0o777 == 0o600


def test_the_machines_key_alone_reads_nothing(workplace, tmp_path):
    kura, source = workplace
    kura.run("backup", source)
    for command in (["ls", "latest"], ["find", "*"], ["dump", f"latest:{source}/large"], ["diff", "latest", "latest"],
                    ["restore", "latest", "--target", tmp_path / "t"], ["key", "add"], ["key", "remove", "abcd"]):
        done = kura.run(*command, keys=False, code=2, start_new_session=True, env={"KURA_NEW_PASSPHRASE": "x"})
        assert NAME not in done.out + done.err and CONTENTS not in done.out
    assert not (tmp_path / "t").exists()
    assert not kura.json("check", keys=False).summary["opened"]


def test_a_key_that_others_can_read_is_not_used(workplace):
    kura, source = workplace
    key, = kura.state.rglob("machine.key")
    key.chmod(0o644)
    done = kura.json("backup", source, keys=False, code=1)
    assert "machine.key" in str(done.errors[-1])
    key.chmod(0o600)
    kura.run("backup", source, keys=False)


def test_a_removed_passphrase_opens_nothing_any_more(workplace):
    kura, source = workplace
    kura.run("backup", source)
    first, = [k["id"] for k in kura.json("key", "list").of_type("key") if k["kind"] == "recovery"]
    done = kura.json("key", "remove", first, code=1)
    assert done.errors[-1]["code"] == "conflict", "the last one needs --force"
    kura.run("key", "add", "--label", "second", env={"KURA_NEW_PASSPHRASE": NEW_PASSPHRASE})
    kura.run("ls", "latest", env={"KURA_PASSPHRASE": NEW_PASSPHRASE})
    kura.run("key", "remove", first[:8])
    kura.run("ls", "latest", code=1)
    kura.run("ls", "latest", env={"KURA_PASSPHRASE": NEW_PASSPHRASE})


def test_a_machine_whose_certificate_is_removed_is_no_longer_believed(workplace):
    kura, source = workplace
    kura.run("backup", source)
    machine, = [k["id"] for k in kura.json("key", "list").of_type("key") if k["kind"] == "machine"]
    done = kura.json("key", "add", "--machine", code=1)
    assert done.errors[-1]["code"] == "exists", "its certificate is in force"
    done = kura.json("key", "remove", machine, code=1)
    message = done.errors[-1]["message"]
    assert done.errors[-1]["code"] == "conflict" and f"1 of host {socket.gethostname()}" in message, message
    kura.run("snapshots", keys=False)
    kura.run("key", "remove", machine, "--force")
    done = kura.json("backup", source, keys=False, code=None)
    assert done.code == 1, "it made a snapshot that no reader accepts"
    kura.run("key", "add", "--machine")
    snapshot = kura.backup(source)
    assert kura.ids() == [snapshot]


@pytest.mark.skipif(not shutil.which("strace"), reason="the package strace is not installed")
def test_no_plaintext_is_written_outside_of_the_target(workplace, tmp_path):
    kura, source = workplace
    log = tmp_path / "strace"
    kura.before = ("strace", "-f", "-y", "-qq", "-o", str(log), "-e",
                   "trace=openat,open,creat,memfd_create,mkdir,mkdirat")
    kura.run("backup", source)
    kura.run("restore", "latest", "--target", tmp_path / "t")
    kura.before = ()
    wrote = [line for line in log.read_text().splitlines()
             if any(flag in line for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TMPFILE", "creat(", "memfd_create"))
             and " = -1 " not in line]
    # Each within the folder that it is relative to, which -y shows: openat(7</a/folder>, "name", ...
    paths = [str(Path(*re.findall(r"^[^<\"]*<([^>]*)>", line), line.split('"')[1])) for line in wrote]
    ours = (str(kura.repository), str(kura.state), str(tmp_path / "t"), "/dev/tty", "/dev/null")
    assert paths and [path for path in paths if not path.startswith(ours)] == []
    assert "memfd_create" not in log.read_text()
    assert tree_of(tmp_path / "t")
