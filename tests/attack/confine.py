"""Nothing outside one folder is ever touched: the folder has a marker file, all paths are walked from its descriptor one
name at a time without following links, other file systems and mounts in it are not entered, and files that have a second
name are left alone, because that name may be elsewhere."""
import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

MARKER = ".kura-attack-here"
MARKER_TEXT = b"The attack simulator of Kuramori may destroy everything in this folder.\n"


class Refused(Exception):
    """The simulator does not do that. Says what and why."""


def mark(root: Path) -> None:
    """Allows the simulator in a folder; who calls this made the folder. An existing marker is fine."""
    refuse_dangerous(root)
    with contextlib.suppress(FileExistsError):
        with open(root / MARKER, "xb") as file:
            file.write(MARKER_TEXT)


def refuse_dangerous(root: Path) -> None:
    """Before anything is opened: places that nobody means, marker or not."""
    absolute = os.path.abspath(root)
    if os.path.realpath(absolute) != absolute:
        raise Refused(f"{root}: there is a symbolic link in this path; give the real one: {os.path.realpath(absolute)}")
    path = Path(absolute)
    if len(path.parts) <= 2:
        raise Refused(f"{root}: this is a folder of the system; the simulator wants one of its own, deeper down")
    if path.parts[1] in ("usr", "etc", "boot", "dev", "proc", "sys", "bin", "sbin", "lib", "run"):
        raise Refused(f"{root}: this belongs to the system (/{path.parts[1]})")
    for home in {Path(os.path.realpath(Path.home())), Path("/root")}:
        if path == home or path in home.parents:
            raise Refused(f"{root}: a home folder is in it")
    if path.parts[1] == "home" and len(path.parts) <= 3:
        raise Refused(f"{root}: this is a home folder")
    here = Path(os.path.realpath(os.getcwd()))
    if path == here or path in here.parents or path in Path(__file__).resolve().parents:
        raise Refused(f"{root}: the simulator itself, or the folder it was started in, is in it")


def is_inside(path: Path, root: Path) -> bool:
    real, root = Path(os.path.realpath(path)), Path(os.path.realpath(root))
    return real == root or root in real.parents


class Folder:
    """The one folder. Paths are relative to it, as bytes decoded by os.fsdecode, with `/` between names."""

    def __init__(self, root: Path | str):
        self.path = Path(root)
        refuse_dangerous(self.path)
        self._root = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._mount = _mount_of(self._root)
            self._check_marker()
        except BaseException:
            os.close(self._root)
            raise

    def close(self) -> None:
        os.close(self._root)

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_marker(self) -> None:
        try:
            marker = os.open(MARKER, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._root)
        except OSError as error:
            raise Refused(f"{self.path}: there is no marker file '{MARKER}' in it ({error.strerror}); make it with "
                          "`mark` when all in this folder may be destroyed") from None
        with open(marker, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or file.read(4096) != MARKER_TEXT:
                raise Refused(f"{self.path}: '{MARKER}' is not the simulator's own marker file")

    # ---- Walking ----

    @contextlib.contextmanager
    def _folder_of(self, path: str) -> Iterator[tuple[int, str]]:
        """The descriptor of the folder that a path is in, and its last name."""
        names = path.split("/")
        if any(name in ("", ".", "..") or "\0" in name for name in names):
            raise Refused(f"'{path}' is not a plain path below {self.path}")
        at = os.dup(self._root)
        try:
            for name in names[:-1]:
                below = self._enter(at, name)
                os.close(at)
                at = below
            yield at, names[-1]
        finally:
            os.close(at)

    def _enter(self, at: int, name: str) -> int:
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
        if _mount_of(below) != self._mount:
            os.close(below)
            raise Refused(f"{self.path}: '{name}' in it is another mount")
        return below

    def files(self) -> list[tuple[str, int]]:
        """Path and size of the regular files that may be attacked, in order of their names."""
        found: list[tuple[str, int]] = []
        at = os.dup(self._root)
        try:
            self._list(at, "", found)
        finally:
            os.close(at)
        return found

    def _list(self, at: int, before: str, found: list[tuple[str, int]]) -> None:
        for name in sorted(os.listdir(at)):
            if not before and name == MARKER:
                continue
            kind = os.stat(name, dir_fd=at, follow_symlinks=False)
            if stat.S_ISREG(kind.st_mode) and kind.st_nlink == 1:
                found.append((before + name, kind.st_size))
            elif stat.S_ISDIR(kind.st_mode):
                try:
                    below = self._enter(at, name)
                except Refused:
                    continue
                try:
                    self._list(below, before + name + "/", found)
                finally:
                    os.close(below)

    # ---- What back ends are made of ----

    @contextlib.contextmanager
    def opened(self, path: str, flags: int) -> Iterator[int]:
        """A regular file with one name. New ones are made only with O_CREAT | O_EXCL."""
        if path == MARKER:
            raise Refused("the marker file stays as it is")
        if flags & os.O_TRUNC or (flags & os.O_CREAT and not flags & os.O_EXCL):
            raise Refused("files are emptied after they were looked at, and made only where none is")
        with self._folder_of(path) as (at, name):
            file = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o644, dir_fd=at)
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise Refused(f"'{path}' is no regular file, or has a second name")
            if _mount_of(file) != self._mount:
                raise Refused(f"'{path}' is another mount")
            yield file
        finally:
            os.close(file)

    def exists(self, path: str) -> bool:
        with self._folder_of(path) as (at, name):
            try:
                os.stat(name, dir_fd=at, follow_symlinks=False)
            except FileNotFoundError:
                return False
            return True

    def rename(self, old: str, new: str) -> None:
        if MARKER in (old, new):
            raise Refused("the marker file stays as it is")
        with self._folder_of(old) as (old_at, old_name), self._folder_of(new) as (new_at, new_name):
            os.rename(old_name, new_name, src_dir_fd=old_at, dst_dir_fd=new_at)

    def unlink(self, path: str) -> None:
        if path == MARKER:
            raise Refused("the marker file stays as it is")
        with self._folder_of(path) as (at, name):
            os.unlink(name, dir_fd=at)


def _mount_of(descriptor: int) -> int:
    """Which mount a descriptor is on: a bind mount of the same file system is another one."""
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("mnt_id:"))
