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
import statistics
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ.setdefault("KURA", os.path.join(ROOT, "build/release/bin/kura"))
sys.path.append(os.path.join(ROOT, "tests", "system"))
import data  # noqa: E402
import tools  # noqa: E402
from s3_server import request, running_server  # noqa: E402

BASE = os.path.join(ROOT, "build", "bench")
SCENARIOS = ["first", "unchanged", "day 2", "restore", "check", "check, no keys"]
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


def measure(options, server, port, source, log):
    credentials = {name: server[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    results = {}
    for number in range(options.runs):
        turn = []
        for kind in (tools.Kura, tools.Restic):
            name = f"bench-{kind.name}-{number}"
            request(server, "PUT", name)
            address = f"s3+http://127.0.0.1:{port}/{name}" if kind is tools.Kura else f"s3:http://127.0.0.1:{port}/{name}"
            turn.append(in_bucket(kind, address, credentials)(f"{BASE}/work/{kind.name}", source))
        turn = turn[number % 2:] + turn[:number % 2]
        for tool in turn:
            tool.begin(log)
        for scenario in SCENARIOS:
            if scenario == "day 2":
                data.day_2(source)
            for tool in turn:
                if scenario in tool.commands:
                    print(f"run {number + 1}: {scenario}, {tool.name}", file=sys.stderr)
                    result = tool.measure(scenario, log)
                    if scenario == "restore" and not result.failure:
                        result.failure = tool.compare_restored()
                    results.setdefault((scenario, tool.name), []).append(result)
        data.undo_day_2(source)
        shutil.rmtree(f"{BASE}/work", ignore_errors=True)
    return results


def show(results):
    print("| scenario | tool | wall s | CPU s | peak MB | wall : kura |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for (scenario, name), runs in results.items():
        failed = [run.failure for run in runs if run.failure]
        if failed:
            print(f"| {scenario} | {name} | FAILED: {failed[0]} | | | |")
            continue
        wall, own = (statistics.median(run.wall for run in results[scenario, tool]) for tool in (name, "kura"))
        print(f"| {scenario} | {name} | {wall:.2f} | {statistics.median(run.cpu for run in runs):.2f} | "
              f"{max(run.memory for run in runs) / tools.MB:.0f} | {wall / own:.2f} |")
    return any(run.failure for runs in results.values() for run in runs)


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
        return show(measure(options, server, port, source, f"{BASE}/log"))
    finally:
        next(servers, None)
        shutil.rmtree(f"{BASE}/s3", ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
