"""Files are judged in a process that can do nothing else, and that may end as it will."""
import contextlib
import json
import os
import signal
import time
from pathlib import Path

import pytest

from kura import Kura, running, wait_until
from office import make_office


def fields_of(pid, name):
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/{name}").read_text().splitlines() if ":\t" in line)


def judges_of(process):
    """Its children that judge, as long as they have not ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status, words = fields_of(folder.name, "status"), (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if status["PPid"] == str(process.pid) and words[:2] == [b"kura", b"judge-contents"]:
            found.append(int(folder.name))
    return found


def what_is_open(pid):
    """The names of it; what is closed while it is looked at is left out."""
    names = []
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                names.append(os.readlink(link))
    except OSError:
        pass  # the process has ended
    return names


@pytest.fixture
def office(tmp_path):
    """One, and files that take long enough to be judged to be seen at it: of zeros, which a backup leaves out, and text."""
    folder = make_office(tmp_path / "office", 30)
    with open(folder / "long.bin", "wb") as file:
        file.truncate(3 << 30)
    text = b"".join(b"%d of the long text\n" % i for i in range(50_000))
    with open(folder / "long.txt", "wb") as file:
        for _ in range(200):
            file.write(text)
    return folder


@pytest.fixture
def kura(tmp_path):
    return Kura(tmp_path)


def test_the_process_that_reads_files_holds_nothing_and_may_do_nothing(kura, office):
    with running(kura.start("inspect", "--json", office)) as process:
        wait_until(lambda: judges_of(process))
        for pid in judges_of(process):
            wait_until(lambda pid=pid: fields_of(pid, "status")["Seccomp"] == "2")
            status = fields_of(pid, "status")
            assert status["NoNewPrivs"] == "1"
            assert Path(f"/proc/{pid}/environ").read_bytes() == b""
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert "Max core file size        0" in limits and "Max file size             0" in limits
            # The null device, its socket, its memory, and files that it was given to judge: 64 small ones at most.
            opened = what_is_open(pid)
            own = [path for path in opened if path == "/dev/null" or path.startswith(("socket:", "/memfd:kura-judge"))]
            given = [path for path in opened if path not in own]
            assert len(own) == 5 and len(given) <= 64, opened
            assert all(path.startswith(f"{office}/") for path in given), opened
        process.communicate(timeout=60)
        assert process.returncode == 0
        wait_until(lambda: not judges_of(process))


def test_when_it_is_killed_its_file_is_unknown_the_rest_is_judged_and_it_is_told(kura, office):
    with running(kura.start("inspect", "--json", office)) as process:
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end:
            for pid in judges_of(process):
                if any("long.bin" in name for name in what_is_open(pid)):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 3
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[-1]["unjudged"] == 1 and lines[-1]["broken"] == 0 and lines[-1]["valid"] == 31
    one = next(line for line in lines if line.get("path", "").endswith("long.bin"))
    assert one["verdict"] == "unknown" and "could not be judged" in one["reasons"][0]
    assert any("1 file could not be judged" in line["message"] for line in lines if line["type"] == "warning"), lines[-3:]


def test_a_backup_goes_on_when_judging_fails_and_says_so(kura, office, tmp_path):
    with running(kura.start("backup", "--json", office)) as process:
        end = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < end:
            for pid in judges_of(process):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[-1]["unjudged"] > 0 and lines[-1]["files_failed"] == 0
    assert any("could not be judged" in line["message"] for line in lines if line["type"] == "warning"), lines[-3:]
    restored = kura.restored("latest", tmp_path / "back")
    assert (restored / str(office)[1:] / "long.txt").read_bytes() == (office / "long.txt").read_bytes()


def test_it_ends_with_whoever_started_it_also_when_that_is_killed(kura, office):
    with running(kura.start("inspect", "--json", office)) as process:
        wait_until(lambda: judges_of(process))
        judges = judges_of(process)
        process.kill()
        process.wait()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in judges), 60)


def test_ctrl_c_does_not_wait_for_a_long_file(kura, office):
    with running(kura.start("inspect", "--json", office)) as process:
        wait_until(lambda: any("long.bin" in name for pid in judges_of(process) for name in what_is_open(pid)))
        judges = judges_of(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in judges))


def test_the_word_is_no_command_of_a_user(kura):
    done = kura.run("judge-contents", code=2)
    assert b"no command" in done.err
