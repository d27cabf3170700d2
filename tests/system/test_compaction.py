"""Space is freed without a key to read: backups rewrite what sparse packs still hold, and gc frees the packs."""
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kura import NOBODY, PROGRAM, Kura, fill, needs_root, tree_of

sys.path.append(str(Path(__file__).resolve().parents[2] / "bench"))
import year  # noqa: E402

needs_faketime = pytest.mark.skipif(not shutil.which("faketime"), reason="the package faketime is not installed")


@needs_faketime
def test_after_a_month_space_is_near_what_the_snapshots_need_and_each_restores_exactly(tmp_path):
    contents = {}

    def remember(_, at, office, vaults):
        contents[at] = year.content(office.folder)

    days, begin = 33, 1736899200  # over the first of a month; without compaction it is 1.7 times the ideal
    office, vaults = year.simulate(tmp_path, PROGRAM, days, 24, ("1G",), begin, remember)
    vault = vaults["1G"]
    kept = {(at - begin) // year.DAY for at in vault.snapshots.values()}
    ideal = year.replay(tmp_path, PROGRAM, 24, kept, begin)
    assert vault.size() <= 1.4 * ideal, (vault.size(), ideal)
    for snapshot, at in vault.snapshots.items():
        target = tmp_path / "restored"
        vault.run("restore", f"{snapshot}:{office.folder}", "--target", target, "--recovery-key", vault.key)
        assert year.content(target) == contents[at]
        shutil.rmtree(target)
    assert vault.run("check", "--recovery-key", vault.key)[-1]["errors"] == 0


def sparse(tmp_path, kura=None):
    """A machine with a long past of which only the newest snapshot is left, and most of its one pack gone from the
    source: (kura, source)."""
    kura = kura or Kura(tmp_path)
    source = fill(tmp_path / "source", 40, 40_000, random.Random(1))
    begin = kura.backup(source)
    for number in range(4, 40):
        (source / f"file-{number}").unlink()
    second = kura.backup(source)
    third = kura.backup(source)
    day = 24 * 3600
    for ago, snapshot in ((60, begin), (2, second), (1, third)):
        when = (kura.repository / "snapshots" / snapshot).stat().st_mtime - ago * day
        os.utime(kura.repository / "snapshots" / snapshot, (when, when))
    kura.run("forget", begin, keys=False)
    return kura, source


def age(kura):
    """The file of uses says that its packs came in two months ago; it is written as format v1 of the state."""
    import hashlib
    [path] = kura.state.rglob("*.uses")
    body = bytearray(path.read_bytes()[:-32])
    assert body[:8] == b"KURAUSES"
    head, rest = body[:74], bytes(body[74:])

    def varint(data, at):
        value = shift = 0
        while True:
            value |= (data[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 128:
                return value, at

    def encoded(value):
        out = bytearray()
        while value > 127:
            out.append(value & 127 | 128)
            value >>= 7
        return bytes(out + bytes([value]))

    count, at = varint(rest, 0)
    new = bytearray(rest[:at])
    for _ in range(count):
        begin = at
        _, at = varint(rest, at + 32)
        _, at = varint(rest, at)
        since, end = varint(rest, at)
        new += rest[begin:at] + encoded(since - 2 * 60 * 24 * 3600 * 10**9)
        at = end
    body = bytes(head) + bytes(new)
    path.write_bytes(body + hashlib.sha256(body).digest())


def test_a_sparse_pack_is_rewritten_and_freed_without_any_key(tmp_path):
    kura, source = sparse(tmp_path)
    age(kura)
    done = kura.json("backup", source, "--compact", "10M", keys=False).summary
    assert done["packs_compacted"] >= 1 and done["bytes_compacted"] > 0
    assert done["files_unmodified"] == 4 and done["files_failed"] == 0
    size = sum(path.stat().st_size for path in kura.objects("packs"))
    kura.run("forget", *kura.ids()[:-1], keys=False)
    kura.run("gc", keys=False)
    assert sum(path.stat().st_size for path in kura.objects("packs")) < size / 4
    assert tree_of(kura.restored(f"latest:{source}", tmp_path / "back")) == tree_of(source)
    kura.assert_whole()


def test_off_rewrites_nothing(tmp_path):
    kura, source = sparse(tmp_path)
    age(kura)
    done = kura.json("backup", source, "--compact", "off").summary
    assert done["packs_compacted"] == done["bytes_compacted"] == 0


def test_without_its_memory_of_uses_a_machine_rewrites_nothing_and_goes_on(tmp_path):
    kura, source = sparse(tmp_path)
    for damage in (lambda path: path.write_bytes(b"KURAUSES"), lambda path: path.unlink()):
        [path] = kura.state.rglob("*.uses")
        damage(path)
        assert kura.json("backup", source, "--compact", "10M").summary["packs_compacted"] == 0
    kura.assert_whole()


def test_what_another_machine_uses_is_left_alone(tmp_path):
    kura, source = sparse(tmp_path)
    other = Kura(tmp_path / "other", init=False)
    other.repository, other.environment["KURA_REPO"] = kura.repository, str(kura.repository)
    (tmp_path / "other").mkdir()
    shutil.copy(tmp_path / "recovery-key", tmp_path / "other" / "recovery-key")
    other.run("key", "add", "--machine")
    other.backup(source)
    age(kura)
    assert kura.json("backup", source, "--compact", "10M").summary["packs_compacted"] == 0
    kura.assert_whole()


@needs_root
def test_a_file_that_cannot_be_read_again_keeps_what_it_had(nobodys):
    folder, program = nobodys
    kura, source = sparse(folder)
    (source / "file-1").chmod(0o600)
    time.sleep(0.2)  # a change that is only just past is not trusted to be the last one, and the file would be read
    kura.backup(source)  # with its new ctime
    before = tree_of(source)
    age(kura)
    subprocess.run(["chown", "-R", "65534:65534", kura.repository, kura.state, folder / "recovery-key"], check=True)
    kura.program, kura.before = str(program), NOBODY
    done = kura.json("backup", source, "--compact", "10M", code=3)
    assert done.summary["files_failed"] == 1 and done.summary["bytes_compacted"] > 0
    assert [line["path"] for line in done.errors] == [str(source / "file-1")]
    kura.before = ()
    assert tree_of(kura.restored(f"latest:{source}", folder / "back")) == before
