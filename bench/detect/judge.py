"""`kura inspect`, over whole folders at a time."""
import json
import os
import resource
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FINE = (0, 3, 5)  # done; some files could not be read; an attack was found
KURA = os.environ.get("KURA", "build/release/bin/kura")


@dataclass(frozen=True)
class Judged:
    path: str  # relative to the folder judged
    old_path: str  # of pairs; empty for a single file
    verdict: str
    kind: str
    reasons: tuple[str, ...]
    compared: bool = False  # with an old version, as kura says


def _lines(words: Sequence[str | Path]) -> Iterator[dict[str, object]]:
    with subprocess.Popen([KURA, "inspect", "--json", *map(str, words)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode not in FINE:
        raise RuntimeError(f"kura inspect {' '.join(map(str, words))}: exit code {process.returncode}")


def _judged(line: dict[str, object], folder: Path) -> Judged:
    path = str(line["path"])
    if os.path.isabs(path):
        path = os.path.relpath(path, folder)
    reasons = line.get("reasons")
    return Judged(path, str(line.get("old_path") or ""), str(line["verdict"]), str(line.get("kind") or ""),
                  tuple(str(reason) for reason in reasons) if isinstance(reasons, list) else (), bool(line.get("compared")))


def single(folder: Path, threads: int = 2) -> list[Judged]:
    """Every file below a folder."""
    lines = _lines(["--threads", str(threads), folder])
    return [_judged(line, folder) for line in lines if "verdict" in line and "path" in line]


def broken_among(paths: Sequence[Path]) -> set[Path]:
    """Those that are called broken by themselves."""
    found: set[Path] = set()
    for at in range(0, len(paths), 1000):
        lines = _lines(["--threads", "2", *paths[at:at + 1000]])
        found |= {Path(str(line["path"])) for line in lines if line.get("verdict") == "broken"}
    return found


def pairs(old: Path, new: Path, threads: int = 2) -> list[Judged]:
    """Every file below `new`, knowing what is below `old`."""
    lines = _lines(["--threads", str(threads), "--before", old, "--after", new])
    return [_judged(line, new) for line in lines if "verdict" in line and "path" in line]


def timed(folder: Path) -> tuple[float, float]:
    """Seconds of the clock and of the processor to judge a folder on one thread."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in _lines(["--threads", "1", folder]):
        pass
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
