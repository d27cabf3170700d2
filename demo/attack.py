#!/usr/bin/python3
"""An infected PC encrypts an office's file server over SMB: the guard stops it after a handful of files, the backup says
what was hit since when, and every file comes back.

  KURA=build/release/bin/kura demo/attack.py

Needs root, for network namespaces, nftables and a mount of its own, and a real Samba. Works below build/demo/attack, which it
makes anew. The attacker is tests/attack, which destroys nothing but that share.
"""
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "system")]

from guard import Guard, Mounted  # noqa: E402
from kura import Kura, tree_of, wait_until  # noqa: E402
from network import Network  # noqa: E402
from office import edit, make_office  # noqa: E402
from office_samba import Samba  # noqa: E402

WORK = ROOT / "build" / "demo" / "attack"


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def show(kura: Kura, *arguments: object, most: int = 12) -> None:
    """Runs a command as a person would, and shows the first lines of what it says."""
    print("$ kura " + " ".join(str(word).replace(str(WORK), "") for word in arguments), flush=True)
    done = kura.run(*arguments, code=None)
    lines = (done.out + done.err).decode().replace(str(WORK), "").splitlines()
    print("\n".join("  " + line for line in lines[:most]) + (f"\n  ... {len(lines) - most} more lines" if len(lines) > most else ""), flush=True)


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def attack(net: Network) -> str:
    """From the PC, with the share's real protocol; what the attacker met."""
    command = [*net.pc.before, "/usr/bin/python3", ROOT / "tests" / "attack", "run", "--smb", net.server.address, "--port", "445",
               "--share", "office", "--journal", WORK / "truth.jsonl", "--mode", "full,sparse,16-16", "--name", "keep",
               "--way", "in-place", "--seed", "7"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    return (done.stdout + done.stderr).strip().splitlines()[-1] if done.returncode else "nobody stopped it: " + done.stdout.strip()


def main() -> int:
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "machine").mkdir(parents=True)
    chance = random.Random(7)
    with Mounted(WORK / "share") as share, Network(("pc", "server", "a")) as net:
        office = make_office(share / "office", 90)
        subprocess.run(["/usr/bin/python3", ROOT / "tests" / "attack", "mark", share], check=True)  # without that it destroys nothing
        kura = Kura(WORK / "machine")
        say("The office's file server is backed up: 90 documents, texts, pictures, tables and databases")
        show(kura, "backup", office)
        with Guard(share, WORK / "machine" / "state", "--samba-config", WORK / "samba" / "smb.conf", host=net.server) as guard, \
                Samba(WORK / "samba", share, net.server):
            say("A day of work: people change a dozen files, and the day is backed up")
            for path in chance.sample(files_of(office), 12):
                edit(path, chance)
            show(kura, "backup", office)
            for path in chance.sample(files_of(office), 6):
                edit(path, chance)
            before = tree_of(office)
            say("In the evening, after six more changes, an infected PC begins to encrypt the share: another file every moment")
            print("  the attacker: " + attack(net))
            incident = guard.contained()
            hit = [path for path, data in before.items() if not (office / path).exists() or (office / path).read_bytes() != data]
            say(f"The guard cut it off: {incident['actor']['address']} after {len(hit)} of {len(before)} files")
            wait_until(lambda: not net.pc.reaches(net.server.address, 445))
            print(f"  the infected PC reaches the file server: no; another PC: {'yes' if net.a.reaches(net.server.address, 445) else 'no'}")
            print(f"  files that changed: {', '.join(hit)}")
            say("The next backup says it, and freezes its vault where it has one")
            show(kura, "backup", office)
            show(kura, "snapshots")
            say("What can be had back, and what is lost?")
            show(kura, "recover", "--list", "--snapshot", f"latest:{office}", most=30)
            say("What people wrote since the last backup and the attack hit, the guard has saved: it goes back in place")
            guard.run("undo")
            guard.run("restore", incident["id"], "--in-place")
            for path in share.rglob("*.locked"):
                path.unlink()
            back = tree_of(office)
            print(f"  byte for byte what was there before the attack: {'yes, all ' + str(len(before)) + ' files' if back == before else 'NO'}")
            for path in sorted(before.keys() | back.keys()):
                if before.get(path) != back.get(path):
                    print(f"  {path}: {'gone' if path not in back else 'new' if path not in before else 'differs'}")
            say("And without the guard, from backups alone: every file in its newest clean version")
            show(kura, "recover", "--snapshot", f"latest:{office}", "--target", WORK / "back")
            recovered = tree_of(WORK / "back")
            same = sum(recovered.get(path) == data for path, data in before.items())
            print(f"  of {len(before)} files {same} are byte for byte as before the attack, {len(before) - same} as of the last backup before it")
            lost = [path for path, data in before.items() if recovered.get(path) != data and path not in hit]
            return 0 if back == before and not lost and len(hit) <= 8 else 1


if __name__ == "__main__":
    os.environ.setdefault("KURA_TREE", "release")
    sys.exit(main())
