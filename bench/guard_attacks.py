"""Attacks on a real Samba share under `kura guard`: how many files each infected PC changed before it was cut off, and
whether all of them came back byte for byte. Each PC is a network namespace with an address of its own; the attackers are
those of tests/attack."""
import contextlib
import dataclasses
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import office
from attack.carry_out import Clock, Journal, carry_out
from attack.confine import mark
from attack.modes import MODES
from attack.plan import NAMINGS, WAYS, Options, client_of, make_plan
from attack.samba import Samba as Attacker
from guard import Guard, Mounted, damaged
from kura import wait_until
from network import Network
from office_samba import Samba

FILES = 96  # 12 folders: each of eight PCs has some
MINUTE = 1.5  # seconds that stand for one of the attacks that break a file a minute
PATIENCE = 8  # seconds after the attack's end within which the guard has to have cut the PC off
CLIENTS = tuple(f"pc{number}" for number in range(8))


@dataclasses.dataclass(frozen=True)
class Attack:
    mode: str
    way: str
    speed: str = "burst"
    clients: int = 1
    seed: int = 1

    @property
    def naming(self) -> str:
        """Ways that write another file leave the old name in one of five cases; in place, in most."""
        return NAMINGS[self.seed % len(NAMINGS)] if self.way in ("new-unlink", "copy-delete", "rename-in-place") else "keep"

    def __str__(self) -> str:
        return f"{self.mode} {self.way} {self.speed}, {self.clients} PC, names {self.naming}, seed {self.seed}"


@dataclasses.dataclass
class Outcome:
    attack: Attack
    touched: list[int]  # of each PC that was cut off
    missed: list[int]  # files changed by each PC that nobody stopped
    lost: int  # files that were not byte for byte what they were, after all was put back
    seconds: float


class Place:
    """A share, its server and its clients, for many attacks one after the other."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.share, self.original = folder / "share", folder / "original"

    @contextlib.contextmanager
    def ready(self) -> Iterator["Place"]:
        make_office(self.original)
        with Mounted(self.share), Network(("server", *CLIENTS)) as self.net, Samba(self.folder / "samba", self.share, self.net.server) as self.samba:
            yield self

    def fill(self) -> dict[Path, bytes]:
        for path in self.share.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        subprocess.run(["cp", "-a", f"{self.original}/.", self.share], check=True)
        mark(self.share)
        return {path: path.read_bytes() for path in self.share.rglob("*") if path.is_file()}

    def run(self, attack: Attack) -> Outcome:
        contents = self.fill()
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(dir=self.folder) as own, \
                Guard(self.share, Path(own) / "state", "--samba-config", self.samba.config, host=self.net.server) as guard:
            infected = [threading.Thread(target=self._attack, args=(attack, number, Path(own))) for number in range(attack.clients)]
            for thread in infected:
                thread.start()
            for thread in infected:
                thread.join()
            cut = self._wait_for_cuts(guard, attack)
            wait_until(lambda: self._settled(guard))
            changed = [path.relative_to(self.share).as_posix() for path in damaged(contents)]
            guard.run("undo")
            for incident in guard.incidents("--all"):
                guard.run("restore", incident["id"], "--in-place", check=False)
            lost = len(damaged(contents))
        by_client = [sum(client_of(path, attack.clients) == number for path in changed) for number in range(attack.clients)]
        return Outcome(attack, [count for number, count in enumerate(by_client) if number in cut],
                       [count for number, count in enumerate(by_client) if number not in cut and count], lost, time.monotonic() - begun)

    def _attack(self, attack: Attack, number: int, own: Path) -> None:
        host = self.net.hosts[CLIENTS[number]]
        options = Options(attack.seed, (attack.mode,), way=attack.way, naming=attack.naming, speed=attack.speed, clients=attack.clients)
        with contextlib.suppress(RuntimeError), Journal(own / f"journal-{number}", self.share) as journal, \
                Attacker(self.net.server.address, "office", 445, host.before) as back_end:
            plan = make_plan(back_end.files(), options)
            plan.steps = [step for step in plan.steps if step.client == number]
            carry_out(plan, back_end, journal, Quicker() if attack.speed == "minute" else Clock())

    def _wait_for_cuts(self, guard: Guard, attack: Attack) -> set[int]:
        """Which PCs were cut off: known by their addresses."""
        end = time.monotonic() + PATIENCE
        cut: set[int] = set()
        while len(cut) < attack.clients and time.monotonic() < end:
            addresses = {incident["actor"].get("address") for incident in guard.incidents() if incident["state"] == "contained"}
            cut = {number for number in range(attack.clients) if self.net.hosts[CLIENTS[number]].address in addresses}
            time.sleep(0.05)
        return cut


    @staticmethod
    def _settled(guard: Guard) -> bool:
        """Whether everything was judged and listed: lists are written anew every two seconds."""
        before = guard.incidents()
        time.sleep(2.5)
        return guard.incidents() == before


class Quicker(Clock):
    """A minute is MINUTE seconds. What the guard goes by is longer (a proof fades in 30 days) or much shorter (a judgement)."""

    def wait_until(self, at: float) -> float:
        return super().wait_until(at / 60 * MINUTE)


def make_office(folder: Path, seed: int = 1) -> None:
    """Files of all kinds, each over 64 KiB: smaller ones some modes leave as they are."""
    chance = random.Random(seed)
    makers = {"docx": _document, "txt": _text, "png": _picture, "db": _database, "csv": _table, "json": _record}
    for number in range(FILES):
        kind = list(makers)[number % len(makers)]
        place = folder / f"department {number // 8}"
        place.mkdir(parents=True, exist_ok=True)
        makers[kind](place / f"file {number:03}.{kind}", chance)


def _document(path: Path, chance: random.Random) -> None:
    office.write_document(path, chance, words=9000, picture=chance.randrange(60_000, 400_000))


def _text(path: Path, chance: random.Random) -> None:
    path.write_text("".join(office.prose(chance, 12) for _ in range(chance.randrange(1200, 6000))))


def _picture(path: Path, chance: random.Random) -> None:
    office.write_picture(path, chance, size=chance.randrange(260, 420))


def _database(path: Path, chance: random.Random) -> None:
    office.write_database(path, chance, rows=chance.randrange(1500, 6000))


def _table(path: Path, chance: random.Random) -> None:
    path.write_text("id,name,sum\n" + "".join(f"{i},{chance.choice(office.WORDS)},{chance.randrange(10**6)}\n" for i in range(chance.randrange(5000, 20_000))))


def _record(path: Path, chance: random.Random) -> None:
    path.write_text("[" + ",\n".join(f'{{"id": {i}, "text": "{office.prose(chance, 6).strip()}"}}' for i in range(chance.randrange(1500, 5000))) + "]")


def matrix(quick: bool, seeds: int) -> list[Attack]:
    """Each mode in each way by one PC as fast as it can; slowly and by eight PCs in one way each, another one with each seed.
    Quick: each mode and each way at least once."""
    ways = list(WAYS)
    attacks = []
    for seed in range(seeds):
        for number, mode in enumerate(MODES):
            way = ways[(number + seed) % len(ways)]
            attacks += [Attack(mode, way, seed=seed + number)] if quick else [Attack(mode, each, seed=seed + number + i) for i, each in enumerate(ways)]
            if not quick or number == 0:
                attacks += [Attack(mode, way, "minute", seed=seed + number), Attack(mode, way, clients=8, seed=seed + number)]
    return attacks
