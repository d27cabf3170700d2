"""An office over many backups: people work, an attack begins, goes on slowly or all at once, and people work on beside it.

What happens follows from a seed (`Course`), and what is true of each path is written down while it happens (`Truth`), by
whoever does it: nothing of it comes from the program that is measured.
"""
import hashlib
import json
import os
import posixpath
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from attack import notes
from attack.benign import WORKS, NotSuited, Work
from attack.carry_out import Journal, carry_out
from attack.confine import MARKER, Folder, mark
from attack.local import Local
from attack.modes import CIPHERS, MODES, changed_ranges, file_key
from attack.plan import NAMINGS, WAYS, Options, Plan, Step, make_plan

SPEEDS = ("burst", "stages", "slow")  # in one backup's time; over two to four; a file or two a backup
FOLDERS = ("accounts", "accounts/2025", "accounts/2026", "sales", "sales/offers", "sales/offers/old", "plans", "people", "mail", "scans")
SLOW_WORKS = {"libreoffice-save", "pdf-distil", "sound-again", "streams-again", "image-again", "fat-copy", "ext-copy", "keepass-entry", "strip"}
PACKING = ("gzip", "xz", "zstd", "tar", "gpg", "7z-locked", "zip-locked")
# A line more behind the end of these is no work of any program.
MARKUP = frozenset("rtf dxf eml html htm xml svg xhtml json ui sgml xhp fodt".split())
LINE_WORKS = ("text-append", "text-edit")
LARGE = 80_000  # bytes: sparse encryption leaves smaller files as they are


@dataclass(frozen=True)
class Course:
    """What is going to happen."""
    seed: int
    files: int
    before: int  # backups before the attack begins
    slices: tuple[int, ...]  # files that are attacked before each of the backups that follow
    after: int  # backups when the attack is over
    speed: str
    options: Options

    @property
    def backups(self) -> int:
        return self.before + len(self.slices) + self.after


def course_of(seed: int, fewest: int = 60, most: int = 150) -> Course:
    chance = random.Random(f"course {seed}")
    files = chance.randrange(fewest, most + 1)
    speed = chance.choice(SPEEDS)
    if speed == "burst":
        slices = (max(4, int(files * chance.uniform(0.1, 1.0))),)
    elif speed == "stages":
        slices = tuple(chance.randrange(2, max(3, files // 5)) for _ in range(chance.randrange(2, 5)))
    else:
        slices = tuple(chance.choice((1, 1, 1, 2)) if i < 2 or chance.random() < 0.9 else 0 for i in range(chance.randrange(5, 10)))
    naming = chance.choice(("keep", *NAMINGS))  # as often as not the names stay
    way = chance.choice([way for way in WAYS if naming != "keep" or way != "rename-in-place"])
    modes = tuple(chance.sample(list(MODES), chance.choice((1, 1, 1, 2, 3))))
    languages = tuple(chance.sample(list(notes.TEXTS), 1)) if chance.random() < 0.3 else ()
    options = Options(seed=seed, modes=modes, cipher=chance.choice(CIPHERS), way=way, naming=naming, notes=languages)
    return Course(seed, files, chance.randrange(2, 5), slices, chance.choice((0, 0, 1, 2)), speed, options)


@dataclass
class Truth:
    """Contents are SHA-256 of them; paths are relative to the office."""
    states: list[dict[str, str]] = field(default_factory=list)  # at each backup
    written: dict[tuple[str, str], bool] = field(default_factory=dict)  # versions that the attack wrote; whether under another name
    hit: set[str] = field(default_factory=set)  # paths that it has dealt with, before and after
    attacked: int = 0  # files whose contents it changed
    attacked_at: list[int] = field(default_factory=list)  # the same, as it was at each backup

    @property
    def clean(self) -> int:
        """The last backup that has nothing of the attack and none of whose files it had touched."""
        return next(i for i, count in enumerate(self.attacked_at) if count) - 1


@dataclass(frozen=True)
class Wanted:
    """What has to come of a recovery of the last backup."""
    restored: dict[str, int]  # by path: the backup whose version comes back
    lost: set[str]  # broken, and never backed up whole
    left_out: set[str]  # what the attack made of files under other names
    tree: dict[str, str]  # path and contents of all that is there afterwards


def wanted(truth: Truth) -> Wanted:
    """Each file that was there since the clean point, in the newest version that the attack did not write."""
    last = len(truth.states) - 1
    now = truth.states[last]
    restored: dict[str, int] = {}
    for number in range(last, truth.clean - 1, -1):
        for path, contents in truth.states[number].items():
            if (path, contents) not in truth.written:
                restored.setdefault(path, number)
    tree = {path: truth.states[number][path] for path, number in restored.items()}
    restored = {path: number for path, number in restored.items() if number != last}
    broken = {path: truth.written[path, contents] for path, contents in now.items() if (path, contents) in truth.written and path not in restored}
    lost = {path for path, renamed in broken.items() if not renamed}
    return Wanted(restored, lost, set(broken) - lost, {**tree, **{path: now[path] for path in lost}})


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_in(folder: Path) -> list[str]:
    """Relative paths, sorted."""
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)


def contents_of(folder: Path) -> dict[str, str]:
    return {path: digest(folder / path) for path in files_in(folder)}


def free_name(place: Path) -> Path:
    number = 1
    while place.exists():
        number += 1
        place = place.with_name(f"{place.stem} {number}{place.suffix}") if number == 2 else place.with_name(f"{number} {place.name}")
    return place


class Office:
    """The folder, and the people who work in it on whole files only: nobody can open what the attack has left."""

    def __init__(self, folder: Path, pool: Callable[[random.Random], Path], chance: random.Random, truth: Truth):
        self.folder, self._pool, self._chance, self._truth = folder, pool, chance, truth
        self._desk = folder.parent / "desk"
        self._works = [work for work in WORKS.values() if work.endings and work.name not in SLOW_WORKS and not work.missing()]
        self._packing = [WORKS[name] for name in PACKING if not WORKS[name].missing()]

    def lay(self, count: int) -> None:
        self.folder.mkdir()
        mark(self.folder)
        for _ in range(count):
            self.new()

    def day(self) -> None:
        doings = self._chance.choices([self.edit, self.new, self.delete, self.rename, self.move, self.pack, self.copy], [20, 5, 3, 2, 2, 2, 1],
                                      k=self._chance.randrange(4, 14))
        for do in doings:
            do()
        if self._chance.random() < 0.05:
            self.rename_folder()

    def whole(self) -> list[Path]:
        return [self.folder / path for path in files_in(self.folder) if path not in self._truth.hit and path != MARKER]

    def one(self) -> Path:
        return self._chance.choice(self.whole() or [self.new()])

    def place(self) -> Path:
        place = self.folder / self._chance.choice(FOLDERS)
        place.mkdir(parents=True, exist_ok=True)
        return place

    def new(self) -> Path:
        source = self._pool(self._chance)
        place = free_name(self.place() / source.name)
        shutil.copyfile(source, place)
        return place

    def edit(self) -> None:
        for _ in range(10):
            path = self.one()
            is_markup = path.suffix[1:].lower() in MARKUP
            fitting = [work for work in self._works if work.suits(path) and not (is_markup and work.name in LINE_WORKS)]
            if fitting and self._work(self._chance.choice(fitting), path):
                return

    def pack(self) -> None:
        self._work(self._chance.choice(self._packing), self.one())

    def _work(self, work: Work, path: Path) -> bool:
        seed, goes = self._chance.randrange(1 << 30), self._chance.random() < 0.5
        taken = {other.name for other in path.parent.iterdir()}
        self._desk.mkdir(exist_ok=True)  # beside the office, so that no file of another is written over
        try:
            name = work.new_version(path, self._desk, path.name, seed)
        except NotSuited:
            return False
        made = self._desk / name
        name = name.removesuffix(".gz.unpacked")
        if name != path.name and name in taken:
            made.unlink()
            return False
        made.replace(path.parent / name)
        if name != path.name and goes:
            path.unlink()
        return True

    def delete(self) -> None:
        self.one().unlink()

    def rename(self) -> None:
        path = self.one()
        path.rename(free_name(path.with_name(self._chance.choice(["final ", "2026-11 ", "old "]) + path.name)))

    def move(self) -> None:
        path = self.one()
        path.rename(free_name(self.place() / path.name))

    def copy(self) -> None:
        path = self.one()
        shutil.copyfile(path, free_name(self.place() / path.name))

    def rename_folder(self) -> None:
        """With all that is whole in it."""
        old = self.place()
        new = old.with_name(old.name + " (old)")
        for path in self.whole():
            if path.parent == old and not (new / path.name).exists():
                new.mkdir(exist_ok=True)
                path.rename(new / path.name)


class Attacker:
    """Goes on where it stopped, with the same names and keys."""

    def __init__(self, folder: Path, options: Options, truth: Truth):
        self._folder, self._options, self._truth = folder, options, truth

    def strike(self, count: int, journal: Path) -> None:
        """So many files more, and those that it renames only."""
        with Folder(self._folder) as folder, Journal(journal, self._folder) as lines:
            back_end = Local(folder)
            plan = make_plan(back_end.files(), self._options)
            carry_out(Plan(self._options, self._next(plan, count)), back_end, lines)
        for line in map(json.loads, journal.read_text(encoding="utf-8", errors="surrogateescape").splitlines()):
            if line.get("changed"):
                self._truth.attacked += 1
                self._truth.written[line["new_path"], line["sha256_after"]] = line["path"] != line["new_path"]

    def _next(self, plan: Plan, count: int) -> list[Step]:
        chosen: list[Step] = []
        folders: set[str] = set()
        for step in plan.steps:
            folder = posixpath.dirname(step.path or step.new_path)
            if step.new_path in self._truth.hit or step.path in self._truth.hit or (not step.path and folder not in folders):
                continue
            if step.path:
                changes = changed_ranges(MODES[step.mode], step.size, file_key(self._options.seed, step.path)) != []
                if count == 0 or (not changes and step.path == step.new_path):
                    continue
                count -= changes
                folders.add(folder)
            self._truth.hit |= {step.path, step.new_path} - {""}
            chosen.append(step)
        return chosen


def play(course: Course, pool: Sequence[Path], folder: Path, back_up: Callable[[Path], None]) -> Truth:
    """Everything, in `folder`/office. `back_up` is called at each backup's time, with the office's folder."""
    truth, chance = Truth(), random.Random(f"days {course.seed}")
    large = [path for path in pool if path.stat().st_size > LARGE] if course.options.modes == ("sparse",) else []
    office = Office(folder / "office", lambda by: by.choice(large if large and by.random() < 0.5 else pool), chance, truth)
    attacker = Attacker(office.folder, course.options, truth)
    office.lay(course.files)
    for number in range(course.backups):
        at = number - course.before
        if number > 0:
            office.day()
        if 0 <= at < len(course.slices) and course.slices[at] > 0:
            attacker.strike(course.slices[at], folder / f"journal-{number}")
            office.day()
        truth.states.append(contents_of(office.folder))
        truth.attacked_at.append(truth.attacked)
        back_up(office.folder)
    return truth
