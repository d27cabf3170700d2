"""kura guard: an attack on a share is contained after a handful of files, honest work is not, and files are open to all
whatever happens to the guard itself."""
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from guard import Guard, Mounted, damaged, fill, text
from kura import needs_root, wait_until
from network import Network
from office_samba import Samba

pytestmark = needs_root

LOCAL_ATTACK = """
import os, pathlib, sys
for number, path in enumerate(sorted(pathlib.Path(sys.argv[1]).rglob("*.txt"))):
    data = path.read_bytes()
    mode = sys.argv[2]
    if mode == "in place":
        with open(path, "r+b") as file: file.write(os.urandom(len(data)))
    elif mode == "rename":
        with open(path, "r+b") as file: file.write(os.urandom(len(data)))
        path.rename(str(path) + ".locked")
    elif mode == "copy and delete":
        pathlib.Path(str(path) + ".enc").write_bytes(os.urandom(len(data)))
        path.unlink()
    elif mode == "new names":
        (path.parent / os.urandom(8).hex()).write_bytes(os.urandom(len(data) + 300))
        path.unlink()
    elif mode == "temporary":
        temporary = path.parent / f"~{number}.tmp"
        temporary.write_bytes(os.urandom(len(data)))
        temporary.rename(path)
"""
MODES = ("in place", "rename", "copy and delete", "new names", "temporary")


@pytest.fixture
def share(tmp_path):
    with Mounted(tmp_path / "share") as folder:
        yield folder


def evil(folder, code, *arguments):
    """Runs Python code as a program of its own: what is held against it is not held against who runs the tests."""
    program = Path(folder) / "evil"
    if not program.exists():
        shutil.copy(os.path.realpath(sys.executable), program)
    return subprocess.Popen([program, "-c", code, *map(str, arguments)], stderr=subprocess.DEVNULL,
                            env={"PYTHONHOME": sys.base_prefix})


def attack(tmp_path, share, mode):
    """A local process that encrypts, until it is refused, stopped (then it is ended here) or done."""
    process = evil(tmp_path, LOCAL_ATTACK, share, mode)
    wait_until(lambda: process.poll() is not None or is_stopped(process))
    process.kill()
    process.wait()


def is_stopped(process):
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.parametrize("mode", MODES)
def test_a_local_attack_is_contained_and_nothing_is_lost(share, tmp_path, mode):
    contents = fill(share)
    told = tmp_path / "told"
    with Guard(share, tmp_path / "state", "--no-samba", "--on-incident", "tee", "--on-incident", told) as guard:
        attack(tmp_path, share, mode)
        incident = guard.contained()
        guard.run("undo")
        lost = damaged(contents)
        assert 1 <= len(lost) <= 5, lost
        wait_until(lambda: told.exists() and b'"contained"' in told.read_bytes())
        guard.run("restore", incident["id"], "--in-place")
        assert damaged(contents) == []
        assert not guard.incidents()


# What an infected PC sends for a file: {junk} is random and of the file's size, {name} the file, {other} a new name beside it.
SMB_ATTACKS = {
    "in place": ("get {name} /dev/null", "put {junk} {name}"),
    "new name and delete, never read": ("put {junk} {other}", "rm {name}"),
    "delete and new file, never read": ("rm {name}", "put {junk} {name}"),
    "renamed first": ("rename {name} {other}", "put {junk} {other}"),
    "temporary": ("put {junk} {other}", "rename {other} {name} -f"),
}


@pytest.mark.parametrize("way", SMB_ATTACKS)
def test_a_client_of_samba_is_cut_and_let_in_again(share, tmp_path, way):
    contents = fill(share)
    with Network(("pc", "server", "a")) as net, Samba(tmp_path / "samba", share, net.server) as samba, \
            Guard(share, tmp_path / "state", "--samba-config", samba.config, host=net.server) as guard:
        with samba.client(net.pc) as infected, samba.client(net.a) as honest:
            assert honest.run("ls") is not None
            touched = smb_attack(infected, tmp_path, contents, share, SMB_ATTACKS[way])
            incident = guard.contained()
            assert incident["actor"]["address"] == net.pc.address and incident["actor"]["kind"] == "samba"
            assert len(damaged(contents)) <= 5, (touched, damaged(contents))
            wait_until(lambda: not net.pc.reaches(net.server.address, 445))
            assert honest.run("ls") is not None and net.a.reaches(net.server.address, 445)
            wait_until(lambda: all(step["done"] for step in guard.contained()["steps"]) and guard.has_judged(1))
            guard.run("undo")
            wait_until(lambda: guard.of_type("undone"))  # the guard has listed all that he touched
            assert net.pc.reaches(net.server.address, 445)
        guard.run("restore", incident["id"], "--in-place")
        assert damaged(contents) == []


def test_a_client_is_cut_from_a_share_of_thousands_of_files(share, tmp_path):
    contents = fill(share)
    (share / "notes").mkdir()
    for number in range(1100):
        (share / "notes" / f"{number}.txt").write_text("one line\n")
    with Network(("pc", "server")) as net, Samba(tmp_path / "samba", share, net.server) as samba, \
            Guard(share, tmp_path / "state", "--samba-config", samba.config, host=net.server) as guard:
        wait_until(lambda: guard.status()["held"] > 1100)
        first = guard.pid
        with samba.client(net.pc) as infected:
            smb_attack(infected, tmp_path, contents, share, SMB_ATTACKS["in place"])
            guard.contained()
            wait_until(lambda: not net.pc.reaches(net.server.address, 445))
        assert guard.pid == first and not guard.alarms("ended")


def smb_attack(client, tmp_path, contents, share, commands):
    """Encrypts over SMB, file by file, as fast as it can; how many it wrote until it was cut."""
    junk = tmp_path / "junk"
    for number, path in enumerate(contents):
        junk.write_bytes(os.urandom(len(contents[path])))
        name = str(path.relative_to(share)).replace("/", "\\")
        said = client.run(*(line.format(junk=junk, name=name, other=f"{name}.locked") for line in commands), seconds=4)
        if said is None or "NT_STATUS" in said:
            return number
    return len(contents)


def test_one_or_two_broken_files_contain_nobody(share, tmp_path):
    contents = fill(share)
    with Guard(share, tmp_path / "state", "--no-samba") as guard:
        for path in list(contents)[:2]:
            path.write_bytes(os.urandom(5000))
        wait_until(lambda: len(guard.of_type("evidence")) == 2 and guard.incidents() and guard.has_judged(2))
        assert [incident["state"] for incident in guard.incidents()] == ["suspect"]
        list(contents)[5].write_bytes(text(random.Random(7)))  # and is refused nothing


def test_honest_work_contains_nobody(share, tmp_path):
    fill(share, folders=6, files=20)
    with Guard(share, tmp_path / "state", "--no-samba") as guard:
        for command in (
                "for f in d0/*.txt; do gzip $f; done",
                "mkdir back && cp -a d1 d2 back/",
                "mv d2 archive-2026 && for f in d3/*.txt; do mv $f ${f%.txt}-old.txt; done",
                "for f in d4/*.txt; do sed -i s/report/REPORT/ $f; done",
                "tar czf d5.tar.gz d5 && rm -r d5",
                "git init -q r && cd r && git config user.email a@b && git config user.name n && cp ../d1/* . && "
                "git add . && git commit -qm 1 && sed -i s/plan/PLAN/ *.txt && git commit -qam 2 && git gc -q --aggressive"):
            subprocess.run(["bash", "-ec", command], cwd=share, check=True)
        wait_until(lambda: guard.has_judged(300))
        assert guard.incidents("--all") == []
        assert guard.of_type("evidence") == []


def test_a_canary_contains_at_once(share, tmp_path):
    contents = fill(share)
    with Guard(share, tmp_path / "state", "--no-samba") as guard:
        guard.run("canary", "place")
        canaries = guard.run("canary", "list")
        assert canaries
        wait_until(lambda: guard.status()["canaries"] == len(canaries))
        process = evil(tmp_path, "import os,sys,time\n"
                       "with open(sys.argv[1],'r+b') as file: file.write(os.urandom(9000))\ntime.sleep(30)",
                       share / canaries[0]["path"])
        incident = guard.contained()
        process.kill()
        process.wait()
        assert [evidence["sign"] for evidence in incident["evidence"]] == ["canary_broken"]
        guard.run("undo")
        guard.run("canary", "remove")
        assert not (share / canaries[0]["path"]).exists()
    assert damaged(contents) == []


def test_files_are_open_whatever_happens_to_the_guard(share, tmp_path):
    contents = fill(share)
    paths = list(contents)
    with Guard(share, tmp_path / "state", "--no-samba") as guard:
        first = guard.pid
        os.kill(first, signal.SIGSTOP)
        begun = time.monotonic()
        paths[0].read_bytes()  # waits until the watchdog ends the guard
        assert time.monotonic() - begun < 6
        wait_until(lambda: guard.alarms("stalled"))
        wait_until(lambda: guard.pid != first)
        second = guard.pid
        os.kill(second, signal.SIGKILL)
        begun = time.monotonic()
        paths[1].read_bytes()
        assert time.monotonic() - begun < 3
        wait_until(lambda: guard.alarms("ended") and guard.pid != second)
        assert guard.alarms("crash")


def test_what_was_encrypted_while_nobody_watched_is_found(share, tmp_path):
    contents = fill(share)
    state = tmp_path / "state"
    with Guard(share, state, "--no-samba"):
        pass  # it has learned what is there
    for path in list(contents)[:3]:
        path.write_bytes(os.urandom(len(contents[path])))
    list(contents)[3].with_suffix(".txt.locked").write_bytes(os.urandom(9000))
    list(contents)[3].unlink()
    with Guard(share, state, "--no-samba") as guard:
        wait_until(lambda: len(guard.of_type("evidence")) == 4)
        assert guard.alarms("away")
        wait_until(lambda: guard.incidents())
        assert guard.incidents()[0]["actor"]["kind"] == "unseen" and guard.incidents()[0]["state"] == "suspect"


def test_what_happens_now_is_not_judged_at_the_scans_priority(share, tmp_path):
    contents = fill(share)
    with Guard(share, tmp_path / "state", "--no-samba") as guard:
        next(iter(contents)).write_bytes(text(random.Random(7)))
        wait_until(lambda: guard.has_judged(1))
        assert min(niceness_of_judges(guard.pid)) < 19


def niceness_of_judges(pid):
    """Of the processes that judge for it."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return [os.getpriority(os.PRIO_PROCESS, child) for child in children
            if b"judge-contents" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_lost_events_are_told_and_mended(share, tmp_path):
    contents = fill(share)
    limit = Path("/proc/sys/fs/fanotify/max_queued_events")
    before = limit.read_text()
    try:
        limit.write_text("8")  # read when the guard opens its group
        guard = Guard(share, tmp_path / "state", "--no-samba", "--no-opens", "--only-tell")
        guard.start()
    finally:
        limit.write_text(before)
    try:
        for number in range(4000):
            (share / f"new-{number}").touch()
        evil(tmp_path, "import os,sys\nfor name in sys.argv[1:]: open(name,'wb').write(os.urandom(9000))",
             *list(contents)[:4]).wait()
        wait_until(lambda: guard.alarms("overflow"))
        wait_until(lambda: len({event["path"] for event in guard.of_type("evidence")}) == 4)
    finally:
        guard.__exit__()
