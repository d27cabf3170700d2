"""Objects damaged, truncated, swapped, deleted and planted: check names each, and no wrong byte comes out."""
import hashlib
import os
import random
import shutil

import pytest

from kura import KINDS, Kura, flip, replace, set_back, tree_of


def restore_all(kura, source, contents, folder):
    """Restores every snapshot; gives those that are not whole. What comes out is right, and what does not is named."""
    suffering = []
    for snapshot, files in contents.items():
        target = folder / f"restored-{snapshot[:8]}"
        shutil.rmtree(target, ignore_errors=True)
        done = kura.json("restore", f"{snapshot}:{source}", "--target", target, "--verify", code=None)
        assert done.code in (0, 1, 4) and done.lines, done
        got = tree_of(target) if target.exists() else {}
        wrong = [name for name in got if got[name] != files.get(name)]
        assert wrong == [], f"restored with wrong bytes or under wrong names: {wrong}"
        missing = set(files) - set(got)
        if done.code == 0:
            assert not missing
            continue
        suffering.append(snapshot)
        named = " ".join(f"{e['path']} {e['message']}" for e in done.errors)
        if done.lines[-1]["type"] == "summary":
            unnamed = [name for name in missing if name not in named and os.path.dirname(name) not in named]
            assert unnamed == [] and done.summary["files_failed"] >= (1 if missing else 0)
        assert missing or done.errors
    return suffering


def end_of_frames(data):
    """Of a pack; behind it is the footer, without which a restore does as well (docs/format.md, section 5)."""
    return len(data) - 8 - int.from_bytes(data[-8:-4], "little")


def harm(path, how, chance, other=None):
    data = path.read_bytes()
    end = end_of_frames(data) if data.startswith(b"KURAPACK") else len(data)
    if how == "flip":
        flip(path, at=chance.randrange(end))
    elif how == "truncate":
        replace(path, data[:chance.randrange(end)])
    elif how == "empty":
        replace(path, b"")
    elif how == "append":
        replace(path, data + b"\0")
    elif how == "zero":
        replace(path, bytes(len(data)))
    elif how == "delete":
        path.unlink()
    elif how == "swap":
        replace(path, other.read_bytes()), replace(other, data)


@pytest.mark.parametrize("how", ["flip", "truncate", "empty", "append", "zero", "delete", "swap"])
@pytest.mark.parametrize("kind", ["packs", "index", "snapshots", "keys", "config"])
def test_every_harm_is_found_and_nothing_wrong_is_restored(copied, tmp_path, kind, how):
    kura, source, contents = copied
    chance = random.Random(f"{kind} {how}")
    objects = kura.objects(kind)
    if how == "swap" and len(objects) < 2:
        kura.run("-r", tmp_path / "second", "init", "--recovery-key-out", tmp_path / "key-2",
                 "--state-dir", tmp_path / "state-2", keys=False)
        foreign, = (tmp_path / "second" / kind).iterdir()
        replace(objects[0], foreign.read_bytes())
        harmed = objects[0]
    else:
        harmed = chance.choice(objects)
        harm(harmed, how, chance, next((path for path in objects if path != harmed), None))

    for keys in (False, True):
        done = kura.json("check", keys=keys, code=None)
        if kind == "config":
            assert done.code in (1, 4) and "config" in done.lines[-1]["message"], done
        elif kind == "snapshots" and how == "delete":
            assert done.code == 0  # nobody can tell it from a forgotten one
        else:
            assert done.code == 4 and done.summary["errors"] >= 1, (keys, done)
            text = done.out.decode()
            assert harmed.name in text or kind == "keys" and how == "delete", (keys, text)
    if kind == "config":
        done = kura.json("restore", "latest", "--target", tmp_path / "t", code=(1, 4))
        assert not (tmp_path / "t").exists() and done.lines[-1]["type"] == "error"
        return
    suffering = restore_all(kura, source, contents, tmp_path)
    if kind == "packs" and how != "append":
        assert suffering
    if kind == "index":
        assert suffering == [], "an index can be made again from the packs"


def test_a_damaged_footer_is_found_and_harms_no_restore(copied, tmp_path):
    kura, source, contents = copied
    chance = random.Random(7)
    harmed = kura.objects("packs")
    for pack in harmed:
        data = pack.read_bytes()
        flip(pack, at=chance.randrange(end_of_frames(data), len(data)))
    for keys in (False, True):
        done = kura.json("check", keys=keys, code=4)
        assert [pack.name for pack in harmed if pack.name not in done.out.decode()] == []
    assert restore_all(kura, source, contents, tmp_path) == []


def test_a_damaged_snapshot_hides_no_other(copied, tmp_path):
    kura, source, contents = copied
    victim = list(contents)[-1]
    flip(kura.repository / "snapshots" / victim, at=200)
    done = kura.json("snapshots", code=(0, 4))
    assert [s["id"] for s in done.of_type("snapshot")] == list(contents)[:-1]
    assert victim[:8] in str(done.of_type("warning") + done.errors)
    done = kura.json("restore", victim, "--target", tmp_path / "t", code=4)
    assert done.errors[-1]["code"] == "damaged"
    before = kura.objects("packs")
    done = kura.json("gc", "--keep-orphans", "0s", code=(1, 4))
    assert kura.objects("packs") == before, "gc must not decide while it cannot read all snapshots"
    kura.run("backup", source)


def test_a_backup_after_damage_heals_what_the_machine_still_has(copied, tmp_path):
    """docs/operate/check.md, "Now what?", step 4."""
    kura, source, contents = copied
    gone = [pack for pack in kura.objects("packs") if pack.read_bytes()[11] == 1]  # of file contents
    for pack in gone:
        pack.unlink()
    assert gone
    kura.run("check", code=4)
    healing = kura.backup(source)
    assert tree_of(kura.restored(f"latest:{source}", tmp_path / "t")) == list(contents.values())[-1]
    last = list(contents)[-1]
    assert tree_of(kura.restored(f"{last}:{source}", tmp_path / "t")) == contents[last], "older ones become whole too"

    lossy = restore_all(kura, source, contents, tmp_path)
    assert lossy and last not in lossy
    done = kura.json("check", code=4)
    assert {snapshot for error in done.errors for snapshot in error["snapshots"]} == set(lossy)
    assert {error["path"].removeprefix("packs/") for error in done.errors} <= {pack.name for pack in gone}
    assert "does not name" not in done.out.decode()

    # What was stored again stays although the only snapshot that names it goes: with the machine's key, and without.
    kura.run("forget", healing)
    shutil.move(kura.state, tmp_path / "state-away")
    assert kura.json("gc", "--keep-orphans", "0s", keys=False).of_type("warning")
    shutil.rmtree(kura.state, ignore_errors=True)
    shutil.move(tmp_path / "state-away", kura.state)
    done = kura.json("gc", "--keep-orphans", "0s", keys=False)
    assert done.of_type("warning") and done.summary["packs_lost"] >= 1
    assert restore_all(kura, source, contents, tmp_path) == lossy
    kura.run("copy", "--to", tmp_path / "twin", keys=False, code=4)

    # Given up, the lossy ones leave a whole repository.
    kura.run("forget", *lossy)
    kura.run("gc", "--keep-orphans", "0s", keys=False)
    assert kura.assert_whole()["packs_replaced"] >= 1
    assert restore_all(kura, source, {last: contents[last]}, tmp_path) == []


def test_a_twin_gives_back_damaged_objects(copied, tmp_path):
    """docs/operate/check.md, "Now what?", step 3."""
    kura, source, contents = copied
    kura.run("copy", "--to", tmp_path / "twin", keys=False)
    harmed = kura.objects("packs")[0]
    flip(harmed, at=500)
    kura.run("check", code=4, keys=False)
    shutil.copy2(tmp_path / "twin" / harmed.relative_to(kura.repository), tmp_path / "good")
    os.replace(tmp_path / "good", harmed)
    kura.assert_whole()


def test_damage_is_not_copied(copied, tmp_path):
    kura, source, contents = copied
    harmed = kura.objects("packs")[0]
    flip(harmed, at=500)
    done = kura.json("copy", "--to", tmp_path / "twin", keys=False, code=4)
    assert harmed.name in str(done.lines)
    assert not list((tmp_path / "twin").rglob(harmed.name))
    twin = Kura(tmp_path, init=False)
    twin.repository = tmp_path / "twin"
    twin.environment["KURA_REPO"] = str(tmp_path / "twin")
    assert twin.json("check", keys=False).summary["errors"] == 0, "what was copied is whole by itself"


def test_a_newer_format_is_refused_by_its_number(copied):
    kura, source, contents = copied
    path, = kura.objects("config")
    data = bytearray(path.read_bytes())
    data[8] = 9
    path.unlink()
    (path.parent / hashlib.sha256(data).hexdigest()).write_bytes(data)
    for place in kura.state.rglob("*"):
        if place.is_file():
            place.unlink()
    done = kura.json("snapshots", keys=False, code=(1, 4))
    assert "version 9" in done.errors[-1]["message"], done.lines


def test_junk_beside_the_objects_does_no_harm(copied, tmp_path):
    kura, source, contents = copied
    for kind in KINDS:
        folder = kura.repository / kind
        folder.mkdir(exist_ok=True)
        (folder / ".nfs0001").write_bytes(b"x"), (folder / "Thumbs.db").write_bytes(b"x"), (folder / "sub").mkdir()
        (folder / ("A" * 64)).write_bytes(b"upper case is no object's name")
    (kura.repository / "lost+found").mkdir()
    (kura.repository / "packs" / "zz").mkdir()
    kura.run("backup", source)
    kura.run("gc")
    kura.assert_whole(), kura.assert_whole(keys=False)
    assert len(kura.snapshots()) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_object_of_garbage_is_named_and_stops_no_other_work(copied, tmp_path, kind):
    """Somebody who can write to the folder puts garbage under a right name (its own hash)."""
    kura, source, contents = copied
    data = b"KURA" + random.Random(kind).randbytes(300)
    name = hashlib.sha256(data).hexdigest()
    place = kura.repository / kind / (name[:2] if kind == "packs" else "") / name
    place.parent.mkdir(exist_ok=True, parents=True)
    place.write_bytes(data)
    done = kura.json("check", code=None)
    if kind not in ("config", "leases"):
        assert done.code == 4 and name in done.out.decode()
    if kind == "condemned":
        kura.run("backup", source)
        kura.run("copy", "--to", tmp_path / "twin")
        set_back(place, seconds=2 * 3600)
    done = kura.json("gc", code=(0, 4))
    assert (done.code == 4) is (kind in ("snapshots",)) or kind in ("index", "packs")
    kura.run("backup", source)
    if kind == "condemned":
        assert not place.exists(), "gc removes a list that nobody can read when it is old"
        kura.assert_whole()
    assert restore_all(kura, source, contents, tmp_path) == []


def test_a_planted_config_misleads_nobody_who_has_a_key(tmp_path):
    """Somebody who can write to the folder puts a repository of his own beside ours, keys and all."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").write_text("ours")
    kura = Kura(tmp_path, passphrase="passphrase of ours")
    kura.run("key", "add", "--out", tmp_path / "recovery-key")
    kura.run("backup", tmp_path / "source")
    (tmp_path / "theirs").mkdir()
    theirs = Kura(tmp_path / "theirs", passphrase="another passphrase")
    ours, = kura.objects("config")
    for path in theirs.objects("config", "keys"):
        shutil.copy(path, kura.repository / path.relative_to(theirs.repository))

    kura.run("backup", tmp_path / "source", keys=False)
    stranger = ("--state-dir", tmp_path / "no-state")
    done = kura.json("check", *stranger, keys=False, code=4)
    assert ours.name in done.errors[-1]["message"] and "--recovery-key" in done.errors[-1]["hint"]
    key_file = {"KURA_RECOVERY_KEY_FILE": str(tmp_path / "recovery-key")}
    for keys in (kura.keys, key_file):
        kura.keys = keys
        assert kura.json("check", *stranger).summary["opened"]
        assert len(kura.snapshots()) == 2
        target = kura.restored(f"latest:{tmp_path / 'source'}", tmp_path / "target", *stranger)
        assert (target / "file").read_text() == "ours"
    kura.run("key", "list", *stranger)
    done = kura.json("check", *stranger, env={"KURA_RECOVERY_KEY_FILE": "", "KURA_PASSPHRASE": "no such"}, code=1)
    assert done.errors[-1]["code"] == "wrong_key"


def test_a_recovery_key_file_that_does_not_fit_stops_nobody_who_needs_none(copied, tmp_path):
    kura, source, _ = copied
    (tmp_path / "theirs").mkdir()
    Kura(tmp_path / "theirs")
    for path in (tmp_path / "no-such-file", tmp_path / "theirs" / "recovery-key"):
        env = {"KURA_RECOVERY_KEY_FILE": str(path)}
        kura.run("backup", source, env=env)
        kura.run("snapshots", env=env)
        kura.run("ls", "latest", env=env, code=1)
