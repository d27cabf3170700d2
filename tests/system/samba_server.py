"""A Samba server with one share, in a network namespace, with everything of its own in two folders: configuration and log
where it is told to, and what it only needs while it runs where paths are short."""
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from kura import wait_until

SHARE = "office"
PORT = 4445

CONFIGURATION = """[global]
server role = standalone server
smb ports = {port}
interfaces = {address}
bind interfaces only = yes
disable netbios = yes
map to guest = bad user
guest account = root
load printers = no
disable spoolss = yes
private dir = {own}/private
state directory = {own}/state
lock directory = {own}/lock
cache directory = {own}/cache
pid directory = {own}/pid
ncalrpc dir = {own}/ncalrpc
log file = {folder}/log
max log size = 0
unix extensions = no

[{share}]
path = {shared}
guest ok = yes
guest only = yes
read only = no
"""


class SambaServer:
    """`shared` is the folder that is the share. Runs inside `with`."""

    def __init__(self, host, folder, shared, port=PORT):
        self.host, self.folder, self.shared, self.port = host, folder, shared, port
        self.config = folder / "smb.conf"
        self.own = self.process = None

    def __enter__(self):
        # A name of a local socket has 107 bytes at most, and smbd has one for each of its processes.
        self.own = Path(tempfile.mkdtemp(prefix="smbd-", dir="/tmp"))
        try:
            self._start()
            wait_until(lambda: self.process.poll() is not None or self.host.reaches(self.host.address, self.port))
            assert self.process.poll() is None, f"smbd ended with exit code {self.process.returncode}"
        except BaseException as failure:
            self.__exit__()
            failure.add_note(self._said())
            raise
        return self

    def _start(self):
        self.folder.mkdir(parents=True)
        for name in ("private", "state", "lock", "cache", "pid", "ncalrpc"):
            (self.own / name).mkdir()
        self.config.write_text(CONFIGURATION.format(port=self.port, address=self.host.address, folder=self.folder, own=self.own,
                                                    shared=self.shared, share=SHARE))
        # smbd makes a process group of its own, which it ends with itself: it must not be told to stay in the caller's.
        with open(self.folder / "output", "wb") as output:
            self.process = subprocess.Popen([*self.host.before, "smbd", "--foreground", "-s", self.config],
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def _said(self):
        """What smbd said of itself, for whoever looks at why it did not start."""
        files = [path for path in (self.folder / "output", self.folder / "log") if path.exists()]
        return "\n".join(f"{path}:\n{path.read_text(errors='replace')[-4000:]}" for path in files)

    def __exit__(self, *_):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.own, ignore_errors=True)
