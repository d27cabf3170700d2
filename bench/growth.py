#!/usr/bin/python3
"""How cost grows with work: kura, and beside it restic and borg, over sources of more and more bytes and of more and
more files. Writes a plot and a table. Called by `./run bench growth`."""

import argparse
import datetime
import json
import os
import random
import shutil
import sys

sys.dont_write_bytecode = True
import bench  # noqa: E402
import data  # noqa: E402
import tools  # noqa: E402

GB = 1_000_000_000
BASE = os.path.join(bench.ROOT, "build", "bench", "growth")
RESULTS = os.path.join(BASE, "results.json")
SCENARIOS = ["first", "unchanged", "check", "restore"]
AXES = {"bytes": "GB of data, in files of 1 GB", "files": "files, of 0.2 to 3 kB"}
MEMORY_AIM = 200  # MB
FILES_A_FOLDER = 1000
WORDS = [random.Random(number).randbytes(8).hex().encode() for number in range(256)]  # of 16 bytes


def arguments():
    parser = argparse.ArgumentParser(prog="./run bench growth", description=__doc__)
    parser.add_argument("--gb", default="1,10,50", help="sizes of data, with commas; nothing: none")
    parser.add_argument("--files", default="10000,100000,1000000", help="numbers of files, with commas; nothing: none")
    parser.add_argument("--scale", type=float, default=1.0, help="of all these: 0.01 tries everything in minutes")
    parser.add_argument("--others", type=int, default=2, metavar="N",
                        help="restic and borg are measured at the smallest N sizes (0: not at all)")
    parser.add_argument("--page", metavar="FILE", help="also write the tables into FILE, a page of Markdown, and the "
                        "plot beside it as growth.svg")
    args = parser.parse_args()
    try:
        args.points = {"bytes": sorted(float(word) * args.scale for word in args.gb.split(",") if word),
                       "files": sorted(int(float(word) * args.scale) for word in args.files.split(",") if word)}
    except ValueError as error:
        parser.error(str(error))
    return args


# ---- Data ----

def text(chance, size):
    """Words in random order: no two pieces are alike, and zstd makes about a ninth of it."""
    return b"".join([WORDS[byte] for byte in chance.randbytes(size // 16 + 1)])[:size]


def make_bytes(folder, gigabytes):
    left, number = int(gigabytes * GB), 0
    while left > 0:
        chance = random.Random(number)
        with open(f"{folder}/data-{number:03}", "wb") as file:
            for _ in range(0, min(left, GB), 1 << 20):
                file.write(text(chance, 1 << 20))
        left, number = left - GB, number + 1


def make_files(folder, count):
    chance = random.Random(1)
    for number in range(count):
        below = f"{folder}/{number // FILES_A_FOLDER:04}"
        if number % FILES_A_FOLDER == 0:
            os.makedirs(below)
        with open(f"{below}/a-file-of-everyday-{number:07}", "wb") as file:
            file.write(text(chance, chance.randrange(200, 3000)))


MAKERS = {"bytes": make_bytes, "files": make_files}


# ---- Measuring ----

def say(words):
    print(f"{datetime.datetime.now():%H:%M:%S} {words}", file=sys.stderr, flush=True)


def tool_of(kind, source):
    tool = kind(f"{BASE}/work/{kind.name}", source)
    if kind is tools.Borg:
        tool.commands["restore"] = ["borg", "extract", "::unchanged"]  # there is no second day here
    return tool


def restore(tool, source, facts, log):
    """Compares with the source where both have room; else the source goes first, and numbers and sizes are compared."""
    files, size = facts
    on_disk = size + files * 4096
    keeps_source = shutil.disk_usage(BASE).free > on_disk + 2 * GB
    if not keeps_source:
        shutil.rmtree(source)
    result = tool.measure("restore", log)
    if not result.failure:
        if keeps_source:
            result.failure = tool.compare_restored()
        elif data.describe(tool.target) != facts:
            result.failure = f"restored {data.describe(tool.target)} files and bytes, not {facts}"
    shutil.rmtree(tool.target, ignore_errors=True)
    return result


def measure(axis, amount, kinds, log):
    """The results at one point: a list of {axis, amount, tool, scenario, wall, cpu, memory, stored}."""
    source = f"{BASE}/source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.rmtree(f"{BASE}/work", ignore_errors=True)
    os.makedirs(source)
    say(f"making {amount:g} {AXES[axis].split(',')[0]}")
    MAKERS[axis](source, amount)
    facts = data.describe(source)
    found = []

    def note(tool, scenario, result):
        if result.failure:
            raise RuntimeError(f"{tool.name}, {scenario}, {amount:g} {axis}: {result.failure}; see {log}")
        found.append({"axis": axis, "amount": facts[1] / GB if axis == "bytes" else facts[0], "tool": tool.name,
                      "scenario": scenario, "wall": result.wall, "cpu": result.cpu, "memory": result.memory / tools.MB,
                      "stored": result.stored / GB})

    turn = [tool_of(kind, source) for kind in kinds]
    for tool in turn:
        tool.begin(log)
        for scenario in SCENARIOS[:-1]:
            say(f"  {tool.name}: {scenario}")
            note(tool, scenario, tool.measure(scenario, log))
    for tool in turn:
        say(f"  {tool.name}: restore")
        note(tool, "restore", restore(tool, source, facts, log))
    shutil.rmtree(source, ignore_errors=True)
    shutil.rmtree(f"{BASE}/work")
    return found


# ---- Showing ----

def per_unit(result):
    """Processor seconds for each GB, or for each 1,000 files."""
    return result["cpu"] / result["amount"] * (1 if result["axis"] == "bytes" else 1000)


def table(axis, results):
    unit = "GB" if axis == "bytes" else "1,000 files"
    heads = ["scenario", "tool", unit.split()[-1], "wall s", "CPU s", f"CPU s a {unit}", "peak MB", "stored GB"]
    rows = [[scenario, each["tool"], f"{each['amount']:,.4g}" if axis == "bytes" else f"{each['amount']:,}",
             f"{each['wall']:.1f}", f"{each['cpu']:.1f}", f"{per_unit(each):.3g}", f"{each['memory']:.0f}",
             f"{each['stored']:.2f}" if scenario == "first" else "-"]
            for scenario in SCENARIOS for kind in tools.TOOLS for each in results
            if (each["axis"], each["scenario"], each["tool"]) == (axis, scenario, kind.name)]
    return heads, rows


def plot(path, results):
    import matplotlib  # only here: measuring needs none of it
    matplotlib.use("svg")
    from matplotlib import pyplot
    matplotlib.rcParams["svg.hashsalt"] = "kura"  # the same figures give the same file
    axes_shown = [axis for axis in AXES if any(each["axis"] == axis for each in results)]
    figure, grid = pyplot.subplots(len(axes_shown), 3, figsize=(13, 4 * len(axes_shown)), squeeze=False)
    colours = dict(zip(SCENARIOS, ["tab:blue", "tab:green", "tab:orange", "tab:red"]))
    styles = {"kura": "-o", "restic": "--s", "borg": ":^"}
    for row, axis in zip(grid, axes_shown):
        unit = "GB" if axis == "bytes" else "1,000 files"
        panels = [("wall time, s", lambda each: each["wall"], "log"),
                  (f"processor time, s a {unit}", per_unit, "log"),
                  ("peak memory, MB", lambda each: each["memory"], "linear")]
        for panel, (title, value, scale) in zip(row, panels):
            for scenario in SCENARIOS:
                for tool, style in styles.items():
                    line = sorted((each["amount"], value(each)) for each in results
                                  if (each["axis"], each["scenario"], each["tool"]) == (axis, scenario, tool))
                    if line:
                        panel.plot(*zip(*line), style, color=colours[scenario], label=f"{tool} {scenario}", markersize=4)
            panel.set(title=title, xlabel=AXES[axis], xscale="log", yscale=scale)
            if scale == "linear":
                panel.axhline(MEMORY_AIM, color="grey", linewidth=0.8)
                panel.set_ylim(bottom=0)
            panel.grid(True, alpha=0.3)
        row[2].legend(fontsize=7, ncol=2)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def page(path, facts, results):
    parts = ["# How cost grows", "![Wall time, processor time a unit and peak memory over GB and files](growth.svg)",
             "A line that is level costs in line with the work. The grey line is the aim for memory. Each point was "
             "measured once; the sources (`bench/growth.py`) have no two pieces alike and compress to about a ninth.",
             "\n".join(f"- {fact}" for fact in facts)]
    for axis, title in AXES.items():
        heads, rows = table(axis, results)
        if rows:
            parts.append(f"## {title[0].upper()}{title[1:]}\n\n{bench.as_markdown(rows, heads)}")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n\n".join(parts) + "\n")


def main():
    args = arguments()
    os.makedirs(BASE, exist_ok=True)
    log = f"{BASE}/log"
    open(log, "wb").close()
    began = datetime.datetime.now(datetime.timezone.utc)
    load_before = bench.load()
    results = []
    try:
        for axis, amounts in args.points.items():
            for number, amount in enumerate(amounts):
                kinds = [tools.Kura] + ([tools.Restic, tools.Borg] if number < args.others else [])
                results += measure(axis, amount, kinds, log)
                with open(RESULTS, "w", encoding="utf-8") as file:  # a long run that is cut short leaves what it has
                    json.dump(results, file, indent=1)
    finally:
        shutil.rmtree(f"{BASE}/source", ignore_errors=True)
        shutil.rmtree(f"{BASE}/work", ignore_errors=True)
    command = " ".join(["./run bench growth", *sys.argv[1:]])
    facts = [f"{began:%Y-%m-%d %H:%M} UTC, `{command}`", bench.machine(), "; ".join(tools.versions()),
             f"load average (1, 5, 15 minutes) before: {load_before}; after: {bench.load()}"]
    print("\n".join(facts))
    for axis in AXES:
        heads, rows = table(axis, results)
        if rows:
            print(f"\n{bench.as_text(rows, heads)}")
    where = os.path.dirname(os.path.abspath(args.page)) if args.page else BASE
    plot(os.path.join(where, "growth.svg"), results)
    if args.page:
        page(args.page, facts, results)
    print(f"\nThe plot is {os.path.join(where, 'growth.svg')}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, RuntimeError, data.subprocess.CalledProcessError) as error:
        sys.exit(f"bench: {error}")
