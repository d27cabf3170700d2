"""What an attack is going to do, before it does anything: a list of steps in order of time, each with the few operations
that a back end has. The same files, options and seed give the same plan."""
import hashlib
import json
import posixpath
import random
import string
from dataclasses import asdict, dataclass, field

from attack import notes
from attack.modes import CIPHERS, MODES

WAYS = {
    "in-place": "written over where it is",
    "temp-rename": "written beside as a temporary file, synced, and renamed over the old one",
    "new-unlink": "written under the new name, synced, and the old one deleted",
    "rename-in-place": "renamed first, then written over",
    "copy-delete": "copied, the copy written over, and the old one deleted",
}
NAMINGS = ("keep", "locked", "id", "random", "extension")
SPEEDS = {"burst": 0.05, "minute": 60.0, "hour": 3600.0}  # seconds from one file of a client to its next


@dataclass(frozen=True)
class Options:
    seed: int = 1
    modes: tuple[str, ...] = ("full",)  # several: each file gets one of them
    cipher: str = "aes-ctr"
    way: str = "in-place"
    naming: str = "keep"
    speed: str = "burst"
    clients: int = 1
    notes: tuple[str, ...] = ()  # languages
    limit: int = 0  # at most so many files; 0: all

    def __post_init__(self) -> None:
        known = [(self.modes, MODES), ((self.cipher,), CIPHERS), ((self.way,), WAYS), ((self.naming,), NAMINGS),
                 ((self.speed,), SPEEDS), (self.notes, notes.TEXTS)]
        for given, allowed in known:
            for word in given:
                if word not in allowed:
                    raise ValueError(f"there is no '{word}'; there are: {', '.join(allowed)}")
        if self.clients < 1 or not self.modes:
            raise ValueError("an attack has at least one client and one mode")


@dataclass(frozen=True)
class Operation:
    """write: the new contents, into a new file. copy: the old contents, into a new file. overwrite: the new contents into a
    file that has the old ones, and only the bytes that change where the mode leaves others. rename, unlink, sync.
    create: the step's text, into a new file."""
    does: str
    path: str
    to: str = ""


@dataclass(frozen=True)
class Step:
    at: float  # seconds from the beginning
    client: int
    path: str  # before; empty for a note
    new_path: str
    size: int
    mode: str
    operations: tuple[Operation, ...]
    text: str = ""


@dataclass
class Plan:
    options: Options
    steps: list[Step] = field(default_factory=list)

    def as_json(self) -> str:
        """A line a step, for people and for comparing plans."""
        return "".join(json.dumps(asdict(step), ensure_ascii=False) + "\n" for step in self.steps)


def make_plan(files: list[tuple[str, int]], options: Options) -> Plan:
    """For files as a back end lists them: path and size."""
    chance = random.Random(f"plan {options.seed}")
    chosen = sorted(files)
    chance.shuffle(chosen)
    if options.limit:
        chosen = chosen[:options.limit]
    namer = Namer(options, {path for path, _ in files})
    pace = SPEEDS[options.speed]
    done_by: dict[int, int] = {}
    noted: set[str] = set()
    steps: list[Step] = []
    for path, size in chosen:
        client = client_of(path, options.clients)
        at = done_by.get(client, 0) * pace
        done_by[client] = done_by.get(client, 0) + 1
        new_path = namer.after(path)
        mode = options.modes[chance.randrange(len(options.modes))]
        steps.append(Step(at, client, path, new_path, size, mode, operations(options.way, path, new_path, namer)))
        folder = posixpath.dirname(path)
        if options.notes and folder not in noted:
            noted.add(folder)
            steps += [_note(at, client, folder, language, options.seed) for language in options.notes]
    steps.sort(key=lambda step: (step.at, step.client))
    return Plan(options, steps)


def client_of(path: str, clients: int) -> int:
    """Each client works on its own part of the tree: whole folders, so that no two have one file."""
    return int.from_bytes(hashlib.sha256(posixpath.dirname(path).encode("utf-8", "surrogateescape")).digest()[:4], "big") % clients


def operations(way: str, path: str, new_path: str, namer: "Namer") -> tuple[Operation, ...]:
    rename = (Operation("rename", path, new_path),) if new_path != path else ()
    if way == "in-place":  # a new name comes last
        return (Operation("overwrite", path), *rename)
    if way == "rename-in-place":
        return (*rename, Operation("overwrite", new_path))
    if way == "temp-rename":
        temporary = namer.temporary(path)
        return (Operation("write", temporary), Operation("sync", temporary), Operation("rename", temporary, path), *rename)
    beside = new_path if new_path != path else namer.temporary(path)
    back = (Operation("rename", beside, path),) if new_path == path else ()
    if way == "new-unlink":
        return (Operation("write", beside), Operation("sync", beside), Operation("unlink", path), *back)
    return (Operation("copy", beside), Operation("overwrite", beside), Operation("unlink", path), *back)


class Namer:
    """Names after the attack. None is a name that is there already or is given twice."""

    def __init__(self, options: Options, taken: set[str]):
        self._naming = options.naming
        self._chance = random.Random(f"names {options.seed}")
        self._taken = {path.casefold() for path in taken}
        self._identity = self._letters(string.hexdigits[:16].upper(), 8)
        self._extension = self._letters(string.ascii_lowercase + string.digits, 5)

    def _letters(self, alphabet: str, count: int) -> str:
        return "".join(self._chance.choice(alphabet) for _ in range(count))

    def after(self, path: str) -> str:
        if self._naming == "keep":
            return path
        folder, name = posixpath.split(path)
        stem = posixpath.splitext(name)[0]
        for number in range(1_000_000):
            more = f"_{number}" if number else ""
            new = {"locked": f"{name}{more}.locked", "id": f"{name}{more}.[{self._identity}].{self._extension}",
                   "random": self._letters(string.ascii_letters + string.digits, 16),
                   "extension": f"{stem}{more}.{self._extension}"}[self._naming]
            if self._take(posixpath.join(folder, new)):
                return posixpath.join(folder, new)
        raise AssertionError("a million names are taken")

    def temporary(self, path: str) -> str:
        while True:
            new = posixpath.join(posixpath.dirname(path), f"{self._letters(string.ascii_lowercase, 8)}.tmp")
            if self._take(new):
                return new

    def _take(self, path: str) -> bool:
        if path.casefold() in self._taken:
            return False
        self._taken.add(path.casefold())
        return True


def _note(at: float, client: int, folder: str, language: str, seed: int) -> Step:
    name, text = notes.note(language, seed)
    path = posixpath.join(folder, name)
    return Step(at, client, "", path, len(text), "note", (Operation("create", path),), text.decode())
