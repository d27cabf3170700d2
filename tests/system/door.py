"""kura-door in a namespace, a vault behind it, and knocks made by hand."""
import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kura import PROGRAM, Kura
from vault import Vault, identity

DOOR_PROGRAM = Path(PROGRAM).with_name("kura-door")
PORT = 7443
JOB, EMERGENCY = 1, 2


class Door:
    """The helper, in the namespace of `host`; started, and stopped by stop() or at the end of `with`."""

    def __init__(self, folder, host, port=PORT, keep=(), user=None, program=DOOR_PROGRAM, before=()):
        self.host, self.socket, self.process = host, Path(folder) / "door.sock", None
        options = [f"--port={port}"] if port else []
        options += [f"--keep={kept}" for kept in keep] + ([f"--user={user}"] if user is not None else [])
        self.command = [*host.before, *before, program, "serve", "--socket", self.socket, "--json", *options]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        assert line and json.loads(line)["type"] == "listening", (line, self.process.stderr.read1())

    def stop(self, by=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(by)
            self.process.communicate(timeout=30)
            self.process = None

    def connect(self):
        """A connection to its socket, by a short name: a socket's address has 107 bytes at most."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(10)
        folder = os.open(self.socket.parent, os.O_PATH)
        try:
            connection.connect(f"/proc/self/fd/{folder}/{self.socket.name}")
        finally:
            os.close(folder)
        return connection

    def ask(self, **request):
        """What the helper answers to who runs the tests."""
        with self.connect() as connection:
            connection.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(connection.makefile().readline())

    def show(self):
        done = self.host.run(DOOR_PROGRAM, "show", "--json")
        return [json.loads(line) for line in done.stdout.splitlines()]


class GuardedVault(Vault):
    """A vault behind a door, in the namespace of `host`."""

    def __init__(self, folder, host, door, before=()):
        super().__init__(folder, host=host.address, before=(*host.before, *before), serve=("--door", door.socket))
        self.port = PORT

    def serve_address(self, port):
        return f"[::]:{port}"

    def door(self, *arguments, **more):
        return self.run("door", *arguments, "--json", **more)

    def state(self, machine):
        return next(line for line in self.door("status").lines if line["machine"] == machine)

    def enrolled(self, machine, host):
        """A machine at `host`, let in by the operator for that, with a repository; the door is shut to it again."""
        token = self.invite(machine)
        self.door("open", machine, "--for", "10m", "--address", host.address)
        kura = Kura(self.folder / machine, init=False, before=host.before)
        kura.folder.mkdir()
        kura.vault, kura.host = self, host
        kura.environment["KURA_REPO"] = f"{self.address}/{machine}"
        kura.run("enrol", self.address, token, keys=False)
        kura.run("init", "--recovery-key-out", kura.folder / "recovery-key", keys=False)
        self.door("close", machine)
        return kura

    def events(self, event):
        """The texts of the vault's own journal about that."""
        lines = self.run("journal", "show", self.root / "journal", "--json").lines
        return [line["text"] for line in lines if line["event"] == event]


def knock(kura, counter, purpose=JOB, key=None, authority=None):
    """A knock as docs/vault-api.md describes it. `key`, `authority`: in place of the machine's."""
    own = (identity(kura) / "machine.pem").read_bytes()
    key = key or serialization.load_pem_private_key(own, None)
    der = x509.load_pem_x509_certificate(own[own.index(b"-----BEGIN CERTIFICATE"):]).public_bytes(
        serialization.Encoding.DER)
    authority = authority or hashlib.sha256(x509.load_pem_x509_certificate(
        (identity(kura) / "authority.pem").read_bytes()).public_bytes(serialization.Encoding.DER)).digest()
    body = b"KURAKNOK" + struct.pack("<BBQ", 1, purpose, counter) + authority + _string(der)
    signature = key.sign(b"kura knock v1" + body, ec.ECDSA(hashes.SHA256()))
    return body + _string(signature)


def send(host, address, datagram, port=PORT):
    with host.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(datagram, (address, port))


def _string(data):
    size, out = len(data), b""
    while size >= 0x80:
        out += bytes([size & 0x7F | 0x80])
        size >>= 7
    return out + bytes([size]) + data
