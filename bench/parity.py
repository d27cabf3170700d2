#!/usr/bin/python3
"""What parity costs: a backup and a collection without it and with it, and repairs.

  bench/parity.py build/release/bin/kura FOLDER [--mib 1024] [--parity 16+2] [--rounds 3]

Makes random data of that size below FOLDER, which needs about four times as much. Prints tables of Markdown; each
figure is the median of the rounds. Processor time is that of all threads, user and system.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

MIB = 1 << 20


class Repository:
    def __init__(self, program, folder, *init):
        self.program, self.folder = program, folder
        folder.mkdir(parents=True)
        self.environment = {**os.environ, "KURA_REPO": str(folder / "repository"), "KURA_STATE_DIR": str(folder / "state")}
        self.run("init", "--recovery-key-out", folder / "key", *init)

    def run(self, *arguments, codes=("0",)):
        """Gives (wall seconds, processor seconds, peak MiB, summary)."""
        measured = self.folder / "measured"
        command = [sys.executable, str(pathlib.Path(__file__).with_name("measure.py")), str(measured), self.program, "--json",
                   *map(str, arguments)]
        done = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, check=True)
        wall, cpu, peak, code = measured.read_text().split()
        assert code in codes, done.stdout[-1000:]
        return float(wall), float(cpu), int(peak) / 1024, json.loads(done.stdout.splitlines()[-1])

    def objects(self, kind):
        return sorted(path for path in (self.repository / kind).rglob("*") if path.is_file())

    @property
    def repository(self):
        return self.folder / "repository"

    def bytes(self, kind):
        return sum(path.stat().st_size for path in self.objects(kind))


def make_source(folder, mib):
    folder.mkdir(parents=True)
    for number in range(mib // 64):
        with open(folder / f"{number}", "wb") as file:
            for _ in range(64):
                file.write(os.urandom(MIB))


def flip(path, at):
    path.chmod(0o600)
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def damage_nothing(repository):
    del repository


def damage_bits(repository):
    for number, path in enumerate(repository.objects("packs")):
        flip(path, (number * 977 * 1024 + 500) % path.stat().st_size)


def lose_a_pack(repository):
    max(repository.objects("packs"), key=lambda path: path.stat().st_size).unlink()


def lose_a_shard(repository):
    max(repository.objects("parity"), key=lambda path: path.stat().st_size).unlink()


DAMAGES = {"nothing": damage_nothing, "a bit in each pack": damage_bits, "a lost pack": lose_a_pack,
           "a lost shard": lose_a_shard}


def median(rounds):
    return [statistics.median(column) for column in zip(*rounds)]


def measure_backups(arguments, source):
    rows, repository = {}, None
    for name, init in (("none", ()), (arguments.parity, (f"--parity={arguments.parity}",))):
        rounds = []
        for number in range(arguments.rounds):
            shutil.rmtree(arguments.folder / "repo", ignore_errors=True)
            repository = Repository(arguments.program, arguments.folder / "repo", *init)
            wall, cpu, peak, _ = repository.run("backup", source)
            rounds.append((wall, cpu, peak, repository.bytes("packs") / MIB, repository.bytes("parity") / MIB))
        rows[name] = median(rounds)
    return rows, repository


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--parity", default="16+2")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.program = os.path.abspath(arguments.program)
    arguments.folder = arguments.folder.resolve() / "bench-parity"
    source = arguments.folder / "source"
    make_source(source, arguments.mib)
    rows, repository = measure_backups(arguments, source)
    print("| parity | backup, s | processor, s | peak memory, MiB | packs, MiB | parity, MiB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, (wall, cpu, peak, packs, parity) in rows.items():
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {packs:.0f} | {parity:.0f} |")
    extra = (rows[arguments.parity][1] - rows["none"][1]) / (rows["none"][3] / 1024)
    print(f"\nParity takes {extra:.2f} s of processor time for each GiB that is stored.\n")
    print("| `check --repair` of | s | processor, s | peak memory, MiB | objects repaired |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, damage in DAMAGES.items():
        rounds = []
        for _ in range(arguments.rounds):
            damage(repository)
            wall, cpu, peak, summary = repository.run("check", "--repair")
            rounds.append((wall, cpu, peak, summary["objects_repaired"]))
        wall, cpu, peak, repaired = median(rounds)
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {repaired:.0f} |")
    shutil.rmtree(arguments.folder)


if __name__ == "__main__":
    main()
