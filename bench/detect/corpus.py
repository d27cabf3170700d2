"""The clean files that detection is measured on: from Debian packages, and made by real programs (made.py).

  bench/detect/corpus.py FOLDER [--quick]

Packages of packages.txt are fetched by apt into FOLDER/cache (with a configuration of its own, which adds sources to what the
machine has), unpacked, and what is chosen of them lies in FOLDER/corpus/{train,test}/PACKAGE/. A source package is in one half
only: rules are made with `train`, and `test` says what they are worth. Files that are there twice are kept once. Fixtures that
their authors broke on purpose are left out by broken.txt, which has a reason for each pattern.
"""
import argparse
import collections
import fnmatch
import functools
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detect import kinds, made  # noqa: E402

HERE = Path(__file__).resolve().parent
MB = 1_000_000
LARGEST = 32 * MB
OFTEN, SELDOM = 250, 1500  # files of one ending and package: of source texts and pictures of icons, and of all others
OFTEN_ENDINGS = {"", "c", "h", "cc", "cpp", "cxx", "hxx", "hpp", "py", "java", "js", "ts", "go", "rb", "pl", "pm", "sh", "html", "htm",
                 "xml", "xhp", "svg", "png", "po", "txt", "in", "mk", "t", "el", "md", "rst", "json", "yml", "yaml", "tcl", "m", "lua",
                 "sql", "out", "map", "hrc", "src", "idl", "ui", "mo", "gif", "jpg", "sgml", "tex", "ftl", "properties", "css", "r", "rd"}
BYTES = 120 * MB  # of one ending and package
QUICK = {"openpyxl", "python-docx", "mutagen", "pypng", "python-pptx", "nkf", "libspreadsheet-parseexcel-perl",
         "texlive-latex-base-doc", "fonts-dejavu-core", "coreutils", "sound-theme-freedesktop", "pypdf2", "busybox",
         "syslinux-common", "tango-icon-theme", "lua5.4", "unrtf", "chardet", "olefile", "libmail-box-perl"}


# ---- Fetching ----

class Apt:
    """apt with lists and settings of its own: what the machine's lists name, with source packages too."""

    def __init__(self, folder: Path):
        self.folder = folder
        settings = {"Dir::Etc::sourcelist": folder / "sources.list", "Dir::Etc::sourceparts": folder / "sources.list.d",
                    "Dir::State::lists": folder / "lists", "Dir::Cache": folder / "cache", "APT::Sandbox::User": "root",
                    "Dir::Cache::pkgcache": "pkgcache.bin", "Dir::Cache::srcpkgcache": "srcpkgcache.bin", "APT::Get::List-Cleanup": "false", "Acquire::Retries": "2"}
        self.options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]

    def prepare(self) -> None:
        for name in ("lists/partial", "cache/archives/partial", "sources.list.d"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for path in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]:
            if path.suffix in (".list", ".sources") and path.exists():
                text = re.sub(r"(?m)^Types: *deb$", "Types: deb deb-src", path.read_text())
                text += "".join(f"deb-src{line[3:]}\n" for line in text.splitlines() if line.startswith("deb "))
                (self.folder / "sources.list.d" / path.name).write_text(text)
        (self.folder / "sources.list").write_text("")
        self.run("update")

    def run(self, *words: str, cwd: Path | None = None) -> str:
        done = subprocess.run(["apt-get", *self.options, "-q", *words], cwd=cwd, check=False, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"apt-get {' '.join(words)}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def versions(self, package: str) -> list[str]:
        """That the archive has, the newest first."""
        said = subprocess.run(["apt-cache", *self.options, "madison", package], check=True, capture_output=True, text=True).stdout
        return list(dict.fromkeys(line.split("|")[1].strip() for line in said.splitlines() if "Packages" in line))

    def fetch(self, how: str, package: str, folder: Path) -> None:
        """Into a folder that is there only when all of it is."""
        if folder.is_dir():
            return
        part = folder.with_name(folder.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        words = ("source", "--download-only", "--only-source") if how == "source" else ("download",)
        try:
            self.run(*words, package, cwd=part)
        except RuntimeError:
            if not remove_incomplete(part):  # an archive may lack the packaging of a source that it has
                raise
        part.rename(folder)


def remove_incomplete(folder: Path) -> bool:
    """Leaves what has the checksum that its .dsc says; tells whether that is the source itself."""
    sums: dict[str, str] = {}
    for description in folder.glob("*.dsc"):
        sums |= {name: digest for digest, name in re.findall(r"(?m)^ ([0-9a-f]{64}) \d+ (\S+)$", description.read_text(errors="replace"))}
    for path in folder.iterdir():
        if path.suffix != ".dsc" and hashlib.sha256(path.read_bytes()).hexdigest() != sums.get(path.name):
            path.unlink()
    return any(".tar." in path.name and ".debian.tar" not in path.name for path in folder.iterdir())


def wanted(quick: bool) -> list[tuple[str, str]]:
    lines = (HERE / "packages.txt").read_text().splitlines()
    pairs = [tuple(line.split()) for line in lines if line and not line.startswith("#")]
    return [(how, package) for how, package in pairs if not quick or package in QUICK]


# ---- Unpacking and choosing ----

def unpack(fetched: Path, target: Path) -> str:
    """Everything of one package that may be a file of the corpus. Gives the name of its source package."""
    target.mkdir(parents=True)
    source = ""
    for path in sorted(fetched.iterdir()):
        if path.suffix == ".deb":
            subprocess.run(["dpkg-deb", "-x", path, target], check=True)
            said = subprocess.run(["dpkg-deb", "-f", path, "Source", "Package"], check=True, capture_output=True, text=True).stdout
            fields = dict(line.split(": ", 1) for line in said.splitlines())
            source = fields.get("Source", fields["Package"]).split()[0]
        elif path.suffix == ".dsc":
            source = next(line.split()[1] for line in path.read_text(errors="replace").splitlines() if line.startswith("Source:"))
        elif is_source(path.name):
            unpack_tar(path, target)
    return source


def is_source(name: str) -> bool:
    """The program's own source, without the packaging, and without parts that are manuals and translations."""
    return name.endswith((".tar.xz", ".tar.gz", ".tar.bz2")) and not re.search(r"\.debian\.tar|orig-(translations|helpcontent2)", name)


def unpack_tar(path: Path, target: Path) -> None:
    """Regular files of fitting sizes; the archive itself chooses no place outside of the target."""
    with subprocess.Popen([{"xz": "xz", "gz": "gzip", "bz2": "bzip2"}[path.suffix[1:]], "-dc", path],
                          stdout=subprocess.PIPE) as unpacking:
        with tarfile.open(fileobj=unpacking.stdout, mode="r|") as tar:
            for member in tar:
                if not member.isfile() or not 0 < member.size <= LARGEST or ".." in member.name.split("/"):
                    continue
                file = target / member.name.lstrip("/")
                try:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    with open(file, "wb") as out:
                        shutil.copyfileobj(tar.extractfile(member), out)
                except OSError as error:
                    print(f"corpus: {path.name}: {member.name}: {error.strerror}", file=sys.stderr)


@functools.cache
def broken_patterns() -> list[tuple[re.Pattern[str], str]]:
    """Of broken.txt: what is left out, and why."""
    lines = [line for line in (HERE / "broken.txt").read_text().splitlines() if line and not line.startswith("#")]
    return [(re.compile(fnmatch.translate(pattern)), why.strip()) for pattern, why in (line.split("  ", 1) for line in lines)]


@functools.cache
def all_broken() -> re.Pattern[str]:
    return re.compile("|".join(pattern.pattern for pattern, _ in broken_patterns()))


def why_left_out(name: str) -> str:
    """The reason, for PACKAGE/PATH; empty when the file stays."""
    if not all_broken().match(name):
        return ""
    return next((why for pattern, why in broken_patterns() if pattern.match(name)), "")


def order(name: str) -> int:
    """A number for a name that is spread evenly and the same everywhere."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8], "big")


def half_of(source: str) -> str:
    return "train" if order(source) % 2 else "test"


def choose(unpacked: Path, target: Path, source: str, seen: set[str], left_out: collections.Counter[str]) -> list[dict[str, object]]:
    """Moves what is chosen to its place; says what was."""
    files = [Path(folder) / name for folder, _, names in os.walk(unpacked) for name in names]
    files.sort(key=lambda path: order(f"{source}/{path.relative_to(unpacked)}"))
    counts: collections.Counter[str] = collections.Counter()
    sizes: collections.Counter[str] = collections.Counter()
    chosen = []
    for path in files:
        found = path.lstat()
        name = str(path.relative_to(unpacked))
        ending = path.suffix[1:].lower()
        most = OFTEN if ending in OFTEN_ENDINGS or (ending.isdigit() and len(ending) < 3) else SELDOM
        if not stat.S_ISREG(found.st_mode) or not 0 < found.st_size <= LARGEST:
            continue
        if counts[ending] >= most or sizes[ending] + found.st_size > BYTES:
            continue
        why = why_left_out(f"{source}/{name}")
        if why:
            left_out[why] += 1
            continue
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest in seen:
            continue
        seen.add(digest)
        counts[ending] += 1
        sizes[ending] += found.st_size
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)
        place.chmod(0o644)
        chosen.append({"path": str(place), "source": source, "kind": kinds.kind_of(place), "size": found.st_size, "sha256": digest})
    return chosen


def prepare(folder: Path, quick: bool) -> list[dict[str, object]]:
    """The corpus as a list of files: path (relative to the folder), half, source, kind, size, sha256. Made when not there."""
    listing = folder / ("quick.jsonl" if quick else "corpus.jsonl")
    if not listing.exists():
        lines = make(folder, quick)
        part = listing.with_suffix(".part")
        part.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="ascii")
        part.rename(listing)
    lines = [json.loads(line) for line in listing.read_text(encoding="ascii").splitlines()]
    return [line for line in lines if not why_left_out(name_in_source(line))]  # patterns may be newer than the corpus


def name_in_source(line: dict[str, object]) -> str:
    """PACKAGE/PATH, as in broken.txt."""
    return str(line["path"]).split("/", 2)[2]


def with_made(folder: Path, quick: bool) -> list[dict[str, object]]:
    """The same and the files that are made of them."""
    listing = folder / ("quick-made.jsonl" if quick else "corpus-made.jsonl")
    lines = prepare(folder, quick)
    if not listing.exists():
        more = made.prepare(folder, lines, "quick" if quick else "corpus", quick)
        for line in more:
            path = Path(str(line["path"]))
            line |= {"path": os.path.relpath(path, folder), "kind": kinds.kind_of(path), "size": path.stat().st_size,
                     "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        part = listing.with_suffix(".part")
        part.write_text("".join(json.dumps(line) + "\n" for line in more), encoding="ascii")
        part.rename(listing)
    return lines + [json.loads(line) for line in listing.read_text(encoding="ascii").splitlines()]


def make(folder: Path, quick: bool) -> list[dict[str, object]]:
    place = folder / ("quick" if quick else "corpus")
    shutil.rmtree(place, ignore_errors=True)
    apt = Apt(folder / "cache" / "apt")
    apt.prepare()
    seen: set[str] = set()
    left_out: collections.Counter[str] = collections.Counter()
    lines: list[dict[str, object]] = []
    for how, package in wanted(quick):
        fetched = folder / "cache" / f"{how}-{package}"
        try:
            apt.fetch(how, package, fetched)
        except RuntimeError as error:
            print(f"corpus: left out: {how} {package}: {str(error).splitlines()[-1]}", file=sys.stderr)
            continue
        unpacked = folder / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        source = unpack(fetched, unpacked)
        half = half_of(source)
        chosen = choose(unpacked, place / half / source, source, seen, left_out)
        lines += [{**line, "half": half} for line in chosen]
        print(f"corpus: {how} {package}: {len(chosen):,} files ({half})", file=sys.stderr, flush=True)
        shutil.rmtree(unpacked)
    (folder / "left-out.json").write_text(json.dumps(dict(left_out), indent=1, ensure_ascii=False) + "\n")
    return [{**line, "path": os.path.relpath(str(line["path"]), folder)} for line in lines]


def table(lines: list[dict[str, object]]) -> str:
    """Files and bytes of each kind, in both halves."""
    by_kind: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for line in lines:
        by_kind[str(line["kind"])].update({str(line["half"]): 1, "bytes": int(str(line["size"]))})
    rows = [f"{kind:16} {c['train']:7,} {c['test']:7,} {c['bytes'] / MB:9,.1f} MB" for kind, c in sorted(by_kind.items())]
    total = f"{len(lines):,} files of {len(by_kind)} kinds, {sum(int(str(line['size'])) for line in lines) / MB:,.0f} MB"
    return "\n".join([f"{'kind':16} {'train':>7} {'test':>7} {'size':>12}", *rows, total])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="a few small packages")
    args = parser.parse_args()
    print(table(with_made(args.folder.resolve(), args.quick)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
