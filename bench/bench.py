#!/usr/bin/python3
"""Measures kura beside restic, borg and the system's own tools, and prints one table. Called by `./run bench`."""

import argparse
import datetime
import os
import platform
import shutil
import statistics
import sys

sys.dont_write_bytecode = True
import data  # noqa: E402
import tools  # noqa: E402
from tools import MB  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BASE = os.path.join(ROOT, "build", "bench")
SCENARIOS = ["first", "unchanged", "re-read", "day 2", "restore", "check", "check, no keys"]


def arguments():
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="size of the data (1: about 4 GB in all)")
    parser.add_argument("--runs", type=int, default=5, help="runs, of which the medians are shown")
    parser.add_argument("--only", default="office,small,big", help="data sets, with commas")
    parser.add_argument("--markdown", metavar="FILE", help="also write the tables into FILE, between its bench marks")
    args = parser.parse_args()
    args.only = args.only.split(",")
    unknown = [name for name in args.only if name not in data.MAKERS]
    if unknown:
        parser.error(f"there is no data set '{unknown[0]}'; there are: {', '.join(data.MAKERS)}")
    if not 0 < args.scale <= 1 or args.runs < 1:
        parser.error("--scale is above 0 and at most 1; --runs is at least 1")
    if args.markdown:
        args.markdown = os.path.abspath(args.markdown)
        split_at_marks(args.markdown)
    return args


# ---- Measuring ----

def measure(name, source, runs, log, kinds_of=lambda number: tools.TOOLS):
    """All results of one data set: {(scenario, tool): [Result, ...]}. In each run every tool does a scenario before the
    next one begins, and another tool is the first to start. `kinds_of` gives the tools of a run, by its number."""
    results = {}
    for number in range(runs):
        turn = [kind(f"{BASE}/work/{kind.name}", source) for kind in kinds_of(number)]
        turn = turn[number % len(turn):] + turn[:number % len(turn)]
        for tool in turn:
            tool.begin(log)
        for scenario in SCENARIOS:
            if scenario == "day 2":
                data.day_2(source)
            for tool in turn:
                if scenario not in tool.commands:
                    continue
                print(f"\r\033[K{name}: run {number + 1} of {runs}: {scenario}, {tool.name}", end="", file=sys.stderr,
                      flush=True)
                result = tool.measure(scenario, log)
                if scenario == "restore":
                    if number == 0 and not result.failure:
                        result.failure = tool.compare_restored()
                    # Kept: ext4 looks long for an inode while many were deleted in the last minutes, and whoever
                    # restores next would pay for it.
                    if os.path.exists(tool.target):
                        os.makedirs(f"{BASE}/restored", exist_ok=True)
                        os.rename(tool.target, f"{BASE}/restored/{number}-{tool.name}")
                results.setdefault((scenario, tool.name), []).append(result)
        data.undo_day_2(source)
        shutil.rmtree(f"{BASE}/work", ignore_errors=True)
    shutil.rmtree(f"{BASE}/restored", ignore_errors=True)
    print("\r\033[K", end="", file=sys.stderr, flush=True)
    return results


def median(results, field):
    return statistics.median(getattr(result, field) for result in results)


def make_sample(name, source):
    """64 MB out of a data set, in one file: what zstd alone is timed with."""
    path = f"{BASE}/sample-{name}"
    with open(path, "wb") as out:
        for file, _ in data.regular_files([source]):
            out.write(data.read(file, 64 * MB - out.tell()))
            if out.tell() >= 64 * MB:
                break
    return path


# ---- Showing ----

STAGE_HEADS = ["stage", "data", "MB/s", "limit", "limit MB/s", "share"]
HEADS = ["scenario", "tool", "wall s", "CPU s", "CPU from-to", "peak MB", "stored MB", "wall : kura", "CPU : kura"]


def row(scenario, kind, results, kura):
    title = getattr(kind, "titles", {}).get(scenario, kind.name)
    failed = [result.failure for result in results if result.failure]
    if failed:
        return [scenario, title, f"FAILED {len(failed)} of {len(results)}"] + ["-"] * 6
    cpu = [result.cpu for result in results]
    adds = scenario in ("first", "unchanged", "re-read", "day 2") and median(results, "stored") > 0
    ratios = ["-", "-"]
    if kura and not any(result.failure for result in kura):
        ratios = [f"{median(results, field) / max(median(kura, field), 0.001):.2f}" for field in ("wall", "cpu")]
    return [scenario, title, f"{median(results, 'wall'):.2f}", f"{median(results, 'cpu'):.2f}",
            f"{min(cpu):.2f}-{max(cpu):.2f}", f"{median(results, 'memory') / MB:.0f}",
            f"{median(results, 'stored') / MB:.2f}" if adds else "-"] + ratios


def rows_of(results):
    rows = []
    for scenario in SCENARIOS:
        for kind in tools.TOOLS:
            if (scenario, kind.name) in results:
                rows.append(row(scenario, kind, results[scenario, kind.name], results.get((scenario, "kura"))))
    return rows


def failures_of(name, results):
    return [f"FAILED: {name}, {scenario}, {tool}: {result.failure}"
            for (scenario, tool), several in results.items() for result in several if result.failure]


def as_text(rows, heads=HEADS):
    widths = [max(len(line[i]) for line in [heads] + rows) for i in range(len(heads))]
    lines = []
    for line in [heads] + rows:
        cells = [cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def as_markdown(rows, heads=HEADS):
    lines = ["| " + " | ".join(heads) + " |", "| --- | --- |" + " ---: |" * (len(heads) - 2)]
    return "\n".join(lines + ["| " + " | ".join(line) + " |" for line in rows])


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown processor")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB of memory, Linux {platform.release()}"


def load():
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def split_at_marks(path):
    """The text before and after the place of the tables, marks included."""
    begin, end = "<!-- bench:begin -->", "<!-- bench:end -->"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if begin not in text or end not in text:
        sys.exit(f"bench: {path} has no place for the tables: lines '{begin}' and '{end}' are missing")
    return text[:text.index(begin) + len(begin)], text[text.index(end):]


def main():
    args = arguments()
    os.makedirs(BASE, exist_ok=True)
    log = f"{BASE}/log"
    open(log, "wb").close()
    command = "./run bench " + " ".join(sys.argv[1:])
    began = datetime.datetime.now(datetime.timezone.utc)
    sources = {}
    for name in args.only:
        print(f"making data: {name}", file=sys.stderr)
        sources[name] = data.prepare(name, f"{BASE}/data", args.scale)
    load_before = load()

    samples = {name: make_sample(name, source) for name, source in sources.items()}
    limits = tools.limits(samples, log)
    stages = [(stage, name, f"{rate:,.0f}", limit, f"{most:,.0f}", f"{rate / most:.0%}")
              for stage, name, rate, limit, most in tools.stages(samples, BASE)]
    sections, failures = [], []
    for name, source in sources.items():
        count, size = data.describe(source)
        results = measure(name, source, args.runs, log)
        failures += failures_of(name, results)
        sections.append((f"{name}: {count:,} files, {size / MB:,.0f} MB", rows_of(results)))

    facts = [f"{began:%Y-%m-%d %H:%M} UTC, `{command.strip()}`", machine(), "; ".join(tools.versions()),
             f"load average (1, 5, 15 minutes) before: {load_before}; after: {load()}"]
    limit_lines = [f"{name}: " + (f"{rate:,.0f} MB/s" if rate else "FAILED") for name, rate in limits.items()]
    print("\n".join(facts + ["one core at its limit: " + "; ".join(limit_lines)]))
    print(f"\n{as_text(stages, STAGE_HEADS)}")
    for title, rows in sections:
        print(f"\n{title}\n{as_text(rows)}")
    print("\n".join([""] + failures) if failures else "")
    if args.markdown:
        head, tail = split_at_marks(args.markdown)
        parts = ["", "\n".join(f"- {fact}" for fact in facts)]
        for title, rows in sections:
            parts.append(f"### {title}\n\n{as_markdown(rows)}")
        parts.append("### Each stage on one core, beside its limit\n\n" + as_markdown(stages, STAGE_HEADS))
        parts.append("### One core at its limit\n\n" + "\n".join(f"- {line}" for line in limit_lines))
        if failures:
            parts.append("### Failures\n\n" + "\n".join(f"- {line}" for line in failures))
        with open(args.markdown, "w", encoding="utf-8") as file:
            file.write(head + "\n\n".join(parts).replace("\n\n\n", "\n\n") + "\n\n" + tail)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, RuntimeError, data.subprocess.CalledProcessError) as error:
        sys.exit(f"bench: {error}")
