"""kura guard on a share of its own, and what tests look at."""
import json
import os
import random
import signal
import subprocess
import threading
import time
from pathlib import Path

from kura import PROGRAM, wait_until

WORDS = "report of the office sum 2026 plan offer order invoice customer meeting about next month".split()


def text(random_, lines=300):
    return "".join(" ".join(random_.choices(WORDS, k=12)) + "\n" for _ in range(lines)).encode()


def fill(share, folders=4, files=12, seed=1):
    """An office's share: its files by their paths."""
    random_ = random.Random(seed)
    contents = {}
    for folder in range(folders):
        (share / f"d{folder}").mkdir()
        for number in range(files):
            path = share / f"d{folder}" / f"f{number}.txt"
            path.write_bytes(text(random_))
            contents[path] = path.read_bytes()
    return contents


def damaged(contents):
    return [path for path, data in contents.items() if not path.exists() or path.read_bytes() != data]


class Mounted:
    """A file system of its own in memory."""

    def __init__(self, folder, kind="tmpfs"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kind = kind

    def __enter__(self):
        subprocess.run(["mount", "-t", self.kind, "none", self.folder], check=True)
        os.chmod(self.folder, 0o777)
        return self.folder

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.folder], check=True)


class Guard:
    def __init__(self, share, state, *options, host=None):
        self.share, self.state, self.options = share, Path(state), options
        self.before = host.before if host else ()
        self.environment = {"PATH": os.environ["PATH"], "KURA_STATE_DIR": str(state), "LC_ALL": "C.UTF-8"}
        self.events, self.process = [], None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) in (0, -9, -15)
        self.reader.join()

    def start(self):
        seen = len(self.of_type("watching"))
        self.process = subprocess.Popen([*self.before, PROGRAM, "--json", "guard", "--watch", self.share, *self.options],
                                        env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,))
        self.reader.start()
        wait_until(lambda: len(self.of_type("watching")) > seen or self.process.poll() is not None)
        wait_until(lambda: self.of_type("scanned") or self.process.poll() is not None, seconds=60)  # at the lowest priority
        assert self.process.poll() is None

    def _read(self, stream):
        for line in stream:
            self.events.append(json.loads(line))

    def of_type(self, kind):
        return [event for event in list(self.events) if event["type"] == kind]

    def alarms(self, what):
        return [event for event in self.of_type("alarm") if event["what"] == what]

    @property
    def pid(self):
        """Of the process that holds the files back, not of its watchdog."""
        return self.of_type("watching")[-1]["pid"]

    def run(self, *arguments, check=True):
        done = subprocess.run([*self.before, PROGRAM, "--json", "guard", *arguments, "--watch", self.share],
                              env=self.environment, capture_output=True, timeout=60)
        assert not check or done.returncode in (0, 5), done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def status(self):
        return self.run("status")[0]

    def has_judged(self, count):
        """At least so many changes, and all that it knows of."""
        status = self.status()
        return status["judged"] >= count and status["waiting"] == 0

    def incidents(self, *more):
        return [line for line in self.run("status", *more) if line["type"] == "incident"]

    def contained(self):
        """The one incident, once all its steps are done."""
        wait_until(lambda: any(incident["state"] == "contained" for incident in self.incidents()))
        return next(incident for incident in self.incidents() if incident["state"] == "contained")
