"""How many attacked files `kura inspect` finds, and how many clean ones it takes for attacked, by kind and mode, with 95 %
intervals; and how fast it is.

  ./run bench detect [--quick] [--only clean,single,pairs,benign,throughput,incidents] [--modes full,sparse] [--kinds pdf,cfb] [--half test]

Data are made below build/bench/detect the first time, which takes an hour and 12 GB (--quick: a few minutes, 1 GB). Results are
printed, and lie there as results.md and results.json; every miss and every false alarm is a line in misses.jsonl or false.jsonl.
"""
import argparse
import datetime
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import bench  # noqa: E402
from detect import corpus, figures, incidents, judge, pairs  # noqa: E402
from detect.figures import Tally  # noqa: E402

PARTS = ["clean", "single", "pairs", "benign", "throughput", "incidents"]
MB = 1_000_000
Section = tuple[str, str]


class Bench:
    """Data, arguments, and what is found out."""

    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.base: Path = args.folder.resolve()
        self.work = self.base / "work"
        self.results: dict[str, object] = {}
        self.sections: list[Section] = []
        self.misses = self._listing("misses")
        self.false = self._listing("false")
        lines = corpus.with_made(self.base, args.quick)
        self.lines = [line for line in lines if args.half in ("both", line["half"]) and (not args.kinds or line["kind"] in args.kinds)]
        if not self.lines:
            raise RuntimeError("no file of the corpus is of these kinds")

    def _listing(self, name: str) -> "Listing":
        return Listing(self.base / f"{name}.jsonl")

    def fresh(self, name: str) -> Path:
        shutil.rmtree(self.work / name, ignore_errors=True)
        (self.work / name).mkdir(parents=True)
        return self.work / name

    def show(self, title: str, text: str) -> None:
        self.sections.append((title, text))

    def keep(self, name: str, tally: Tally) -> None:
        self.results[name] = tally.as_json()


class Listing:
    """A JSON object a line, about one file each."""

    def __init__(self, path: Path):
        self.path, self.count = path, 0
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    def add(self, part: str, what: str, line: dict[str, object], judged: judge.Judged) -> None:
        self.count += 1
        with open(self.path, "a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(json.dumps({"part": part, "what": what, **line, "new_path": judged.path, "verdict": judged.verdict, "said_kind": judged.kind,
                                   "compared": judged.compared, "reasons": judged.reasons}, ensure_ascii=False) + "\n")


def say(words: str) -> None:
    print(f"{datetime.datetime.now():%H:%M:%S} {words}", file=sys.stderr, flush=True)


def all_judged(found: list[judge.Judged], laid: set[str]) -> dict[str, judge.Judged]:
    """By path. A file that was passed over in silence counts as judged `missing`, so it is never right."""
    by_path = {one.path: one for one in found}
    return {path: by_path.get(path, judge.Judged(path, "", "missing", "", ())) for path in laid}


# ---- Single files ----

def clean_single(at: Bench) -> None:
    """All of the corpus's half, each file by itself."""
    folder = at.fresh("clean")
    places = {pairs.place_of(number, line): line for number, line in enumerate(at.lines)}
    for place, line in places.items():
        pairs.lay(line, at.base, folder / place)
    say(f"judging {len(places):,} clean files")
    tally = Tally()
    for place, judged in all_judged(judge.single(folder), set(places)).items():
        tally.add(str(places[place]["kind"]), "clean", judged.verdict)
        if judged.verdict in ("broken", "missing"):
            at.false.add("single", "clean", places[place], judged)
    shutil.rmtree(folder)
    at.keep("single clean", tally)
    at.show("Single files, clean: taken for broken", tally.table(0, "kind", "broken") + "\n\n" + tally.table(None, "", "broken"))


def attacked(at: Bench, with_old: bool) -> None:
    """Every mode over a sample of every kind, with the old version or without."""
    part = "pairs" if with_old else "single"
    lines = pairs.sample(at.lines, at.args.per_kind, at.args.seed, pairs.LARGEST_ATTACKED)
    old = at.fresh("old")
    if with_old:
        pairs.lay_old(lines, at.base, old)
    tally, alone = Tally(), Tally("not compared")
    for attack in pairs.attacks(at.args.modes):
        new = at.fresh("new")
        laid = pairs.lay_attacked(lines, at.base, new, attack, at.args.seed)
        say(f"{part}: {attack.name}: {len(laid):,} files")
        if not laid:
            continue
        found = judge.pairs(old, new) if with_old else judge.single(new)
        for place, judged in all_judged(found, set(laid)).items():
            line = laid[place][0]
            tally.add(str(line["kind"]), attack.name, judged.verdict)
            alone.add(str(line["kind"]), attack.name, "compared" if judged.compared else "not compared")
            if judged.verdict != "broken":
                at.misses.add(part, attack.name, line, judged)
    shutil.rmtree(at.work, ignore_errors=True)
    at.keep(f"{part} attacked", tally)
    what = "Pairs of an old and an attacked version" if with_old else "Single files, attacked"
    at.show(f"{what}: found, by mode", tally.table(1, "mode", "found"))
    at.show(f"{what}: found, by kind", tally.table(0, "kind", "found"))
    at.show(f"{what}: found, by kind and mode", tally.grid("kind"))
    if with_old:  # a pair whose old version was not found is judged as a single file, which no other table tells
        at.keep("pairs not compared", alone)
        at.show("Pairs that were judged without their old version, by mode", alone.table(1, "mode", "alone"))


# ---- Benign pairs ----

def benign(at: Bench) -> None:
    tally = Tally()
    base = at.base / ("benign-quick" if at.args.quick else "benign") / f"{at.args.half}-{at.args.seed}{'-' + '-'.join(at.args.kinds) if at.args.kinds else ''}"
    for name, count in pairs.COUNTS.items():
        work = pairs.WORKS[name]
        if work.missing():
            say(f"benign: {name} is left out: no {', '.join(work.missing())}")
            continue
        say(f"benign: {name}")
        made = pairs.lay_worked_on(work, at.lines, at.base, base / name, max(4, count // 50) if at.args.quick else count, at.args.seed)
        judge_benign(at, tally, name, base / name, made)
    if not at.args.kinds:
        say("benign: upgrades of packages")
        judge_benign(at, tally, "upgrade", base / "upgrade", pairs.lay_upgrades(at.base, base / "upgrade", at.args.quick))
    at.keep("pairs benign", tally)
    at.show("Benign pairs: taken for attacked, by work", tally.table(1, "work", "false") + "\n\n" + tally.table(None, "", "false"))
    at.show("Benign pairs: taken for attacked, by kind", tally.table(0, "kind", "false"))


def judge_benign(at: Bench, tally: Tally, name: str, folder: Path, made: list[dict[str, str]]) -> None:
    if not made:
        return
    lines = {pair["new"]: pair for pair in made}
    for place, judged in all_judged(judge.pairs(folder / "old", folder / "new"), set(lines)).items():
        tally.add(lines[place]["kind"], name, judged.verdict)
        if judged.verdict in ("broken", "missing"):
            at.false.add("pairs", name, {**lines[place], "folder": str(folder.relative_to(at.base))}, judged)


# ---- Throughput ----

def throughput(at: Bench) -> None:
    """On one thread, from memory: the first time is only to have the files there."""
    rows, rates = [], {}
    by_kind: dict[str, list[pairs.Line]] = {}
    for line in at.lines:
        by_kind.setdefault(str(line["kind"]), []).append(line)
    for kind, lines in [("all", at.lines), *sorted(by_kind.items())]:
        folder, size = at.fresh("speed"), 0
        for number, line in enumerate(sorted(lines, key=lambda line: corpus.order(f"speed {line['path']}"))):
            if size > (at.args.speed_mb if kind == "all" else at.args.speed_mb / 8) * MB:
                break
            pairs.lay(line, at.base, folder / pairs.place_of(number, line))
            size += int(str(line["size"]))
        judge.timed(folder)
        wall, cpu = sorted(judge.timed(folder) for _ in range(3))[1]
        rates[kind] = {"mb": size / MB, "wall_s": wall, "cpu_s": cpu, "mb_s": size / MB / wall, "mb_cpu_s": size / MB / max(cpu, 1e-9)}
        if size > MB:
            rows.append([kind, f"{size / MB:,.0f}", f"{size / MB / wall:,.0f}", f"{size / MB / max(cpu, 1e-9):,.0f}"])
    shutil.rmtree(at.work, ignore_errors=True)
    at.results["throughput"] = rates
    at.show("Judging on one thread, from memory", figures.markdown(rows, ["kind", "MB", "MB/s of the clock", "MB a second of the processor"]))


# ---- Incidents ----

def whole_incidents(at: Bench) -> None:
    """Offices over many backups, each attacked, and recovered: seeds 1 to --incidents."""
    by_kind: dict[str, list[Path]] = {}
    for line in at.lines:
        by_kind.setdefault(str(line["kind"]), []).append(at.base / str(line["path"]))
    pool = incidents.pool_of(by_kind)
    seeds = [at.args.incident] if at.args.incident else range(1, at.args.incidents + 1)
    found = incidents.gathered(incidents.run_all(seeds, pool, at.work), at.base / "incidents-misses.jsonl", say)
    at.results["incidents"] = found
    at.show("Incidents: clean point, versions and lists exactly right", incidents.tables(found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench detect", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def words(text: str) -> list[str]:
        return [word for word in text.split(",") if word]

    parser.add_argument("--only", type=words, default=PARTS, help=f"parts, with commas: {','.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="a small corpus and few files of each kind")
    parser.add_argument("--modes", type=words, default=list(pairs.MODES), help="modes of attack, with commas")
    parser.add_argument("--kinds", type=words, default=[], help="kinds of files, with commas")
    parser.add_argument("--half", choices=["train", "test", "both"], default="test", help="of the corpus: rules are made with train")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-kind", type=int, default=0, help="attacked files of each kind and mode (100; 8 with --quick)")
    parser.add_argument("--speed-mb", type=int, default=0, help="megabytes of the mixed corpus to time (800; 60 with --quick)")
    parser.add_argument("--incidents", type=int, default=0, help="how many (1,000; 10 with --quick)")
    parser.add_argument("--incident", type=int, default=0, help="only the one of this seed")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench" / "detect", help="where data and results lie")
    args = parser.parse_args()
    args.per_kind = args.per_kind or (8 if args.quick else 100)
    args.incidents = args.incidents or (10 if args.quick else 1000)
    args.speed_mb = args.speed_mb or (60 if args.quick else 800)
    for given, known in ((args.only, PARTS), (args.modes, list(pairs.MODES))):
        for word in given:
            if word not in known:
                parser.error(f"there is no '{word}'; there are: {', '.join(known)}")
    return args


def main() -> int:
    args = arguments()
    began, load = datetime.datetime.now(datetime.timezone.utc), bench.load()
    clock = time.monotonic()
    at = Bench(args)
    if "clean" in args.only:
        clean_single(at)
    if "single" in args.only:
        attacked(at, with_old=False)
    if "pairs" in args.only:
        attacked(at, with_old=True)
    if "benign" in args.only:
        benign(at)
    if "throughput" in args.only:
        throughput(at)
    if "incidents" in args.only:
        whole_incidents(at)
    command = " ".join(["./run bench detect", *sys.argv[1:]])
    count, kinds = len(at.lines), len({line["kind"] for line in at.lines})
    head = (f"{began:%Y-%m-%d %H:%M} UTC, `{command}`, {time.monotonic() - clock:,.0f} s\n{bench.machine()}\n"
            f"load average (1, 5, 15 minutes) before: {load}; after: {bench.load()}\n"
            f"corpus: half `{args.half}`, {count:,} files of {kinds} kinds, {sum(int(str(line['size'])) for line in at.lines) / MB:,.0f} MB\n"
            f"{at.misses.count:,} misses in {at.misses.path.name}, {at.false.count:,} false alarms in {at.false.path.name}")
    text = head + "".join(f"\n\n### {title}\n\n{table}" for title, table in at.sections) + "\n"
    print(text)
    (at.base / "results.md").write_text(text, encoding="utf-8")
    (at.base / "results.json").write_text(json.dumps({"head": head.splitlines(), **at.results}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        sys.exit(f"bench: {error}")
