"""A plan, a back end, a clock and a journal make an attack."""
import datetime
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from attack.confine import Refused, is_inside
from attack.modes import MODES, Range, changed_ranges, file_key, transformed
from attack.plan import Plan, Step

BATCH_FILES, BATCH_BYTES = 64, 64 << 20
EPOCH = 1_700_000_000.0  # where virtual time begins


class BackEnd(Protocol):
    """Where an attack happens. What it was told is done when `flush` returns, in that order."""

    def files(self) -> list[tuple[str, int]]: ...
    def read(self, paths: list[str]) -> dict[str, bytes]: ...
    def write(self, path: str, data: bytes) -> None: ...
    def overwrite(self, path: str, data: bytes, ranges: list[Range] | None) -> None: ...
    def rename(self, old: str, new: str) -> None: ...
    def unlink(self, path: str) -> None: ...
    def sync(self, path: str) -> None: ...
    def stamp(self, path: str, when: float) -> None: ...
    def flush(self) -> None: ...


class Clock:
    """The real one: waits."""
    is_virtual = False

    def __init__(self) -> None:
        self._began = time.time()

    def wait_until(self, at: float) -> float:
        """Seconds since 1970 when that moment of the plan has come."""
        time.sleep(max(0.0, self._began + at - time.time()))
        return time.time()


class VirtualClock(Clock):
    """Does not wait. `moved` is called with the new time, so that a test can move what else depends on it."""
    is_virtual = True

    def __init__(self, began: float = EPOCH, moved: Callable[[float], None] | None = None):
        self._began, self._moved = began, moved

    def wait_until(self, at: float) -> float:
        now = self._began + at
        if self._moved:
            self._moved(now)
        return now


class Journal:
    """The truth about an attack, a JSON object a line, in a file outside the attacked folder."""

    def __init__(self, path: Path, attacked: Path | None):
        if attacked is not None and is_inside(path, attacked):
            raise Refused(f"{path}: the journal has to be outside of the attacked folder {attacked}")
        self._file = open(path, "x", encoding="utf-8", errors="surrogateescape")

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, line: dict[str, object]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()


def carry_out(plan: Plan, back_end: BackEnd, journal: Journal, clock: Clock | None = None) -> int:
    """Gives the number of files that are not as they were."""
    clock = clock or VirtualClock()
    count = 0
    for batch in batches(plan.steps):
        now = clock.wait_until(batch[0].at)
        before = back_end.read([step.path for step in batch if step.path])
        after = {step.path: contents_after(plan, step, before[step.path]) for step in batch if step.path}
        for step in batch:
            _do(plan, step, before.get(step.path, b""), after.get(step.path, b""), back_end)
            if clock.is_virtual:
                back_end.stamp(step.new_path, now)
        back_end.flush()
        for step in batch:
            journal.add(journal_line(plan, step, before.get(step.path), after.get(step.path), now))
            count += bool(step.path) and before[step.path] != after[step.path]
    return count


def batches(steps: list[Step]) -> Iterator[list[Step]]:
    """Steps that happen within a second of each other, as far as they fit into memory."""
    batch: list[Step] = []
    for step in steps:
        full = len(batch) >= BATCH_FILES or sum(other.size for other in batch) + step.size > BATCH_BYTES
        if batch and (full or step.at - batch[0].at > 1.0):
            yield batch
            batch = []
        batch.append(step)
    if batch:
        yield batch


def contents_after(plan: Plan, step: Step, before: bytes) -> bytes:
    return transformed(step.mode, before, plan.options.cipher, file_key(plan.options.seed, step.path))


def _do(plan: Plan, step: Step, before: bytes, after: bytes, back_end: BackEnd) -> None:
    for operation in step.operations:
        match operation.does:
            case "write":
                back_end.write(operation.path, after)
            case "copy":
                back_end.write(operation.path, before)
            case "overwrite":
                ranges = changed_ranges(MODES[step.mode], len(before), file_key(plan.options.seed, step.path))
                back_end.overwrite(operation.path, after, ranges)
            case "rename":
                back_end.rename(operation.path, operation.to)
            case "unlink":
                back_end.unlink(operation.path)
            case "sync":
                back_end.sync(operation.path)
            case "create":
                back_end.write(operation.path, step.text.encode())


def journal_line(plan: Plan, step: Step, before: bytes | None, after: bytes | None, now: float) -> dict[str, object]:
    when = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).isoformat(timespec="milliseconds")
    line: dict[str, object] = {"time": when.replace("+00:00", "Z"), "client": step.client, "path": step.path,
                               "new_path": step.new_path, "mode": step.mode}
    if before is None or after is None:
        return line
    return {**line, "way": plan.options.way, "cipher": plan.options.cipher, "changed": before != after,
            "size_before": len(before), "size_after": len(after),
            "sha256_before": hashlib.sha256(before).hexdigest(), "sha256_after": hashlib.sha256(after).hexdigest()}
