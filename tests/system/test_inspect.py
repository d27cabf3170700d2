"""kura inspect: files that are in no backup."""
import random

import pytest

from kura import Kura
from office import make_office


@pytest.fixture
def kura(tmp_path):
    return Kura(tmp_path, init=False)


@pytest.fixture
def office(tmp_path):
    return make_office(tmp_path / "office", 30)


def by_path(done):
    return {line["path"]: line for line in done.of_type("file")}


def test_an_offices_files_are_whole(kura, office):
    done = kura.json("inspect", office)
    assert done.summary["broken"] == 0 and done.summary["valid"] == 30
    assert {line["kind"] for line in done.of_type("file")} >= {"docx", "png", "sqlite"}


def test_encrypted_files_are_found_and_the_exit_code_says_so(kura, office):
    chance = random.Random(1)
    victims = chance.sample(sorted(path for path in office.rglob("*") if path.is_file()), 8)
    for path in victims:
        path.write_bytes(chance.randbytes(path.stat().st_size))
    done = kura.json("inspect", office, code=5)
    assert {path for path, line in by_path(done).items() if line["verdict"] == "broken"} == set(map(str, victims))
    assert all(line["reasons"] for line in done.of_type("file") if line["verdict"] == "broken")
    shown = kura.run("inspect", office, code=5).out.decode()
    assert shown.count("broken ") == 8 and "8 files BROKEN" in shown


def test_pairs_are_judged_by_both_versions_also_under_another_name(kura, office, tmp_path):
    chance = random.Random(2)
    before = make_office(tmp_path / "before", 30)
    victims = chance.sample(sorted(path for path in office.rglob("*") if path.is_file()), 8)
    for path in victims:
        path.write_bytes(chance.randbytes(path.stat().st_size))
        path.rename(f"{path}.locked")
    files = by_path(kura.json("inspect", "--before", before, "--after", office, code=5))
    broken = {path: line for path, line in files.items() if line["verdict"] == "broken"}
    assert {line["old_path"] for line in broken.values()} == {str(path.relative_to(office)) for path in victims}
    assert all(path == line["old_path"] + ".locked" and line["compared"] for path, line in broken.items())


def test_what_cannot_be_read_is_named_and_the_rest_is_judged(tmp_path, office):
    kura = Kura(tmp_path, init=False, before=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"))
    closed = next(path for path in office.rglob("*") if path.is_file())
    closed.chmod(0)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and str(folder) not in ("/", "/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    done = kura.json("inspect", office, code=3)
    assert [line["path"] for line in done.errors] == [str(closed)] and done.summary["failed"] == 1
    assert done.summary["valid"] == 29


def test_wrong_use_is_told(kura, office):
    assert b"nothing to inspect" in kura.run("inspect", code=2).err
    assert b"go together" in kura.run("inspect", "--before", office, code=2).err
    assert b"cannot look at" in kura.run("inspect", office / "none", code=1).err
    assert b"folder" in kura.run("inspect", "--before", office, "--after", next(office.rglob("*.csv")), code=2).err


def test_links_pipes_and_folders_that_turn_in_circles_are_passed_by(kura, office):
    import os
    os.mkfifo(office / "pipe")
    (office / "circle").symlink_to(office)
    (office / "link").symlink_to("/etc/passwd")
    assert kura.json("inspect", office).summary["valid"] == 30
    kura.run("inspect", office / "pipe", code=3)
