"""Attacks a folder that was marked for it, or a Samba share of a test.

  /usr/bin/python3 tests/attack mark FOLDER
  /usr/bin/python3 tests/attack run FOLDER --journal FILE [--mode full,sparse] [--way in-place] [--name locked] ...
  /usr/bin/python3 tests/attack run --smb 127.0.0.1 --port 4445 --share office --journal FILE ...
"""
import argparse
import contextlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attack import notes  # noqa: E402
from attack.carry_out import BackEnd, Clock, Journal, VirtualClock, carry_out  # noqa: E402
from attack.confine import Folder, Refused, mark  # noqa: E402
from attack.local import Local  # noqa: E402
from attack.modes import CIPHERS, MODES  # noqa: E402
from attack.plan import NAMINGS, SPEEDS, WAYS, Options, make_plan  # noqa: E402
from attack.samba import Samba  # noqa: E402


def words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="attack", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest="task", required=True)
    tasks.add_parser("mark", help="allow the simulator to destroy everything in a folder").add_argument("folder", type=Path)
    run = tasks.add_parser("run", help="attack", epilog="modes: " + "; ".join(f"{m.name}: {m.means}" for m in MODES.values()))
    run.add_argument("folder", type=Path, nargs="?", help="the marked folder")
    run.add_argument("--journal", type=Path, help="a new file outside of it: what was done, a JSON object a line")
    run.add_argument("--dry-run", action="store_true", help="print the plan only")
    run.add_argument("--seed", type=int, default=1)
    run.add_argument("--mode", type=words, default=("full",), help="one or several, with commas")
    run.add_argument("--cipher", choices=CIPHERS, default="aes-ctr")
    run.add_argument("--way", choices=WAYS, default="in-place")
    run.add_argument("--name", choices=NAMINGS, default="keep")
    run.add_argument("--speed", choices=SPEEDS, default="burst", help="a file of each client at once, a minute or an hour")
    run.add_argument("--clients", type=int, default=1, help="each works on its own part of the tree")
    run.add_argument("--notes", type=words, default=(), help=f"ransom notes: {', '.join(notes.TEXTS)}")
    run.add_argument("--limit", type=int, default=0, help="at most so many files")
    run.add_argument("--wait", action="store_true", help="really wait as long as the speed says")
    run.add_argument("--smb", metavar="ADDRESS", help="a Samba server on loopback or in a namespace")
    run.add_argument("--share", default="office")
    run.add_argument("--port", type=int, default=445)
    run.add_argument("--credentials", type=Path, help="file for smbclient -A; else as a guest")
    args = parser.parse_args()
    if args.task == "run" and (args.folder is None) == (args.smb is None):
        parser.error("give either a folder or --smb")
    if args.task == "run" and not args.dry_run and args.journal is None:
        parser.error("an attack needs a --journal")
    return args


def attack(args: argparse.Namespace, back_end: BackEnd) -> None:
    options = Options(args.seed, args.mode, args.cipher, args.way, args.name, args.speed, args.clients, args.notes, args.limit)
    plan = make_plan(back_end.files(), options)
    if args.dry_run:
        sys.stdout.write(plan.as_json())
        return
    with Journal(args.journal, args.folder) as journal:
        count = carry_out(plan, back_end, journal, Clock() if args.wait else VirtualClock())
    print(f"{count} files changed in {len(plan.steps)} steps")


def main() -> int:
    args = arguments()
    if args.task == "mark":
        mark(args.folder)
        return 0
    with contextlib.ExitStack() as stack:
        if args.smb:
            attack(args, stack.enter_context(Samba(args.smb, args.share, args.port, credentials=args.credentials)))
        else:
            attack(args, Local(stack.enter_context(Folder(args.folder))))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Refused, ValueError, OSError, RuntimeError) as error:
        sys.exit(f"attack: {error}")
