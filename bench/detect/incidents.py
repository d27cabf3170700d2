"""Whole incidents, each from a seed: an office, backups, an attack among people's work, and a recovery. Is the clean point
right, and does each file come back in exactly the version that is the newest before the attack touched it?

  KURA=build/release/bin/kura bench/detect/incidents.py FOLDER [--incidents 100] [--first 1] [--seed K] [--misses FILE]

FOLDER has files that offices are made of, or is the list of a corpus. `./run bench detect --only incidents` does the same with the corpus.
"""
import argparse
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "system"), str(ROOT / "bench")]
os.environ.setdefault("KURA", str(ROOT / "build" / "release" / "bin" / "kura"))

from attack.incident import course_of  # noqa: E402
from detect import figures, judge, kinds  # noqa: E402
from detect.figures import Tally  # noqa: E402
from incident import Incident, Result  # noqa: E402

LARGEST = 200_000  # bytes of a file of an office: what is larger costs time and tells nothing more about the set
# Kinds in an office, by the names of kinds.py, and how often: what people make and keep there, and no programs.
OFFICE = {"ooxml": 6, "odf": 5, "pdf": 6, "cfb": 5, "jpeg": 4, "png": 4, "text": 4, "csv": 3, "html": 2, "xml": 2, "mail": 2, "zip": 2, "source": 2,
          "sqlite": 2, "rtf": 1, "gif": 1, "tiff": 1, "bmp": 1, "json": 1, "7z": 1, "gzip": 1, "xz": 1, "tar": 1, "mp3": 1, "wav": 1, "flac": 1, "ogg": 1,
          "mp4": 1, "webp": 1, "epub": 1, "dbf": 1, "dxf": 1, "font": 1, "postscript": 1, "openpgp": 1, "pkcs12": 1, "keepass": 1}
MEMORY = Path("/dev/shm")  # where repositories lie, so that no disk is waited for
WRITTEN = 4  # one in so many incidents is recovered for real


def run(seed: int, pool: Sequence[Path], base: Path, keep: bool = False) -> Result:
    """An incident that attacks nothing (its mode leaves so small files alone) is no incident: the seed says that."""
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"incident-{seed}-", dir=base))
    aside = folder if keep or not MEMORY.is_dir() else Path(tempfile.mkdtemp(prefix="kura-incident-", dir=MEMORY))
    try:
        incident = Incident(course_of(seed), pool, folder, aside)
        return incident.result(keep or seed % WRITTEN == 0) if incident.wanted else {"seed": seed, "attacked": 0}
    finally:
        if not keep:
            shutil.rmtree(folder)
            shutil.rmtree(aside, ignore_errors=True)


def _run(given: tuple[int, Sequence[Path], Path]) -> Result:
    try:
        return run(*given)
    except Exception as error:  # one that ends so is not exact
        return {"seed": given[0], "attacked": -1, "error": f"{type(error).__name__}: {error}"[:2000]}


def run_all(seeds: Sequence[int], pool: Sequence[Path], base: Path, processes: int = 2) -> Iterator[Result]:
    with multiprocessing.Pool(processes) as workers:
        yield from workers.imap_unordered(_run, [(seed, pool, base) for seed in seeds])


# ---- Tables ----

def is_exact(result: Result) -> bool:
    return "error" not in result and not result["wrong"]


def tables(results: Sequence[Result]) -> str:
    happened = [result for result in results if result["attacked"] != 0]
    by: dict[str, Tally] = {name: Tally("exact") for name in ("speed", "mode", "naming", "way")}
    parts = Tally("exact")
    for result in happened:
        verdict = "exact" if is_exact(result) else "not exact"
        parts.add("all", "all of it", verdict)
        if "error" in result:
            continue
        wrong = dict(result["wrong"])
        parts.add("all", "clean point", "not exact" if "clean point" in wrong else "exact")
        if result["written"]:
            parts.add("all", "recovered, byte for byte", "not exact" if "tree" in wrong else "exact")
        for name, tally in by.items():
            for value in str(result[name]).split("+"):
                tally.add(value, value, verdict)
    told = [result for result in happened if "error" not in result]
    text = [parts.table(1, "incidents", "exact").replace("| files |", "| all |")]
    text += [tally.table(0, name, "exact").replace("| files |", "| incidents |") for name, tally in by.items()]
    backups, false = sum(int(str(r["clean_backups"])) for r in told), sum(int(str(r["false"])) for r in told)
    low, high = figures.wilson(false, backups)
    text.append(f"Backups before the attack that were not called clean: {false} of {backups:,} ({figures.percent(low)} - {figures.percent(high)}).")
    known = sorted(int(str(r["known_files"])) for r in told if r["known_files"] is not None and r["speed"] == "slow")
    if known:
        text.append(f"Slow attacks were known after {known[len(known) // 2]} files (median), {known[-1]} at most; of all attacks "
                    f"{sum(r['known_at'] is None for r in told)} were not known by the last backup.")
    return "\n\n".join(text)


def pool_of(by_kind: dict[str, list[Path]]) -> list[Path]:
    """Files to draw from, so that kinds come as often as OFFICE says. What is called broken as it is, mostly tests of programs that
    read such files, is no office's, and is counted where single files are."""
    chance = random.Random(0)
    small = {kind: fitting for kind in OFFICE if (fitting := [path for path in by_kind.get(kind, []) if 0 < path.stat().st_size <= LARGEST])}
    broken = judge.broken_among([path for paths in small.values() for path in paths])
    small = {kind: fitting for kind, paths in small.items() if (fitting := [path for path in paths if path not in broken])}
    if not small:
        raise RuntimeError("there are no files of an office's kinds")
    return [chance.choice(paths) for kind, paths in small.items() for _ in range(100 * OFFICE[kind])]


def files_of(place: Path) -> dict[str, list[Path]]:
    """By kind: of a folder, or of the `test` half of a corpus by its list."""
    by_kind: dict[str, list[Path]] = {}
    if place.is_file():
        for line in map(json.loads, place.read_text(encoding="ascii").splitlines()):
            if line["half"] == "test":
                by_kind.setdefault(line["kind"], []).append(place.parent / line["path"])
        return by_kind
    for path in sorted(path for path in place.rglob("*") if path.is_file() and not path.is_symlink()):
        by_kind.setdefault(kinds.kind_of(path), []).append(path)
    return by_kind


def gathered(results: Iterator[Result], misses: Path, say: Callable[[str], None]) -> list[Result]:
    """All of them; what is not exact is written down at once."""
    found: list[Result] = []
    misses.parent.mkdir(parents=True, exist_ok=True)
    with open(misses, "w", encoding="utf-8", errors="surrogateescape") as file:
        for result in results:
            found.append(result)
            if result["attacked"] != 0 and not is_exact(result):
                file.write(json.dumps(result, ensure_ascii=False) + "\n")
                file.flush()
                say(f"incident {result['seed']} is not exact")
            if len(found) % 50 == 0:
                say(f"{len(found):,} incidents")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="files that offices are made of, or a corpus's list, corpus.jsonl")
    parser.add_argument("--incidents", type=int, default=100)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this one; its folder stays")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "bench" / "detect" / "work")
    parser.add_argument("--misses", type=Path, default=ROOT / "build" / "bench" / "detect" / "incidents-misses.jsonl")
    args = parser.parse_args()
    pool = pool_of(files_of(args.folder))
    if args.seed is not None:
        print(json.dumps(run(args.seed, pool, args.work.resolve(), keep=True), indent=1, ensure_ascii=False))
        return 0
    seeds = range(args.first, args.first + args.incidents)
    print(tables(gathered(run_all(seeds, pool, args.work.resolve()), args.misses, lambda words: print(words, file=sys.stderr, flush=True))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
