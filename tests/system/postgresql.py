"""A PostgreSQL server of the tests' own."""
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from kura import wait_until

PROGRAMS = Path("/usr/lib/postgresql/15/bin")  # of Debian's postgresql-15
USER, PASSWORD = "kura", "MARK pass=word'%"  # with what has to be escaped, in URLs and elsewhere


def is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


class Postgresql:
    """Below a folder of its own in /tmp, at a port of the loopback; needs a password. `with` ends it."""

    def __init__(self, port):
        if not (PROGRAMS / "initdb").exists():
            pytest.skip("the package postgresql-15 is not installed")
        self.port, self.folder = port, Path(tempfile.mkdtemp(prefix="kura-pg-", dir="/tmp"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")  # it does not run as root
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "password").chmod(0o644)
        self.data = self.folder / "data"
        self._run("initdb", "-D", self.data, "-A", "scram-sha-256", "-U", USER, f"--pwfile={self.folder}/password",
                  "-E", "UTF8", "--locale=C", "--no-sync")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program, *arguments):
        before = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*before, PROGRAMS / program, *map(str, arguments)], check=True, cwd="/", timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        self._run("pg_ctl", "-w", "-D", self.data, "-l", self.folder / "log", "-o",
                  f"-k {self.folder} -p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off", "start")

    def _processes(self):
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def kill(self):
        """kill -9 of all of it, so that it can be started again."""
        processes = self._processes()
        for process in processes:
            os.kill(process, signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, processes)))
        # These name a process that nobody may have reaped yet.
        for lock in (self.data / "postmaster.pid", self.folder / f".s.PGSQL.{self.port}.lock"):
            lock.unlink(missing_ok=True)

    def stall(self, on=True):
        """It takes connections, and says nothing."""
        for process in self._processes():
            os.kill(process, signal.SIGSTOP if on else signal.SIGCONT)

    def sql(self, statement, database="postgres"):
        """What it answers, a line a row."""
        done = subprocess.run([PROGRAMS / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database, "-AtX",
                               "-v", "ON_ERROR_STOP=1", "-c", statement], check=True, stdout=subprocess.PIPE, text=True,
                              timeout=60, env={**os.environ, "PGPASSWORD": PASSWORD})
        return done.stdout.split()
