"""kura mount, on the real FUSE: everything in it is what was backed up, and nothing that happens to the store or to the
program hangs whoever reads."""
import concurrent.futures
import errno
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from kura import MIB, Kura, fill, flip, mounted, needs_root, running, tree_of, wait_until
from mounts import drop_caches, mount, needs_fuse
from source_trees import differences, facts_of, make_tree
from stored_objects import FILE, FOLDER, LISTINGS
from tiny_writer import TinyWriter, content, entry, varint

pytestmark = needs_fuse


@pytest.fixture(scope="module")
def hard(tmp_path_factory):
    """A snapshot of one of everything that a file system has: (kura, source, its facts)."""
    folder = tmp_path_factory.mktemp("hard")
    source = os.fsencode(folder / "source")
    make_tree(source, seed=5, large=True)
    kura = Kura(folder)
    kura.backup(source)
    return kura, source, facts_of(source)


@needs_root
def test_it_looks_like_what_was_backed_up(hard, tmp_path):
    kura, source, facts = hard
    with mount(kura, tmp_path / "mnt") as at:
        shown = os.fsencode(at.below(os.fsdecode(source)))
        assert differences(facts, facts_of(shown)) == []
        for name in (b"/sizes/holes", b"/sizes/only-hole", b"/sizes/hole-first", b"/sizes/random"):
            assert os.stat(shown + name).st_blocks * 512 <= os.stat(source + name).st_blocks * 512 + 4 * MIB
            assert pieces(shown + name) == pieces(source + name)
        with pytest.raises(OSError) as error:
            open(shown + b"/new", "wb")
        assert error.value.errno == errno.EROFS
        with pytest.raises(FileNotFoundError):
            os.stat(shown + b"/sizes/not there")
        at.stop()


def pieces(path):
    """Where the data of a file lie, as SEEK_DATA and SEEK_HOLE say, but for holes of less than a MiB."""
    found, end = [], 0
    with open(path, "rb") as file:
        while True:
            try:
                begin = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError as error:
                assert error.errno == errno.ENXIO
                return found
            end = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
            found.append((begin // MIB, end // MIB))


@needs_root
@pytest.mark.parametrize("tool", ["cp", "rsync", "tar", "diff"])
def test_usual_tools_read_it(tmp_path, tool):
    source = os.fsencode(tmp_path / "source")
    make_tree(source, seed=6, large=False)  # paths that these tools can name
    facts = facts_of(source)
    kura = Kura(tmp_path)
    kura.backup(source)
    target = tmp_path / "copy"
    with mount(kura, tmp_path / "mnt") as at:
        shown = at.below(os.fsdecode(source))
        if tool == "tar":
            target.mkdir()
            flags = "--xattrs --xattrs-include=* --acls --format=posix --sparse".split()
            packed = subprocess.run(["tar", "-C", shown, *flags, "-c", "."], check=True, capture_output=True).stdout
            subprocess.run(["tar", "-C", target, *flags, "-xp", "--same-owner"], input=packed, check=True)
        elif tool == "rsync":
            subprocess.run(["rsync", "-aHAX", "--modify-window=-1", f"{shown}/", f"{target}/"], check=True)
        elif tool == "cp":
            subprocess.run(["cp", "-a", shown, target], check=True)
        else:
            subprocess.run(["diff", "-r", "--no-dereference", *(f"--exclude={name}" for name in
                            ("fifo", "null", "block", "socket")), source, shown], check=True)
        at.stop()
    if target.exists():
        got = facts_of(os.fsencode(target))
        assert differences(without_sockets(facts), without_sockets(got)) == []


def without_sockets(facts):
    """tar leaves them out."""
    return {path: fact for path, fact in facts.items() if fact["type"] != "socket"}


def test_layout_shows_snapshots_by_time_by_id_and_by_host(tmp_path):
    kura = Kura(tmp_path)
    source = fill(tmp_path / "source", 1, 1000, random.Random(1))
    first = kura.backup(source, "--host", "alpha")
    with mount(kura, tmp_path / "mnt") as at:
        assert sorted(os.listdir(at.point)) == ["clean", "hosts", "ids", "latest", "snapshots"]
        name = kura.snapshots()[0]["time"].split(".")[0].rstrip("Z") + "Z"
        assert os.listdir(at.point / "snapshots") == [name]
        assert os.listdir(at.point / "ids") == [first[:8]]
        (source / "more").write_bytes(b"more")
        second = kura.backup(source, "--host", "beta/x")
        wait_until(lambda: len(os.listdir(at.point / "snapshots")) == 2)
        wait_until(lambda: (at.below(source) / "more").exists())
        assert not (at.below(source, f"ids/{first[:8]}") / "more").exists()
        assert (at.below(source, f"ids/{second[:8]}") / "more").read_bytes() == b"more"
        assert sorted(os.listdir(at.point / "hosts")) == ["alpha", "beta_x"]
        assert (at.below(source, "hosts/beta_x/latest") / "more").exists()
        kura.run("forget", first)
        wait_until(lambda: os.listdir(at.point / "ids") == [second[:8]])
        at.stop()


def disk_image(folder):
    """A file system with files in it, in a file."""
    folder.mkdir()
    files = fill(folder.parent / "on disk", 20, MIB, random.Random(3))
    image = folder / "disk.img"
    with open(image, "wb") as file:
        file.truncate(64 * MIB)
    subprocess.run(["mkfs.ext4", "-q", "-d", files, image], check=True)
    return image, files


@needs_root
def test_a_disk_image_mounts_out_of_it(tmp_path):
    kura = Kura(tmp_path)
    image, files = disk_image(tmp_path / "source")
    kura.backup(image.parent)
    with mount(kura, tmp_path / "mnt") as at:
        with mounted(tmp_path / "disk", "-o", "ro,loop,noload", at.below(image)) as disk:
            assert tree_of(files).items() <= tree_of(disk).items()
        at.stop()


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A repository with one large file and some small ones."""
    folder = tmp_path_factory.mktemp("large")
    source = fill(folder / "source", 30, 20_000, random.Random(4))
    (source / "large").write_bytes(random.Random(5).randbytes(48 * MIB))
    kura = Kura(folder)
    kura.backup(source)
    return kura, source


@pytest.fixture
def own(large, tmp_path):
    """The same, to be harmed."""
    kura, source = large
    return kura.copied_to(tmp_path), source


def test_many_readers_at_once_read_at_random_places(large, tmp_path):
    kura, source = large
    whole = (source / "large").read_bytes()

    def read(seed):
        chance = random.Random(seed)
        with open(at.below(source) / "large", "rb", buffering=0) as file:
            for _ in range(60):
                offset, size = chance.randrange(len(whole) + 5000), chance.choice([1, 4096, 100_000, 3 * MIB])
                got = os.pread(file.fileno(), size, offset)
                assert got == whole[offset:offset + size], (offset, size)
        return tree_of(at.below(source)) == tree_of(source)

    with mount(kura, tmp_path / "mnt") as at:
        with concurrent.futures.ThreadPoolExecutor(8) as readers:
            assert all(readers.map(read, range(8)))
        at.stop()


@needs_root
def test_reads_fail_while_the_store_is_away_and_work_when_it_is_back(own, tmp_path):
    kura, source = own
    away = tmp_path / "away"
    with mount(kura, tmp_path / "mnt") as at:
        shown = at.below(source)
        assert (shown / "file-1").read_bytes() == (source / "file-1").read_bytes()
        kura.repository.rename(away)
        drop_caches()
        for _ in range(20):
            with pytest.raises(OSError) as error:
                (shown / "large").read_bytes()
            assert error.value.errno == errno.EIO
        away.rename(kura.repository)
        assert tree_of(shown) == tree_of(source)
        kura.repository.rename(away)
        said = at.stop()
    assert said.count("does not answer") == 1, said
    assert len(said.splitlines()) <= 2, said


@needs_root
def test_a_store_that_is_gone_does_not_stop_the_unmounting(own, tmp_path):
    kura, source = own
    with mount(kura, tmp_path / "mnt") as at:
        os.listdir(at.below(source))
        shutil.rmtree(kura.repository)
        drop_caches()
        with pytest.raises(OSError):
            (at.below(source) / "large").read_bytes()
        at.stop()


def test_damage_costs_its_own_range_only(own, tmp_path):
    kura, source = own
    pack = max(kura.objects("packs"), key=lambda path: path.stat().st_size)
    flip(pack, pack.stat().st_size // 2)
    whole = (source / "large").read_bytes()
    step, bad = MIB // 4, 0
    with mount(kura, tmp_path / "mnt") as at:
        with open(at.below(source) / "large", "rb", buffering=0) as file:
            for offset in range(0, len(whole), step):
                try:
                    got = os.pread(file.fileno(), step, offset)  # what comes before the damage may be all of it
                    assert got and got == whole[offset:offset + len(got)]
                except OSError as error:
                    assert error.errno == errno.EIO
                    bad += 1
        assert 0 < bad <= 20
        said = at.stop(code=4)
    assert said.count(pack.name) == 1, said
    assert "large: pack" in said, said


def test_what_was_stored_again_is_read_in_place_of_a_lost_pack(own, tmp_path):
    kura, source = own
    first = kura.ids()[0]
    lost = max(kura.objects("packs"), key=lambda path: path.stat().st_size)
    lost.unlink()
    for folder in kura.state.iterdir():  # the file cache would not look into the files again
        for cache in folder.iterdir():
            if cache.name != "machine.key":
                cache.unlink() if cache.is_file() else shutil.rmtree(cache)
    kura.backup(source)
    with mount(kura, tmp_path / "mnt") as at:
        assert tree_of(at.below(source, f"ids/{first[:8]}")) == tree_of(source)
        at.stop()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_unmounts_while_it_is_busy(large, tmp_path, how):
    kura, source = large
    with mount(kura, tmp_path / "mnt") as at:
        large_file = at.below(source) / "large"
        busy = [subprocess.Popen(["sh", "-c", 'while cat "$0"; do :; done >/dev/null 2>&1', large_file])
                for _ in range(3)]
        with open(large_file, "rb") as held:
            held.read(10)
            at.stop(how)
            with pytest.raises(OSError):
                os.pread(held.fileno(), 10, 40 * MIB)
        for process in busy:
            process.wait(20)


def test_a_hostile_snapshot_harms_only_itself(tmp_path):
    writer = TinyWriter(tmp_path / "repository")
    chunk = writer.chunk(b"x" * 100)

    def file(name, size):
        return entry(FILE, name, [(1, varint(size)), (2, content(chunk))])

    def folder(name, listing):
        return entry(FOLDER, name, [(2, content(listing))])

    upwards = writer.chunk(entry(FILE, b"..", [(1, varint(100)), (2, content(chunk))]), LISTINGS)
    writer.snapshot_of(
        file(b"good", 100), file(b"huge", 2**64 - 1), file(b"long", 101), folder(b"lost", os.urandom(32)),
        folder(b"not a listing", chunk), file(b"short", 99), folder(b"upwards", upwards))
    (tmp_path / "recovery-key").write_text(writer.recovery_key())
    kura = Kura(tmp_path, init=False)
    with mount(kura, tmp_path / "mnt") as at:
        latest = at.point / "latest"
        assert len(os.listdir(latest)) == 7
        assert (latest / "good").read_bytes() == b"x" * 100
        for name in ("huge", "long", "short"):
            with pytest.raises(OSError) as error:
                (latest / name).read_bytes()
            assert error.value.errno == errno.EIO
        for name in ("lost", "not a listing", "upwards"):
            with pytest.raises(OSError) as error:
                os.listdir(latest / name)
            assert error.value.errno == errno.EIO
            with pytest.raises(OSError):
                (latest / name / "file").stat()
        at.stop(code=4)


def test_fusermount_ends_the_program(large, tmp_path):
    kura, source = large
    with mount(kura, tmp_path / "mnt", "--json") as at:
        subprocess.run(["fusermount3", "-u", at.point], check=True)
        out, _ = at.process.communicate(timeout=20)
        assert at.process.returncode == 0
        assert b'"summary"' in out


def is_unmounted(point):
    try:
        return os.listdir(point) == []
    except OSError as error:
        assert error.errno in (errno.ENOTCONN, errno.ECONNABORTED)
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGQUIT, signal.SIGSEGV])
def test_a_program_that_dies_leaves_no_mount_behind(large, tmp_path, how):
    kura, source = large
    with mount(kura, tmp_path / "mnt") as at:
        with open(at.below(source) / "large", "rb") as held:
            held.read(10)
            at.process.send_signal(how)
            at.process.wait(20)
            wait_until(lambda: is_unmounted(at.point))
            with pytest.raises(OSError):
                os.pread(held.fileno(), 10, 40 * MIB)


def test_a_second_ctrl_c_ends_it_at_once_and_leaves_no_mount_behind(large, tmp_path):
    kura, _ = large
    with mount(kura, tmp_path / "mnt") as at:
        at.process.send_signal(signal.SIGSTOP)  # so that it finds both
        at.process.send_signal(signal.SIGINT)
        at.process.send_signal(signal.SIGTERM)
        at.process.send_signal(signal.SIGCONT)
        assert at.process.wait(20) in (0, -signal.SIGINT, -signal.SIGTERM)
        wait_until(lambda: is_unmounted(at.point))


def test_it_needs_no_standard_streams(large, tmp_path):
    kura, source = large
    point = tmp_path / "mnt"
    point.mkdir()
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *kura.command("mount", point)]
    with running(subprocess.Popen(command, env=kura.with_keys())) as process:
        wait_until(lambda: os.path.ismount(point))
        assert tree_of(point / "latest" / str(source)[1:]) == tree_of(source)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert not os.path.ismount(point)


def children_of(process):
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def test_a_mount_whose_guard_was_killed_too_can_be_cleared(large, tmp_path):
    kura, _ = large
    with mount(kura, tmp_path / "mnt") as at:
        for process in (*children_of(at.process), at.process.pid):
            os.kill(process, signal.SIGKILL)
        at.process.wait()
        with pytest.raises(OSError) as error:
            os.listdir(at.point)
        assert error.value.errno == errno.ENOTCONN
        done = kura.run("mount", at.point, code=1)
        assert b"fusermount3 -u" in done.err
        subprocess.run(["fusermount3", "-u", at.point], check=True)
    assert os.listdir(tmp_path / "mnt") == []


def test_a_folder_that_does_not_do_is_refused_before_the_key_is_asked_for(large, tmp_path):
    kura, _ = large
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for point, code, words in [(tmp_path / "none", 1, b"mkdir"), (tmp_path / "full", 2, b"is not empty"),
                               (tmp_path / "full" / "file", 2, b"is not a folder")]:
        done = kura.run("mount", point, code=code, keys=False)
        assert words in done.err, done.err


@needs_root
def test_other_users_see_what_the_modes_let_them(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "open").write_bytes(b"for all")
    (source / "secret").write_bytes(b"for one")
    (source / "secret").chmod(0o600)
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o711)
    kura = Kura(tmp_path)
    kura.backup(source)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat"]
    with mount(kura, tmp_path / "mnt", "--allow-other") as at:
        shown = at.below(source)
        assert subprocess.run([*nobody, shown / "open"], check=True, capture_output=True).stdout == b"for all"
        assert subprocess.run([*nobody, shown / "secret"], check=False, capture_output=True).returncode != 0
        at.stop()
    with mount(kura, tmp_path / "mnt") as at:
        assert subprocess.run([*nobody, at.below(source) / "open"], check=False, capture_output=True).returncode != 0
        at.stop()
