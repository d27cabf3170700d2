"""kura mount while it runs, for tests."""
import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from kura import running

needs_fuse = pytest.mark.skipif(not os.path.exists("/dev/fuse"),
                                reason="this machine has no FUSE: /dev/fuse is missing")


class Mount:
    def __init__(self, process, point):
        self.process, self.point, self.said = process, point, b""

    def below(self, source, snapshot="latest"):
        return self.point / snapshot / str(source)[1:]

    def stop(self, how=signal.SIGTERM, code=0):
        """Ends it; gives what it said on standard error."""
        self.process.send_signal(how)
        _, self.said = self.process.communicate(timeout=30)
        assert self.process.returncode == code, (self.process.returncode, self.said)
        assert not os.path.ismount(self.point)
        return self.said.decode(errors="backslashreplace")


@contextlib.contextmanager
def mount(kura, point, *options):
    point.mkdir(exist_ok=True)
    with running(kura.start("mount", point, *options)) as process:
        try:
            line = process.stdout.readline()
            assert b"mounted" in line, (line, process.stderr.read())
            yield Mount(process, point)
        finally:
            subprocess.run(["umount", "--lazy", point], check=False, stderr=subprocess.DEVNULL)


def drop_caches():
    Path("/proc/sys/vm/drop_caches").write_text("3")


def listed(folder):
    """The names in a folder, with all that `ls` asks of them, by a process that the test outlives."""
    done = subprocess.run(["ls", "-lA", folder], check=True, capture_output=True, timeout=60)
    return done.stdout


def refuses(path):
    """Whether reading the file ends in an error. It does end."""
    return subprocess.run(["cat", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                          timeout=60).returncode != 0
