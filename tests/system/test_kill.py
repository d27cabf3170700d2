"""kill -9 at 200 random moments of all that writes: earlier snapshots stay whole, the next run works by itself."""
import os
import random
import shutil
import signal
import time

import pytest

from kura import MIB, SEED, Kura, fill, running, set_back, tree_of



class Torture:
    """A repository, what is known to be in it, and a hand on the switch."""

    def __init__(self, folder, kills):
        print(f"KURA_TEST_SEED={SEED}")
        self.chance, self.kills, self.landed = random.Random(SEED), kills, 0
        self.source = fill(folder / "source", 8, 300_000, self.chance)
        self.kura, self.folder = Kura(folder), folder
        self.wanted = {}  # snapshot: its files

    def change_source(self):
        name = f"file-{self.chance.randrange(12)}"
        (self.source / name).write_bytes(self.chance.randbytes(self.chance.randrange(400_000)))

    def backup(self):
        self.wanted[self.kura.backup(self.source)] = tree_of(self.source)

    def seconds(self, *command, **more):
        """How long it takes when nobody ends it."""
        began = time.monotonic()
        self.kura.run(*command, **more)
        return time.monotonic() - began

    def kill(self, seconds, *command, **more):
        """Ends it at some moment of the first `seconds`; says whether it was still at work."""
        with running(self.kura.start(*command, **more)) as process:
            time.sleep(self.chance.uniform(0, seconds * 1.1))
            process.send_signal(signal.SIGKILL)
            code = process.wait()
        assert code in (0, -signal.SIGKILL), code
        self.landed += code != 0
        return code != 0

    def take_note_of_new_snapshots(self):
        """A backup that was killed after its commit has made one."""
        for snapshot in self.kura.ids():
            self.wanted.setdefault(snapshot, tree_of(self.source))

    def assert_snapshots(self):
        assert self.kura.assert_whole(keys=False)["snapshots"] == len(self.wanted)

    def assert_restored(self, snapshot, kura=None):
        target = (kura or self.kura).restored(f"{snapshot}:{self.source}", self.folder / "target")
        assert tree_of(target) == self.wanted[snapshot]

    def assert_all(self):
        self.kura.assert_whole()
        for snapshot in self.wanted:
            self.assert_restored(snapshot)


@pytest.fixture
def torture(tmp_path):
    return Torture(tmp_path, 0)


def test_backup(torture):
    torture.backup()
    (torture.source / "file-0").write_bytes(torture.chance.randbytes(600_000))
    seconds = torture.seconds("backup", torture.source)
    torture.take_note_of_new_snapshots()
    for number in range(90):
        torture.change_source()
        torture.kill(seconds, "backup", torture.source)
        torture.take_note_of_new_snapshots()
        torture.assert_snapshots()
        if len(torture.wanted) > 20:  # so that all stays quick
            torture.kura.run("forget", *list(torture.wanted)[:10])
            torture.wanted = dict(list(torture.wanted.items())[10:])
        if number % 15 == 14:
            torture.backup()  # by itself, with nothing cleared
            torture.assert_restored(list(torture.wanted)[-1])
    assert torture.landed >= 45
    torture.assert_all()
    leftovers = [path for path in (torture.kura.repository / "tmp").iterdir()]
    assert len(leftovers) < 90


def test_forget_and_gc(torture):
    for _ in range(12):
        torture.change_source()
        torture.backup()
    gc = ("gc", "--keep-orphans", "0s")
    forgotten = list(torture.wanted)[0]
    del torture.wanted[forgotten]
    seconds_forget = torture.seconds("forget", forgotten)
    seconds_gc = torture.seconds(*gc)
    for number in range(60):
        if number % 2 == 0:
            victims = torture.chance.sample(list(torture.wanted)[:-1], 2)
            torture.kill(seconds_forget, "forget", *victims)
            left = set(torture.kura.ids())
            assert set(torture.wanted) - left <= set(victims), "it removed what it was not told to"
            torture.wanted = {snapshot: files for snapshot, files in torture.wanted.items() if snapshot in left}
        else:
            torture.kill(seconds_gc, *gc)
        torture.assert_snapshots()
        while len(torture.wanted) < 8:
            torture.change_source()
            torture.backup()
    for path in torture.kura.objects("condemned"):
        set_back(path, seconds=2 * 3600)  # the lists of killed runs go when no lease can be as old as they
    torture.kura.run(*gc)
    torture.assert_all()
    stats = torture.kura.json("stats").summary
    assert stats["packs_unused"] == 0 and torture.kura.objects("condemned") == [], "the next gc finishes the work"


def test_copy(torture):
    for _ in range(4):
        torture.change_source()
        torture.backup()
    twin = Kura(torture.folder, init=False)
    twin.environment["KURA_REPO"] = str(torture.folder / "twin")
    copy = ("copy", "--to", torture.folder / "twin")
    seconds = torture.seconds(*copy, keys=False)
    for number in range(40):
        if number % 4 == 0:
            shutil.rmtree(torture.folder / "twin", ignore_errors=True)  # it may have been killed before it was there
        else:
            torture.change_source()
            torture.backup()
        torture.kill(seconds, *copy, keys=False)
        if (torture.folder / "twin").exists():
            done = twin.json("check", keys=False, code=None)
            if not list((torture.folder / "twin").glob("config/*")):
                assert done.code == 1 and done.errors[-1]["code"] == "not_found"  # it is none yet
                for kind in ("keys", "packs", "index", "snapshots"):
                    stored = [path for path in (torture.folder / "twin" / kind).rglob("*") if path.is_file()]
                    assert not stored, "the config comes first"
            else:
                assert done.code == 0 and done.summary["errors"] == 0, done
    torture.kura.run(*copy, keys=False)
    assert set(twin.ids()) == set(torture.wanted)
    twin.assert_whole()
    torture.assert_restored(list(torture.wanted)[-1], twin)
    torture.assert_all()


def test_key_passphrase(tmp_path):
    chance = random.Random(SEED)
    (tmp_path / "source").mkdir()
    kura = Kura(tmp_path, passphrase="passphrase 0")
    kura.run("backup", tmp_path / "source")
    now = "passphrase 0"
    began = time.monotonic()
    kura.run("key", "passphrase", env={"KURA_NEW_PASSPHRASE": now})
    seconds = time.monotonic() - began
    for number in range(1, 11):
        new = f"passphrase {number}"
        kura.keys = {"KURA_PASSPHRASE": now, "KURA_NEW_PASSPHRASE": new}
        with running(kura.start("key", "passphrase")) as process:
            time.sleep(chance.uniform(seconds * 0.3, seconds * 1.1))
            process.kill()
            process.wait()
        codes = {}
        for passphrase in (new, now):
            kura.keys = {"KURA_PASSPHRASE": passphrase}
            codes[passphrase] = kura.run("ls", "latest", code=(0, 1)).code
            if codes[passphrase] == 0:
                break
        assert 0 in codes.values(), "neither the old nor the new passphrase opens it"
        now = passphrase
    kura.run("key", "passphrase", env={"KURA_NEW_PASSPHRASE": "final"})
    kura.keys = {"KURA_PASSPHRASE": "final"}
    kura.assert_whole()


def test_what_a_killed_backup_stored_is_not_stored_again(tmp_path):
    source = fill(tmp_path / "source", 16, 8 * MIB, random.Random(SEED))
    kura = Kura(tmp_path)
    with running(kura.start("backup", source)) as process:
        while len(kura.objects("packs")) < 2 and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert kura.ids() == []
    stored = sum(path.stat().st_size for path in kura.objects("packs"))
    assert stored > 2 * 20 * MIB
    summary = kura.json("backup", source).summary
    total = summary["bytes_total"]
    assert summary["bytes_stored_new"] <= total - stored + 4 * MIB and summary["chunks_reused"] > 0
    kura.run("gc", "--keep-orphans", "0s")
    assert sum(path.stat().st_size for path in kura.objects("packs")) < total * 1.02
    kura.assert_whole()
    assert tree_of(kura.restored(f"latest:{source}", tmp_path / "t")) == tree_of(source)


def test_a_killed_restore_goes_on_and_shows_only_whole_files(tmp_path):
    chance = random.Random(SEED)
    source = fill(tmp_path / "source", 30, 3 * MIB, chance)
    kura = Kura(tmp_path)
    kura.run("backup", source)
    files, target = tree_of(source), tmp_path / "target"
    restore = ("restore", f"latest:{source}", "--target", target)
    began = time.monotonic()
    kura.run(*restore)
    seconds = time.monotonic() - began
    shutil.rmtree(target)
    for _ in range(6):
        with running(kura.start(*restore)) as process:
            time.sleep(chance.uniform(0, seconds))
            process.kill()
        got = tree_of(target) if target.exists() else {}
        assert [name for name in got if name in files and got[name] != files[name]] == []
    summary = kura.json(*restore).summary
    assert tree_of(target) == files, "and no temporary file is left"
    assert summary["files_failed"] == 0
