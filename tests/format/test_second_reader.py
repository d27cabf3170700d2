"""What kura stores, the second reader brings back: the format is what docs/format.md says.

KURA in the environment names the built program.
"""
import hashlib
import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

import second_reader
from source_trees import MIB, differences, facts_of, make_tree, put, text
from stored_objects import Damaged, Refused

PASSPHRASE = "correct horse \u8535 battery"
GOLDEN = Path(__file__).parent.parent / "golden"
GOLDEN_REPOSITORIES = sorted(str(found.parent.relative_to(GOLDEN)) for found in GOLDEN.glob("v*/*/expected.json"))


class Kura:
    """The program, with a repository and a state folder of its own."""

    def __init__(self, folder, *init):
        self.repository, self.recovery_key = folder / "repository", folder / "recovery-key"
        self.environment = {"PATH": os.environ["PATH"], "KURA_REPO": str(self.repository),
                            "KURA_STATE_DIR": str(folder / "state"), "KURA_PASSPHRASE": PASSPHRASE}
        self.run("init", *init)

    def run(self, *arguments):
        done = subprocess.run([os.environ["KURA"], *arguments], env=self.environment, capture_output=True)
        assert done.returncode == 0, (arguments, done.returncode, done.stderr)
        return done.stdout

    def backup(self, *arguments):
        return json.loads(self.run("backup", "--json", *arguments).splitlines()[-1])["snapshot_id"]


def change(source):
    """A day's work, with a trap: contents that change while size and mtime stay."""
    with open(source + b"/sizes/random", "rb") as file:
        data = file.read()
    put(source + b"/sizes/random", data[:20 * MIB] + b"an insertion" + data[20 * MIB:])
    facts = os.stat(source + b"/sizes/one")
    put(source + b"/sizes/one", b"2", mtime_ns=facts.st_mtime_ns)
    os.rename(source + b"/many/3", source + b"/many/moved")
    shutil.rmtree(source + b"/many/4")
    put(source + b"/many/4", b"a file where a folder was")
    os.unlink(source + b"/names/three")
    put(source + b"/names/three", b"no longer a link")
    os.unlink(source + b"/kinds/fifo")
    os.mkdir(source + b"/kinds/fifo")
    os.chmod(source + b"/sizes/text", 0o600)
    put(source + b"/sizes/new", text(5 * MIB, 99))


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """A tree, backed up, changed and backed up again: (kura, source, [(snapshot id, facts)])."""
    folder = tmp_path_factory.mktemp("twice")
    source = os.fsencode(folder / "source")
    make_tree(source, seed=7, large=True)
    kura = Kura(folder)
    snapshots = []
    for step in range(2):
        if step:
            change(source)
        snapshots.append((kura.backup("--tag", "tag", source), facts_of(source)))
    return kura, source, snapshots


@pytest.fixture(scope="module")
def by_passphrase(twice):
    return second_reader.Repository(os.fsencode(twice[0].repository), passphrase=PASSPHRASE.encode())


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small repository that only its recovery key file opens: (kura, source, snapshot id)."""
    folder = tmp_path_factory.mktemp("small")
    source = os.fsencode(folder / "source")
    make_tree(source, seed=8, large=False)
    kura = Kura(folder, "--recovery-key-out", str(folder / "recovery-key"))
    return kura, source, kura.backup(source)


def open_by_key(kura, repository=None):
    folder = os.fsencode(repository or kura.repository)
    return second_reader.Repository(folder, recovery_key=kura.recovery_key.read_text())


def restore(repository, snapshot_id, target, *paths):
    """Gives the problems."""
    repository.problems.clear()
    snapshot = second_reader.find_snapshot(repository, snapshot_id)
    restorer = second_reader.Restorer(repository.tree(snapshot), os.fsencode(target))
    restorer.run(paths)
    return repository.problems + restorer.not_possible


@pytest.mark.parametrize("step", [0, 1], ids=["first", "changed"])
def test_every_entry_comes_back_as_it_was(twice, by_passphrase, tmp_path, step):
    _, source, snapshots = twice
    snapshot_id, wanted = snapshots[step]
    assert restore(by_passphrase, snapshot_id, tmp_path / "target") == []
    restored = os.fsencode(tmp_path / "target") + source
    assert differences(wanted, facts_of(restored)) == []
    for sparse in (b"holes", b"only-hole", b"hole-first"):
        assert os.stat(restored + b"/sizes/" + sparse).st_blocks * 512 <= 2 * MIB
    shutil.rmtree(tmp_path / "target", ignore_errors=True)  # it is large


def test_a_repository_that_kura_wrote_is_whole(twice, by_passphrase):
    by_passphrase.problems.clear()
    second_reader.verify(by_passphrase)
    assert by_passphrase.problems == []


def test_snapshots_say_what_they_are_of(twice, by_passphrase):
    _, source, snapshots = twice
    first, second = by_passphrase.snapshots()
    assert [first.id.hex(), second.id.hex()] == [id for id, _ in snapshots]
    assert (first.number, second.number, second.before) == (1, 2, first.id)
    assert first.series == second.series and first.paths == [source] and first.tags == [b"tag"]
    assert 0 < first.time <= first.end <= second.time <= second.end
    for snapshot, (_, facts) in zip((first, second), snapshots):
        files = [f for f in facts.values() if f["type"] == "file"]
        assert snapshot.counts[0] == len(files) and snapshot.counts[4] == 0


def test_unchanged_chunks_are_stored_once(twice, by_passphrase):
    stored = sum(by_passphrase.pack(id).size for id in by_passphrase.store.ids("packs"))
    assert stored < 75 * MIB  # 40 of random, 15 of text, and little that is new


def test_some_paths_alone_can_be_restored(twice, by_passphrase, tmp_path):
    _, source, snapshots = twice
    wanted = tuple((source + b"/links").strip(b"/").split(b"/"))
    assert restore(by_passphrase, snapshots[0][0], tmp_path / "target", wanted) == []
    assert os.listdir(os.fsencode(tmp_path / "target") + source) == [b"links"]
    facts = {path: f for path, f in snapshots[0][1].items() if path.split(b"/")[0] == b"links" and "same_as" not in f}
    found = facts_of(os.fsencode(tmp_path / "target") + source)
    assert differences(facts, {path: found.get(path) for path in facts}) == []


def test_a_wrong_passphrase_and_no_passphrase_open_nothing(twice, small):
    with pytest.raises(Refused, match="opens none"):
        second_reader.Repository(os.fsencode(twice[0].repository), passphrase=b"wrong")
    with pytest.raises(Refused, match="opens none"):  # its recovery key is in the file alone
        second_reader.Repository(os.fsencode(small[0].repository), passphrase=PASSPHRASE.encode())


def test_the_key_of_one_repository_does_not_open_another(twice, small):
    with pytest.raises(Damaged, match="config/.* is missing"):
        open_by_key(small[0], twice[0].repository)


def test_the_command_lists_verifies_and_restores_with_a_key_file(small, tmp_path):
    kura, source, snapshot_id = small
    command = ["/usr/bin/python3", second_reader.__file__, kura.repository, "--recovery-key", kura.recovery_key]
    listed = subprocess.run([*command, "list"], capture_output=True, check=True).stdout
    assert [json.loads(line)["id"] for line in listed.splitlines()] == [snapshot_id]
    subprocess.run([*command, "verify"], check=True)
    subprocess.run([*command, "restore", snapshot_id[:16], tmp_path / "target"], check=True)
    assert differences(facts_of(source), facts_of(os.fsencode(tmp_path / "target") + source)) == []


def test_no_name_and_no_content_is_stored_in_the_clear(small):
    kura, _, _ = small
    stored = b"".join(path.read_bytes() for path in kura.repository.rglob("*") if path.is_file())
    for secret in (b"at the bottom", b"hole-first", b"a file of three names", b"source", PASSPHRASE.encode()):
        assert secret not in stored


def objects_of(repository):
    found = [path for path in repository.rglob("*") if path.is_file() and len(path.name) == 64]
    return {("packs/" if "packs" in path.parts else path.parent.name + "/") + path.name: path for path in sorted(found)}


def problems_of(kura, repository):
    try:
        opened = open_by_key(kura, repository)
        second_reader.verify(opened)
        return opened.problems
    except Damaged as why:
        return [str(why)]


def test_damage_to_any_object_is_found_and_named(small, tmp_path):
    kura, _, _ = small
    copy = tmp_path / "repository"
    shutil.copytree(kura.repository, copy)
    assert problems_of(kura, copy) == []
    kinds = set()
    for name, path in objects_of(copy).items():
        whole = path.read_bytes()
        kinds.add(name.split("/")[0])
        middle = random.Random(name).randrange(len(whole))
        for damaged in (b"\0" + whole[1:], whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1:],
                        whole[:-1] + bytes([whole[-1] ^ 0x80]), whole[:middle], b"", whole + b"\0"):
            path.chmod(0o600)
            path.write_bytes(damaged)
            found = problems_of(kura, copy)
            assert any(problem.startswith(name + ": ") for problem in found), (name, found)
        path.write_bytes(whole)
    assert {"config", "keys", "packs", "index", "snapshots"} <= kinds
    assert problems_of(kura, copy) == []


def test_missing_objects_are_named(small, tmp_path):
    kura, _, _ = small
    copy = tmp_path / "repository"
    shutil.copytree(kura.repository, copy)
    for name, path in objects_of(copy).items():
        kind = name.split("/")[0]
        if kind in ("config", "index", "packs"):
            path.rename(tmp_path / "away")
            found = problems_of(kura, copy)
            assert any(name in problem and "missing" in problem for problem in found), (name, found)
            (tmp_path / "away").rename(path)


def test_objects_in_each_others_place_are_found(small, tmp_path):
    kura, _, _ = small
    copy = tmp_path / "repository"
    shutil.copytree(kura.repository, copy)
    packs = {name: path for name, path in objects_of(copy).items() if name.startswith("packs/")}
    (one, first), (other, second) = list(packs.items())[:2]
    first.rename(tmp_path / "away"), second.rename(first), (tmp_path / "away").rename(second)
    found = problems_of(kura, copy)
    assert any(p.startswith(one) for p in found) and any(p.startswith(other) for p in found), found


def test_a_restore_over_damage_names_the_files_and_writes_no_wrong_byte(small, tmp_path):
    kura, source, snapshot_id = small
    copy = tmp_path / "repository"
    shutil.copytree(kura.repository, copy)
    opened = open_by_key(kura, copy)
    pack = next(opened.pack(id) for id in opened.store.ids("packs") if opened.pack(id).content == second_reader.FILES)
    frame = max(pack.record(), key=lambda frame: len(frame.chunks))
    path = Path(os.fsdecode(opened.store.path("packs", pack.id)))
    data = bytearray(path.read_bytes())
    data[frame.offset + 5] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    problems = restore(open_by_key(kura, copy), snapshot_id, tmp_path / "target")
    wanted, got = facts_of(source), facts_of(os.fsencode(tmp_path / "target") + source)
    lost = wanted.keys() - got.keys()
    assert 0 < len(lost) < len(wanted) and len(problems) == len(lost)
    for path in lost:
        shown = os.fsdecode(source + b"/" + path)
        assert any(p.startswith(f"{snapshot_id}:{shown}: packs/{pack.id.hex()}: ") for p in problems), shown
    assert all(wanted[path]["sha256"] == got[path]["sha256"] for path in got if got[path]["type"] == "file")


def test_there_is_a_golden_repository_of_each_version():
    assert {name.split("/")[0] for name in GOLDEN_REPOSITORIES} == {"v1", "v2"}


def test_shards_of_parity_are_what_the_page_says(tmp_path):
    source = os.fsencode(tmp_path / "source")
    make_tree(source, seed=9, large=False)
    kura = Kura(tmp_path, "--parity=3+3", "--recovery-key-out", str(tmp_path / "recovery-key"))
    kura.backup(source)
    put(source + b"/sizes/text", text(300_000, seed=2))
    kura.backup(source)
    shards = {name: path for name, path in objects_of(kura.repository).items() if name.startswith("parity/")}
    assert len(shards) >= 6 and problems_of(kura, kura.repository) == []
    path = min(shards.values(), key=lambda path: path.stat().st_size)
    whole = path.read_bytes()
    lie = whole[:-1] + bytes([whole[-1] ^ 1])  # by its name it is whole
    liar = path.parent / hashlib.sha256(lie).hexdigest()
    liar.write_bytes(lie)
    assert f"parity/{liar.name}: it is not the sum of what it covers" in problems_of(kura, kura.repository)


@pytest.mark.parametrize("name", GOLDEN_REPOSITORIES)
def test_golden_repositories_are_whole_and_restored_for_ever(name, tmp_path):
    folder = GOLDEN / name
    secret = ({"passphrase": (folder / "passphrase.txt").read_bytes().rstrip(b"\n")}
              if (folder / "passphrase.txt").exists() else {"recovery_key": (folder / "recovery-key.txt").read_text()})
    repository = second_reader.Repository(os.fsencode(folder / "repository"), **secret)
    second_reader.verify(repository)
    assert repository.problems == []
    expected = json.loads((folder / "expected.json").read_text())["snapshots"]
    assert {s.id.hex() for s in repository.snapshots()} == {s["id"] for s in expected}
    for snapshot in expected:
        problems = restore(repository, snapshot["id"], tmp_path / snapshot["id"])
        got = facts_of(os.fsencode(tmp_path / snapshot["id"]) + unquote_to_bytes(snapshot["root"]))
        wanted = {unquote_to_bytes(path): facts for path, facts in snapshot["entries"].items()}
        for facts in wanted.values():
            if "same_as" in facts:
                facts["same_as"] = [unquote_to_bytes(path) for path in facts["same_as"]]
        if os.geteuid() != 0:  # owners, devices and some attributes are for root to set
            problems = []
            wanted, got = without_what_root_sets(wanted), without_what_root_sets(got)
        assert problems == []
        assert differences(wanted, got) == []


def without_what_root_sets(facts):
    return {path: {key: value for key, value in f.items() if key not in ("uid", "gid", "xattrs", "mode")}
            for path, f in facts.items() if "device" not in f}
