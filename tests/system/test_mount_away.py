"""kura mount while its repository goes away beneath it: whoever reads gets an error in bounded time, what is cached can
still be listed, and it unmounts."""
import concurrent.futures
import contextlib
import os
import random
import shutil
import signal
import subprocess

import pytest

from kura import MIB, Kura, fill, mounted, needs_root, tree_of, wait_until
from mounts import drop_caches, listed, mount, needs_fuse, refuses

pytestmark = [needs_fuse, needs_root]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original")
    source = fill(folder / "source", 10, 20_000, random.Random(4))
    (source / "large").write_bytes(random.Random(5).randbytes(24 * MIB))
    kura = Kura(folder)
    kura.backup(source)
    return kura, source


def moved(original, folder, repository):
    """The same machine, with its repository at another place."""
    shutil.copytree(original.state, folder / "state")
    shutil.copy(original.folder / "recovery-key", folder)
    kura = Kura(folder, init=False)
    kura.repository = repository
    kura.environment["KURA_REPO"] = str(repository)
    return kura


@contextlib.contextmanager
def image_mounted(original, folder):
    """The repository on a file system of its own, in a file: (the file, where it is mounted)."""
    image = folder / "disk.img"
    with open(image, "wb") as file:
        file.truncate(64 * MIB)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    with mounted(folder / "disk", "-o", "loop", image) as disk:
        shutil.copytree(original.repository, disk / "repository")
        os.sync()
        try:
            yield image, disk
        finally:
            subprocess.run(["umount", "--lazy", disk], check=False, stderr=subprocess.DEVNULL)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=True)  # what mounted() unmounts


def assert_it_bears_the_loss(at, source, take_away):
    """The repository goes: reads fail, one after the other and many at once, and the folder can be listed."""
    shown = at.below(source)
    names = listed(shown)
    assert (shown / "file-1").read_bytes() == (source / "file-1").read_bytes()
    take_away()
    drop_caches()
    assert refuses(shown / "large")
    with concurrent.futures.ThreadPoolExecutor(12) as readers:
        assert all(readers.map(refuses, [shown / "large"] * 12))
    assert listed(shown) == names


def test_a_disk_that_is_unmounted_beneath_it(original, tmp_path):
    kura, source = original
    with image_mounted(kura, tmp_path) as (_, disk):
        with mount(moved(kura, tmp_path, disk / "repository"), tmp_path / "mnt") as at:
            assert_it_bears_the_loss(at, source, lambda: subprocess.run(["umount", "--lazy", disk], check=True))
            said = at.stop()
    assert said.count("does not answer") == 1, said


def test_a_disk_that_can_not_be_read_any_more(original, tmp_path):
    kura, source = original
    with image_mounted(kura, tmp_path) as (image, disk):
        with mount(moved(kura, tmp_path, disk / "repository"), tmp_path / "mnt") as at:
            assert_it_bears_the_loss(at, source, lambda: os.truncate(image, 0))
            said = at.stop()
    assert "nput/output error" in said and len(said.splitlines()) < 30, said


@pytest.fixture
def nested(original, tmp_path):
    """The repository inside a mount of another one: (kura, source, that mount)."""
    kura, source = original
    (tmp_path / "outer").mkdir()
    outer = Kura(tmp_path / "outer")
    outer.backup(kura.repository)
    with mount(outer, tmp_path / "outer mnt") as below:
        yield moved(kura, tmp_path, below.below(kura.repository)), source, below


def test_a_fuse_file_system_whose_program_is_killed(nested, tmp_path):
    kura, source, below = nested

    def kill():
        below.process.kill()
        below.process.wait()
    with mount(kura, tmp_path / "mnt") as at:
        assert_it_bears_the_loss(at, source, kill)
        said = at.stop()
    assert said.count("does not answer") == 1, said


def test_a_file_system_that_never_answers_and_then_does_again(nested, tmp_path):
    kura, source, below = nested
    with mount(kura, tmp_path / "mnt", "--patience", "1s") as at:
        assert_it_bears_the_loss(at, source, lambda: below.process.send_signal(signal.SIGSTOP))
        below.process.send_signal(signal.SIGCONT)
        wait_until(lambda: not refuses(at.below(source) / "large"), 60)
        assert tree_of(at.below(source)) == tree_of(source)
        below.process.send_signal(signal.SIGSTOP)
        said = at.stop()
        below.process.send_signal(signal.SIGCONT)
    assert said.count("does not answer") == 1, said


@pytest.mark.parametrize("how", ["SIGTERM", "fusermount3"])
def test_it_unmounts_while_readers_wait_for_a_repository_that_never_answers(nested, tmp_path, how):
    kura, source, below = nested
    with mount(kura, tmp_path / "mnt", "--patience", "1h" if how == "SIGTERM" else "1s") as at:
        large = at.below(source) / "large"
        names = listed(at.below(source))
        below.process.send_signal(signal.SIGSTOP)
        drop_caches()
        readers = [subprocess.Popen(["cat", large], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                   for _ in range(4)]
        assert listed(at.below(source)) == names
        if how == "SIGTERM":
            at.stop()
        else:
            subprocess.run(["fusermount3", "-u", "-z", at.point], check=True)
            at.process.wait(60)
        assert all(reader.wait(60) != 0 for reader in readers)
        below.process.send_signal(signal.SIGCONT)
