"""A real smbd for a share, in the namespace of a host, with all its files below one folder; smbclient as its clients."""
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

from kura import wait_until

CONFIG = """[global]
workgroup = OFFICE
server role = standalone server
private dir = {0}/private
lock directory = {0}/lock
state directory = {0}/state
cache directory = {0}/cache
pid directory = {0}/pid
ncalrpc dir = {0}/ncalrpc
log file = {0}/log
smb ports = 445
disable spoolss = yes
load printers = no
passdb backend = tdbsam
map to guest = Bad User
guest account = root
[office]
path = {1}
read only = no
guest ok = yes
force user = root
"""


class Samba:
    def __init__(self, folder, share, host):
        self.folder, self.share, self.host, self.process = Path(folder), share, host, None
        self.config = self.folder / "smb.conf"

    def __enter__(self):
        for name in ("private", "lock", "state", "cache", "pid", "ncalrpc"):
            (self.folder / name).mkdir(parents=True)
        self.config.write_text(CONFIG.format(self.folder, self.share))
        self.process = subprocess.Popen(
            [*self.host.before, "smbd", "-s", self.config, "-F", "--no-process-group"],
            start_new_session=True,  # smbd ends its whole process group
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.host.reaches(self.host.address, 445))
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=20)

    def client(self, host, **more):
        """An open smbclient at `host`, to be fed with commands."""
        return Client(self, host, **more)


class Client:
    def __init__(self, samba, host):
        # A terminal: into a pipe it says nothing before it ends.
        self.terminal, inner = pty.openpty()
        self.process = subprocess.Popen(
            [*host.before, "smbclient", "-s", samba.config, "-N", f"//{samba.host.address}/office"],
            stdin=inner, stdout=inner, stderr=inner, start_new_session=True, env={**os.environ, "TERM": "dumb"})
        os.close(inner)
        os.set_blocking(self.terminal, False)
        self.number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)

    def run(self, *commands, seconds=20):
        """What smbclient says to them; None when the connection is gone or nothing comes any more."""
        self.number += 1
        mark = f"end-{self.number}"
        try:
            os.write(self.terminal, "".join(f"{line}\n" for line in [*commands, mark]).encode())
        except OSError:
            return None
        said, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                said += os.read(self.terminal, 65536)
            except BlockingIOError:
                pass
            except OSError:
                break
            if f"{mark}: command not found".encode() in said or b"NT_STATUS_CONNECTION" in said or b"NT_STATUS_IO_TIMEOUT" in said:
                break
            if self.process.poll() is not None:
                break
            time.sleep(0.002)
        text = said.decode(errors="replace")
        gone = f"{mark}: command" not in text or "NT_STATUS_CONNECTION" in text or self.process.poll() is not None
        return None if gone else text
