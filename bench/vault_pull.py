#!/usr/bin/python3
"""Measures how fast one vault pulls from another, beside what the machine's TLS moves between two processes.

    bench/vault_pull.py [--size 1000] [--runs 3] [--line]

Near: on this machine, against one connection of OpenSSL with the same cipher that does nothing with the bytes. With
--line also over an emulated line of 100 Mbit/s, 100 ms and 1 % loss (tests/system/line.py; needs root). Figures count
only from a machine that does nothing else meanwhile.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("KURA", str(ROOT / "build/release/bin/kura"))
sys.path.insert(0, str(ROOT / "tests/system"))  # before this folder, which has a vault.py too
from kura import Kura  # noqa: E402
from line import Line  # noqa: E402
from vault import Vault  # noqa: E402

BASE = ROOT / "build/bench/pull"


def timed(work):
    began = time.monotonic()
    work()
    return time.monotonic() - began


def send_all(listener, context, size):
    """To the one that comes, in pieces of 1 MiB."""
    piece = random.Random(1).randbytes(1 << 20)
    with context.wrap_socket(listener.accept()[0], server_side=True) as stream:
        for _ in range(size >> 20):
            stream.sendall(piece)


def tls_seconds(a, size):
    """Seconds for about `size` bytes from one process to another over one TLS connection, with nothing done to them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(a.root / "server.pem", a.root / "server.key")
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = multiprocessing.Process(target=send_all, args=(listener, context, size))
        server.start()
        buffer, got = bytearray(1 << 20), 0
        with client.wrap_socket(socket.create_connection(listener.getsockname())) as stream:
            began = time.monotonic()
            while count := stream.recv_into(buffer):
                got += count
            seconds = time.monotonic() - began
        server.join()
    assert got == size >> 20 << 20, (got, size)
    return seconds


def pull_seconds(folder, a):
    """Seconds for all that `a` has, into a new vault."""
    shutil.rmtree(folder, ignore_errors=True)
    b = Vault(folder, "b" + str(random.randrange(1 << 30)))
    b.start_pulling(pause="1h")
    b.follow(a)
    b.stop()
    seconds = timed(lambda: subprocess.run(b.command("pull", "--once", "--json"), check=True, stdout=subprocess.PIPE))
    return seconds, sum(path.stat().st_size for path in b.packs("office"))


def filled(folder, size, host="127.0.0.1", before=()):
    """A vault that runs, with `size` MB in one repository."""
    a = Vault(folder, "a", host=host, before=before)
    a.start()
    source = folder / "source"
    source.mkdir()
    for i in range(size // 10):
        (source / str(i)).write_bytes(random.Random(i).randbytes(10_000_000))
    machine = Kura(folder / "pc", init=False)
    machine.folder.mkdir()
    machine.environment["KURA_REPO"] = f"{a.address}/office"
    machine.run("enrol", a.address, a.invite("pc", "office"), keys=False)
    machine.run("init", "--recovery-key-out", folder / "recovery-key", keys=False)
    machine.run("backup", source, keys=False, timeout=3600)
    return a


def report(name, seconds, size):
    median = statistics.median(seconds)
    print(f"{name:<40} {size / 1e6 / median:8.1f} MB/s {size * 8 / 1e6 / median:8.1f} Mbit/s  ({len(seconds)} runs)", flush=True)
    return size / median


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1000, help="MB that are pulled near (1000)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--line", action="store_true", help="over the emulated line too, 100 MB")
    options = parser.parse_args()
    shutil.rmtree(BASE, ignore_errors=True)
    a = filled(BASE / "a", options.size)
    pulls, tls = [], []
    for i in range(options.runs):
        seconds, size = pull_seconds(BASE / f"b{i}", a)
        pulls.append(seconds)
        tls.append(tls_seconds(a, size))
        shutil.rmtree(BASE / f"b{i}")
    a.stop()
    share = report("pull", pulls, size) / report("TLS between two processes", tls, size)
    print(f"pull is {share:.0%} of it")
    if options.line:
        with Line() as line:
            a = filled(BASE / "far", 100, line.far, line.before)
            seconds, size = zip(*(pull_seconds(BASE / f"near{i}", a) for i in range(options.runs)))
            a.stop()
        report("pull over 100 Mbit/s, 100 ms, 1 % loss", seconds, size[0])


if __name__ == "__main__":
    main()
