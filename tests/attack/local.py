"""The back end for a local folder."""
import os

from attack.confine import Folder
from attack.modes import Range


class Local:
    """Everything goes through `Folder`, which lets nothing out."""

    def __init__(self, folder: Folder):
        self._folder = folder

    def files(self) -> list[tuple[str, int]]:
        return self._folder.files()

    def read(self, paths: list[str]) -> dict[str, bytes]:
        contents = {}
        for path in paths:
            with self._folder.opened(path, os.O_RDONLY) as file:
                contents[path] = _whole(file)
        return contents

    def write(self, path: str, data: bytes) -> None:
        with self._folder.opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
            _write(file, data, 0)

    def overwrite(self, path: str, data: bytes, ranges: list[Range] | None) -> None:
        with self._folder.opened(path, os.O_WRONLY) as file:
            for offset, length in [(0, len(data))] if ranges is None else _joined(ranges):
                _write(file, data[offset:offset + length], offset)
            os.ftruncate(file, len(data))

    def rename(self, old: str, new: str) -> None:
        self._folder.rename(old, new)

    def unlink(self, path: str) -> None:
        self._folder.unlink(path)

    def sync(self, path: str) -> None:
        with self._folder.opened(path, os.O_RDONLY) as file:
            os.fsync(file)

    def stamp(self, path: str, when: float) -> None:
        with self._folder.opened(path, os.O_RDONLY) as file:
            os.utime(file, (when, when))

    def flush(self) -> None:
        """Each call has done its work already."""


def _joined(ranges: list[Range]) -> list[Range]:
    """Ranges of a few bytes with few between them are written at once, as a program with a buffer does."""
    joined: list[Range] = []
    for offset, length in ranges:
        if joined and offset - sum(joined[-1]) < 4096 and offset + length - joined[-1][0] <= 1 << 20:
            joined[-1] = (joined[-1][0], offset + length - joined[-1][0])
        else:
            joined.append((offset, length))
    return joined


def _whole(file: int) -> bytes:
    parts = []
    while part := os.read(file, 1 << 24):
        parts.append(part)
    return b"".join(parts)


def _write(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(file, view, offset)
        view, offset = view[count:], offset + count
