"""What `kura guard` costs a file server, and how many files an attack touches before it is contained. Needs root.

    KURA=build/release/bin/kura python3 bench/guarding.py --attacks 50 --rounds 5
"""
import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("KURA", str(Path(__file__).resolve().parent.parent / "build/release/bin/kura"))
sys.path.append(str(Path(__file__).resolve().parent.parent / "tests/system"))

from guard import Guard, Mounted, damaged, fill  # noqa: E402
from network import Network  # noqa: E402
from office_samba import Samba  # noqa: E402
from test_guard import MODES, evil, LOCAL_ATTACK  # noqa: E402


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def attacks(folder, count):
    """Files damaged before containment, and files that could not be put back, of each seeded local attack."""
    touched, lost = [], 0
    for seed in range(count):
        mode = MODES[seed % len(MODES)]
        with tempfile.TemporaryDirectory(dir=folder) as name, Mounted(Path(name) / "share") as share:
            contents = fill(share, seed=seed)
            with Guard(share, Path(name) / "state", "--no-samba") as guard:
                process = evil(name, LOCAL_ATTACK, share, mode)
                incident = guard.contained()
                process.kill()
                process.wait()
                guard.run("undo")
                time.sleep(0.8)
                touched.append(len(damaged(contents)))
                guard.run("restore", incident["id"], "--in-place")
                lost += len(damaged(contents))
    print(f"attacks: {count}, files touched before containment p50 {percentile(touched, .5)} p99 {percentile(touched, .99)}"
          f" most {max(touched)}, lost for good {lost}")


def opens(paths, write, count=3000):
    """Seconds of each open and close."""
    random_ = random.Random(1)
    times = []
    for _ in range(count):
        path = random_.choice(paths)
        begun = time.perf_counter()
        os.close(os.open(path, os.O_RDWR if write else os.O_RDONLY))
        times.append(time.perf_counter() - begun)
    return times


def smb_seconds(samba, host, folder, files=200, size=256 << 10):
    """Puts, gets and removes files over SMB."""
    data = Path(folder) / "data"
    data.write_bytes(b"The office's report of the month.\n" * (size // 34))
    script = "".join(f"put {data} x{n}.txt\nget x{n}.txt /dev/null\n" for n in range(files)) + "del x*.txt\n"
    begun = time.perf_counter()
    subprocess.run([*host.before, "smbclient", "-s", samba.config, "-N", f"//{samba.host.address}/office"],
                   input=script.encode(), capture_output=True, check=True)
    return time.perf_counter() - begun


def cost(folder, rounds):
    plain, guarded, open_plain, open_guarded = [], [], [], []
    with tempfile.TemporaryDirectory(dir=folder) as name, Mounted(Path(name) / "share") as share, \
            Network(("pc", "server")) as net, Samba(Path(name) / "samba", share, net.server) as samba:
        paths = list(fill(share))
        for round_ in range(rounds):
            plain.append(smb_seconds(samba, net.pc, name))
            open_plain += opens(paths, False)
            # Usual at once: what a client pays who has worked here before.
            with Guard(share, Path(name) / f"state-{round_}", "--samba-config", samba.config, "--usual-after-changes", "1",
                       "--usual-after-days", "0", host=net.server):
                guarded.append(smb_seconds(samba, net.pc, name))
                open_guarded += opens(paths, False)
    ratios = [with_ / without for with_, without in zip(guarded, plain)]
    print(f"SMB put+get, seconds with/without: median ratio {statistics.median(ratios):.3f} of {rounds} rounds"
          f" ({', '.join(f'{r:.3f}' for r in ratios)})")
    for label, values in (("without", open_plain), ("with", open_guarded)):
        print(f"open {label}: p50 {percentile(values, .5) * 1e6:.0f} us p99 {percentile(values, .99) * 1e6:.0f} us")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attacks", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default="/var/tmp")
    arguments = parser.parse_args()
    if arguments.rounds:
        cost(arguments.folder, arguments.rounds)
    if arguments.attacks:
        attacks(arguments.folder, arguments.attacks)


if __name__ == "__main__":
    main()
