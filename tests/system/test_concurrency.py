"""Several at once: backups, and backups while others read and clean up."""
import random
import signal
import threading
import time

from kura import MIB, Kura, fill, running, tree_of


class Loop(threading.Thread):
    """Runs a command again and again until it is stopped."""

    def __init__(self, kura, *command, codes=(0,), pause=0.0):
        super().__init__()
        self.kura, self.command, self.codes, self.pause = kura, command, codes, pause
        self.stopped, self.runs, self.problem = threading.Event(), 0, None
        self.start()

    def run(self):
        while not self.stopped.is_set() and not self.problem:
            try:
                done = self.kura.run(*self.command, "--json", code=None)
                if done.code not in self.codes:
                    self.problem = f"{self.command}: exit code {done.code}: {done.out[-800:]} {done.err[-500:]}"
            except Exception as error:  # noqa: BLE001 (shown by end())
                self.problem = f"{self.command}: {error}"
            self.runs += 1
            self.stopped.wait(self.pause)

    def end(self):
        self.stopped.set()
        self.join()
        return self.problem


def test_two_backups_of_one_machine_at_once_both_commit(tmp_path):
    sources = [fill(tmp_path / f"source-{i}", 10, MIB, random.Random(i)) for i in range(2)]
    (sources[1] / "shared").write_bytes((sources[0] / "file-1").read_bytes())
    kura = Kura(tmp_path)
    kura.run("backup", sources[0])
    for turn in range(4):
        for source in sources:
            (source / "file-0").write_bytes(random.Random(turn).randbytes(MIB))
        with running(kura.start("backup", sources[0])) as one, running(kura.start("backup", sources[turn % 2])) as two:
            for process in (one, two):
                out, err = process.communicate(timeout=60)
                assert process.returncode == 0, (out, err)
    snapshots = kura.snapshots()
    assert len(snapshots) == 9
    by_id = {snapshot["id"]: snapshot for snapshot in snapshots}
    for snapshot in snapshots:
        before = by_id.get(snapshot["parent"])
        assert (snapshot["number"] == 1) is (before is None)
        assert before is None or snapshot["number"] == before["number"] + 1
    kura.assert_whole(), kura.assert_whole(keys=False)
    for snapshot in snapshots[-2:]:
        kura.restored(snapshot["id"], tmp_path / "t")
    kura.run("backup", sources[0])
    assert tree_of(kura.restored(f"latest:{sources[0]}", tmp_path / "t")) == tree_of(sources[0])


def test_two_machines_share_a_repository(tmp_path):
    source = fill(tmp_path / "source", 5, 100_000, random.Random(1))
    kura = Kura(tmp_path)
    other = Kura(tmp_path, init=False)
    other.environment["KURA_STATE_DIR"] = str(tmp_path / "state-2")
    other.run("key", "add", "--machine", "--label", "second")
    with running(kura.start("backup", source)) as one, running(other.start("backup", source)) as two:
        assert one.wait(60) == 0 and two.wait(60) == 0
    snapshots = kura.snapshots()
    assert len({snapshot["machine"] for snapshot in snapshots}) == 2
    assert [snapshot["number"] for snapshot in snapshots] == [1, 1]
    machines = [key for key in other.json("key", "list").of_type("key") if key["kind"] == "machine"]
    assert [key["this_machine"] for key in machines if key["label"] == "second"] == [True] and len(machines) == 2
    kura.assert_whole()


def test_everything_at_once_for_a_while(tmp_path):
    chance = random.Random(2)
    source = fill(tmp_path / "source", 12, 200_000, chance)
    kura = Kura(tmp_path)
    kept, contents = kura.backup(source), tree_of(source)
    loops = [Loop(kura, "gc", "--keep-orphans", "0s"),
             Loop(kura, "forget", "--keep-within", "2s", "--keep-daily", "1", pause=0.3),
             Loop(kura, "restore", f"{kept}:{source}", "--target", tmp_path / "target", "--overwrite", "always"),
             Loop(kura, "copy", "--to", tmp_path / "twin", kept, pause=0.2),
             Loop(kura, "snapshots"), Loop(kura, "check", pause=0.3)]
    end = time.monotonic() + 15
    last, backups = None, 0
    while time.monotonic() < end and not any(loop.problem for loop in loops):
        (source / f"file-{chance.randrange(12)}").write_bytes(chance.randbytes(200_000))
        last = kura.backup(source)
        backups += 1
    assert [problem for problem in [loop.end() for loop in loops] if problem] == []
    assert backups > 5 and all(loop.runs > 3 for loop in loops)
    assert {kept, last} <= set(kura.ids())
    kura.assert_whole(), kura.assert_whole(keys=False)
    assert tree_of(kura.restored(f"{kept}:{source}", tmp_path / "t")) == contents == tree_of(tmp_path / "target")
    assert tree_of(kura.restored(f"{last}:{source}", tmp_path / "t")) == tree_of(source)


def test_gc_leaves_what_a_stopped_backup_needs(tmp_path):
    chance = random.Random(3)
    source = fill(tmp_path / "source", 12, 8 * MIB, chance)
    kura = Kura(tmp_path)
    old = kura.backup(source)
    fill(source / "more", 12, 8 * MIB, chance)
    packs = len(kura.objects("packs"))
    with running(kura.start("backup", source, "--json")) as process:
        while len(kura.objects("packs")) < packs + 2:  # it has stored something, and leans on the old packs
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGSTOP)
        kura.run("forget", old)
        for _ in range(2):
            kura.run("gc", "--keep-orphans", "0s")
        assert len(kura.objects("packs")) >= packs + 2
        assert kura.json("stats").summary["snapshots"] == 0
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (out, err)
    kura.assert_whole()
    assert tree_of(kura.restored(f"latest:{source}", tmp_path / "t")) == tree_of(source)
    kura.run("gc", "--keep-orphans", "0s")
    kura.assert_whole()


def test_gc_frees_what_is_forgotten_and_leaves_the_rest(tmp_path):
    source = fill(tmp_path / "source", 6, 2 * MIB, random.Random(4))
    kura = Kura(tmp_path)
    first = kura.backup(source)
    for path in source.iterdir():
        path.write_bytes(random.Random(str(path)).randbytes(2 * MIB))
    kura.run("backup", source)
    kura.run("forget", first)
    before = sum(path.stat().st_size for path in kura.objects("packs"))
    dry = kura.json("gc", "--dry-run").summary
    freed = kura.json("gc").summary
    after = sum(path.stat().st_size for path in kura.objects("packs"))
    assert dry["bytes_freed"] == freed["bytes_freed"] == before - after > 8 * MIB
    kura.assert_whole()
    assert tree_of(kura.restored(f"latest:{source}", tmp_path / "t")) == tree_of(source)
    assert kura.json("gc").summary["bytes_freed"] == 0
