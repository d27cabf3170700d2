"""A Samba server whose clients stay connected: an open smbclient each, to be fed with commands."""
import os
import pty
import subprocess
import time
from pathlib import Path

from samba_server import SambaServer


class Samba(SambaServer):
    """At the port that Windows uses, for what watches its clients."""

    def __init__(self, folder, share, host):
        super().__init__(host, Path(folder), share, port=445)

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
