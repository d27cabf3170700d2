"""Memory stays bounded whatever the source: at most 256 MiB for backup, restore and check."""
import os
import random
import re
import subprocess

import pytest

from kura import MIB, Kura, fill

LIMIT = 256 * MIB


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """1.5 GiB in a few files, half of it compressible, and 200,000 small files in one folder: (kura, source)."""
    folder = tmp_path_factory.mktemp("large")
    chance = random.Random(1)
    source = fill(folder / "source", 1, 1000, chance)
    for name, compressible in (("random", False), ("mixed", True), ("repeated", None)):
        block = chance.randbytes(4 * MIB)
        with open(source / name, "wb") as file:
            for i in range(128):
                if compressible is None:
                    file.write(block)
                elif compressible:
                    file.write(chance.randbytes(2 * MIB) + b"%064d" % i * (2 * MIB // 64))
                else:
                    file.write(chance.randbytes(4 * MIB))
    (source / "crowd").mkdir()
    crowd = os.open(source / "crowd", os.O_DIRECTORY)
    for i in range(200_000):
        file = os.open(f"a-rather-ordinary-name-{i:06}", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=crowd)
        os.write(file, b"%d" % i)
        os.close(file)
    os.close(crowd)
    kura = Kura(folder)
    yield kura, source
    subprocess.run(["rm", "-rf", folder], check=True)


def peak(kura, *command):
    """The largest resident size of a run, in bytes."""
    done = subprocess.run(["/usr/bin/time", "-f", "peak %M KiB", *kura.command(*command)], env=kura.with_keys(),
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=240)
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
    bytes_used = int(re.search(rb"peak (\d+) KiB", done.stderr)[1]) * 1024
    print(f"{command[0]}: {bytes_used // MIB} MiB")
    return bytes_used


def test_backup_restore_and_check_stay_within_256_mib(large, tmp_path):
    kura, source = large
    used = {"backup": peak(kura, "backup", source), "unchanged backup": peak(kura, "backup", source),
            "check": peak(kura, "check"), "ls": peak(kura, "ls", "-R", "latest"), "gc": peak(kura, "gc"),
            "restore": peak(kura, "restore", f"latest:{source}", "--target", tmp_path / "t")}
    subprocess.run(["diff", "-r", "-q", source, tmp_path / "t"], check=True)
    subprocess.run(["rm", "-rf", tmp_path / "t"], check=True)
    assert {name: size // MIB for name, size in used.items() if size > LIMIT} == {}
