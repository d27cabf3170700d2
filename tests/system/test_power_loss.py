"""The vault's machine loses power at any moment: what a machine has a receipt for is there, and nothing half is."""
import bisect
import dataclasses
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from kura import LONG, PROGRAM, SEED, Kura, running, tree_of
from power_loss import SYNC_ENDS, Log
from vault import Vault, receipts, request

RECORDER = Path(PROGRAM).with_name("kura_write_recorder.so")
CUTS = 300 if LONG else 6


@dataclasses.dataclass
class Moment:
    """What machines and operator had been told when the log was so long."""
    position: int
    machines: dict   # name: (Kura with the state of that moment, the repository's snapshots that it has receipts for)
    frozen: bool
    invited: bool    # whether the second repository was there


class Session:
    """A vault under the recorder, and two machines that use it."""

    def __init__(self, folder):
        self.folder, self.disk, self.log = folder, folder / "disk", folder / "log"
        self.disk.mkdir()
        self.machines, self.wanted, self.moments, self.frozen, self.invited = {}, {}, [], False, False
        self.source = folder / "source"
        self.source.mkdir()
        for i in range(6):
            (self.source / f"file-{i}").write_bytes(random.Random(i).randbytes(20_000 * i + 1))
        self.vault = Vault(folder / "v", root=self.disk / "vault", environment={
            "LD_PRELOAD": str(RECORDER), "KURA_RECORD_BELOW": str(self.disk), "KURA_RECORD_TO": str(self.log)})
        self.note()

    def note(self):
        """What was answered until now counts from here on."""
        folder = self.folder / f"moment-{len(self.moments)}"
        position = self.log.stat().st_size
        for name, kura in self.machines.items():
            shutil.copytree(kura.state, folder / name / "state")
            if (kura.folder / "recovery-key").exists():
                shutil.copy(kura.folder / "recovery-key", folder / name)
        machines = {name: (folder / name, dict(self.wanted[name])) for name in self.machines}
        self.moments.append(Moment(position, machines, self.frozen, self.invited))

    def machine(self, name):
        self.machines[name] = self.vault.machine(name)
        self.wanted[name] = {}
        self.note()
        return self.machines[name]

    def back_up(self, kura, number):
        (self.source / "changing").write_bytes(random.Random(number).randbytes(150_000))
        self.wanted["pc1"][kura.backup(self.source)] = tree_of(self.source)
        self.note()

    def back_up_while_the_vault_is_killed(self, kura, number):
        (self.source / "changing").write_bytes(random.Random(number).randbytes(2_000_000))
        with running(kura.start("backup", self.source, "--json", keys=False)) as backup:
            time.sleep(0.1)
            self.vault.stop(signal.SIGKILL)
            self.vault.start()
            assert backup.wait(timeout=60) == 0
        newest = kura.ids()[-1]
        self.wanted["pc1"][newest] = tree_of(self.source)
        self.note()

    def commit_what_an_earlier_process_took(self):
        """All but the snapshot; then the vault starts again; then the snapshot alone."""
        folder = self.vault.folder / "raw"
        folder.mkdir()
        raw = Kura(folder)
        raw.vault = self.vault
        snapshot = raw.backup(self.source)
        raw.environment["KURA_REPO"] = f"{self.vault.address}/raw"
        raw.run("enrol", self.vault.address, self.vault.invite("raw"), keys=False)

        def send(path):
            url = f"/v1/repositories/raw/{path.relative_to(raw.repository).parts[0]}/{path.name}"
            status, answer = request(raw, "PUT", url, body=path.read_bytes())
            assert status == 200
            return answer

        for kind in ("keys", "config", "packs", "index"):
            for path in raw.objects(kind):
                send(path)
        self.vault.stop()
        self.vault.start()
        receipts(raw, "raw").write_bytes(send(raw.objects("snapshots")[0]))
        self.machines["raw"], self.wanted["raw"] = raw, {snapshot: tree_of(self.source)}
        self.note()

    def freeze(self):
        self.vault.run("freeze", "pc1", "--why", "looks odd")
        self.frozen = True
        self.note()

    def invite_to_a_second_repository(self):
        self.vault.invite("pc2", "second")
        self.invited = True
        self.note()


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    session = Session(tmp_path_factory.mktemp("session"))
    with session.vault:
        pc = session.machine("pc1")
        for number in range(3):
            session.back_up(pc, number)
        session.invite_to_a_second_repository()
        session.back_up_while_the_vault_is_killed(pc, 3)
        session.commit_what_an_earlier_process_took()
        session.freeze()
        session.back_up(pc, 4)
    return session


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
            for path in folder.rglob("*") if not path.is_socket()}


def test_the_recorder_misses_nothing_that_the_vault_writes(session, tmp_path):
    log = Log(session.log)
    assert any(record[0] == SYNC_ENDS for record in log.records)
    log.build_whole(tmp_path / "disk")
    built, there = contents(tmp_path / "disk"), contents(session.disk)
    assert built.keys() == there.keys()
    for path, content in there.items():
        # The kill may have come between a write and its record: to an object that was still coming, or to what is
        # written beside everything else and may be lost.
        is_coming = "/objects/tmp/" in path and content.startswith(built[path])
        assert content == built[path] or is_coming or "/derived.sqlite" in path, path


def machine_at(moment, name, session, folder):
    """The machine as it was then, with a state of its own to work in."""
    shutil.copytree(moment.machines[name][0], folder)
    kura = Kura(folder, init=False)
    kura.vault = session.vault
    kura.environment["KURA_REPO"] = session.machines[name].environment["KURA_REPO"]
    return kura


def assert_kept(vault, kura, name, wanted, session, folder):
    assert set(wanted) <= set(kura.ids()), "a snapshot with a receipt is gone"
    if wanted:
        newest = list(wanted)[-1]
        assert tree_of(kura.restored(f"{newest}:{session.source}", folder / "target")) == wanted[newest]
        vault.verify(name, "--receipts", receipts(kura, name))
    kura.backup(session.source)
    assert kura.json("check", "--read-data").summary["errors"] == 0


def assert_a_vault_as_it_was(session, moment, folder):
    vault = Vault(folder, root=folder / "disk/vault", key=session.vault.key)
    vault.port = session.vault.port  # where the machines look for it
    with vault:
        for name, (_, wanted) in moment.machines.items():
            kura = machine_at(moment, name, session, folder / name)
            assert_kept(vault, kura, name, wanted, session, folder / name)
        frozen = {line["repository"]: line["frozen"] for line in vault.run("status", "--json").lines}
        assert frozen.get("pc1", False) or not moment.frozen
        assert "second" in frozen or not moment.invited
        # Also when the power went while it was being made.
        vault.machine("late", "second")


def cuts(session, log, chance):
    """After how many records, and how much of what was not synced is there. At each moment when somebody has been told
    something, nothing of it; and then any, half of them while something small was done."""
    told = [bisect.bisect_right(log.ends, moment.position) for moment in session.moments]
    yield from ((cut, 0) for cut in told)
    for number in range(CUTS):
        one = chance.randrange(1, len(told))
        first, last = (told[0], told[-1]) if number % 2 else (told[one - 1], told[one])
        yield chance.randint(first, last), chance.choice((0, 0.3, 0.7, 0.95, 1))


def test_after_a_power_loss_at_any_moment_all_is_there_that_a_receipt_was_given_for(session, tmp_path):
    chance, log = random.Random(SEED), Log(session.log)
    for number, (cut, share) in enumerate(cuts(session, log, chance)):
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        seed = chance.randrange(1 << 32)
        print(f"KURA_TEST_SEED={SEED}: cut {number} after record {cut} of {len(log.ends)}, seed {seed}, share {share}")
        log.build(cut, folder / "disk", random.Random(seed), share)
        moment = [moment for moment in session.moments if moment.position <= log.ends[cut - 1]][-1]
        assert_a_vault_as_it_was(session, moment, folder)
        shutil.rmtree(folder)
