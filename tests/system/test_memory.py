"""Memory stays bounded whatever the source: at most 256 MiB for backup, restore and check."""
import os
import re
import subprocess

import pytest

from kura import MIB, Kura, mounted

LIMIT = 256  # MiB


@pytest.fixture(scope="module")
def kura(tmp_path_factory):
    return Kura(tmp_path_factory.mktemp("memory"))


@pytest.fixture(scope="module")
def large(kura):
    """1 GiB in a few files, part of it compressible."""
    source = kura.folder / "source"
    source.mkdir()
    block = os.urandom(4 * MIB)
    contents = {"random": lambda i: os.urandom(4 * MIB), "repeated": lambda i: block,
                "mixed": lambda i: os.urandom(2 * MIB) + b"%064d" % i * (2 * MIB // 64)}
    for name, part in contents.items():
        with open(source / name, "wb") as file:
            for i in range(128 if name == "random" else 64):
                file.write(part(i))
    return source


@pytest.fixture
def memory_disk(tmp_path):
    """Where 300,000 files are quickly made, and go at once."""
    if os.geteuid() != 0:
        yield tmp_path
        return
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=3g", "tmpfs") as disk:
        yield disk


def peak(kura, *command):
    """The largest resident size of a run, in MiB."""
    done = subprocess.run(["/usr/bin/time", "-f", "peak %M KiB", *kura.command(*command)], env=kura.with_keys(),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=240)
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
    return int(re.search(rb"peak (\d+) KiB", done.stderr)[1]) // 1024


def assert_bounded(used):
    print(used)
    assert {name: size for name, size in used.items() if size > LIMIT} == {}


def test_large_files(kura, large, tmp_path):
    assert_bounded({"backup": peak(kura, "backup", large), "again": peak(kura, "backup", large),
                    "check": peak(kura, "check"), "gc": peak(kura, "gc"),
                    "restore": peak(kura, "restore", f"latest:{large}", "--target", tmp_path / "t")})
    for name in ("random", "repeated", "mixed"):
        subprocess.run(["cmp", large / name, tmp_path / "t" / name], check=True)
        (tmp_path / "t" / name).unlink()


def test_a_folder_of_very_many_files(kura, memory_disk):
    source, target = memory_disk / "source", memory_disk / "target"
    source.mkdir()
    folder = os.open(source, os.O_DIRECTORY)
    for i in range(150_000):
        file = os.open(f"a-rather-ordinary-name-{i:06}", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=folder)
        os.write(file, b"%d" % i)
        os.close(file)
    os.close(folder)
    assert_bounded({"backup": peak(kura, "backup", source), "again": peak(kura, "backup", source),
                    "check": peak(kura, "check"), "ls": peak(kura, "ls", "-R", "latest"),
                    "find": peak(kura, "find", "*-14999?", "--snapshot", "latest"),
                    "diff": peak(kura, "diff", "latest", "latest"),
                    "restore": peak(kura, "restore", f"latest:{source}", "--target", target)})
    subprocess.run(["diff", "-r", "-q", source, target], check=True)
