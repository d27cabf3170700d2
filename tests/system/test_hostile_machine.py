"""A machine that was taken over signs what it likes: no reader is led out of its target, or to wrong bytes.

The repositories are written as docs/format.md says by tests/format/tiny_writer.py, with forged fields.
"""
import os

import pytest

from kura import Kura, tree_of
from stored_objects import FILE, FILES, FOLDER, LINK, LISTINGS
from tiny_writer import TinyWriter, content, entry, string, varint


@pytest.fixture
def writer(tmp_path):
    return TinyWriter(tmp_path / "repository")


def reader_of(writer, folder):
    (folder / "recovery-key").write_text(writer.recovery_key())
    return Kura(folder, init=False)


def a_file(writer, name, text=b"contents", **more):
    return entry(FILE, name, {1: varint(len(text)), 2: content(writer.chunk(text))}, **more)


def a_folder(writer, name, *entries, **more):
    return entry(FOLDER, name, {2: content(writer.chunk(b"".join(entries), LISTINGS))}, **more)


def test_what_a_small_honest_writer_made_is_read(writer, tmp_path):
    writer.snapshot_of(a_folder(writer, b"folder", a_file(writer, b"inside"), mode=0o755), a_file(writer, b"top"))
    kura = reader_of(writer, tmp_path)
    kura.assert_whole(), kura.assert_whole(keys=False)
    assert tree_of(kura.restored("latest", tmp_path / "t")) == {"folder/inside": b"contents", "top": b"contents"}


@pytest.mark.parametrize("name", [b"..", b".", b"", b"a/b", b"../escaped", b"/absolute", b"nul\0byte",
                                  b"n" * 256], ids=repr)
def test_a_name_that_is_no_name_leads_nowhere(writer, tmp_path, name):
    writer.snapshot_of(a_folder(writer, b"folder", a_file(writer, name), mode=0o755))
    kura = reader_of(writer, tmp_path)
    (tmp_path / "place").mkdir()
    kura.run("restore", "latest", "--target", tmp_path / "place" / "target", code=(1, 4))
    assert not [path for path in (tmp_path / "place").rglob("*") if path.is_file()]
    assert os.listdir(tmp_path / "place") in ([], ["target"]) and not (tmp_path / "escaped").exists()
    kura.run("check", code=4)
    kura.run("ls", "-R", "latest", code=(1, 4)), kura.run("find", "*", code=(1, 4))


def test_a_link_and_a_folder_of_one_name_are_refused(writer, tmp_path):
    (tmp_path / "outside").mkdir()
    link = entry(LINK, b"x", {3: os.fsencode(tmp_path / "outside")})
    for pair in ((link, a_folder(writer, b"x", a_file(writer, b"planted"), mode=0o755)),
                 (a_folder(writer, b"x", a_file(writer, b"planted"), mode=0o755), link)):
        writer.snapshot_of(*pair)
    kura = reader_of(writer, tmp_path)
    for number, snapshot in enumerate(kura.ids()):
        kura.restored(snapshot, tmp_path / f"t{number}", code=(1, 4))
    assert os.listdir(tmp_path / "outside") == []


def test_a_hard_link_can_not_reach_out_of_the_target(writer, tmp_path):
    """Names that claim to be one file, of which one is a link to a file outside."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    same = varint(7) + varint(7)
    writer.snapshot_of(
        entry(LINK, b"a", {3: os.fsencode(victim), 7: same}),
        entry(FILE, b"b", {1: varint(8), 2: content(writer.chunk(b"contents")), 7: same}, mode=0o4777),
        entry(FILE, b"c", {1: varint(3), 2: content(writer.chunk(b"odd")), 7: same}, mode=0o4777))
    kura = reader_of(writer, tmp_path)
    target = kura.restored("latest", tmp_path / "t", code=(0, 1, 4))
    status = victim.stat()
    assert victim.read_text() == "precious" and status.st_mode & 0o7777 == 0o644 and status.st_nlink == 1
    for name, contents in (("b", b"contents"), ("c", b"odd")):
        path = target / name
        assert not path.exists() or path.is_symlink() or path.read_bytes() in (contents, b"contents")


def test_chunks_under_forged_ids_are_not_believed(writer, tmp_path):
    wrong = writer.secrets.id_of(FILES, b"what was asked for")
    writer.pack(FILES, [[b"what is there now!"]], ids=[wrong])
    writer.snapshot_of(entry(FILE, b"file", {1: varint(18), 2: content(wrong)}), a_file(writer, b"good"))
    kura = reader_of(writer, tmp_path)
    kura.assert_whole(keys=False)
    done = kura.json("check", code=4)
    assert done.summary["opened"]
    done = kura.json("restore", "latest", "--target", tmp_path / "t", code=4)
    assert tree_of(tmp_path / "t") == {"good": b"contents"} and "file" in done.errors[0]["path"]
    assert kura.run("dump", "latest:/file", code=4).out == b""


def test_sizes_that_lie_cost_no_memory_and_no_disk(writer, tmp_path):
    chunk = writer.chunk(b"tiny")
    huge = (1 << 63) - 1
    writer.snapshot_of(
        entry(FILE, b"claims", {1: varint(huge), 2: content(chunk)}),
        entry(FILE, b"extent", {1: varint(huge), 2: content(chunk), 9: varint(huge - 4) + varint(4)}),
        entry(FILE, b"many", {1: varint(4 * 200_000), 2: content(*[chunk] * 200_000)}))
    kura = reader_of(writer, tmp_path)
    kura.run("restore", "latest", "--target", tmp_path / "t", code=(1, 4), timeout=60)
    got = tree_of(tmp_path / "t")
    assert set(got) <= {"many"}
    kura.run("check", code=(0, 4))


def test_a_folder_that_contains_itself_over_and_over_is_bounded(writer, tmp_path):
    """A listing cannot hold its own id, but thousands of levels can be signed."""
    inner = a_file(writer, b"bottom")
    for _ in range(1500):
        inner = a_folder(writer, b"d", inner, mode=0o755)
    writer.snapshot_of(inner)
    kura = reader_of(writer, tmp_path)
    kura.assert_whole()
    kura.run("restore", "latest", "--target", tmp_path / "t")
    assert kura.json("find", "bottom").of_type("entry")
    os.system(f"rm -rf '{tmp_path}/t'")


def test_a_snapshot_that_another_key_signed_is_not_counted(writer, tmp_path):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    writer.snapshot_of(a_file(writer, b"honest"))
    forged = writer.snapshot_of(a_file(writer, b"forged"), signer=Ed25519PrivateKey.generate(), number=2)
    stranger = writer.snapshot_of(a_file(writer, b"stranger"), machine=Ed25519PrivateKey.generate())
    kura = reader_of(writer, tmp_path)
    assert len(kura.ids()) == 1
    done = kura.json("check", keys=False, code=4)
    assert forged.hex() in str(done.errors) and stranger.hex() in str(done.errors)
    assert tree_of(kura.restored("latest", tmp_path / "t")) == {"honest": b"contents"}


def test_a_label_that_lies_about_names_is_shown_safely(writer, tmp_path):
    label = writer.label(content())
    label[2], label[4], label[5] = string(b"\x1b[2Jhost"), string(b"/\x07"), string(b"tag\n")
    writer.snapshot(label, [], series=b"0" * 16)
    kura = reader_of(writer, tmp_path)
    done = kura.run("snapshots", code=(0, 4))
    assert not set(done.out + done.err) & ({*range(32)} - {10})
