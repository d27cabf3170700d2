"""kura mount, handled roughly: deep trees, mappings and direct reads, a second mount, other users, and snapshots that
are forgotten and collected beneath it."""
import mmap
import os
import random
import subprocess

import pytest

from kura import MIB, NOBODY, Kura, fill, needs_root, tree_of, wait_until
from mounts import drop_caches, listed, mount, needs_fuse
from stored_objects import FILE, FOLDER, LISTINGS
from tiny_writer import TinyWriter, content, entry, varint

pytestmark = needs_fuse


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A repository with one large file, of data and a hole, and a small one."""
    folder = tmp_path_factory.mktemp("large")
    source = fill(folder / "source", 1, 5000, random.Random(4))
    data = random.Random(5).randbytes(6 * MIB)
    with open(source / "large", "wb") as file:
        file.write(data)
        file.truncate(20 * MIB)
        file.seek(16 * MIB)
        file.write(data[:MIB + 100])
    kura = Kura(folder)
    kura.backup(source)
    return kura, source


def test_a_tree_of_a_thousand_levels_is_gone_through_to_its_end(tmp_path):
    writer = TinyWriter(tmp_path / "repository")
    inner = entry(FILE, b"bottom", [(1, varint(4)), (2, content(writer.chunk(b"deep")))])
    for _ in range(1000):
        inner = entry(FOLDER, b"d", [(2, content(writer.chunk(inner, LISTINGS)))], mode=0o755)
    writer.snapshot_of(inner)
    (tmp_path / "recovery-key").write_text(writer.recovery_key())
    with mount(Kura(tmp_path, init=False), tmp_path / "mnt") as at:
        command = ["find", "-H", at.point / "latest", "-name", "bottom", "-size", "4c", "-printf", "%d"]
        found = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
        assert found == b"1001"
        at.stop()


def test_a_mapped_file_is_the_file(large, tmp_path):
    kura, source = large
    whole = (source / "large").read_bytes()
    chance = random.Random(6)
    with mount(kura, tmp_path / "mnt") as at:
        with open(at.below(source) / "large", "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            assert len(mapped) == len(whole)
            for _ in range(300):
                offset = chance.randrange(len(whole))
                assert mapped[offset:offset + 5000] == whole[offset:offset + 5000]
            assert mapped[:] == whole
        at.stop()


def test_direct_reads_get_the_same_bytes_up_to_the_end(large, tmp_path):
    kura, source = large
    whole = (source / "large").read_bytes()
    with mount(kura, tmp_path / "mnt") as at:
        fd = os.open(at.below(source) / "large", os.O_RDONLY | os.O_DIRECT)
        try:
            room = mmap.mmap(-1, 3 * MIB)  # begins at a page, as direct reads want
            for offset in [0, 4096, 5 * MIB, 6 * MIB - 4096, 15 * MIB, len(whole) // 4096 * 4096, len(whole) + 8192]:
                count = os.preadv(fd, [room], offset // 4096 * 4096)
                assert room[:count] == whole[offset // 4096 * 4096:][:3 * MIB]
        finally:
            os.close(fd)
        at.stop()


def test_a_second_mount_on_the_same_folder_is_refused_and_the_first_stays(large, tmp_path):
    kura, source = large
    with mount(kura, tmp_path / "mnt") as at:
        done = kura.run("mount", at.point, code=2)
        assert b"is not empty" in done.err, done.err
        assert tree_of(at.below(source)) == tree_of(source)
        at.stop()


def test_a_repository_is_mounted_at_two_places_at_once(large, tmp_path):
    kura, source = large
    with mount(kura, tmp_path / "one") as one, mount(kura, tmp_path / "two") as two:
        one.stop()
        assert tree_of(two.below(source)) == tree_of(source)
        two.stop()


def test_many_snapshots_that_have_nothing_in_common_are_looked_into_over_and_over(tmp_path):
    kura = Kura(tmp_path)
    sources = {fill(tmp_path / f"source-{i}", 3, 5000, random.Random(i)): None for i in range(7)}
    for source in sources:
        sources[source] = f"ids/{kura.backup(source)[:8]}"
    with mount(kura, tmp_path / "mnt") as at:
        for _ in range(2):
            for source, snapshot in sources.items():
                assert tree_of(at.below(source, snapshot)) == tree_of(source)
        kura.backup(source)
        wait_until(lambda: len(os.listdir(at.point / "ids")) == 8)
        assert tree_of(at.below(source)) == tree_of(source)
        at.stop()


@needs_root
@pytest.mark.skipif(os.path.exists("/dev/fuse") and os.stat("/dev/fuse").st_mode & 0o006 != 0o006,
                    reason="/dev/fuse is for root alone here")
def test_an_ordinary_user_mounts_for_himself_and_needs_leave_for_others(nobodys):
    folder, program = nobodys
    source = fill(folder / "source", 3, 5000, random.Random(1))
    kura = Kura(folder, program=program, before=NOBODY)
    kura.backup(source)
    os.makedirs(folder / "mnt")
    os.chown(folder / "mnt", 65534, 65534)
    if not allows_others():
        done = kura.run("mount", folder / "mnt", "--allow-other", code=1)
        assert b"user_allow_other" in done.err, done.err
    with mount(kura, folder / "mnt") as at:
        seen = subprocess.run([*NOBODY, "cat", at.below(source) / "file-0"], check=True, capture_output=True).stdout
        assert seen == (source / "file-0").read_bytes()
        with pytest.raises(PermissionError):  # not even root
            os.listdir(at.point)
        at.stop()


def allows_others():
    try:
        with open("/etc/fuse.conf", encoding="utf-8") as config:
            return any(line.startswith("user_allow_other") for line in config)
    except OSError:
        return False


@needs_root
def test_a_snapshot_that_is_forgotten_and_collected_beneath_it_is_not_called_damaged(tmp_path):
    source, other = (fill(tmp_path / name, 5, 10_000, random.Random(name)) for name in ("source", "other"))
    (source / "large").write_bytes(random.Random(5).randbytes(24 * MIB))
    kura = Kura(tmp_path)
    first = kura.backup(source)
    kura.backup(other)
    with mount(kura, tmp_path / "mnt") as at:
        old = at.below(source, f"ids/{first[:8]}")
        with open(old / "large", "rb") as held:
            os.pread(held.fileno(), 10, 0)
            kura.run("forget", first)
            kura.run("gc")
            drop_caches()
            with pytest.raises(OSError):
                os.pread(held.fileno(), 10, 20 * MIB)
            wait_until(lambda: first[:8].encode() not in listed(at.point / "ids"))
        wait_until(lambda: tree_of(at.below(other)) == tree_of(other))
        said = at.stop(code=0)
    assert "was forgotten" in said and "check" not in said, said
