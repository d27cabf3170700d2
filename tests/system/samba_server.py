"""A Samba server with one share, in a network namespace, with everything of its own below one folder."""
import signal
import subprocess

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
private dir = {folder}/private
state directory = {folder}/state
lock directory = {folder}/lock
cache directory = {folder}/cache
pid directory = {folder}/pid
ncalrpc dir = {folder}/ncalrpc
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
        self.process = None

    def __enter__(self):
        for name in ("private", "state", "lock", "cache", "pid", "ncalrpc"):
            (self.folder / name).mkdir(parents=True)
        self.config.write_text(CONFIGURATION.format(port=self.port, address=self.host.address, folder=self.folder, shared=self.shared, share=SHARE))
        # smbd makes a process group of its own, which it ends with itself: it must not be told to stay in the caller's.
        with open(self.folder / "output", "wb") as output:
            self.process = subprocess.Popen([*self.host.before, "smbd", "--foreground", "-s", self.config],
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            wait_until(lambda: self.host.reaches(self.host.address, self.port))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
