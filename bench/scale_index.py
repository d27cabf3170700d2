#!/usr/bin/python3
"""How kura bears many chunks and many snapshots: opening the index, listing, one file out of a large history.

  bench/scale_index.py FOLDER [--chunks 10000000] [--snapshots 10000] [--files 1000000]

Needs `cmake --build build/release --target kura kura_synthetic_bench`. Makes its repositories below FOLDER (about 1 GB
with what is said there) and prints a table of Markdown: each figure beside its aim. The first time is without what the
machine's state keeps, then the median of the runs after it.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import time

RELEASE = pathlib.Path(__file__).resolve().parent.parent / "build/release"
RUNS = 7


class Repository:
    def __init__(self, folder):
        self.state, self.path, self.key = folder / "state", folder / "repository", folder / "key"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.environment = {**os.environ, "KURA_REPO": str(self.path), "KURA_STATE_DIR": str(self.state),
                            "KURA_RECOVERY_KEY_FILE": str(self.key)}
        self.kura("init", "--recovery-key-out", self.key)

    def kura(self, *arguments):
        """Seconds, and bytes of output."""
        begin = time.perf_counter()
        done = subprocess.run([RELEASE / "bin/kura", *map(str, arguments)], env=self.environment, check=True,
                              capture_output=True)
        return time.perf_counter() - begin, len(done.stdout)

    def synthetic(self, what, count):
        program = RELEASE / "bin/kura_synthetic_bench"
        done = subprocess.run([program, self.state, self.path, what, str(count)], check=True, capture_output=True)
        return json.loads(done.stdout) if done.stdout else None

    def without_caches(self):
        for cache in self.state.glob("*/index"):
            shutil.rmtree(cache)
        for cache in self.state.glob("*/snapshots.cache"):
            cache.unlink()

    def timed(self, *arguments):
        """Seconds without what the state keeps, and the median with it."""
        self.without_caches()
        first = self.kura(*arguments)[0]
        return first, statistics.median(self.kura(*arguments)[0] for _ in range(RUNS))


def row(what, first, then, aim):
    print(f"| {what} | {first} | {then} | {aim} |", flush=True)


def seconds(value):
    return f"{value * 1000:.0f} ms"


def measure_chunks(repository, count):
    for _ in range(0, count, 2_000_000):
        repository.synthetic("chunks", min(count, 2_000_000))
    repository.without_caches()
    first = repository.synthetic("open", 0)
    opened = [repository.synthetic("open", 0) for _ in range(RUNS)]
    looked = repository.synthetic("open", min(count, 1_000_000))
    chunks = first["chunks"]
    row(f"open {chunks:,} chunks as a backup does", seconds(first["open_seconds"]),
        seconds(statistics.median(run["open_seconds"] for run in opened)), "1 s")
    row("memory a chunk, opened", f"{first['open_kib'] * 1024 / chunks:.1f} B",
        f"{opened[0]['open_kib'] * 1024 / chunks:.1f} B", "12 B")
    row(f"memory a chunk after {looked['look_ups']:,} look-ups, all over", "",
        f"{looked['end_kib'] * 1024 / chunks:.1f} B", "12 B")
    assert looked["found"] == looked["look_ups"]
    row("a look-up", "", f"{looked['look_up_ns']:.0f} ns", "")


def measure_snapshots(repository, count):
    repository.synthetic("chunks", 1000)
    repository.synthetic("snapshots", count - 1)
    row(f"list {count:,} snapshots (--json)", *map(seconds, repository.timed("snapshots", "--json")), "100 ms")


def measure_one_file(repository, files, snapshots):
    source = repository.path.parent / "source"
    for number in range(files):
        if number % 100 == 0:
            folder = source / f"{number // 10000:03}/{number // 100:05}"
            folder.mkdir(parents=True)
        (folder / f"{number:07}").write_text(f"file {number}\n")
    repository.kura("backup", source)
    repository.synthetic("snapshots", snapshots - 1)
    number = files // 2 + 17
    path = f"latest:{source}/{number // 10000:03}/{number // 100:05}"
    of = f"out of {snapshots:,} snapshots x {files:,} files"
    row(f"one file {of} (dump)", *map(seconds, repository.timed("dump", f"{path}/{number:07}")), "300 ms")
    row(f"one folder {of} (ls)", *map(seconds, repository.timed("ls", path)), "300 ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--chunks", type=int, default=10_000_000)
    parser.add_argument("--snapshots", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=1_000_000)
    options = parser.parse_args()
    print("| | first | then | aim |\n| --- | ---: | ---: | ---: |")
    if options.snapshots:
        measure_snapshots(Repository(options.folder / "snapshots"), options.snapshots)
    if options.chunks:
        measure_chunks(Repository(options.folder / "chunks"), options.chunks)
    if options.files:
        measure_one_file(Repository(options.folder / "files"), options.files, 1000)
    print(f"\nLargest resident memory of a process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
