"""A repository with parity, harmed in every way a disk harms: `check --repair` puts it right, by nobody's key."""
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from kura import KINDS, MIB, Kura, fill, flip, replace, running, tree_of

PRECIOUS = ("config", "keys", "packs", "index", "snapshots")  # all that parity covers


def stored(kura, *kinds):
    """What lies there: name -> bytes."""
    return {path.relative_to(kura.repository): path.read_bytes() for path in kura.objects(*(kinds or PRECIOUS))}


def repair(kura, *more, code=0, keys=False, **other):
    return kura.json("check", "--repair", *more, code=code, keys=keys, **other)


def harm(path, how, chance):
    size = path.stat().st_size
    if how == "flip":
        flip(path, chance=chance)
    elif how == "sectors":
        data = bytearray(path.read_bytes())
        for _ in range(3):
            at = chance.randrange(size) // 512 * 512
            data[at:at + 512] = bytes(len(data[at:at + 512]))
        replace(path, bytes(data))
    elif how == "truncate":
        replace(path, path.read_bytes()[:chance.randrange(size)])
    elif how == "append":
        replace(path, path.read_bytes() + b"\0")
    else:
        path.unlink()


@pytest.fixture(scope="module")
def daily(tmp_path_factory):
    """Three small backups after a larger one, each with its own parity: (kura, source)."""
    folder = tmp_path_factory.mktemp("daily")
    source = fill(folder / "source", 6, MIB // 4, random.Random(1))
    kura = Kura(folder, "--parity=4+2")
    for day in range(4):
        (source / f"day-{day}").write_bytes(random.Random(day).randbytes(MIB // 8))
        summary = kura.json("backup", source).summary
        assert summary["bytes_parity"] > 0 and summary["parity_problem"] is None
    return kura, source


@pytest.fixture
def copied(daily, tmp_path):
    kura, source = daily
    return kura.copied_to(tmp_path), source


@pytest.mark.parametrize("how", ["flip", "sectors", "truncate", "append", "delete"])
def test_a_pack_and_small_objects_that_a_disk_harmed_are_as_they_were(copied, how):
    kura, _ = copied
    chance = random.Random(how)
    before = stored(kura)
    harmed = [chance.choice(kura.objects("packs"))]
    # A snapshot or key that is gone was taken away, as far as anybody can tell.
    harmed += [chance.choice(kura.objects(kind)) for kind in
               (("config", "index") if how == "delete" else ("config", "index", "keys", "snapshots"))]
    for path in harmed:
        harm(path, how, chance)
    assert kura.json("check", code=None, keys=False).code in (1, 4)
    done = repair(kura)
    repaired = {line["path"].split("/")[-1] for line in done.of_type("repair") if line["repaired"]}
    assert {path.name for path in harmed} <= repaired
    assert stored(kura) == before
    assert done.summary["errors"] == 0 and done.summary["objects_not_repaired"] == 0
    kura.assert_whole()


def test_what_it_says_to_people_and_what_a_dry_run_does_not_do(copied):
    kura, _ = copied
    pack = kura.objects("packs")[0]
    flip(pack, at=100)
    before = stored(kura, *KINDS)
    done = kura.run("check", keys=False, code=4)
    assert b"DAMAGED pack" in done.out and b"check --repair" in done.out
    done = kura.run("check", "--repair", "--dry-run", keys=False, code=4)
    assert f"would repair pack {pack.name}: 1 of its".encode() in done.out and b"1 object would be repaired" in done.out
    assert stored(kura, *KINDS) == before
    done = kura.run("check", "--repair", code=0)
    assert f"REPAIRED pack {pack.name}: 1 of its".encode() in done.out and b"no errors were found" in done.out
    assert b"opened" in done.out
    assert kura.run("check", "--repair", keys=False).out.count(b"REPAIRED") == 0
    kura.run("check", "--dry-run", code=2)


def test_more_than_parity_can_bear_is_left_as_it_is_named_and_exit_code_4(copied):
    kura, _ = copied
    largest = max(kura.objects("parity"), key=lambda path: path.stat().st_size)
    for path in kura.objects("packs", "parity"):
        if path != largest:
            path.unlink()
    before = stored(kura, *PRECIOUS, "parity")
    done = repair(kura, code=4)
    left = [line for line in done.of_type("repair") if not line["repaired"]]
    assert left and all("cannot be repaired" in line["message"] for line in left)
    assert any("has lost 2 blocks and has 1 of 2 shards left" in line["message"] for line in left)
    assert done.summary["errors"] == len(left) == done.summary["objects_not_repaired"]
    assert before.items() <= stored(kura, *PRECIOUS, "parity").items()


def test_lost_and_damaged_shards_are_made_again_and_counted_until_then(copied):
    kura, _ = copied
    before = stored(kura, "parity")
    shards = kura.objects("parity")
    shards[0].unlink()
    summary = kura.json("check", keys=False).summary
    assert summary["parity_shards"] == len(shards) - 1
    repair(kura)
    assert stored(kura, "parity") == before
    flip(shards[1], at=20), flip(shards[2], at=shards[2].stat().st_size - 1)
    done = kura.json("check", code=4, keys=False)
    assert {line["path"].split("/")[-1] for line in done.errors} == {shards[1].name, shards[2].name}
    repair(kura)
    summary = kura.assert_whole(keys=False)  # made again, or others where nothing says any more what they were
    assert summary["packs_unprotected"] == summary["packs_weak"] == 0


def test_gc_between_keeps_what_is_left_protected(copied, tmp_path):
    kura, source = copied
    kura.run("gc")
    kura.run("forget", kura.ids()[0])
    (source / "file-0").touch()
    dry = kura.json("gc", "--dry-run").summary
    kura.run("gc", "--keep-orphans", "0s")
    summary = kura.assert_whole()
    assert summary["packs_unprotected"] == summary["packs_weak"] == 0 and dry["dry_run"]
    before = stored(kura)
    for path in random.Random(4).sample(kura.objects("packs"), 2):
        path.unlink()
    repair(kura)
    assert stored(kura) == before
    assert tree_of(kura.restored(f"latest:{source}", tmp_path / "back")) == tree_of(source)


def test_a_collection_does_not_touch_the_parity_of_a_lost_pack(copied):
    kura, _ = copied
    before = stored(kura)
    lost = kura.objects("packs")[0]
    lost.unlink()
    kura.json("gc", code=(0, 4), keys=False)
    repair(kura)
    assert stored(kura)[lost.relative_to(kura.repository)] == before[lost.relative_to(kura.repository)]


def test_a_twin_has_parity_of_its_own_and_repairs_itself(copied, tmp_path):
    kura, _ = copied
    flip(kura.objects("parity")[0], at=300)
    done = kura.json("copy", "--to", tmp_path / "twin", keys=False)
    assert done.summary["parity_problem"] and done.of_type("warning")
    kura.environment["KURA_REPO"], kura.repository = str(tmp_path / "twin"), tmp_path / "twin"
    before = stored(kura)
    for path in kura.objects("packs")[:1] + kura.objects("config"):
        path.unlink()
    repair(kura)
    assert stored(kura) == before
    assert kura.assert_whole()["packs_unprotected"] == 0


def test_killed_at_any_moment_a_repair_leaves_nothing_half_done_and_the_next_goes_on(copied):
    kura, _ = copied
    chance = random.Random(6)
    before = stored(kura)
    began = time.monotonic()
    repair(kura)
    seconds = time.monotonic() - began
    for _ in range(3):
        for path in chance.sample(kura.objects("packs"), 2) + kura.objects("config", "index"):
            harm(path, chance.choice(["flip", "truncate"]), chance)
        harmed = stored(kura)
        with running(kura.start("check", "--repair", keys=False)) as process:
            time.sleep(chance.uniform(0, 2 * seconds))
            process.send_signal(signal.SIGKILL)
        for name, data in stored(kura).items():
            assert data in (before[name], harmed[name]), name
        repair(kura)
        assert stored(kura) == before


def test_ctrl_c_ends_a_repair_with_130(copied):
    kura, _ = copied
    with running(kura.start("check", "--repair", keys=False)) as process:
        process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=20)
        assert process.returncode in (130, -signal.SIGINT)  # the second: before it has begun to listen
    repair(kura)


def test_a_config_folder_that_is_gone_comes_back_and_a_wrong_path_is_still_refused(copied, tmp_path):
    kura, _ = copied
    before = stored(kura)
    shutil.rmtree(kura.repository / "config")
    assert b"check --repair" in kura.run("snapshots", code=4).err
    done = repair(kura, "--dry-run", code=4)
    assert not (kura.repository / "config").exists() and done.of_type("repair")[0]["repaired"]
    repair(kura)
    assert stored(kura) == before
    (tmp_path / "empty").mkdir()
    assert b"not a repository" in kura.run("-r", tmp_path / "empty", "check", "--repair", code=1).err
    assert os.listdir(tmp_path / "empty") == []


def test_a_golden_repository_repairs_itself_for_ever(tmp_path):
    golden = Path(__file__).parent.parent / "golden/v2/parity"
    kura = Kura(tmp_path, init=False)
    shutil.copytree(golden / "repository", kura.repository)
    before = stored(kura)
    for kind in ("packs", "config", "index"):
        max(kura.objects(kind), key=lambda path: path.stat().st_size).unlink()
    done = kura.json("check", "--repair", env={"KURA_RECOVERY_KEY_FILE": str(golden / "recovery-key.txt")})
    assert stored(kura) == before and done.summary["opened"] and done.summary["packs_unprotected"] == 0


def test_a_repository_without_parity_says_so(tmp_path):
    source = fill(tmp_path / "source", 2, MIB, random.Random(1))
    kura = Kura(tmp_path)
    summary = kura.json("backup", source).summary
    assert summary["bytes_parity"] == 0 and kura.objects("parity") == []
    kura.run("check", "--repair", keys=False)
    flip(kura.objects("packs")[0], at=100)
    done = kura.run("check", "--repair", keys=False, code=4)
    assert b"has no parity" in done.out and b"no parity covers it" in done.out


@pytest.mark.parametrize("policy", ["0+2", "16+0", "129+2", "16+9", "16", "16+", "+2", "16+2x", "a+b", "-1+2", "16-2"])
def test_a_policy_out_of_bounds_makes_nothing(tmp_path, policy):
    kura = Kura(tmp_path, init=False)
    done = kura.json("init", f"--parity={policy}", "--recovery-key-out", tmp_path / "key", code=2)
    assert policy in done.errors[0]["message"] and "K+M" in done.errors[0]["hint"]
    assert not kura.repository.exists() and not (tmp_path / "key").exists()


def test_the_policy_is_told_and_kept(tmp_path):
    for name, option, told in (("a", ("--parity",), "16+2"), ("b", ("--parity=128+8",), "128+8"), ("c", (), None)):
        kura = Kura(tmp_path / name, init=False)
        (tmp_path / name).mkdir()
        done = kura.json("init", *option, "--recovery-key-out", tmp_path / name / "recovery-key")
        assert done.summary["parity"] == told
        kura.backup(tmp_path / name / "recovery-key")
        stats, shards = kura.json("stats").summary, len(kura.objects("parity"))
        assert stats["parity_shards"] == shards == (0 if told is None else 2 * int(told.split("+")[1]))
        assert stats["parity_bytes"] == sum(path.stat().st_size for path in kura.objects("parity"))
