"""A long line: two network devices, and between them a process that carries packets at a rate, late, and loses some.

    with Line(rate=100e6, round_trip=0.1, loss=0.01) as line:
        Vault(folder, "a", line.far, line.before)      # runs beyond the line; line.near is this side's address

Needs root, for the devices and for the network namespace in which what is beyond it runs. No netem.
"""
import collections
import fcntl
import itertools
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
MOST_QUEUED = 0.1  # seconds of the rate: what a router keeps before it drops
NUMBERS = itertools.count(os.getpid() % 100 * 2)


class Line:
    def __init__(self, rate=100e6, round_trip=0.1, loss=0.01):
        """Bits a second, seconds, and the share of packets that are lost, each way."""
        number = next(NUMBERS)
        self.name, network = f"kura-line-{os.getpid()}-{number}", f"10.77.{number % 250}"
        self.near, self.far, self.before = f"{network}.1", f"{network}.2", ("ip", "netns", "exec", self.name)
        self.arguments = [str(rate), str(round_trip / 2), str(loss)]
        self.devices = f"kl{number}n", f"kl{number}f"
        self.process = None

    def __enter__(self):
        here, there = self.devices
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.process = subprocess.Popen([sys.executable, __file__, here, there, *self.arguments],
                                        stdout=subprocess.PIPE)
        self.process.stdout.readline()  # the devices are there
        for command in (f"link set {there} netns {self.name}", f"addr add {self.near}/30 dev {here}",
                        f"link set {here} up", f"-n {self.name} addr add {self.far}/30 dev {there}",
                        f"-n {self.name} link set {there} up", f"-n {self.name} link set lo up"):
            subprocess.run(["ip", *command.split()], check=True)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        subprocess.run(["ip", "netns", "del", self.name], check=True)


def device(name):
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


class Way:
    """Packets from one device to the other: one after the other onto the line, and then all equally late."""

    def __init__(self, source, target, rate, delay, loss):
        self.source, self.target, self.rate, self.delay, self.loss = source, target, rate, delay, loss
        self.free, self.under_way = 0.0, collections.deque()  # (when it arrives, packet)

    def take(self, now):
        for _ in range(64):
            try:
                packet = os.read(self.source, 1 << 16)
            except BlockingIOError:
                return
            begins = max(self.free, now)
            if begins - now > MOST_QUEUED or random.random() < self.loss:
                continue
            self.free = begins + len(packet) * 8 / self.rate
            self.under_way.append((self.free + self.delay, packet))

    def give(self, now):
        while self.under_way and self.under_way[0][0] <= now:
            try:
                os.write(self.target, self.under_way.popleft()[1])
            except OSError:
                pass  # the device is not up, or its queue is full: lost


def carry(here, there, rate, delay, loss):
    near, far = device(here), device(there)
    ways = Way(near, far, rate, delay, loss), Way(far, near, rate, delay, loss)
    print("ready", flush=True)
    while True:
        arrivals = [way.under_way[0][0] for way in ways if way.under_way]
        wait = max(0, min(arrivals) - time.monotonic()) if arrivals else 1
        ready, _, _ = select.select([near, far], [], [], wait)
        now = time.monotonic()
        for way in ways:
            if way.source in ready:
                way.take(now)
            way.give(now)


if __name__ == "__main__":
    carry(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:]))
