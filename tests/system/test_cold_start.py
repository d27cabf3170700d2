"""A machine that has lost its state folder, or is another one in its place, goes on where the old one was."""
import os
import shutil

import pytest

from kura import Kura


def times_above(source):
    """Of the folders above, nearest first: they are not the test's alone, and their parents' listings hold these."""
    return [(path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in source.parents]


def listings_changed(before, after):
    """How many listings the folders above made new: of each that changed, those of its parents up to the root."""
    return max((len(before) - 1 - at for at, times in enumerate(before) if after[at] != times), default=0)


@pytest.fixture
def protected(tmp_path):
    """A folder that was backed up once."""
    source = tmp_path / "source"
    for number in range(40):
        path = source / f"folder-{number % 5}" / f"file-{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(50_000 + 1000 * number))
    (source / "large").write_bytes(os.urandom(9 << 20))
    (tmp_path / "k").mkdir()
    kura = Kura(tmp_path / "k")
    before = times_above(source)
    kura.backup(source)
    return kura, source, before


def test_a_machine_without_its_state_is_told_how_to_get_a_new_key(protected):
    kura, source, _ = protected
    shutil.rmtree(kura.state)
    done = kura.json("backup", source, keys=False, code=1)
    assert "kura key add --machine" in done.errors[-1]["hint"], done.errors
    assert len(kura.ids()) == 1


def test_with_a_new_key_it_stores_nothing_twice_and_its_next_backup_reads_nothing(protected, tmp_path):
    kura, source, before = protected
    first, = kura.ids()
    shutil.rmtree(kura.state)
    kura.run("key", "add", "--machine")
    again = kura.json("backup", source, keys=False).summary
    explained = listings_changed(before, times_above(source))  # none, unless somebody else was at work there
    assert again["chunks_new"] <= explained and again["chunks_reused"] > 40, again
    assert again["bytes_stored_new"] < 20_000, "only an index or a snapshot, if anything"
    assert again["bytes_read"] == again["bytes_total"], "its cache was lost with the state"
    third = kura.json("backup", source, keys=False).summary
    assert third["bytes_read"] == 0 and third["files_unmodified"] == third["files_total"], third
    assert len(kura.ids()) == 3
    kura.assert_whole()
    for snapshot in (first, "latest"):
        target = kura.restored(snapshot, tmp_path / "target")
        for path in source.rglob("*"):
            if path.is_file():
                assert (target / path.relative_to("/")).read_bytes() == path.read_bytes(), (snapshot, path)


def test_without_the_recovery_key_nobody_gets_a_machine_key(protected):
    kura, source, _ = protected
    shutil.rmtree(kura.state)
    done = kura.json("key", "add", "--machine", keys=False, code=None)
    assert done.code not in (0, None) and done.errors, done
    kura.run("backup", source, keys=False, code=1)
    assert len(kura.ids()) == 1
