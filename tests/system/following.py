"""Two vaults, one of which follows the other: what the tests of following start from."""
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from hostile_vault import HostileVault
from kura import LONG, Kura, fill, running, tree_of
from vault import Vault

KILLS = 200 if LONG else 6
MOST_MEMORY = 200 << 10  # KiB


class Pair:
    """Vault A that runs, with the repository "office" of the machine pc, and vault B that follows it and does not run."""

    def __init__(self, folder, address=None):
        self.a, self.b = Vault(folder / "a", "a"), Vault(folder / "b", "b")
        self.a.start()
        self.pc = self.a.machine("pc", "office")
        self.source = fill(folder / "source", 8, 100_000, random.Random(1))
        self.folder = folder
        self.b.start_pulling(pause="1h")
        self.followed = self.b.follow(self.a, address=address).summary
        self.b.stop()

    def back_up(self, seed=None, size=400_000):
        """A snapshot with something new."""
        chance = random.Random(seed if seed is not None else random.random())
        (self.source / f"new-{chance.randrange(8)}").write_bytes(chance.randbytes(size))
        return self.pc.backup(self.source, keys=False)

    def stop(self):
        for vault in (self.a, self.b):
            vault.stop(signal.SIGKILL)

    def machine_of_b(self, name="newpc"):
        """A machine that is new to the customer and knows nothing but the recovery key, at B, which serves."""
        machine = Kura(self.folder / name, init=False)
        machine.folder.mkdir()
        machine.environment["KURA_REPO"] = f"{self.b.address}/office"
        machine.keys = {"KURA_RECOVERY_KEY_FILE": str(self.pc.folder / "recovery-key")}
        machine.run("enrol", self.b.address, self.b.invite(name, "office"), keys=False)
        return machine

    def assert_b_restores(self, snapshot, files):
        """From B alone, with the recovery key."""
        self.b.start()
        machine = self.machine_of_b()
        machine.assert_whole()
        target = machine.restored(snapshot, self.folder / "out")
        assert tree_of(target / self.source.relative_to("/")) == files
        self.b.stop()


@pytest.fixture
def pair(tmp_path):
    made = Pair(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def hostile(pair):
    """A is in an attacker's hands, from the moment that `alter` is set."""
    with HostileVault(pair.a, pair.b.root / "followed/a/machine.pem") as vault:
        pair.b.start_pulling(pause="1h")
        pair.b.follow(pair.a, address=vault.address)
        pair.b.stop()
        yield vault


def alarms(vault, name="office"):
    return [line["text"] for line in vault.events(name, "alarm") if not line["who"]]


def is_frozen(vault, name="office"):
    """By the journal."""
    shown = vault.run("journal", "show", vault.repository(name) / "journal", "--json").lines
    decided = [line["event"] for line in shown if line["event"] in ("freeze", "thaw")]
    return decided[-1:] == ["freeze"]


def pulled(vault, *more):
    """Exit code and peak memory (KiB, as the system last showed it) of pulling once."""
    process = subprocess.Popen(vault.command("pull", "--once", "--json", "--patience", "5s", *more),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    with running(process):
        while process.poll() is None:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            peak = max([peak, *(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))])
            time.sleep(0.01)
    assert peak > 0
    return process.returncode, peak


def objects(vault, name="office"):
    """Path below the store -> bytes, of what other vaults and machines may have sent."""
    folder = vault.repository(name) / "objects"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and len(path.name) == 64}
