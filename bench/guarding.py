"""What `kura guard` does on a Samba server: how many files attacks of all modes and ways change before the PC is cut off and
whether all come back, what the guard costs, and whom it cuts off by mistake. Needs root.

    ./run bench guard --quick
    ./run bench guard attacks --seeds 2 --json attacks.jsonl
    ./run bench guard cost --rounds 20
    ./run bench guard year --days 250
"""
import argparse
import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("KURA", str(ROOT / "build/release/bin/kura"))
sys.path += [str(ROOT / "tests/system"), str(ROOT / "tests")]

import guard_cost  # noqa: E402
import guard_year  # noqa: E402
from guard_attacks import Outcome, Place, matrix  # noqa: E402
from guard_cost import percentile  # noqa: E402


def attacks(folder: Path, quick: bool, seeds: int, lines: Path | None) -> int:
    """Runs them all, prints a table, and names each attack that was missed or lost something."""
    outcomes = []
    with Place(folder).ready() as place:
        for attack in matrix(quick, seeds):
            outcome = place.run(attack)
            outcomes.append(outcome)
            print(f"{attack}: cut off after {outcome.touched}, missed {outcome.missed}, lost {outcome.lost} ({outcome.seconds:.0f} s)", flush=True)
            if lines:
                with open(lines, "a", encoding="utf-8") as file:
                    file.write(json.dumps(dataclasses.asdict(outcome)) + "\n")
    return report(outcomes)


def report(outcomes: list[Outcome]) -> int:
    print("\n| what | attacks | infected PCs | files each changed: p50 | p99 | most | PCs missed | files lost |\n|---|---|---|---|---|---|---|---|")
    for title, of in (("mode", lambda o: o.attack.mode), ("way", lambda o: o.attack.way),
                      ("speed and PCs", lambda o: f"{o.attack.speed}, {o.attack.clients}"), ("all", lambda _: "")):
        for value in sorted({of(outcome) for outcome in outcomes}):
            row(f"{title} {value}".strip(), [outcome for outcome in outcomes if of(outcome) == value])
    bad = [outcome for outcome in outcomes if outcome.missed or outcome.lost]
    for outcome in bad:
        print(f"{outcome.attack}: missed PCs changed {outcome.missed} files, {outcome.lost} files were not put back")
    return 1 if bad else 0


def row(title: str, outcomes: list[Outcome]) -> None:
    touched = [count for outcome in outcomes for count in outcome.touched + outcome.missed]
    missed = sum(len(outcome.missed) for outcome in outcomes)
    print(f"| {title} | {len(outcomes)} | {len(touched)} | {percentile(touched, .5)} | {percentile(touched, .99)} | {max(touched, default=0)}"
          f" | {missed} | {sum(outcome.lost for outcome in outcomes)} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("attacks", "cost", "year", "all"), default="all")
    parser.add_argument("--quick", action="store_true", help="some minutes in all")
    parser.add_argument("--seeds", type=int, default=1, help="attacks of each kind")
    parser.add_argument("--rounds", type=int, default=20, help="pairs of runs with and without the guard")
    parser.add_argument("--days", type=int, default=60, help="working days of the office")
    parser.add_argument("--json", type=Path, help="a line an attack goes there, too")
    parser.add_argument("--folder", default="/var/tmp")
    arguments = parser.parse_args()
    code = 0
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="kura-guarding-") as name:
        if arguments.what in ("attacks", "all"):
            code |= attacks(Path(name) / "attacks", arguments.quick, arguments.seeds, arguments.json)
        if arguments.what in ("cost", "all"):
            guard_cost.run(Path(name) / "cost", 3 if arguments.quick else arguments.rounds)
        if arguments.what in ("year", "all"):
            code |= guard_year.run(Path(name) / "year", 3 if arguments.quick else arguments.days)
    return code


if __name__ == "__main__":
    sys.exit(main())
