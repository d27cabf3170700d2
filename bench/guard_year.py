"""An office at work over Samba under `kura guard`, day after day: whom does it cut off by mistake? Four people with a PC each
edit, make, rename, pack, scan and encrypt their own files with the real programs of tests/attack/benign.py; now and then a
new PC comes and copies a home folder.

A day's work follows the last one's without the night between: what the guard counts in changes is as in a real year. What it
counts in time is not, to its disadvantage: signs against somebody fade within days and months, and here they never do."""
import contextlib
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import office
from attack.benign import WORKS, NotSuited, Work
from attack.confine import MARKER, mark
from attack.samba import Samba as BackEnd
from guard import Guard, Mounted
from network import Host, Network
from office_samba import Client, Samba

PEOPLE = ("anna", "bo", "chen", "doris")
NEW_PC = "newcomer"
HIDDEN = re.compile(r"(\d{4} )*(00|zz) ")  # canaries: "00 offer.docx", "0007 zz plan.csv"
EDITS = 7  # files that a person changes on a day
FOLDER_WORKS = frozenset(("rename", "gzip", "xz", "zstd", "bzip2", "gunzip", "tar", "gpg", "7z-locked", "zip-locked", "libreoffice-save", "pdf-encrypt"))
SAMPLES = {"png": 24, "svg": 12, "html": 12, "json": 12, "csv": 6, "pdf": 2, "py": 12, "so": 6, "gz": 6, "wav": 2, "ttf": 3, "jpg": 6, "js": 6, "css": 4, "xml": 6}


class Pc(BackEnd):
    """One connection that stays open, as PCs have it, and is made anew when it was cut."""

    def __init__(self, server: Samba, host: Host):
        self._server, self._host, self._connection = server, host, None
        super().__init__(server.host.address, "office", 445, host.before)

    def _run(self, commands: list[str]) -> str:
        if self._connection is None:
            self._connection = Client(self._server, self._host).__enter__()
        said = []
        for command in commands:
            text = self._connection.run(command, seconds=60)
            if text is None:
                self.hang_up()
                raise RuntimeError("smbclient: the connection is gone")
            said.append(text)
        failed = [line for text in said for line in text.splitlines() if "NT_STATUS" in line]
        if failed:
            raise RuntimeError(f"smbclient: {failed[0]}")
        return "".join(said)

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.__exit__()
            self._connection = None


class Person:
    """Somebody at a PC, in a folder of the share."""

    def __init__(self, name: str, server: Samba, net: Network, share: Path, chance: random.Random):
        self.name, self.share, self.chance = name, share, chance
        self.client = Pc(server, net.hosts[name])

    @property
    def home(self) -> Path:
        return self.share / self.name

    def files(self, below: Path | None = None, hidden: bool = False) -> list[str]:
        """As a person sees them: canaries are hidden, also under the names that rename_all gives. Whole folders have them."""
        all_ = (path for path in sorted((below or self.home).rglob("*")) if path.is_file() and path.name != MARKER and ".git" not in path.parts)
        return [path.relative_to(self.share).as_posix() for path in all_ if hidden or not HIDDEN.match(path.name)]

    def folder(self) -> Path:
        folders = sorted({(self.share / path).parent for path in self.files()})
        return self.chance.choice(folders) if folders else self.home

    def save(self, path: str, data: bytes) -> None:
        """As the programs of an office do it."""
        folder, _, name = path.rpartition("/")
        beside = f"{folder}/~{self.chance.randrange(10**6)}.tmp"
        match self.chance.randrange(4):
            case 0:  # written over
                self.client.write(path, data)
            case 1:  # a new file renamed over the old one
                self.client.write(beside, data)
                self.client.rename(beside, path)
            case 2 if (self.share / path).exists():  # the old one is moved away first, and deleted last
                self.client.write(beside, data)
                self.client.rename(path, f"{folder}/~WRL{self.chance.randrange(10**4):04}.tmp-{name}")
                self.client.rename(beside, path)
            case _:  # with a lock beside it
                lock = f"{folder}/.~lock.{name}#"
                self.client.write(lock, b",anna,pc1,28.11.2026 10:00,file:///home/anna;")
                self.client.write(path, data)
                self.client.unlink(lock)

    # ---- What is done on a day ----

    def edit(self, count: int = EDITS) -> None:
        works = [work for work in WORKS.values() if work.endings and not work.missing() and work.name not in FOLDER_WORKS]
        self._work(self.chance.sample(self.files(), min(count, len(self.files()))), works, keeps_old=0.5)

    def _work(self, paths: list[str], works: list[Work], keeps_old: float) -> None:
        contents = self.client.read(paths)
        with tempfile.TemporaryDirectory() as name:
            for number, path in enumerate(paths):
                suited = [work for work in works if work.suits(Path(path))]
                if not suited:
                    continue
                old, made = Path(name) / f"{number}-old" / Path(path).name, Path(name) / f"{number}-new"
                old.parent.mkdir()
                made.mkdir()
                old.write_bytes(contents[path])
                with contextlib.suppress(NotSuited):
                    new_name = self.chance.choice(suited).new_version(old, made, old.name, self.chance.randrange(1 << 30))
                    self.save(str(Path(path).with_name(new_name)), (made / new_name).read_bytes())
                    if new_name != old.name and self.chance.random() >= keeps_old:
                        self.client.unlink(path)
        self.client.flush()

    def make(self) -> None:
        """New documents of all kinds."""
        with tempfile.TemporaryDirectory() as name:
            for kind in self.chance.sample(list(office.KINDS), 2):
                new = Path(name) / f"{self.chance.choice(office.WORDS)} {self.chance.randrange(10**6)}.{kind}"
                office.KINDS[kind](new, self.chance)
                self.save(f"{self.folder().relative_to(self.share)}/{new.name}", new.read_bytes())
        self.client.flush()

    def scan_pages(self) -> None:
        """Pages of paper as pictures: noise and lines, in the scanner's formats."""
        from PIL import Image, ImageDraw
        with tempfile.TemporaryDirectory() as name:
            for number in range(6):
                page = Image.effect_noise((620, 877), 40).convert("L")
                draw = ImageDraw.Draw(page)
                for line in range(20):
                    draw.text((40, 40 * line + 20), office.prose(self.chance, 10).strip(), fill=0)
                ending = ("jpg", "png", "tif")[number % 3]
                place = Path(name) / f"scan {self.chance.randrange(10**6)}.{ending}"
                page.save(place, compression="tiff_lzw") if ending == "tif" else page.save(place)
                self.client.write(f"{self.name}/{place.name}", place.read_bytes())
        self.client.flush()

    def rename_all(self) -> None:
        folder = self.folder()
        for number, path in enumerate(self.files(folder, hidden=True)):
            if "/" not in path.removeprefix(folder.relative_to(self.share).as_posix() + "/"):
                self.client.rename(path, f"{path.rpartition('/')[0]}/{number:04} {Path(path).name[-60:]}")
        self.client.flush()

    def _pack(self, command: list[str], ending: str, delete: bool) -> None:
        """A folder becomes one archive."""
        folder = self.folder()
        paths = self.files(folder)[:60]
        with tempfile.TemporaryDirectory() as name:
            for path, data in self.client.read(paths).items():
                place = Path(name) / "folder" / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
            subprocess.run([*command, f"../out.{ending}", "."], cwd=Path(name) / "folder", check=True, capture_output=True)
            self.client.write(f"{self.name}/{folder.name} {self.chance.randrange(10**6)}.{ending}", (Path(name) / f"out.{ending}").read_bytes())
        for path in paths if delete else []:
            self.client.unlink(path)
        self.client.flush()

    def zip_folder(self) -> None:
        self._pack(["zip", "-qr"], "zip", delete=False)

    def archive_folder(self) -> None:
        self._pack(["tar", "-cJf"], "tar.xz", delete=True)

    def lock_folder(self) -> None:
        self._pack(["7zz", "a", "-pnothing secret", "-mhe=on"], "7z", delete=True)

    def lock_files(self) -> None:
        """His own encryption, file by file, the plain ones deleted: honest, and like an attack."""
        work = WORKS[self.chance.choice([name for name in ("gpg", "7z-locked", "zip-locked") if not WORKS[name].missing()])]
        self._work(self.files(self.folder())[:15], [work], keeps_old=0)

    def compress_files(self) -> None:
        work = WORKS[self.chance.choice(["gzip", "xz", "zstd", "bzip2"])]
        self._work(self.files(self.folder())[:15], [work], keeps_old=0)

    def unpack(self) -> None:
        """Files that come out of somebody's archive."""
        place = f"{self.name}/unpacked {self.chance.randrange(10**6)}"
        (self.share / place).mkdir()
        for path in self.chance.sample(self.files(), min(25, len(self.files()))):
            self.client.write(f"{place}/{Path(path).name}", (self.share / path).read_bytes())
        self.client.flush()

    def commit(self) -> None:
        """A git repository on the share, used over it; packed anew every other time."""
        place = self.home / "project"
        with tempfile.TemporaryDirectory() as name:
            work = Path(name) / "project"
            if place.exists():
                shutil.copytree(place, work)
            work.mkdir(exist_ok=True)
            before = {path.relative_to(work): path.read_bytes() for path in work.rglob("*") if path.is_file()}
            git = ["git", "-C", str(work), "-c", "user.name=B", "-c", "user.email=b@example.org", "-c", "gc.auto=0"]
            subprocess.run([*git, "init", "-q"], check=True)
            for _ in range(3):
                (work / f"part {self.chance.randrange(12)}.txt").write_text(office.prose(self.chance, 900))
                subprocess.run([*git, "add", "-A"], check=True)
                subprocess.run([*git, "commit", "-qm", "work", "--allow-empty"], check=True)
            if self.chance.random() < 0.5:
                subprocess.run([*git, "gc", "-q", "--prune=now"], check=True)
            after = {path.relative_to(work): path.read_bytes() for path in work.rglob("*") if path.is_file()}
        for path, data in after.items():
            if before.get(path) != data:
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                self.client.write((place / path).relative_to(self.share).as_posix(), data)
        for path in before.keys() - after.keys():
            self.client.unlink((place / path).relative_to(self.share).as_posix())
        self.client.flush()

    def upgrade(self) -> None:
        """A program's folder, all of its files anew in another version, and some gone."""
        place = self.home / "program"
        place.mkdir(exist_ok=True)
        packages = sorted(Path("/var/cache/apt/archives").glob("*.deb"), key=lambda path: path.stat().st_size)[100:700]
        with tempfile.TemporaryDirectory() as name:
            if packages:
                subprocess.run(["dpkg-deb", "-x", self.chance.choice(packages), name], check=True)
            new = [path for path in sorted(Path(name).rglob("*")) if path.is_file() and not path.is_symlink()][:40]
            old = self.files(place)
            for number, path in enumerate(new):
                self.client.write(f"{self.name}/program/{number:02}{path.suffix}", path.read_bytes())
            for path in old[len(new):]:
                self.client.unlink(path)
        self.client.flush()

    def torn_copy(self) -> None:
        """A copy that breaks off in the middle, and is made again."""
        path = self.chance.choice([path for path in self.files() if (self.share / path).stat().st_size > 20_000])
        data = (self.share / path).read_bytes()
        copy = f"{path.rpartition('/')[0]}/copy {Path(path).name}"
        self.client.write(copy, data[:len(data) * 2 // 3])
        self.client.flush()
        self.client.write(copy, data)
        self.client.flush()

    def move_in(self) -> None:
        """A new PC copies its home folder to the share, and works on from there."""
        place = f"{self.name}/home {self.chance.randrange(10**6)}"
        for owner in PEOPLE:
            for path in self.files(self.share / owner)[:40]:
                target = self.share / place / path
                target.parent.mkdir(parents=True, exist_ok=True)
                self.client.write(f"{place}/{path}", (self.share / path).read_bytes())
        self.client.flush()
        self.edit(20)


# What, and every how many of a person's days.
SOMETIMES: dict[Callable[[Person], None], int] = {
    Person.make: 1, Person.scan_pages: 4, Person.commit: 6, Person.unpack: 12, Person.rename_all: 14, Person.zip_folder: 10, Person.compress_files: 15,
    Person.upgrade: 20, Person.archive_folder: 25, Person.torn_copy: 25, Person.lock_folder: 30, Person.lock_files: 30}
NEW_PC_DAYS = 40


def samples() -> dict[str, list[Path]]:
    """Files that lie on this machine, by their endings."""
    found: dict[str, list[Path]] = {ending: [] for ending in SAMPLES}
    for path in Path("/usr").rglob("*"):
        ending = path.suffix[1:]
        if ending in found and path.is_file() and 1000 < path.stat().st_size < 400_000:
            found[ending].append(path)
    return {ending: sorted(paths) for ending, paths in found.items()}


def move_into(share: Path, chance: random.Random) -> None:
    """What is there on the first day: office files, and others that lie on this machine."""
    found = samples()
    for person in PEOPLE:
        office.make_office(share / person, 36, chance.randrange(1 << 30))
        for ending, count in SAMPLES.items():
            for path in chance.sample(found[ending], min(count, len(found[ending]))):
                place = share / person / f"{ending} files" / f"{chance.randrange(10**5)} {path.name}"
                place.parent.mkdir(exist_ok=True)
                shutil.copyfile(path, place)
    (share / NEW_PC).mkdir()
    mark(share)


def run(folder: Path, days: int, seed: int = 1) -> int:
    chance = random.Random(seed)
    folder.mkdir(parents=True)
    with Mounted(folder / "share") as share, Network(("server", *PEOPLE, NEW_PC)) as net:
        move_into(share, chance)
        with Samba(folder / "samba", share, net.server) as samba, \
                Guard(share, folder / "state", "--samba-config", samba.config, "--usual-after-days", "0", host=net.server) as guard:
            guard.run("canary", "place")
            time.sleep(2.5)  # the guard looks for new canaries every two seconds
            people = [Person(name, samba, net, share, chance) for name in (*PEOPLE, NEW_PC)]
            false = work(guard, people, days, chance)
            for person in people:
                person.client.hang_up()
            return report(guard, false, days)


def work(guard: Guard, people: list[Person], days: int, chance: random.Random) -> list[str]:
    """Who was cut off, and why; he is let in again."""
    false = []
    for day in range(days):
        for person in people[:-1]:
            tasks = [Person.edit, *(task for task, every in SOMETIMES.items() if chance.randrange(every) == 0)]
            false += done(guard, person, tasks, day)
            trim(person)
        if day % NEW_PC_DAYS == NEW_PC_DAYS - 1:
            false += done(guard, people[-1], [Person.move_in], day)
            trim(people[-1])
        if day % 10 == 9:
            print(f"day {day + 1}: {guard.run('status')[0]['judged']} changes, {len(guard.of_type('evidence'))} files held against somebody, {len(false)} cut off", flush=True)
    return false


def done(guard: Guard, person: Person, tasks: list[Callable[[Person], None]], day: int) -> list[str]:
    refused = ""
    for task in tasks:
        with contextlib.suppress(subprocess.CalledProcessError):
            try:
                task(person)
            except RuntimeError as error:
                refused = f"{task.__name__}: {error}"
    contained = [incident for incident in guard.incidents() if incident["state"] == "contained"]
    if contained:
        guard.run("undo")
        time.sleep(1)
    said = [f"day {day + 1}, {person.name}, {', '.join(task.__name__ for task in tasks)}: "
            + "; ".join(f"{proof['sign']} {proof['path']}: {proof['reason']}" for proof in incident["evidence"]) for incident in contained]
    return said or ([f"day {day + 1}, {person.name}: refused, not contained: {refused}"] if refused and contained else [])


def trim(person: Person, most: int = 500) -> None:
    """Folders would grow for ever: the oldest files go, as people tidy up, over the share."""
    paths = person.files()
    for path in sorted(paths, key=lambda path: (person.share / path).stat().st_mtime)[:max(0, len(paths) - most)]:
        person.client.unlink(path)
    with contextlib.suppress(RuntimeError):
        person.client.flush()


def report(guard: Guard, false: list[str], days: int) -> int:
    status = guard.run("status")[0]
    print(f"{days} working days of {len(PEOPLE)} people: {status['judged']} changes judged, {len(guard.of_type('evidence'))} files held against somebody,"
          f" {len(guard.of_type('retracted'))} of them taken back, {len(guard.incidents('--all'))} incidents, {len(false)} false containments")
    for event in guard.of_type("evidence"):
        print(f"  held: {event['sign']} {event['path']}: {event['reason']}")
    for line in false:
        print(f"FALSE CONTAINMENT {line}")
    return 1 if len(false) * 250 > days else 0
