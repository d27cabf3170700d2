#!/usr/bin/python3
"""Measures a vault: backups through TLS beside the same into a folder, many machines at once, commits and housekeeping
in large repositories. Prints a table, each figure beside its aim. Called by `./run bench vault`; needs root, for a
network of its own in which each machine has an address."""

import argparse
import ctypes
import datetime
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ["KURA"] = os.path.abspath(os.environ.get("KURA", os.path.join(ROOT, "build/release/bin/kura")))
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))  # before this folder, which has a vault.py too
import bench  # noqa: E402
import data  # noqa: E402
import tools  # noqa: E402
from kura import Kura  # noqa: E402
from vault import Vault, request  # noqa: E402

BASE = Path(ROOT) / "build" / "bench" / "vault"
PROGRAMS = Path(os.environ["KURA"]).parent
PARTS = ["lines", "machines", "commits", "housekeeping", "scrub"]
NEW_NETWORK = 0x40000000  # CLONE_NEWNET
MB = tools.MB
MIB = 1 << 20


def arguments():
    parser = argparse.ArgumentParser(prog="./run bench vault", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas")
    parser.add_argument("--runs", type=int, default=5, help="runs, of which the medians are shown")
    parser.add_argument("--scale", type=float, default=0.3, help="size of the office data (1: 1.2 GB)")
    parser.add_argument("--machines", type=int, default=200, help="how many back up at once")
    parser.add_argument("--chunks", type=int, default=1_000_000, help="in the repository that is committed to")
    parser.add_argument("--packs", type=int, default=100_000, help="in the repository that is kept")
    parser.add_argument("--snapshots", type=int, default=10_000, help="in the same")
    args = parser.parse_args()
    args.only = args.only.split(",")
    unknown = [part for part in args.only if part not in PARTS]
    if unknown:
        parser.error(f"there is no part '{unknown[0]}'; there are: {', '.join(PARTS)}")
    return args


def fresh(name):
    folder = BASE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def say(words):
    print(f"{datetime.datetime.now():%H:%M:%S} {words}", file=sys.stderr, flush=True)


def own_network(machines):
    """In a network of its own, each machine reaches the vault, and is seen by it, by another address."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_NETWORK) != 0:
        sys.exit("bench: this needs root: it makes a network of its own")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for number in range(machines):
        subprocess.run(["ip", "address", "add", f"{address_of(number)}/32", "dev", "lo"], check=True)


def address_of(number):
    return f"10.99.{number // 250}.{number % 250 + 1}"


def status_of(process, field):
    """Bytes, of /proc/PID/status."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field + ":"))


# ---- Lines: through TLS, and into a folder ----

class ToFolder(tools.Kura):
    name = "folder"


def to_vault(vault):
    class ToVault(tools.Kura):
        name = "vault"

        def begin(self, log):
            shutil.rmtree(self.home, ignore_errors=True)
            os.makedirs(self.repo)  # nothing comes there: the vault has it
            name = f"run-{time.time_ns()}"
            self.env["KURA_REPO"] = f"{vault.address}/{name}"
            for command in ([self.program, "enrol", vault.address, vault.invite(name)], self.init):
                done = tools.run(command, self.home, self.env, log)
                if done.failure:
                    raise RuntimeError(f"{command[1]}: {done.failure}")

    return ToVault


def lines(args, source):
    folder = fresh("lines")
    size = data.describe(source)[1]
    times = {"folder": [], "vault": []}
    for number in range(args.runs):
        with Vault(folder / f"vault-{number}") as vault:
            kinds = [ToFolder, to_vault(vault)]
            for kind in kinds[number % 2:] + kinds[:number % 2]:
                say(f"lines: run {number + 1} of {args.runs}, {kind.name}")
                tool = kind(str(folder / kind.name), source)
                tool.begin(str(BASE / "log"))
                result = tool.measure("first", str(BASE / "log"))
                if result.failure:
                    raise RuntimeError(result.failure)
                times[kind.name].append(result.wall)
        shutil.rmtree(folder / f"vault-{number}")
    medians = {name: statistics.median(several) for name, several in times.items()}
    for name, seconds in medians.items():
        yield [f"first backup of {size / MB:,.0f} MB into a {name}", f"{seconds:.2f} s, {size / MB / seconds:,.0f} MB/s",
               f"{min(times[name]):.2f}-{max(times[name]):.2f} s", ""]
    yield ["through TLS, of the rate into a folder", f"{medians['folder'] / medians['vault']:.0%}", "", ">= 85 %"]


# ---- Many machines at once ----

def enrolled(vault, folder, number):
    """A machine with an address of its own and a small source."""
    name = f"machine-{number}"
    kura = Kura(folder / name, init=False)
    (kura.folder / "source").mkdir(parents=True)
    for i in range(20):
        (kura.folder / "source" / f"file-{i}").write_bytes(random.Random(number * 100 + i).randbytes(100_000))
    address = f"https://{address_of(number)}:{vault.port}"
    kura.environment["KURA_REPO"] = f"{address}/{name}"
    kura.run("enrol", address, vault.invite(name), keys=False)
    kura.run("init", "--recovery-key-out", kura.folder / "recovery-key", keys=False)
    return kura


class Connections(threading.Thread):
    """The most sockets that a process has open, until it is stopped."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.most, self.stopped = process, 0, threading.Event()
        self.start()

    def run(self):
        while not self.stopped.wait(0.02):
            count = 0
            for fd in os.listdir(f"/proc/{self.process}/fd"):
                try:
                    count += os.readlink(f"/proc/{self.process}/fd/{fd}").startswith("socket:")
                except OSError:
                    pass
            self.most = max(self.most, count)


class VaultOfAll(Vault):
    """That listens at all addresses."""

    def __init__(self, folder, machines):
        self.names = [word for number in range(machines) for word in ("--reached-as", address_of(number))]
        super().__init__(folder)

    def command(self, *arguments):
        more = [str(argument).replace("127.0.0.1:", "0.0.0.0:") for argument in arguments]
        return super().command(*more, *(self.names if arguments[0] == "init" else []))


def machines(args):
    folder = fresh("machines")
    with VaultOfAll(folder / "v", args.machines) as vault:
        say(f"machines: enrolling {args.machines}")
        all_machines = [enrolled(vault, folder, number) for number in range(args.machines)]
        vault.stop()
        vault.start()  # so that its memory is that of what follows
        idle = status_of(vault.process.pid, "VmRSS")
        watch = Connections(vault.process.pid)
        say("machines: all at once")
        began = time.monotonic()
        processes = [kura.start("backup", kura.folder / "source", keys=False, stdout=subprocess.DEVNULL)
                     for kura in all_machines]
        failed = [process.args for process in processes if process.wait() != 0]
        seconds = time.monotonic() - began
        watch.stopped.set()
        watch.join()
        most = status_of(vault.process.pid, "VmHWM")
        for process in processes:
            said = process.stderr.read().decode(errors="replace").strip()
            if process.returncode != 0:
                print(f"FAILED: {said}", file=sys.stderr)
    yield [f"{args.machines} machines back up 2 MB each at once", f"{seconds:.1f} s",
           f"{len(failed)} failed", "none fails"]
    yield ["peak memory of the vault", f"{most / MIB:,.0f} MiB", f"idle: {idle / MIB:,.0f} MiB", "< 1 GiB"]
    yield [f"memory a connection, of {watch.most}", f"{(most - idle) / max(1, watch.most) / MIB:.1f} MiB", "", "<= 64 MiB"]


# ---- Commits into a large repository ----

def commits(args):
    """The packs are made beside the running vault's view and it starts again; then snapshots come through TLS."""
    folder = fresh("commits")
    with Vault(folder) as vault:
        kura = vault.machine("large")
        vault.stop()
        objects = vault.repository("large") / "objects"
        chunks_a_pack = 100

        def synthetic(*command):
            say(f"commits: {command[1]} {command[2] if len(command) > 2 else ''}")
            return subprocess.run([PROGRAMS / "kura_synthetic_bench", kura.state, *map(str, command)], check=True,
                                  stdout=subprocess.PIPE).stdout

        synthetic(objects, "chunks", args.chunks, chunks_a_pack)
        vault.start()
        snapshot = next((objects / "snapshots").iterdir())
        began = time.monotonic()
        status, said = request(kura, "PUT", f"/v1/repositories/large/snapshots/{snapshot.name}",
                               body=snapshot.read_bytes())
        if status != 200:
            raise RuntimeError(f"the first commit: {status} {said.decode()}")
        first = (time.monotonic() - began) * 1000
        times = json.loads(synthetic(f"{vault.address}/large", "snapshots", 50))
        memory = status_of(vault.process.pid, "VmHWM")
    what = f"{args.chunks:,} chunks, {args.chunks // chunks_a_pack:,} packs"
    yield [f"commit that changes nothing: {what}", f"{statistics.median(times):.1f} ms",
           f"{min(times):.1f}-{max(times):.1f} ms", "<= 50 ms"]
    yield ["the first one after the vault's start, by curl", f"{first:.0f} ms", f"peak {memory / MIB:,.0f} MiB", ""]


# ---- Housekeeping ----

def housekeeping(args):
    folder = fresh("housekeeping")
    program = PROGRAMS / "kura_holding_bench"
    kura = Kura(folder)
    say(f"housekeeping: making {args.snapshots:,} snapshots x {args.packs:,} packs")
    subprocess.run([program, "make", kura.state, kura.repository, folder / "holding", str(args.snapshots),
                    str(args.packs)], check=True, stdout=subprocess.PIPE)

    def measured(database):
        return json.loads(subprocess.run([program, "measure", folder / "holding", database], check=True,
                                         stdout=subprocess.PIPE).stdout)

    say("housekeeping: the first start, with nothing remembered")
    fresh_start = measured(folder / "derived.sqlite")
    size = (folder / "derived.sqlite").stat().st_size
    runs = []
    for number in range(args.runs):
        say(f"housekeeping: run {number + 1} of {args.runs}")
        runs.append(measured(folder / "derived.sqlite"))
    shutil.rmtree(folder)

    def median(field):
        return statistics.median(run[field] for run in runs)

    what = f"{args.snapshots:,} snapshots x {args.packs:,} packs"
    first = median("list_ms") + median("expire_ms") + median("first_collect_ms")
    later = median("list_ms") + median("expire_ms") + median("collect_ms")
    yield [f"listing, retention, garbage collection: {what}", f"{later / 1000:.2f} s",
           f"after a start {first / 1000:.2f} s", "<= 2 s"]
    yield ["the first collection after a start", f"{median('first_collect_ms') / 1000:.2f} s",
           f"without derived.sqlite ({size / MIB:.0f} MiB) {fresh_start['first_collect_ms'] / 1000:.2f} s", ""]
    yield ["its peak memory", f"{median('peak_kib') / 1024:.0f} MiB", f"open: {median('open_kib') / 1024:.0f} MiB; without derived.sqlite "
           f"{fresh_start['peak_kib'] / 1024:.0f} MiB",
           "<= 200 MiB"]
    yield ["opening the same", f"{median('open_ms') / 1000:.2f} s", "", ""]


def scrub(args):
    runs = []
    for number in range(args.runs):
        say(f"scrub: run {number + 1} of {args.runs}")
        folder = fresh("scrub")
        kura = Kura(folder)
        runs.append(json.loads(subprocess.run([PROGRAMS / "kura_holding_bench", "scrub", kura.state, kura.repository,
                                               folder / "holding", "32"], check=True, stdout=subprocess.PIPE).stdout))
        shutil.rmtree(folder)
    rate = statistics.median(run["scrub_mb_s"] for run in runs)
    plain = statistics.median(run["sha256_mb_s"] for run in runs)
    share = statistics.median(run["scrub_mb_s"] / run["sha256_mb_s"] for run in runs)
    yield ["scrub on one core, of the rate of SHA-256", f"{share:.0%}", f"{rate:,.0f} of {plain:,.0f} MB/s", ">= 90 %"]


def main():
    args = arguments()
    BASE.mkdir(parents=True, exist_ok=True)
    (BASE / "log").write_bytes(b"")
    source = data.prepare("office", f"{ROOT}/build/bench/data", args.scale) if "lines" in args.only else None
    own_network(args.machines)
    began, load = datetime.datetime.now(datetime.timezone.utc), bench.load()
    parts = {"lines": lambda: lines(args, source), "machines": lambda: machines(args), "commits": lambda: commits(args),
             "housekeeping": lambda: housekeeping(args), "scrub": lambda: scrub(args)}
    rows = [row for name in args.only for row in parts[name]()]
    command = " ".join(["./run bench vault", *sys.argv[1:]])
    print(f"{began:%Y-%m-%d %H:%M} UTC, `{command}`\n{bench.machine()}\n"
          f"load average (1, 5, 15 minutes) before: {load}; after: {bench.load()}\n")
    print(bench.as_markdown(rows, ["what", "measured", "besides", "aim"]))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        sys.exit(f"bench: {error}")
