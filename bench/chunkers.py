"""Chunkers beside each other, on archives of the benchmark's data of two days: prints a table in Markdown.

KURA_CHUNKER_BENCH names the program (bench/chunkers.cc). Usage: chunkers.py [--scale 0.25]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile

import data

MB = 1_000_000
ENTRY = 34.5  # bytes of a chunk in a stored index: its id, its size, its share of the frame


def archive_of(folder, target):
    """A tar archive in the order of names: one long stream, in which changes of size move all that follows."""
    with tarfile.open(target, "w") as tar:
        for path, _ in sorted(data.regular_files([folder])):
            tar.add(path, arcname=os.path.relpath(path, folder), recursive=False)
    return target


def two_days(name, base, scale, work):
    folder = data.prepare(name, base, scale)
    first = archive_of(folder, os.path.join(work, f"{name}-1.tar"))
    data.day_2(folder)
    try:
        second = archive_of(folder, os.path.join(work, f"{name}-2.tar"))
    finally:
        data.undo_day_2(folder)
    return first, second


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.25)
    parser.add_argument("--base", default="build/bench/data")
    options = parser.parse_args()
    program = os.environ["KURA_CHUNKER_BENCH"]
    work = os.path.join(options.base, "chunkers.work")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    totals = {}
    for name in ("office", "small"):
        print(f"{name} ...", file=sys.stderr)
        done = subprocess.run([program, *two_days(name, options.base, options.scale, work)], check=True,
                              stdout=subprocess.PIPE)
        for line in map(json.loads, done.stdout.splitlines()):
            totals.setdefault((line["average"], line["name"]), []).append(line)
    shutil.rmtree(work)
    print("| average | chunker | GB/s, office | GB/s, small | chunks | index | day 2 adds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (average, name), (office, small) in totals.items():
        chunks = office["chunks"] + small["chunks"]
        print(f"| {average >> 10} KiB | {name} | {office['bytes_per_second'] / 1e9:.2f} | "
              f"{small['bytes_per_second'] / 1e9:.2f} | {chunks} | {chunks * ENTRY / 1000:.0f} kB | "
              f"{(office['added'] + small['added']) / MB:.1f} MB |")


if __name__ == "__main__":
    main()
