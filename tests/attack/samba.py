"""The back end for a Samba share: smbclient is the infected PC. Only shares on addresses that tests have for themselves are
attacked, and only those with the marker file."""
import ipaddress
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attack.confine import MARKER, MARKER_TEXT, Refused
from attack.modes import Range

OWN_ADDRESSES = [ipaddress.ip_network(words) for words in ("127.0.0.0/8", "::1/128", "198.18.0.0/15", "fd6b:7572:6100::/48")]
_ENTRY = re.compile(r"^  (?P<name>.+?) +(?P<kind>[A-Za-z]*) +(?P<size>\d+)  \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$")


class Samba:
    """`before` is what goes before smbclient's command line, for example to enter a network namespace. With no file of
    credentials the client is a guest."""

    def __init__(self, address: str, share: str, port: int = 445, before: Sequence[str] = (), credentials: Path | None = None):
        if not any(ipaddress.ip_address(address) in network for network in OWN_ADDRESSES):
            raise Refused(f"{address}: only servers of tests are attacked: loopback and {OWN_ADDRESSES[2]}")
        who = ["-N"] if credentials is None else ["-A", str(credentials)]
        self._command = [*before, "smbclient", f"//{address}/{share}", "-p", str(port), *who]
        self._name = f"//{address}/{share}"
        self._temporary = tempfile.TemporaryDirectory(prefix="kura-attack-")
        self._queue: list[str] = []
        self._count = 0
        self._check_marker()

    def close(self) -> None:
        self._temporary.cleanup()

    def __enter__(self) -> "Samba":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_marker(self) -> None:
        here = self._file()
        try:
            self._run([f"get {_quoted(MARKER)} {_quoted(str(here))}"])
            found = here.read_bytes()
        except (RuntimeError, FileNotFoundError):
            found = b""
        if found != MARKER_TEXT:
            raise Refused(f"{self._name}: there is no marker file '{MARKER}' in this share")

    def _file(self) -> Path:
        self._count += 1
        return Path(self._temporary.name) / f"{self._count}"

    def _run(self, commands: list[str]) -> str:
        """smbclient stops at no failure in a script, so failures are found in what it says."""
        for command in commands:
            if "\n" in command:
                raise Refused("a name with a line break cannot be said to smbclient")
        done = subprocess.run(self._command, input="\n".join(commands) + "\n", capture_output=True, text=True, check=False,
                              timeout=600, encoding="utf-8", errors="surrogateescape")
        failed = [line for line in (done.stdout + done.stderr).splitlines() if "NT_STATUS" in line]
        if done.returncode != 0 or failed:
            raise RuntimeError(f"smbclient: {failed[0] if failed else (done.stdout + done.stderr).strip()[-300:]}")
        return done.stdout

    def files(self) -> list[tuple[str, int]]:
        found, folder = [], ""
        for line in self._run(["recurse ON", "ls"]).splitlines():
            line = line.removeprefix("smb: \\> ")
            if entry := _ENTRY.match(line):
                path = folder + entry["name"]
                if "D" not in entry["kind"] and path != MARKER:
                    found.append((path, int(entry["size"])))
            elif line.startswith("\\"):
                folder = line.strip().strip("\\").replace("\\", "/") + "/"
        return sorted(found)

    def read(self, paths: list[str]) -> dict[str, bytes]:
        places = {path: self._file() for path in paths}
        if places:
            self._run([f"get {_remote(path)} {_quoted(str(place))}" for path, place in places.items()])
        contents = {}
        for path, place in places.items():
            contents[path] = place.read_bytes()
            place.unlink()
        return contents

    def write(self, path: str, data: bytes) -> None:
        place = self._file()
        place.write_bytes(data)
        self._queue.append(f"put {_quoted(str(place))} {_remote(path)}")

    def overwrite(self, path: str, data: bytes, ranges: list[Range] | None) -> None:
        """smbclient has no command that writes a part: it empties the file and sends all of the new contents."""
        self.write(path, data)

    def rename(self, old: str, new: str) -> None:
        self._queue.append(f"rename {_remote(old)} {_remote(new)} -f")

    def unlink(self, path: str) -> None:
        self._queue.append(f"rm {_remote(path)}")

    def sync(self, path: str) -> None:
        """`put` ends with a close; smbclient has no more than that."""

    def stamp(self, path: str, when: float) -> None:
        """Times are the server's."""

    def flush(self) -> None:
        if self._queue:
            self._run(self._queue)
        self._queue = []
        for place in Path(self._temporary.name).iterdir():
            place.unlink()


def _quoted(name: str) -> str:
    if '"' in name:
        raise Refused(f"'{name}' cannot be said to smbclient")
    return f'"{name}"'


def _remote(path: str) -> str:
    if path == MARKER:
        raise Refused("the marker file stays as it is")
    return _quoted(path.replace("/", "\\"))
