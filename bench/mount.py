#!/usr/bin/python3
"""How fast `kura mount` is: first listing among many files, reading a large file from end to end, and at random places.

  bench/mount.py build/release/bin/kura FOLDER [--files 1000000] [--image-mib 1024]

Makes its data below FOLDER, which needs about four times the image's size. Prints a table of Markdown. Needs root, to
drop the kernel's caches between measurements.
"""
import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

MIB = 1 << 20


def timed(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


class Repository:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        folder.mkdir(parents=True)
        self.environment = {**os.environ, "KURA_REPO": str(folder / "repository"),
                            "KURA_STATE_DIR": str(folder / "state"), "KURA_RECOVERY_KEY_FILE": str(folder / "key")}
        self.run("init", "--recovery-key-out", folder / "key")

    def run(self, *arguments):
        subprocess.run([self.program, "--quiet", *map(str, arguments)], env=self.environment, check=True,
                       stdout=subprocess.DEVNULL)

    def mount(self):
        point = self.folder / "mnt"
        point.mkdir(exist_ok=True)
        process = subprocess.Popen([self.program, "mount", str(point)], env=self.environment, stdout=subprocess.PIPE)
        assert process.stdout.readline().startswith(b"mounted")
        return process, point / "latest"


def unmount(process):
    process.terminate()
    code = process.wait(30)
    assert code == 0, code


def drop_caches():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")


def peak_mib(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0


def make_many(folder, count):
    for number in range(1000):
        below = folder / f"{number:03}"
        below.mkdir(parents=True)
        for i in range(count // 1000):
            (below / f"file-{i:05}").write_bytes(b"%d %d\n" % (number, i) if i % 2 else b"")


def many_files(program, folder, count):
    repository = Repository(program, folder / "many")
    source = folder / "many" / "source"
    make_many(source, count)
    repository.run("backup", source)
    process, latest = repository.mount()
    below = latest / str(source)[1:]
    first, names = timed(lambda: os.listdir(below))
    assert len(names) == 1000
    second, _ = timed(lambda: os.listdir(below / names[500]))
    whole, found = timed(lambda: sum(len(files) for _, _, files in os.walk(below)))
    assert found == count // 1000 * 1000
    print(f"| first listing, a folder of 1,000 among {count:,} files | {first * 1000:.0f} ms |")
    print(f"| listing one of these folders | {second * 1000:.0f} ms |")
    print(f"| walking all files by name | {whole:.1f} s |")
    print(f"| most memory so far | {peak_mib(process):.0f} MiB |")
    attributes, _ = timed(lambda: subprocess.run(["find", below, "-printf", "%s"], check=True, stdout=subprocess.DEVNULL))
    print(f"| walking all files with their attributes | {attributes:.1f} s |")
    print(f"| most memory so far | {peak_mib(process):.0f} MiB |")
    unmount(process)


def read_all(path):
    with open(path, "rb", buffering=0) as file:
        while file.read(MIB):
            pass


def read_at_random(path, size, reads, chance):
    with open(path, "rb", buffering=0) as file:
        for _ in range(reads):
            os.pread(file.fileno(), 4096, chance.randrange(size // 4096) * 4096)


def image(program, folder, mib):
    repository = Repository(program, folder / "image")
    source = folder / "image" / "source"
    source.mkdir()
    chance = random.Random(1)
    with open(source / "disk.img", "wb") as file:
        for _ in range(mib):  # half of it compresses
            file.write(chance.randbytes(MIB // 2) + b"0123456789abcdef" * (MIB // 32))
    repository.run("backup", source)
    drop_caches()
    restored, _ = timed(lambda: repository.run("restore", "latest", "--target", folder / "image" / "back"))
    shutil.rmtree(folder / "image" / "back")
    drop_caches()
    process, latest = repository.mount()
    disk = latest / str(source / "disk.img")[1:]
    read_at_random(disk, mib * MIB, 20, chance)
    reads = 500
    at_random, _ = timed(lambda: read_at_random(disk, mib * MIB, reads, chance))
    drop_caches()
    in_order, _ = timed(lambda: read_all(disk))
    print(f"| `kura restore` of a {mib} MiB image | {mib / restored:.0f} MiB/s |")
    print(f"| reading it in the mount, end to end | {mib / in_order:.0f} MiB/s |")
    print(f"| random reads of 4 KiB in it, one at a time | {reads / at_random:.0f} a second |")
    print(f"| most memory | {peak_mib(process):.0f} MiB |")
    unmount(process)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--image-mib", type=int, default=1024)
    options = parser.parse_args()
    folder = options.folder.resolve() / "bench-mount"
    program = str(pathlib.Path(options.program).resolve())
    print("| what | figure |\n| --- | --- |")
    try:
        many_files(program, folder, options.files)
        image(program, folder, options.image_mib)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
