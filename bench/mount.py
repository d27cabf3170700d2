#!/usr/bin/python3
"""How fast `kura mount` is: from its start to the first listing among many files and many snapshots, walks, and reading
a large file from end to end and at random places.

  bench/mount.py build/release/bin/kura FOLDER [--files 1000000] [--snapshots 1000] [--image-mib 1024]

Makes its data below FOLDER, which needs about four times the image's size; a step whose number is 0 is left out. Prints
a table of Markdown. Needs root, to drop the kernel's caches between measurements.
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
        """Its process, its folder, and how long it took until it was there."""
        point = self.folder / "mnt"
        point.mkdir(exist_ok=True)
        begin = time.perf_counter()
        process = subprocess.Popen([self.program, "mount", str(point)], env=self.environment, stdout=subprocess.PIPE)
        assert process.stdout.readline().startswith(b"mounted")
        return process, point, time.perf_counter() - begin


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
    for how in ("after that backup", "again", "again, nothing in the kernel's caches"):
        if "nothing" in how:
            drop_caches()
        process, point, ready = repository.mount()
        below = point / "latest" / str(source)[1:]
        first, names = timed(lambda: os.listdir(below))
        assert len(names) == 1000
        print(f"| {count:,} files, the program's start to the first listing, {how} | {(ready + first) * 1000:.0f} ms |")
        if "nothing" not in how:
            unmount(process)
    second, _ = timed(lambda: os.listdir(below / names[500]))
    whole, found = timed(lambda: sum(len(files) for _, _, files in os.walk(below)))
    assert found == count // 1000 * 1000
    print(f"| of that: the listing, a folder of 1,000 | {first * 1000:.0f} ms |")
    print(f"| listing one of these folders | {second * 1000:.0f} ms |")
    print(f"| walking all files by name | {whole:.1f} s |")
    print(f"| most memory so far | {peak_mib(process):.0f} MiB |")
    attributes, _ = timed(lambda: subprocess.run(["find", below, "-printf", "%s"], check=True, stdout=subprocess.DEVNULL))
    print(f"| walking all files with their attributes | {attributes:.1f} s |")
    print(f"| most memory so far | {peak_mib(process):.0f} MiB |")
    unmount(process)


def many_snapshots(program, folder, count):
    repository = Repository(program, folder / "snapshots")
    source = folder / "snapshots" / "source"
    for number in range(100):
        (source / f"{number % 10}").mkdir(parents=True, exist_ok=True)
        (source / f"{number % 10}" / f"{number}").write_bytes(random.Random(number).randbytes(2000))
    made, _ = timed(lambda: [make_snapshot(repository, source, number) for number in range(count)])
    print(f"| making {count:,} snapshots | {made:.0f} s |")
    for how in ("for the first time", "again"):
        drop_caches()
        process, point, ready = repository.mount()
        names_took, names = timed(lambda: sorted(os.listdir(point / "snapshots")))
        assert len(names) == count
        print(f"| {count:,} snapshots, the program's start until it is ready, {how} | {ready * 1000:.0f} ms |")
        print(f"| listing `snapshots` | {names_took * 1000:.0f} ms |")
        for which, name in (("first", names[0]), ("middle", names[count // 2])):
            look, _ = timed(lambda name=name: os.listdir(point / "snapshots" / name / str(source)[1:]))
            print(f"| looking into the {which} one for the first time | {look * 1000:.0f} ms |")
        if how == "again":
            every, _ = timed(lambda: [os.listdir(point / "snapshots" / name / str(source)[1:]) for name in names])
            print(f"| looking into every one | {every:.1f} s |")
        print(f"| most memory so far | {peak_mib(process):.0f} MiB |")
        unmount(process)


def make_snapshot(repository, source, number):
    (source / f"{number % 10}" / "changed").write_bytes(random.Random(-number).randbytes(2000))
    repository.run("backup", source)


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
    process, point, _ = repository.mount()
    disk = point / "latest" / str(source / "disk.img")[1:]
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
    parser.add_argument("--snapshots", type=int, default=1000)
    parser.add_argument("--image-mib", type=int, default=1024)
    options = parser.parse_args()
    folder = options.folder.resolve() / "bench-mount"
    program = str(pathlib.Path(options.program).resolve())
    print("| what | figure |\n| --- | --- |")
    try:
        steps = ((many_files, options.files), (many_snapshots, options.snapshots), (image, options.image_mib))
        for step, size in steps:
            if size:
                step(program, folder, size)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
