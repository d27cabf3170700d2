"""A vault that runs, and machines that use it."""
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
from pathlib import Path

from kura import PROGRAM, Done, Kura

VAULT_PROGRAM = Path(PROGRAM).with_name("kura-vault")
TIME_REQUEST = b"GET /v1/time HTTP/1.1\r\nHost: v\r\n\r\n"


class Vault:
    """kura-vault with a folder of its own below `folder`; started, and stopped by stop() or at the end of `with`."""

    def __init__(self, folder, name="a", serve=(), environment=None, root=None, key=None, host="127.0.0.1", before=(),
                 init=()):
        """`serve`: options of `kura-vault serve`; `environment`: more of it, for kura-vault alone; `root`: its folder where
        that is to be another; `key`: of a vault that is there already. Machines reach it at `host`; `before` is what it
        is run through (ip netns exec NAME); `init`: options of `kura-vault init`."""
        self.folder, self.root, self.name = Path(folder), Path(root or Path(folder) / "vault"), name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process, self.host, self.port, self.before = None, host, 0, tuple(before)
        self.options = tuple(serve)
        self.environment = {**os.environ, **(environment or {})}
        self.key = key or self.run("init", "--name", name, "--reached-as", host, *init, "--json").summary["key"]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def command(self, *arguments):
        return [*self.before, VAULT_PROGRAM, "--root", self.root, *map(str, arguments)]

    def run(self, *arguments, code=0):
        """To its end, which is to be exit code `code` (None: any)."""
        done = subprocess.run(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=self.environment, timeout=60)
        assert code in (None, done.returncode), f"{arguments}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *more, port=None):
        """At the port that it had before, unless it is the first time."""
        port = self.port if port is None else port
        self.port = self._launch("serve", "--listen", self.serve_address(port), *self.options, *more)["port"]

    def start_pulling(self, *more, pause="1s"):
        """As a vault that nobody on the network reaches."""
        assert self._launch("pull", "--pause", pause, *more)["type"] == "pulling"

    def _launch(self, *arguments):
        with open(self.folder / "vault.log", "ab") as log:
            self.process = subprocess.Popen(self.command(*arguments, "--json"), env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        line = None
        while line is None or line["type"] not in ("listening", "pulling"):  # what stands against a repository may come first
            text = self.process.stdout.readline()
            assert text, (line, (self.folder / "vault.log").read_text())
            line = json.loads(text)
        return line

    def follow(self, other, *more, address=None, code=0):
        """Makes this vault, which runs, follow another one that does."""
        token = other.run("enrol", self.name, "--follower", "--json").summary["token"]
        return self.run("follow", address or other.address, token, *more, "--json", code=code)

    def pull(self, *more, code=0):
        """Once through all vaults that it follows; it does not run meanwhile."""
        return self.run("pull", "--once", *more, "--json", code=code)

    def events(self, name, kind):
        """Of that kind, in a repository's journal."""
        shown = self.run("journal", "show", self.repository(name) / "journal", "--json")
        return [line for line in shown.lines if line["event"] == kind]

    def snapshots_if_any(self, name):
        """The same while it runs, and perhaps has not made the repository, or is writing its journal."""
        try:
            return self.snapshots(name)
        except AssertionError:
            return []

    def snapshots(self, name):
        """The ids of those that came in and are still there, by the journal."""
        gone = {id for kind in ("expire", "delete") for line in self.events(name, kind) for id in line["objects"]}
        return [id for line in self.events(name, "commit") for id in line["objects"] if id not in gone]

    def serve_address(self, port):
        return f"{self.host}:{port}"

    def stop(self, by=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(by)
        self.process.communicate(timeout=30)
        self.process = None

    @property
    def address(self):
        return f"https://{self.host}:{self.port}"

    def admin(self, path):
        """Status and body of what the running vault answers at its admin socket."""
        # By a short name: a path in a socket's address has 107 bytes at most.
        out = subprocess.run(["curl", "-sS", "--unix-socket", "admin.sock", "-w", "\n%{http_code}", f"http://vault{path}"],
                             cwd=self.root, stdout=subprocess.PIPE, check=True, timeout=60).stdout
        body, _, state = out.rpartition(b"\n")
        return int(state), body

    def invite(self, machine, repository=None):
        more = ["--repository", repository] if repository else []
        return self.run("enrol", machine, *more, "--json").summary["token"]

    def machine(self, name, repository=None, init=True):
        """A machine of that name, enrolled, with a repository in the vault."""
        kura = Kura(self.folder / name, init=False)
        kura.folder.mkdir()
        kura.vault = self
        kura.environment["KURA_REPO"] = f"{self.address}/{repository or name}"
        kura.run("enrol", self.address, self.invite(name, repository), keys=False)
        if init:
            kura.run("init", "--recovery-key-out", kura.folder / "recovery-key", keys=False)
        return kura

    def repository(self, name):
        """Its folder: journal and objects."""
        return self.root / "repositories" / name

    def packs(self, name):
        return sorted(path for path in (self.repository(name) / "objects/packs").rglob("*") if path.is_file())

    def verify(self, name, *more, code=0):
        return self.run("journal", "verify", self.repository(name) / "journal", "--key", self.key, *more, "--json",
                        code=code)


def identity(kura):
    """The folder with what a machine shows to its vault."""
    return kura.state / "vaults" / f"{kura.vault.host}_{kura.vault.port}"


def receipts(kura, repository):
    return identity(kura) / f"receipts-{repository}"


def request(kura, method, path, *more, body=None, certificate=True):
    """A request to the vault by curl, with the machine's certificate. Gives status and body."""
    own = identity(kura)
    command = ["curl", "-sS", "-X", method, "--cacert", own / "authority.pem", "-w", "\n%{http_code}", *more]
    if certificate:
        command += ["--cert", own / "machine.pem", "--key", own / "machine.pem"]
    if body is not None:
        command += ["-H", "Expect:", "--data-binary", "@-"]
    out = subprocess.run([*command, f"{kura.vault.address}{path}"], input=body or b"", stdout=subprocess.PIPE,
                         check=True, timeout=60).stdout
    body, _, status = out.rpartition(b"\n")
    return int(status), body


def connect(kura, certificate="machine.pem", tls=ssl.TLSVersion.TLSv1_3, address="127.0.0.1"):
    """To its vault, with the certificate and key of that file of its identity; `address` is where it comes from."""
    context = ssl.create_default_context(cafile=identity(kura) / "authority.pem")
    context.check_hostname = False
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, tls
    if certificate:
        context.load_cert_chain(identity(kura) / certificate)
    plain = socket.create_connection(("127.0.0.1", kura.vault.port), source_address=(address, 0), timeout=10)
    return context.wrap_socket(plain)


def answers(connection, sent, patience=0.5):
    """All that comes back; nothing when it is cut."""
    connection.settimeout(patience)
    got = b""
    with contextlib.suppress(OSError):
        connection.sendall(sent)
        while piece := connection.recv(1 << 16):
            got += piece
    return got


def is_let_in(kura, **how):
    try:
        with connect(kura, **how) as connection:
            return b"kura-now" in answers(connection, TIME_REQUEST)
    except OSError:
        return False
