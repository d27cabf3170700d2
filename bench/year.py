#!/usr/bin/python3
"""A simulated year of daily backups: how much space a repository takes beside what its snapshots need (the ideal: a new
repository that holds the retained days and nothing else, made by backing these days up again), with compaction and
without. Nightly `kura forget --keep-daily 7 --keep-weekly 4 --keep-monthly 12`, and `kura gc` on Sundays.

    bench/year.py [--days 365] [--documents 900] [--svg FILE]
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DAY = 24 * 3600
KEEP = ("--keep-daily", "7", "--keep-weekly", "4", "--keep-monthly", "12")


class Office:
    """A folder that people work in: documents, a mail box, a database. Equal for equal seeds."""

    def __init__(self, folder, documents, seed=1):
        self.folder, self.chance, self.hot = Path(folder), random.Random(seed), []
        self.folder.mkdir(parents=True)
        self.names, self.count = [], 0
        for _ in range(documents):
            self.add()
        self.append("mail.mbox", documents * 10_000)
        self.append("records.db", documents * 15_000)

    def add(self):
        name = f"team-{self.count % 9}/document-{self.count}"
        self.count += 1
        self.write(name)
        self.names.append(name)

    def write(self, name):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self.chance.randbytes(int(self.chance.lognormvariate(10.8, 1))))

    def append(self, name, size):
        with open(self.folder / name, "ab") as file:
            file.write(self.chance.randbytes(size))

    def work(self, day):
        """A day: on working days a few documents of the current project and of others change, some come and some go,
        mail comes, records change; on the first of a month one part in 30 is cleared away, and a folder is renamed."""
        chance = self.chance
        if day.tm_wday < 5:
            if not self.hot or day.tm_mday % 14 == 0:
                self.hot = chance.sample(self.names, max(3, len(self.names) // 60))
            self.hot = [name for name in self.hot if name in self.names]
            busy = max(1, len(self.names) // 300)
            for name in chance.sample(self.hot, min(busy, len(self.hot))) + chance.sample(self.names, busy):
                self.write(name)
            for _ in range(busy):
                self.add()
            self.remove(max(1, busy // 2))
            self.append("mail.mbox", 100 * len(self.names))
            self.append("records.db", 20 * len(self.names))
            with open(self.folder / "records.db", "r+b") as file:
                file.seek(chance.randrange(os.path.getsize(file.name)))
                file.write(chance.randbytes(4096))
        if day.tm_mday == 1:
            self.remove(len(self.names) // 30)
            old = self.names[0].split("/")[0]
            new = f"{old.split('.')[0]}.{day.tm_year}{day.tm_mon:02}"
            os.rename(self.folder / old, self.folder / new)
            self.names = [name.replace(old + "/", new + "/") for name in self.names]
            self.hot = [name.replace(old + "/", new + "/") for name in self.hot]

    def remove(self, count):
        for name in self.chance.sample(self.names, min(count, len(self.names) - 9)):
            (self.folder / name).unlink()
            self.names.remove(name)


class Vault:
    """A repository and its machine, at any simulated time. Those of one `twin_of` cut and name chunks alike."""

    def __init__(self, folder, program, compact="auto", twin_of=None):
        self.repository, self.compact, self.program = Path(folder) / "repository", compact, str(program)
        self.written, self.snapshots = 0, {}
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "TZ": "UTC",
                            "KURA_REPO": str(self.repository), "KURA_STATE_DIR": str(Path(folder) / "state"),
                            "NO_FAKE_STAT": "1", "DONT_FAKE_MONOTONIC": "1"}
        Path(folder).mkdir(parents=True)
        self.key = Path(folder) / "recovery-key"
        if twin_of is None:
            self.run("init", "--recovery-key-out", self.key)
        else:
            shutil.copytree(twin_of, folder, dirs_exist_ok=True)

    def run(self, *arguments, at=None):
        before = [] if at is None else ["faketime", "-m", "-f", time.strftime("@%Y-%m-%d %H:%M:%S", time.gmtime(at))]
        done = subprocess.run([*before, self.program, *map(str, arguments), "--json"], env=self.environment, check=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def backup(self, source, at):
        summary = self.run("backup", source, "--host", "office", "--compact", self.compact, at=at)[-1]
        self.written += summary["bytes_stored_new"]
        self.snapshots[summary["snapshot_id"]] = at
        os.utime(self.repository / "snapshots" / summary["snapshot_id"], (at, at))  # when it was received
        return summary

    def forget(self, at):
        self.run("forget", *KEEP, at=at)
        left = {path.name for path in (self.repository / "snapshots").iterdir()}
        self.snapshots = {name: when for name, when in self.snapshots.items() if name in left}

    def gc(self):
        self.run("gc")

    def size(self):
        return sum(path.stat().st_size for path in self.repository.rglob("*") if path.is_file())

    def packs(self):
        return sum(1 for path in (self.repository / "packs").rglob("*") if path.is_file())


def content(folder):
    """path -> digest of each file."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in Path(folder).rglob("*") if path.is_file()}


def simulate(base, program, days, documents, modes, begin=1736899200, on_day=None, seed=1):
    """Runs the days; for each mode a Vault. `on_day(day, at, office, vaults)` is called after each one's upkeep."""
    office = Office(Path(base) / "office", documents, seed)
    Vault(Path(base) / "empty", program)
    vaults = {mode: Vault(Path(base) / mode, program, mode, Path(base) / "empty") for mode in modes}
    for day in range(days):
        at = begin + day * DAY
        if day:
            office.work(time.gmtime(at))
        for vault in vaults.values():
            vault.backup(office.folder, at)
            vault.forget(at)
            if time.gmtime(at).tm_wday == 6 or day == days - 1:
                vault.gc()
        if on_day:
            on_day(day, at, office, vaults)
    return office, vaults


def replay(base, program, documents, days, begin=1736899200, seed=1):
    """The size of a new repository of these days alone, beside those of simulate()."""
    base = Path(base) / "ideal"
    shutil.rmtree(base, ignore_errors=True)
    office = Office(base / "office", documents, seed)
    vault = Vault(base / "vault", program, "off", base.parent / "empty")
    for day in range(max(days) + 1):
        at = begin + day * DAY
        if day:
            office.work(time.gmtime(at))
        if day in days:
            vault.backup(office.folder, at)
    size = vault.size()
    shutil.rmtree(base)
    return size


def draw(path, rows):
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    pyplot.figure(figsize=(8, 4))
    for mode in rows[0][2]:
        pyplot.plot([row[0] for row in rows], [row[2][mode][0] / row[1] for row in rows], label=f"--compact {mode}")
    pyplot.axhline(1.15, color="gray", linestyle=":")
    pyplot.xlabel("day")
    pyplot.ylabel("space : ideal")
    pyplot.legend()
    pyplot.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--documents", type=int, default=900, help="to begin with; about 0.1 MB each, all together")
    parser.add_argument("--every", type=int, default=14, help="days between two looks at the ideal")
    parser.add_argument("--svg", metavar="FILE", help="also draw it (python3-matplotlib)")
    args = parser.parse_args()
    base = ROOT / "build" / "bench" / "year"
    shutil.rmtree(base, ignore_errors=True)
    program = ROOT / "build" / "release" / "bin" / "kura"
    looks = []
    began = 1736899200

    def look(day, at, office, vaults):
        if day % args.every == args.every - 1 or day == args.days - 1:
            kept = {(when - began) // DAY for when in vaults["auto"].snapshots.values()}
            looks.append((day, kept, {mode: (v.size(), v.packs(), v.written) for mode, v in vaults.items()}))

    simulate(base, program, args.days, args.documents, ("auto", "off"), began, look)
    rows = []
    for day, kept, sizes in looks:
        rows.append((day, replay(base, program, args.documents, kept), sizes))
    print("  day   ideal MB   " + "   ".join(f"{mode + ' MB':>9} {'ratio':>6} {'packs':>6} {'written':>8}"
                                          for mode in rows[0][2]))
    for day, ideal, sizes in rows:
        print(f"{day:5} {ideal / 1e6:10.1f}   " +
              "   ".join(f"{size / 1e6:9.1f} {size / ideal:6.3f} {packs:6} {written / 1e6:8.1f}"
                         for size, packs, written in sizes.values()))
    for mode in rows[0][2]:
        quarter = [row[2][mode][0] / row[1] for row in rows[-max(1, len(rows) // 4):]]
        print(f"--compact {mode}: at the end {quarter[-1]:.3f}, median of the last quarter {statistics.median(quarter):.3f}")
    if args.svg:
        draw(args.svg, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
