"""The vault's disk is full: who backs up is told so, and nothing is spoilt or half done."""
import os
import random

import pytest

from kura import MIB, Kura, fill, mounted, needs_root, tree_of
from vault import Vault, receipts

PAGE = 4096
pytestmark = needs_root


@pytest.fixture
def vault(tmp_path):
    """On a disk of 24 MiB."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=24m", "tmpfs") as disk:
        with Vault(tmp_path / "v", root=disk / "vault") as running_vault:
            yield running_vault


def leave(vault, pages):
    """Fills the disk but for so many pages."""
    free = os.statvfs(vault.root).f_bavail
    ballast = vault.root.parent / "ballast"
    size = ballast.stat().st_size if ballast.exists() else 0
    with open(ballast, "ab") as file:
        if free < pages:
            file.truncate(size - (pages - free) * PAGE)
        else:
            file.write(bytes((free - pages) * PAGE))
    assert os.statvfs(vault.root).f_bavail == pages


def make_room(vault):
    (vault.root.parent / "ballast").unlink()


def lengthen(journal, decide, until=PAGE - 40):
    """Makes a journal end shortly before the end of a page, by what `decide(text)` adds to it: its next entry needs
    another page."""
    decide("")
    before = journal.stat().st_size
    decide("x")
    entry = journal.stat().st_size - before
    decide("x" * ((until - journal.stat().st_size - entry) % PAGE))
    assert until - 8 <= journal.stat().st_size % PAGE <= until + 8


def attempts(vault, attempt):
    """Tries with more and more room until it is done; gives the errors of the tries that failed. Each says that there is
    no space, and leaves a vault that serves and journals that are whole."""
    errors = []
    for number in range(100):
        pages = number // 5  # several times: what one has stored, the next does not need room for
        leave(vault, pages)
        done = attempt()
        if done.code == 0:
            make_room(vault)
            return errors
        assert done.code == 1 and done.errors[-1]["code"] == "no_space", (pages, done)
        errors.append(done.errors[-1])
        for repository in (vault.root / "repositories").iterdir():
            if (repository / "journal").exists():
                vault.verify(repository.name)
        vault.run("status")
    raise AssertionError("it never ended well")


def test_a_backup_that_does_not_fit_says_so_and_keeps_nobody_from_going_on(vault, tmp_path):
    source = fill(tmp_path / "source", 4, MIB // 2, random.Random(1))
    pc, other = vault.machine("pc1"), vault.machine("pc2")
    pc.backup(source)
    large = fill(tmp_path / "large", 30, 2 * MIB, random.Random(2))
    done = pc.json("backup", large, code=1)
    error = done.errors[-1]
    assert error["code"] == "no_space" and "the vault" in error["message"] and vault.address in error["message"], error
    assert "operator" in error["hint"] and "run" in error["hint"], error
    other.backup(source)
    assert len(pc.ids()) == 1
    pc.assert_whole()
    pc.backup(source)
    for machine in (pc, other):
        vault.verify(machine.folder.name, "--receipts", receipts(machine, machine.folder.name))
    temporaries = vault.repository("pc1") / "objects/tmp"
    assert list(temporaries.iterdir()) == []


def test_wherever_in_a_backup_the_disk_is_full_nothing_is_half_committed(vault, tmp_path):
    source = fill(tmp_path / "source", 3, 2000, random.Random(1))
    pc = vault.machine("pc1")
    pc.backup(source)
    (source / "file-1").write_bytes(random.Random(2).randbytes(3000))
    journal = vault.repository("pc1") / "journal"
    lengthen(journal, lambda text: vault.run("thaw", "pc1", "--why", text))
    before = journal.read_bytes()

    def attempt():
        assert len(pc.ids()) == 1 and journal.read_bytes() == before
        return pc.json("backup", source, code=None, keys=False)

    errors = attempts(vault, attempt)
    assert any("journal" in error["message"] for error in errors), "the journal always had room"
    for _ in range(2):
        assert len(pc.ids()) == 2
        assert tree_of(pc.restored(f"latest:{source}", tmp_path / "target")) == tree_of(source)
        vault.verify("pc1", "--receipts", receipts(pc, "pc1"))
        vault.stop()
        vault.start()


def test_a_disk_that_is_full_while_a_repository_is_made_spoils_neither_it_nor_the_machine(vault, tmp_path):
    source = fill(tmp_path / "source", 2, 2000, random.Random(1))
    journal = vault.root / "journal"
    vault.invite("pc0")
    lengthen(journal, lambda text: vault.run("revoke", "pc0", "--why", text))
    assert attempts(vault, lambda: vault.run("enrol", "pc1", "--json", code=None))
    vault.stop()
    vault.start()
    token = vault.invite("pc1")
    pc = Kura(tmp_path / "pc1", init=False)
    pc.folder.mkdir()
    pc.vault, pc.environment["KURA_REPO"] = vault, f"{vault.address}/pc1"
    attempts(vault, lambda: pc.json("enrol", vault.address, token, keys=False, code=None))

    def init():
        (pc.folder / "recovery-key").unlink(missing_ok=True)
        return pc.json("init", "--recovery-key-out", pc.folder / "recovery-key", keys=False, code=None)

    lengthen(vault.repository("pc1") / "journal", lambda text: vault.run("thaw", "pc1", "--why", text))
    errors = attempts(vault, init)
    assert any("journal" in error["message"] for error in errors), "the journal always had room"
    for _ in range(2):
        pc.backup(source)
        pc.assert_whole()
        vault.stop()
        vault.start()
