"""The programs compared: what each is called with, and how one call is measured."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass

PASSPHRASE = "bench: nothing secret is kept here"
MB = 1_000_000
STAGES = os.environ.get("KURA_STAGE_BENCH")
STAGE_ORDER = ["chunk", "identify", "compress", "seal", "store"]
MEASURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "measure.py")


@dataclass
class Result:
    """One call: seconds of the clock and of all processors, peak memory in bytes, bytes in the repository."""
    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    stored: int = 0
    failure: str = ""


def run(command, cwd, env, log):
    """Runs a command to its end. CPU and memory are of the process and the children that it waited for."""
    os.sync()  # what others left to be written is not this call's work
    with open(log, "ab") as out:
        out.write(f"\n$ {' '.join(command)}\n".encode())
        out.flush()
        begin_of_output = out.tell()
        subprocess.run(["/usr/bin/python3", "-I", "-S", MEASURE, log + ".result"] + command, cwd=cwd, check=True,
                       env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    with open(log + ".result", encoding="ascii") as file:
        wall, cpu, memory, code = (float(word) for word in file.read().split())
    result = Result(wall, cpu, int(memory) * 1024)
    if code != 0:
        with open(log, "rb") as file:
            file.seek(begin_of_output)
            said = file.read().decode(errors="replace").strip().splitlines()
        result.failure = f"exit code {code:.0f}: {said[-1] if said else 'no message'}"
    return result


def stored_bytes(folder):
    return sum(os.lstat(os.path.join(at, n)).st_size for at, _, names in os.walk(folder) for n in names)


class Tool:
    """A program with its repository and state below `home`, which is new in every run. The commands by scenario are in
    `commands`; a scenario that is not there is not measured for it."""
    name = ""
    init = None

    def __init__(self, home, source):
        self.home, self.source = home, source
        self.repo, self.target = f"{home}/repo", f"{home}/target"
        self.env, self.commands = {}, {}

    def begin(self, log):
        shutil.rmtree(self.home, ignore_errors=True)
        os.makedirs(self.home)
        if self.init:
            done = run(self.init, self.home, self.env, log)
            if done.failure:
                raise RuntimeError(f"{self.name}: {' '.join(self.init)}: {done.failure}")

    def measure(self, scenario, log):
        if scenario == "restore":
            shutil.rmtree(self.target, ignore_errors=True)
            os.makedirs(self.target)
        before = stored_bytes(self.home + "/repo")
        result = run(self.commands[scenario], self.target if scenario == "restore" else self.home, self.env, log)
        result.stored = stored_bytes(self.home + "/repo") - before
        return result

    def compare_restored(self):
        """Empty when what was restored is the source, else the first differences."""
        done = subprocess.run(["diff", "-r", "--no-dereference", self.source, self.target + self.source],
                              capture_output=True, check=False)
        return "" if done.returncode == 0 else (done.stdout + done.stderr).decode(errors="replace")[:300]


class Kura(Tool):
    name = "kura"
    program = os.environ.get("KURA", "build/release/bin/kura")

    def __init__(self, home, source):
        super().__init__(home, source)
        kura = os.path.abspath(self.program)
        self.env = {"KURA_REPO": self.repo, "KURA_STATE_DIR": home + "/state", "KURA_PASSPHRASE": PASSPHRASE}
        self.init = [kura, "init"]
        backup = [kura, "backup", source]
        lost = ["sh", "-c", 'rm "$KURA_STATE_DIR"/*/*.files && exec "$@"', "sh"]
        self.commands = {"first": backup, "unchanged": backup, "re-read": lost + backup, "day 2": backup,
                         "restore": [kura, "restore", "latest", "--target", self.target],
                         "check": [kura, "check", "--read-data"],
                         "check, no keys": ["env", "-u", "KURA_PASSPHRASE", kura, "check"]}


class Restic(Tool):
    name = "restic"

    def __init__(self, home, source):
        super().__init__(home, source)
        self.env = {"RESTIC_REPOSITORY": self.repo, "RESTIC_CACHE_DIR": home + "/cache", "RESTIC_PASSWORD": PASSPHRASE}
        self.init = ["restic", "init"]
        backup = ["restic", "backup", source]
        self.commands = {"first": backup, "unchanged": backup, "re-read": backup + ["--force"], "day 2": backup,
                         "restore": ["restic", "restore", "latest", "--target", self.target],
                         "check": ["restic", "check", "--read-data"]}


class Borg(Tool):
    name = "borg"

    def __init__(self, home, source):
        super().__init__(home, source)
        self.env = {"BORG_REPO": self.repo, "BORG_BASE_DIR": home + "/base", "BORG_PASSPHRASE": PASSPHRASE}
        self.init = ["borg", "init", "--encryption", "repokey"]
        create = ["borg", "create", "--compression", "zstd,3"]
        self.commands = {"first": create + ["::first", source], "unchanged": create + ["::unchanged", source],
                         "re-read": create + ["--files-cache", "disabled", "::re-read", source],
                         "day 2": create + ["::day-2", source], "restore": ["borg", "extract", "::day-2"],
                         "check": ["borg", "check", "--verify-data"],
                         "check, no keys": ["borg", "check", "--repository-only"]}


class Plain(Tool):
    """The system's own tools, for a sense of what the work costs at least; none of them encrypts or deduplicates."""
    name = "plain"
    titles = {"first": "tar|zstd", "unchanged": "find", "restore": "cp -a"}

    def __init__(self, home, source):
        super().__init__(home, source)
        self.env = {"SOURCE": source, "REPO": self.repo}
        tar = 'tar -cf - -C / "${SOURCE#/}" | zstd -q -3 -T2 -o "$REPO/all.tar.zst"'
        self.commands = {"first": ["sh", "-c", tar], "unchanged": ["find", source, "-printf", "%s %T@ %C@ %i %p\\n"],
                         "restore": ["cp", "-a", "--parents", source, self.target]}

    def begin(self, log):
        super().begin(log)
        os.makedirs(self.repo)


TOOLS = [Kura, Restic, Borg, Plain]


def versions():
    def first_line(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()[0]
        except (OSError, IndexError):
            return f"{command[0]} does not run"
    return [first_line(os.path.abspath(Kura.program), "version"), first_line("restic", "version"),
            first_line("borg", "--version"), first_line("zstd", "--version").strip("* ").split(", by")[0],
            first_line("openssl", "version")]


def stages(sample, base):
    """How each stage stands to its own limit: lines of (stage, data, kura's rate, the limit's name, its rate)."""
    lines = []
    for name, path in sample.items():
        done = subprocess.run([STAGES, path, os.path.join(base, "stages.work")], check=True, stdout=subprocess.PIPE)
        lines += [(line["stage"], name, line["kura"] / MB, line["limit"], line["most"] / MB)
                  for line in map(json.loads, done.stdout.splitlines())]
    return sorted(lines, key=lambda line: STAGE_ORDER.index(line[0]))


def limits(sample, log):
    """What one core does of the work that no backup can avoid: MB a second of processor time, by name."""
    found = {}
    for title, algorithm in [("SHA-256", "sha256"), ("AES-256-GCM", "aes-256-gcm")]:
        done = subprocess.run(["openssl", "speed", "-seconds", "2", "-bytes", "1048576", "-evp", algorithm],
                              capture_output=True, text=True, check=False)
        rate = re.search(r"^\S+\s+([\d.]+)k\s*$", done.stdout, re.MULTILINE)
        found[title] = float(rate[1]) / 1000 if rate else None
    for name, path in sample.items():
        # By the clock `zstd -b3` would also count what others do on the machine, so a whole run is timed by the CPU.
        done = run(["zstd", "-q", "-3", "--single-thread", "-f", path, "-o", path + ".zst"], "/", {}, log)
        found[f"zstd -3, {name}"] = None if done.failure else os.path.getsize(path) / MB / done.cpu
    return found
