"""Verdicts of backups, and every file back in its newest clean version."""
import random
import shutil
import struct

import pytest

from kura import Kura, tree_of
from office import KINDS, edit, make_office


@pytest.fixture
def office(tmp_path):
    return make_office(tmp_path / "office")


@pytest.fixture
def kura(tmp_path):
    return Kura(tmp_path)


def scramble(path, chance, name=None):
    """What ransomware leaves: random bytes in place, or under another name."""
    size = path.stat().st_size
    path.unlink()
    (path.with_name(name) if name else path).write_bytes(chance.randbytes(size))


def verdict(done):
    return done.summary["verdict"], done.summary["evidence"]


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def recovered(kura, target, office, *more):
    shutil.rmtree(target, ignore_errors=True)
    summary = kura.json("recover", "--snapshot", f"latest:{office}", "--target", target, *more).summary
    return summary, tree_of(target)


def test_ordinary_work_is_clean(kura, office):
    chance = random.Random(2)
    assert verdict(kura.json("backup", office)) == ("clean", [])
    for path in chance.sample(files_of(office), 20):
        edit(path, chance)
    for path in chance.sample(files_of(office), 5):
        path.rename(path.with_name("renamed " + path.name))
    for path in chance.sample(files_of(office), 5):
        path.unlink()
    assert verdict(kura.json("backup", office)) == ("clean", [])


@pytest.mark.parametrize("name", [None, "{}.locked", "{}.[id-7F3A].evil"])
def test_after_an_attack_every_file_comes_back_in_its_newest_clean_version(kura, office, tmp_path, name):
    chance = random.Random(3)
    kura.json("backup", office)
    for path in chance.sample(files_of(office), 10):
        edit(path, chance)
    kura.json("backup", office)
    before = tree_of(office)
    # Between the last clean backup and the next, people go on working, and the attack begins.
    victims = chance.sample(files_of(office), 25)
    worked_on = [path for path in files_of(office) if path not in victims][:8]
    for path in worked_on:
        edit(path, chance)
    for path in victims:
        scramble(path, chance, name and name.format(path.name))
    done = kura.json("backup", office)
    assert verdict(done)[0] == "attacked" and verdict(done)[1]
    wanted = {**before, **{str(path.relative_to(office)): path.read_bytes() for path in worked_on}}

    listed = kura.json("recover", "--list", "--snapshot", f"latest:{office}")
    assert {line["path"] for line in listed.of_type("file") if line["fate"] == "back"} == set(map(str, victims))
    summary, tree = recovered(kura, tmp_path / "back", office)
    assert tree == wanted
    assert (summary["back"], summary["lost"], summary["kept"]) == (25, 0, len(wanted) - 25)


def test_a_slow_attack_adds_up_and_each_file_comes_from_its_own_last_clean_backup(kura, office, tmp_path):
    """One file between two backups, and people work on all others."""
    chance = random.Random(4)
    kura.json("backup", office)
    left = files_of(office)
    wanted = tree_of(office)
    verdicts = []
    for _ in range(5):
        victim = left.pop(chance.randrange(len(left)))
        for path in chance.sample(left, 6):
            edit(path, chance)
            wanted[str(path.relative_to(office))] = path.read_bytes()
        scramble(victim, chance)
        verdicts.append(verdict(kura.json("backup", office))[0])
    assert verdicts[0] == "clean" and verdicts[-1] == "attacked"
    assert recovered(kura, tmp_path / "back", office)[1] == wanted


@pytest.mark.parametrize("way", ["in place", "as new files"])
@pytest.mark.parametrize("what", ["zeros", "header"])
def test_files_that_were_wiped_under_names_drawn_by_lot_are_an_attack_and_come_back(kura, office, tmp_path, what, way):
    kura.backup(office)
    clean = kura.backup(office)
    before = tree_of(office)
    chance = random.Random(11)
    aside = tmp_path / "aside"  # where the old ones stay, so that no new one gets the number of one
    aside.mkdir()
    for number, path in enumerate(files_of(office)):
        size = path.stat().st_size
        contents = bytes(size) if what == "zeros" else chance.randbytes(min(size, 4096)) + path.read_bytes()[4096:]
        if way != "in place":
            path.rename(aside / str(number))
        path.write_bytes(contents)
        path.rename(path.with_name("".join(chance.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", k=12))))
    assert kura.json("backup", office).summary["verdict"] == "attacked"
    (office / "later.txt").write_text("somebody worked on\n")
    assert kura.json("backup", office).summary["verdict"] == "attacked"
    done = kura.json("recover", "--list")
    assert done.summary["clean_snapshot_id"] == clean
    kura.run("recover", "--target", tmp_path / "back")
    found = tree_of(tmp_path / "back" / str(office)[1:])
    assert all(found.get(name) == contents for name, contents in before.items())


def test_what_an_attack_deleted_comes_back_too(kura, office, tmp_path):
    chance = random.Random(5)
    kura.json("backup", office)
    wanted = tree_of(office)
    for i, path in enumerate(chance.sample(files_of(office), 12)):
        scramble(path, chance, f"{i:08x}")
    assert verdict(kura.json("backup", office))[0] == "attacked"
    summary, tree = recovered(kura, tmp_path / "back", office)
    assert tree == wanted and summary["back"] + summary["gone"] == 12 and summary["left_out"] == 12


@pytest.mark.parametrize("name", ["{}.locked", "{}"])
def test_a_slow_attack_that_renames_is_undone_from_its_first_file_on(kura, office, tmp_path, name):
    """The first files are in backups that were called clean."""
    chance = random.Random(11)
    kura.json("backup", office)
    clean = kura.backup(office)
    wanted = tree_of(office)
    verdicts = []
    for path in files_of(office)[:5]:
        scramble(path, chance, name.format(path.name))
        verdicts.append(verdict(kura.json("backup", office))[0])
    assert verdicts[0] == "clean" and verdicts[-1] == "attacked"
    summary, tree = recovered(kura, tmp_path / "back", office)
    assert tree == wanted and summary["clean_snapshot_id"] == clean
    assert kura.json("ls", f"clean:{office}").of_type("entry") == kura.json("ls", f"{clean}:{office}").of_type("entry")


def test_work_that_was_backed_up_after_the_attack_began_comes_back(kura, office, tmp_path):
    """Changed, or made, after the clean point, backed up whole, and hit only then."""
    chance = random.Random(12)
    kura.json("backup", office)
    files = files_of(office)
    for path in files[:6]:
        scramble(path, chance)
    for path in files[6:12]:
        edit(path, chance)
    new = [path.with_name("new " + path.name) for path in files[12:16]]
    for path in new:
        shutil.copy(files[20], path)
        edit(path, chance)
    assert verdict(kura.json("backup", office))[0] == "attacked"
    wanted = tree_of(office)
    for path in [*files[6:10], *new[:2]]:
        scramble(path, chance)
    scramble(new[2], chance, new[2].name + ".locked")
    new[3].unlink()
    files[11].unlink()
    kura.json("backup", office)
    summary, tree = recovered(kura, tmp_path / "back", office)
    hit = {str(path.relative_to(office)) for path in files[:6]}
    assert {path: data for path, data in tree.items() if path not in hit} == {path: data for path, data in wanted.items() if path not in hit}
    assert (summary["back"], summary["gone"], summary["left_out"]) == (13, 2, 1)


def test_a_file_that_was_hit_before_its_first_backup_is_said_to_be_lost(kura, office, tmp_path):
    chance = random.Random(13)
    kura.json("backup", office)
    for path in files_of(office)[:5]:
        scramble(path, chance)
    new = office / "sales" / "never backed up.docx"
    edit(new, chance)
    scramble(new, chance)
    kura.json("backup", office)
    listed = kura.json("recover", "--list", "--snapshot", f"latest:{office}")
    assert [line["path"] for line in listed.of_type("file") if line["fate"] == "lost"] == [str(new)]
    assert recovered(kura, tmp_path / "back", office)[1]["sales/never backed up.docx"] == new.read_bytes()


def test_another_extension_in_place_of_a_files_own_hides_it_from_nobody(kura, office, tmp_path):
    """report.docx is report.x7f3a now; a file without an extension is README.x7f3a."""
    chance = random.Random(14)
    (office / "README").write_text("what lies here\n" * 99)
    kura.json("backup", office)
    wanted = tree_of(office)
    victims = [office / "README", *files_of(office)[1:6]]
    for path in victims:
        scramble(path, chance, path.stem + ".x7f3a")
    assert verdict(kura.json("backup", office))[0] == "attacked"
    listed = kura.json("recover", "--list", "--snapshot", f"latest:{office}")
    assert {line["path"]: line.get("broken_path") for line in listed.of_type("file") if line["fate"] == "back"} == {
        str(path): str(path.with_suffix(".x7f3a")) for path in victims}
    assert recovered(kura, tmp_path / "back", office)[1] == wanted


def test_what_the_attack_only_renamed_stays_whatever_else_had_its_name(kura, office, tmp_path):
    chance = random.Random(15)
    victims = files_of(office)[:6]
    renamed = files_of(office)[10]
    other = renamed.with_suffix(".0")
    shutil.copy(files_of(office)[20], other)
    kura.json("backup", office)
    wanted = tree_of(office)
    for path in victims:
        scramble(path, chance, path.stem + ".x7f3a")
    now = renamed.rename(renamed.with_suffix(".x7f3a"))
    other.unlink()
    assert verdict(kura.json("backup", office))[0] == "attacked"
    summary, tree = recovered(kura, tmp_path / "back", office)
    assert tree == {**wanted, str(now.relative_to(office)): now.read_bytes()}
    assert summary["left_out"] == len(victims)


def test_what_came_and_was_only_renamed_is_not_taken_for_another_that_was(kura, office, tmp_path):
    """Made since the last backup, a little larger than one that the attack left as it was but for its name, too."""
    chance = random.Random(16)
    kura.json("backup", office)
    victims = files_of(office)[:6]
    renamed = next(path for path in files_of(office)[6:] if path.suffix == ".png")
    wanted = tree_of(office)
    for path in victims:
        scramble(path, chance, path.stem + ".x7f3a")
    now = renamed.rename(renamed.with_name(renamed.name + ".x7f3a"))
    newcomer = now.with_name("newcomer.x7f3a")
    newcomer.write_bytes(b"".join(b"line %d of a text\n" % i for i in range(100_000))[:now.stat().st_size + 100])
    assert verdict(kura.json("backup", office))[0] == "attacked"
    summary, tree = recovered(kura, tmp_path / "back", office)
    assert tree == {**wanted, **{str(path.relative_to(office)): path.read_bytes() for path in (now, newcomer)}}
    assert summary["left_out"] == len(victims)


def make_sound(path, chance):
    """Compressed sound, which looks random as it is: nobody can tell from it alone that parts were encrypted."""
    data = chance.randbytes(64 * 4096)
    form = struct.pack("<4sIHHIIHHHH", b"fmt ", 20, 0x11, 1, 8000, 4055, 256, 4, 2, 505)
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(form) + 8 + len(data)) + b"WAVE" + form + b"data" + struct.pack("<I", len(data)) + data)


def encrypt_blocks(path, chance, *blocks):
    with open(path, "r+b") as file:
        for block in blocks:
            file.seek(block * 4096)
            file.write(chance.randbytes(4096))


def test_what_looked_whole_to_its_backup_is_compared_with_what_it_was(kura, office, tmp_path):
    chance = random.Random(17)
    hit, worked_on = office / "hit.wav", office / "worked on.wav"
    make_sound(hit, chance)
    make_sound(worked_on, chance)
    kura.json("backup", office)
    wanted = tree_of(office)
    encrypt_blocks(hit, chance, 10, 40)
    make_sound(worked_on, chance)
    wanted["worked on.wav"] = worked_on.read_bytes()
    for path in files_of(office)[:6]:
        scramble(path, chance)
    assert verdict(kura.json("backup", office))[0] == "attacked"
    believed = kura.json("recover", "--list", "--no-compare", "--snapshot", f"latest:{office}")
    assert str(hit) not in {line["path"] for line in believed.of_type("file")}
    assert recovered(kura, tmp_path / "back", office)[1] == wanted


def test_backups_before_the_clean_point_are_looked_at_once_more(kura, office, tmp_path):
    """The attack begins with files that no backup could tell, one a backup; people work on all the while."""
    chance = random.Random(18)
    *victims, worked_on = files_of(office)[:7]
    hit = [office / "first.wav", office / "plans" / "second.wav"]
    for path in hit:
        make_sound(path, chance)
    kura.json("backup", office)
    clean = kura.json("backup", office).summary["snapshot_id"]
    wanted = tree_of(office)
    for path in hit:
        encrypt_blocks(path, chance, 10, 40)
        edit(worked_on, chance)
        assert verdict(kura.json("backup", office))[0] == "clean"
    wanted[str(worked_on.relative_to(office))] = worked_on.read_bytes()
    for path in victims:
        scramble(path, chance)
    assert verdict(kura.json("backup", office))[0] == "attacked"
    summary, tree = recovered(kura, tmp_path / "back", office)
    assert tree == wanted
    assert summary["clean_snapshot_id"] == clean


def test_attacked_stays_attacked_until_the_files_are_whole_again(kura, office, tmp_path):
    chance = random.Random(6)
    kura.json("backup", office)
    before = tree_of(office)
    victims = files_of(office)[:6]
    for path in victims:
        scramble(path, chance)
    kura.run("backup", office, "--fail-on-attack", code=5)
    assert verdict(kura.json("backup", office))[0] == "attacked"
    kura.json("recover", "--snapshot", f"latest:{office}", "--target", office)
    assert tree_of(office) == before
    assert verdict(kura.json("backup", office))[0] == "clean"
    assert [line["verdict"] for line in kura.snapshots()] == ["clean", "attacked", "attacked", "clean"]


def test_clean_is_the_newest_snapshot_that_is(kura, office):
    kura.run("backup", office, "--no-judging")
    assert b"clean" in kura.run("ls", "clean", code=1).err
    kura.run("backup", office)
    chance = random.Random(9)
    for path in files_of(office)[:6]:
        scramble(path, chance)
    kura.run("backup", office)
    kura.run("diff", "clean", kura.ids()[1])
    assert kura.json("diff", "clean", kura.ids()[1]).summary["modified"] == 0


def test_recover_run_again_writes_only_what_is_missing(kura, office, tmp_path):
    chance = random.Random(7)
    kura.json("backup", office)
    for path in files_of(office)[:6]:
        scramble(path, chance)
    kura.json("backup", office)
    back = tmp_path / "back"
    recovered(kura, back, office)
    for path in files_of(back)[::2]:
        path.unlink()
    again = kura.json("recover", "--snapshot", f"latest:{office}", "--target", back).summary
    assert again["files_restored"] == 30 and again["files_skipped"] == 30


def test_from_a_time_on_nothing_is_trusted(kura, office, tmp_path):
    kura.json("backup", office)
    before = tree_of(office)
    begin = kura.snapshots()[-1]["time"]
    path = files_of(office)[0]
    edit(path, random.Random(8))
    kura.json("backup", office)
    # Times are shown in whole seconds.
    kura.run("recover", "--since", begin, "--target", tmp_path / "none", code=1)
    kura.json("recover", "--since", "2199-01-01", "--snapshot", "latest", "--target", tmp_path / "all")
    assert tree_of(tmp_path / "all" / str(office).lstrip("/")) == tree_of(office) != before


def test_recover_says_what_it_needs(kura, office):
    kura.json("backup", office)
    assert b"--target" in kura.run("recover", code=2).err
    assert b"no snapshot" in kura.run("recover", "--list", "--since", "1999-01-01", code=1).err


def test_a_backup_that_judges_nothing_does_not_end_an_attack(kura, office, tmp_path):
    chance = random.Random(19)
    clean = kura.json("backup", office).summary["snapshot_id"]
    wanted = tree_of(office)
    for path in files_of(office)[:6]:
        scramble(path, chance)
    assert verdict(kura.json("backup", office))[0] == "attacked"
    for _ in range(2):
        assert verdict(kura.json("backup", office, "--no-judging"))[0] == "unjudged"
        summary, tree = recovered(kura, tmp_path / "back", office)
        assert tree == wanted and summary["clean_snapshot_id"] == clean
    assert verdict(kura.json("backup", office))[0] == "attacked"
    summary, tree = recovered(kura, tmp_path / "back", office)
    assert tree == wanted and summary["clean_snapshot_id"] == clean


def test_without_judging_nothing_is_said(kura, office):
    assert verdict(kura.json("backup", office, "--no-judging")) == ("unjudged", [])
    assert set(KINDS) == {path.suffix[1:] for path in files_of(office)}
