"""Sources that move while they are read, that cannot be read, and that only look unchanged."""
import os
import random
import shutil
import subprocess
import sys
import time

import pytest

from kura import MIB, NOBODY, Kura, fill, needs_root, running, tree_of
from source_trees import differences, facts_of

# Changes files of a folder as fast as it can, in ways that a reader meets badly: argv[1] is the folder, argv[2] a seed,
# argv[3] what links lead to, which it never writes to.
VANDAL = """
import os, random, sys
folder, chance, secret = sys.argv[1], random.Random(int(sys.argv[2])), sys.argv[3]
names = sorted(os.listdir(folder))
while True:
    path = os.path.join(folder, chance.choice(names))
    kind = chance.randrange(7)
    try:
        if kind > 2 or os.path.islink(path) or not os.path.isfile(path):
            if os.path.isdir(path) and not os.path.islink(path): os.rmdir(path)
            elif os.path.lexists(path): os.unlink(path)
        if kind == 0:
            with open(path, "ab") as file: file.write(chance.randbytes(200_000))
        elif kind == 1: os.truncate(path, chance.randrange(100_000))
        elif kind == 2:
            with open(path, "r+b") as file: file.write(chance.randbytes(50_000))
        elif kind == 3: os.symlink(secret, path)
        elif kind == 4: os.mkfifo(path)
        elif kind == 5: os.mkdir(path)
    except OSError: pass
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_files_that_change_while_they_are_read_never_spoil_the_snapshot(tmp_path, seed):
    chance = random.Random(seed)
    fill(tmp_path / "source" / "moving", 40, MIB // 2, chance)
    still = fill(tmp_path / "source" / "still", 20, MIB // 2, chance)
    secret = tmp_path / "secret"
    secret.write_bytes(chance.randbytes(100_000))
    kept = secret.read_bytes()
    kura = Kura(tmp_path)
    with running(subprocess.Popen([sys.executable, "-c", VANDAL, tmp_path / "source" / "moving", str(seed), secret],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)) as vandal:
        for _ in range(4):
            started = time.monotonic()
            done = kura.json("backup", tmp_path / "source", code=(0, 3))
            assert time.monotonic() - started < 30, "it waited for a fifo"
            named = [error["path"] for error in done.errors]
            assert bool(named) is (done.code == 3) and all(path.startswith(str(tmp_path)) for path in named)
            assert done.summary["snapshot_id"] and not any("/still/" in path for path in named)
        assert vandal.poll() is None
    kura.assert_whole()
    for number, snapshot in enumerate(kura.ids()):
        target = kura.restored(f"{snapshot}:{tmp_path}/source", tmp_path / f"t{number}")
        assert tree_of(target / "still") == tree_of(still)
        assert kept not in tree_of(target / "moving").values()
    assert secret.read_bytes() == kept
    # Quiet again, the next backup has the truth, whatever the cache believed.
    kura.run("backup", tmp_path / "source")
    target = kura.restored(f"latest:{tmp_path}/source", tmp_path / "quiet")
    assert differences(facts_of(os.fsencode(tmp_path / "source")), facts_of(os.fsencode(target))) == []


def test_a_file_that_grows_for_ever_is_stored_as_it_was_and_the_backup_ends(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "log").write_bytes(b"begin\n" * 10_000)
    kura = Kura(tmp_path)
    grow = "import sys\nwith open(sys.argv[1], 'ab') as f:\n for _ in range(3000): f.write(b'x' * 1000000)"
    writer = subprocess.Popen([sys.executable, "-c", grow, source / "log"])
    with running(writer):
        time.sleep(0.1)
        done = kura.json("backup", source, code=(0, 3), timeout=60)
    assert done.summary["files_total"] == 1
    assert (kura.restored(f"latest:{source}", tmp_path / "t") / "log").read_bytes().startswith(b"begin\n" * 10_000)


@needs_root
def test_what_cannot_be_read_is_named_and_all_else_is_stored(nobodys):
    folder, program = nobodys
    source = folder / "source"
    (source / "closed").mkdir(parents=True)
    (source / "open").mkdir()
    for name in ("secret", "closed/inside", "open/fine", "fine"):
        (source / name).write_text(name)
    (source / "secret").chmod(0o600)
    (source / "closed").chmod(0o700)
    kura = Kura(folder, program=program, before=NOBODY)
    for _ in range(2):
        done = kura.json("backup", source, code=3)
        assert sorted(error["path"] for error in done.errors) == [f"{source}/closed", f"{source}/secret"]
        assert {error["code"] for error in done.errors} == {"denied"}
        assert done.summary["files_failed"] >= 1
    done = kura.run("backup", source, code=3)
    assert b"secret" in done.err and b"closed" in done.err
    restored = tree_of(kura.restored(f"latest:{source}", folder / "target"))
    assert restored.get("fine") == b"fine" and restored.get("open/fine") == b"open/fine"
    assert "secret" not in restored or restored["secret"] == b"secret", "an unreadable file became an empty one"
    # Made readable, they come in although nothing else of them changed.
    (source / "closed").chmod(0o755), (source / "secret").chmod(0o644)
    kura.run("backup", source)
    assert tree_of(kura.restored(f"latest:{source}", folder / "target")) == tree_of(source)


@needs_root
def test_a_file_unreadable_today_does_not_lose_what_was_stored_yesterday(nobodys):
    folder, program = nobodys
    source = folder / "source"
    source.mkdir()
    (source / "secret").write_text("yesterday")
    kura = Kura(folder, program=program, before=NOBODY)
    first = kura.backup(source)
    (source / "secret").chmod(0o600)
    kura.run("backup", source, code=3)
    assert tree_of(kura.restored(f"{first}:{source}", folder / "target")) == {"secret": b"yesterday"}


def test_contents_that_change_under_the_same_size_and_mtime_are_read_again(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "document").write_bytes(b"first")
    os.utime(source / "document", ns=(0, 10**18))
    time.sleep(0.02)
    kura = Kura(tmp_path)
    kura.run("backup", source)
    time.sleep(0.02)
    for contents in (b"other", b"third"):
        (source / "document").write_bytes(contents)
        os.utime(source / "document", ns=(0, 10**18))
        summary = kura.json("backup", source).summary
        assert summary["files_changed"] == 1 and summary["files_unmodified"] == 0
        assert kura.run("dump", f"latest:{source}/document").out == contents


def test_a_change_in_the_same_instant_as_the_backup_is_not_missed(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    kura = Kura(tmp_path)
    for i in range(10):
        (source / "document").write_bytes(b"%02d" % i)
        kura.run("backup", source)
        assert kura.run("dump", f"latest:{source}/document").out == b"%02d" % i


def test_another_file_under_the_old_name_is_read(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("a", "b"):
        (source / name).write_bytes(name.encode() * 100)
        os.utime(source / name, ns=(0, 10**18))
    time.sleep(0.02)
    kura = Kura(tmp_path)
    kura.run("backup", source)
    os.rename(source / "a", source / "t"), os.rename(source / "b", source / "a"), os.rename(source / "t", source / "b")
    kura.run("backup", source)
    assert tree_of(kura.restored(f"latest:{source}", tmp_path / "t")) == {"a": b"b" * 100, "b": b"a" * 100}


CONTENT_AT, LISTINGS = 11, 2  # docs/format.md, section 5


def cache_files(kura):
    return [path for path in kura.state.rglob("*") if path.is_file() and path.name != "machine.key"]


@pytest.mark.parametrize("harm", ["lost", "emptied", "garbled", "truncated"])
def test_a_lost_or_spoilt_cache_costs_time_and_nothing_else(tmp_path, harm):
    source = fill(tmp_path / "source", 20, 100_000, random.Random(4))
    kura = Kura(tmp_path)
    kura.run("backup", source)
    assert cache_files(kura)
    for path in cache_files(kura):
        data = bytearray(path.read_bytes())
        if harm == "lost":
            path.unlink()
        elif harm == "garbled":
            for at in range(len(data) // 3, len(data), 97):
                data[at] ^= 0x55
            path.write_bytes(data)
        else:
            path.write_bytes(data[:0 if harm == "emptied" else len(data) // 2])
    packs = set(kura.objects("packs"))
    summary = kura.json("backup", source).summary
    assert summary["files_total"] == 20
    # What lies above the source may have changed meanwhile, and so may its listings; contents are not stored again.
    assert all(pack.read_bytes()[CONTENT_AT] == LISTINGS for pack in set(kura.objects("packs")) - packs)
    first, second = kura.ids()
    differences = kura.json("diff", first, second, "--metadata").of_type("difference")
    assert [each for each in differences if each["path"].startswith(str(source))] == []
    kura.assert_whole()
    assert tree_of(kura.restored(f"latest:{source}", tmp_path / "t")) == tree_of(source)
    assert kura.json("backup", source).summary["files_unmodified"] == 20


def test_a_cache_that_is_newer_than_the_repository_is_not_believed(tmp_path):
    """The repository's disk was put back from an older image; the machine's state was not."""
    source = fill(tmp_path / "source", 10, 100_000, random.Random(5))
    kura = Kura(tmp_path)
    kura.run("backup", source)
    shutil.copytree(kura.repository, tmp_path / "image")
    (source / "later").write_bytes(os.urandom(300_000))
    kura.run("backup", source)
    shutil.rmtree(kura.repository)
    shutil.copytree(tmp_path / "image", kura.repository)
    kura.run("backup", source)
    kura.assert_whole()
    assert tree_of(kura.restored(f"latest:{source}", tmp_path / "t")) == tree_of(source)


def test_a_machine_that_was_rolled_back_goes_on(tmp_path):
    source = fill(tmp_path / "source", 10, 100_000, random.Random(6))
    kura = Kura(tmp_path)
    kura.run("backup", source)
    shutil.copytree(kura.state, tmp_path / "image")
    (source / "file-1").write_bytes(os.urandom(100_000))
    kura.run("backup", source)
    shutil.rmtree(kura.state)
    shutil.copytree(tmp_path / "image", kura.state)
    kura.run("backup", source)
    kura.assert_whole()
    assert tree_of(kura.restored(f"latest:{source}", tmp_path / "t")) == tree_of(source)
    assert [s["number"] for s in kura.snapshots()] in ([1, 2, 3], [1, 2, 2])


@pytest.mark.skipif(not shutil.which("faketime"), reason="the package faketime is not installed")
@pytest.mark.parametrize("clock", ["-3 years", "+3 years", "1970-01-02 00:00:00", "2037-12-31 23:59:59"])
def test_a_clock_that_is_wrong_loses_nothing(tmp_path, clock):
    source = fill(tmp_path / "source", 5, 50_000, random.Random(7))
    kura = Kura(tmp_path)
    kura.run("backup", source)
    (source / "file-0").write_bytes(b"changed while the clock was wrong")
    kura.before = ("faketime", "-m", "-f", clock if clock[0] in "+-" else f"@{clock}")
    if clock[0] in "+-":
        kura.before = ("faketime", "-m", clock)
    wrong = kura.backup(source, env={"NO_FAKE_STAT": "1", "DONT_FAKE_MONOTONIC": "1"})
    kura.before = ()
    assert kura.ids()[-1] == wrong, "the order of receipt is by the store's clock"
    (source / "file-1").write_bytes(b"changed later")
    kura.run("backup", source)
    assert tree_of(kura.restored(f"latest:{source}", tmp_path / "t")) == tree_of(source)
    kura.run("gc")
    kura.assert_whole()
    assert len(kura.ids()) == 3
