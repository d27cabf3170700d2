"""Old and new versions of files: attacked ones, and ones that somebody worked on."""
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

from attack.benign import WORKS, NotSuited, Work  # noqa: E402
from attack.modes import CIPHERS, MODES, file_key, transformed  # noqa: E402
from attack.plan import Namer, Options  # noqa: E402
from detect import corpus  # noqa: E402

Line = dict[str, object]
LARGEST_ATTACKED, LARGEST_WORKED_ON = 8_000_000, 3_000_000
RENAMED = ("full", "sparse", "16-16")  # these also with other names

# How many benign pairs of each work. Together they are above 30,000 for the whole corpus; a work with fewer files that suit
# it takes each at most three times, each time with other changes.
COUNTS = {
    "text-edit": 8000, "text-append": 4000, "line-ends": 3000, "rename": 4000, "office-save": 3000, "zip-again": 1500, "pretty": 1200,
    "recode-utf8": 1000, "recode-sjis": 200, "recode-eucjp": 200, "recode-big5": 150, "table-sort": 300, "gzip": 1200, "gunzip": 500,
    "xz": 300, "zstd": 300, "bzip2": 300, "tar": 800, "gpg": 600, "7z-locked": 300, "zip-locked": 500, "picture-edit": 1500,
    "picture-resize": 1200, "picture-convert": 1000, "jpeg-lossless": 500, "jpeg-again": 300, "pdf-linearise": 400, "pdf-streams": 400,
    "pdf-encrypt": 200, "pdf-distil": 60, "tags": 500, "sound-again": 150, "streams-again": 150, "sqlite-vacuum": 200, "sqlite-change": 300,
    "sqlite-restore": 150, "mbox-append": 150, "keepass-entry": 12, "fat-copy": 24, "ext-copy": 24, "image-again": 60, "strip": 200,
    "libreoffice-save": 60,
}
UPGRADES = ("python3.11-minimal", "libpython3.11-stdlib", "git", "curl", "vim-runtime", "openjdk-17-jre-headless", "php8.2-cli", "nodejs",
            "perl-modules-5.36", "samba-common-bin", "samba-libs", "libreoffice-common", "libgs10-common", "imagemagick-6-common", "openssl",
            "postgresql-15", "ruby3.1", "libavcodec59", "qemu-utils", "thunderbird-l10n-ja", "libwebkit2gtk-4.1-0", "tzdata", "ca-certificates")


@dataclass(frozen=True)
class Attack:
    """A column of the tables."""
    mode: str
    naming: str = "keep"

    @property
    def name(self) -> str:
        return self.mode if self.naming == "keep" else f"{self.mode} {self.naming}"


def attacks(modes: list[str]) -> list[Attack]:
    renamed = [Attack(mode, naming) for mode in modes if mode in RENAMED for naming in ("locked", "id", "random", "extension")]
    return [Attack(mode) for mode in modes] + renamed


def sample(lines: list[Line], per_kind: int, seed: int, largest: int) -> list[Line]:
    """At most so many of each kind, the same for the same seed."""
    by_kind: dict[str, list[Line]] = {}
    for line in sorted(lines, key=lambda line: corpus.order(f"{seed} {line['source']} {line['path']}")):
        if int(str(line["size"])) <= largest:
            by_kind.setdefault(str(line["kind"]), []).append(line)
    return [line for kind in sorted(by_kind) for line in by_kind[kind][:per_kind]]


def place_of(number: int, line: Line) -> str:
    """Where a file lies in a folder of old or new ones: alone, so that its name is its own."""
    return f"{line['kind']}/{number:06d}/{os.path.basename(str(line['path']))}"


def lay(line: Line, base: Path, place: Path) -> None:
    """The file of the corpus under another name; the corpus is never written to."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(base / str(line["path"]), place)
    except OSError:
        shutil.copyfile(base / str(line["path"]), place)


def lay_old(lines: list[Line], base: Path, folder: Path) -> None:
    for number, line in enumerate(lines):
        lay(line, base, folder / place_of(number, line))


def lay_attacked(lines: list[Line], base: Path, folder: Path, attack: Attack, seed: int) -> dict[str, tuple[Line, str]]:
    """The files after an attack; {place after: (file, place before)} of those that it changed."""
    laid: dict[str, tuple[Line, str]] = {}
    for number, line in enumerate(lines):
        place = place_of(number, line)
        before = (base / str(line["path"])).read_bytes()
        after = transformed(attack.mode, before, CIPHERS[number % 2], file_key(seed, f"{attack.name} {place}"))
        if after == before:
            continue
        new = Namer(Options(seed=seed * 1000 + number // 50, naming=attack.naming), {place}).after(place)
        (folder / new).parent.mkdir(parents=True, exist_ok=True)
        (folder / new).write_bytes(after)
        laid[new] = (line, place)
    return laid


# ---- Benign pairs ----

def lay_worked_on(work: Work, lines: list[Line], base: Path, folder: Path, count: int, seed: int) -> list[dict[str, str]]:
    """`folder`/old and /new, and what is there; made once. Files that a program does not take are passed over."""
    listing = folder / "pairs.json"
    if listing.exists():
        return json.loads(listing.read_text(encoding="ascii"))
    shutil.rmtree(folder, ignore_errors=True)
    fitting = [line for line in lines if work.suits(Path(str(line["path"]))) and int(str(line["size"])) <= LARGEST_WORKED_ON]
    random.Random(f"{seed} {work.name}").shuffle(fitting)
    made, unsuited = [], 0
    for number, line in enumerate((fitting * 3)[:count + count // 5]):
        if len(made) >= count or unsuited > 200 + count // 2:
            break
        name = os.path.basename(str(line["path"]))
        old, new = folder / "old" / f"{number:05d}" / name, folder / "new" / f"{number:05d}"
        new.mkdir(parents=True)
        try:
            new_name = work.new_version(base / str(line["path"]), new, name, seed * 100_000 + number)
        except NotSuited:
            unsuited += 1
            new.rmdir()
            continue
        if new_name == name and (new / name).read_bytes() == (base / str(line["path"])).read_bytes():
            (new / name).unlink()
            new.rmdir()
            continue
        lay(line, base, old)
        made.append({"new": f"{number:05d}/{new_name}", "old": f"{number:05d}/{name}", "kind": str(line["kind"])})
    folder.mkdir(parents=True, exist_ok=True)
    listing.write_text(json.dumps(made), encoding="ascii")
    return made


def lay_upgrades(base: Path, folder: Path, quick: bool) -> list[dict[str, str]]:
    """Two versions of packages, where the machine's archive has two."""
    listing = folder / "pairs.json"
    if listing.exists():
        return json.loads(listing.read_text(encoding="ascii"))
    shutil.rmtree(folder, ignore_errors=True)
    apt = corpus.Apt(base / "cache" / "apt")
    made = []
    for package in UPGRADES[:2] if quick else UPGRADES:
        try:
            versions = apt.versions(package)
            debs = [fetched(apt, package, version, base) for version in versions[:2]]
        except (RuntimeError, subprocess.CalledProcessError) as error:
            print(f"bench: upgrade of {package}: {error}", file=sys.stderr)
            continue
        if len(debs) == 2:
            made += list(unpacked_pair(package, debs[1], debs[0], folder))
    folder.mkdir(parents=True, exist_ok=True)
    listing.write_text(json.dumps(made), encoding="ascii")
    return made


def fetched(apt: "corpus.Apt", package: str, version: str, base: Path) -> Path:
    folder = base / "cache" / f"version-{package}-{version.replace(':', '-')}"
    apt.fetch("binary", f"{package}={version}", folder)
    return next(folder.glob("*.deb"))


def unpacked_pair(package: str, old_deb: Path, new_deb: Path, folder: Path) -> Iterator[dict[str, str]]:
    """Files of both that are not the same in both."""
    old, new = folder / "old" / package, folder / "new" / package
    for deb, place in ((old_deb, old), (new_deb, new)):
        place.mkdir(parents=True)
        subprocess.run(["dpkg-deb", "-x", deb, place], check=True)
    for path in sorted(new.rglob("*")):
        before = old / path.relative_to(new)
        if path.is_symlink() or not path.is_file() or path.stat().st_size == 0:
            continue
        if before.is_file() and not before.is_symlink() and before.read_bytes() != path.read_bytes():
            yield {"new": f"{package}/{path.relative_to(new)}", "old": f"{package}/{path.relative_to(new)}", "kind": corpus.kinds.kind_of(path)}
        else:
            path.unlink()


__all__ = ["COUNTS", "MODES", "WORKS", "attacks", "lay_attacked", "lay_old", "lay_upgrades", "lay_worked_on", "sample"]
