#!/usr/bin/python3
"""Measures kura beside restic on a real S3 server, near or over a slow line, and prints a table.

    bench/s3.py [--scale 0.1] [--runs 3] [--delay 100] [--rate 20]

KURA_S3_SERVER names the program that starts the server (tests/system/s3_server.py says where it is looked for). With
--delay or --rate all goes through a line of so many milliseconds each way and so many Mbit/s; both tools share neither
connection nor time.
"""

import argparse
import asyncio
import os
import shutil
import sys
import threading

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ.setdefault("KURA", os.path.join(ROOT, "build/release/bin/kura"))
sys.path.append(os.path.join(ROOT, "tests", "system"))
import bench  # noqa: E402
import data  # noqa: E402
import tools  # noqa: E402
from s3_server import request, running_server  # noqa: E402

BASE = os.path.join(ROOT, "build", "bench")
PIECE = 1 << 16  # bytes


class Line:
    """Forwards connections to an address, each piece `delay` seconds later, and all of one way at `rate` bytes a second."""

    def __init__(self, host, port, delay, rate):
        self.to, self.delay, self.rate, self.port = (host, port), delay, rate, None
        self.free = {"up": 0.0, "down": 0.0}  # when the line has sent what was given to it
        self.ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self.ready.wait()

    async def _serve(self):
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await server.serve_forever()

    async def _connect(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection(*self.to)
        await asyncio.gather(self._carry(reader, far_writer, "up"), self._carry(far_reader, writer, "down"))

    async def _carry(self, reader, writer, way):
        under_way = asyncio.Queue(64)
        arrive = asyncio.create_task(self._arrive(under_way, writer))
        clock = asyncio.get_running_loop().time
        try:
            while piece := await reader.read(PIECE):
                begins = max(self.free[way], clock())
                self.free[way] = begins + (len(piece) / self.rate if self.rate else 0)
                await under_way.put((self.free[way] + self.delay, piece))
                await asyncio.sleep(self.free[way] - clock())
        except ConnectionError:
            pass
        await under_way.put((clock() + self.delay, b""))
        await arrive

    async def _arrive(self, under_way, writer):
        try:
            while True:
                when, piece = await under_way.get()
                await asyncio.sleep(when - asyncio.get_running_loop().time())
                if not piece:
                    break
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()


def in_bucket(kind, address, credentials):
    """The tool with its repository at `address` in place of a folder."""

    class InBucket(kind):
        def __init__(self, home, source):
            super().__init__(home, source)
            variable = "KURA_REPO" if kind is tools.Kura else "RESTIC_REPOSITORY"
            self.env = {**self.env, **credentials, variable: address}
            os.makedirs(self.repo, exist_ok=True)

        def begin(self, log):
            super().begin(log)
            os.makedirs(self.repo, exist_ok=True)  # nothing comes there: bytes stored are not measured

    return InBucket


def kinds_of(server, port):
    """For bench.measure: both tools, with a bucket of their own in each run."""
    credentials = {name: server[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}

    def kinds(number):
        for kind, scheme in ((tools.Kura, "s3+http://"), (tools.Restic, "s3:http://")):
            name = f"bench-{kind.name}-{number}"
            request(server, "PUT", name)
            yield in_bucket(kind, f"{scheme}127.0.0.1:{port}/{name}", credentials)

    return kinds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="office", help="the data set")
    parser.add_argument("--delay", type=float, default=0, metavar="MS")
    parser.add_argument("--rate", type=float, default=0, metavar="MBIT", help="Mbit/s each way; 0: as it comes")
    options = parser.parse_args()
    source = data.prepare(options.only, f"{BASE}/data", options.scale)
    servers = running_server(f"{BASE}/s3")
    server = next(servers)
    try:
        port = server["S3_PORT"]
        if options.delay or options.rate:
            port = Line(server["S3_HOST"], int(port), options.delay / 1000, options.rate * 125_000).port
        results = bench.measure(options.only, source, options.runs, f"{BASE}/log", kinds_of(server, port))
    finally:
        next(servers, None)
        shutil.rmtree(f"{BASE}/s3", ignore_errors=True)
    print(bench.as_markdown(bench.rows_of(results)))
    failures = bench.failures_of(options.only, results)
    print("\n".join(failures), file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
