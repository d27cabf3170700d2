#!/usr/bin/python3
"""What judging costs a first backup, and how fast judging alone is.

  bench/judging.py build/release/bin/kura [--rounds 5] PATH...

Backs the paths up into new repositories below a temporary folder, in turn with and without judging, and inspects them with one thread.
Prints a table of Markdown; each figure is the median of the rounds. Processor time is that of all threads, user and system.
"""
import argparse
import pathlib
import statistics
import tempfile

from parity import Repository


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    figures: dict[str, list[tuple[float, float]]] = {"without judging": [], "with judging": [], "inspect, one thread": []}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(args.rounds):
            for name, more in (("without judging", ["--no-judging"]), ("with judging", [])):
                repository = Repository(args.program, pathlib.Path(folder) / f"{i}{len(more)}")
                wall, cpu, _, summary = repository.run("backup", *more, *args.paths)
                figures[name].append((wall, cpu))
            wall, cpu, _, inspected = repository.run("inspect", "--threads", 1, *args.paths, codes=("0", "5"))
            figures["inspect, one thread"].append((wall, cpu))
    print(f"{summary['files_total']} files, {summary['bytes_total'] / 1e6:.0f} MB; {inspected['broken']} of them broken\n")
    print("| | s by the clock | processor s | MB a processor second |\n| --- | --- | --- | --- |")
    for name, runs in figures.items():
        clock, cpu = (statistics.median(run[n] for run in runs) for n in (0, 1))
        print(f"| {name} | {clock:.2f} | {cpu:.2f} | {summary['bytes_total'] / 1e6 / cpu:.0f} |")


if __name__ == "__main__":
    main()
