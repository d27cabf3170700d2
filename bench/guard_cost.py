"""What `kura guard` costs a Samba server: the same work of a client with and without it, in pairs one after the other, since
other work on the machine would be taken for the guard's; and how long opens of files take."""
import os
import random
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from guard import Guard, Mounted, fill
from network import Host, Network
from office_samba import Samba

MIB = 1 << 20
USUAL = ("--usual-after-changes", "1", "--usual-after-days", "0")  # at once: what a client pays who has worked here before
WORKS = {  # title: files, bytes of each
    "large files": (12, 16 * MIB),
    "small files": (300, 64 << 10),
}


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0


def client_seconds(samba: Samba, host: Host, data: Path, files: int) -> float:
    """Puts and gets each file, and deletes all."""
    script = "".join(f"put \"{data}\" x{number}.txt\nget x{number}.txt /dev/null\n" for number in range(files)) + "del x*.txt\n"
    begun = time.perf_counter()
    said = subprocess.run([*host.before, "smbclient", "-s", samba.config, "-N", f"//{samba.host.address}/office"],
                          input=script, capture_output=True, check=True, text=True)
    assert "NT_STATUS" not in said.stdout + said.stderr, said
    return time.perf_counter() - begun


def open_seconds(paths: list[Path], flags: int, count: int = 4000) -> list[float]:
    chance = random.Random(1)
    times = []
    for _ in range(count):
        path = chance.choice(paths)
        begun = time.perf_counter()
        file = os.open(path, flags)
        times.append(time.perf_counter() - begun)
        os.close(file)
    return times


def run(folder: Path, rounds: int) -> None:
    folder.mkdir(parents=True)
    ratios: dict[str, list[float]] = {title: [] for title in WORKS}
    opens: dict[tuple[str, bool], list[float]] = {}
    with Mounted(folder / "share") as share, Network(("pc", "server")) as net, Samba(folder / "samba", share, net.server) as samba:
        paths = list(fill(share))
        for title, (_, size) in WORKS.items():
            lines = random.Random(size).randbytes(600)
            (folder / title).write_bytes(b"".join(b"%d;order of the month;%d;%s\n" % (n, n * 37 % 9973, lines[n % 500:n % 500 + 40].hex().encode())
                                                  for n in range(size // 110)))

        def measure(guarded: bool) -> dict[str, float]:
            seconds = {title: client_seconds(samba, net.pc, folder / title, files) for title, (files, _) in WORKS.items()}
            for title, flags in (("for reading", os.O_RDONLY), ("for writing", os.O_RDWR)):
                opens.setdefault((title, guarded), []).extend(open_seconds(paths, flags))
            return seconds

        def with_guard(round_: int) -> dict[str, float]:
            with Guard(share, folder / f"state-{round_}", "--samba-config", samba.config, *USUAL, host=net.server):
                client_seconds(samba, net.pc, folder / "small files", 3)
                open_seconds(paths, os.O_RDWR, 3)
                paths[0].write_bytes(paths[0].read_bytes() + b"one more line\n")
                time.sleep(1)
                return measure(True)

        measures: list[Callable[[int], dict[str, float]]] = [lambda _: measure(False), with_guard]
        for round_ in range(rounds):
            first = round_ % 2  # who goes second finds the machine warm
            one, other = measures[first](round_), measures[1 - first](round_)
            without, with_ = (one, other) if first == 0 else (other, one)
            for title in WORKS:
                ratios[title].append(with_[title] / without[title])
                print(f"round {round_}, {title}: {without[title]:.2f} s without, {with_[title]:.2f} s with", flush=True)
    for title, values in ratios.items():
        print(f"{title}: seconds with the guard / without: median {statistics.median(values):.3f}, quartiles"
              f" {percentile(values, .25):.3f} to {percentile(values, .75):.3f}, {len(values)} pairs")
    for (title, guarded), values in sorted(opens.items()):
        print(f"opens {title} {'with' if guarded else 'without'}: p50 {percentile(values, .5) * 1e6:.0f} us, p99 {percentile(values, .99) * 1e6:.0f} us,"
              f" of {len(values)}")
