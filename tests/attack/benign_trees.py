"""Benign work on whole folders. Each takes a folder that it may change, and leaves it as that work leaves it."""
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

from attack.benign import WORKS, NotSuited, run


def git_gc(folder: Path, chance: random.Random) -> None:
    """A repository of what is there, with a few commits: made first, then packed anew."""
    git = ["git", "-C", folder, "-c", "user.name=B", "-c", "user.email=b@example.org", "-c", "gc.auto=0"]
    if not (folder / ".git").exists():
        run(*git, "init", "-q")
        for number in range(4):
            (folder / "notes.txt").write_text("note\n" * chance.randrange(1, 200))
            run(*git, "add", "-A")
            run(*git, "commit", "-qm", f"day {number}")
        return
    run(*git, "gc", "-q", "--prune=now")


def bulk_rename(folder: Path, _chance: random.Random) -> None:
    for number, path in enumerate(sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())):
        path.rename(path.with_name(f"{number:04d} {path.name}"))


def rotate_logs(folder: Path, _chance: random.Random) -> None:
    """LOG.1 becomes LOG.2.gz, LOG becomes LOG.1, and a new one begins."""
    for log in sorted(folder.rglob("*.log")):
        older = log.with_name(log.name + ".1")
        if older.exists():
            log.with_name(log.name + ".2.gz").write_bytes(run("gzip", "-c", given=older.read_bytes()))
        log.rename(older)
        log.write_bytes(b"2026-11-28 00:00:00 the log begins\n")


def upgrade(old_deb: Path, new_deb: Path, old: Path, new: Path) -> None:
    """Two versions of a package, each unpacked: what dpkg would have before and after."""
    for deb, folder in ((old_deb, old), (new_deb, new)):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)


def lock_tree(ending: str) -> Callable[[Path, random.Random], None]:
    """A user's own encryption of all that he has there, file by file, the plain ones deleted: honest, and like an attack."""
    def do(folder: Path, chance: random.Random) -> None:
        work = WORKS[ending]
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
            work.new_version(path, path.parent, path.name, chance.randrange(1 << 30))
            path.unlink()
    return do


def archive_tree(folder: Path, _chance: random.Random) -> None:
    """All of it into one tar, which stays beside."""
    run("tar", "-C", folder.parent, "-cf", folder.with_name(folder.name + ".tar"), folder.name)


def office_day(folder: Path, chance: random.Random, share: float = 0.2) -> int:
    """Some of the files get the work that suits them, in place, as programs do it: a new file renamed over the old one."""
    works = [work for work in WORKS.values() if work.endings and not work.missing() and work.name != "libreoffice-save"]
    count = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        suited = [work for work in works if work.suits(path)]
        if suited and chance.random() < share:
            try:
                new_name = chance.choice(suited).new_version(path, path.parent, path.name, chance.randrange(1 << 30))
            except NotSuited:
                continue
            count += 1
            if new_name != path.name and chance.random() < 0.5:
                path.unlink()
    return count
