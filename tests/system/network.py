"""A small internet of network namespaces: an office, two data centres and an operator, each with an address of its own
and joined by a router. Nothing outside of them is touched; they go when the `with` ends, also after a failure.

    with Network() as net:
        net.pc.run("ping", "-c1", net.a.address)
        with net.pc.connect(net.a.address, 7443) as connection: ...
"""
import contextlib
import ctypes
import os
import select
import socket
import struct
import subprocess
import threading
import time

from kura import wait_until

HOSTS = ("pc", "server", "a", "b", "operator")  # office PC, office server, data centres A and B, operator
_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


class Host:
    """One namespace. Programs run in it through `before`; sockets that are made by it stay in it."""

    def __init__(self, namespace, number):
        self.namespace = namespace
        self.address, self.address6 = f"198.18.{number}.2", f"fd6b:7572:6100:{number}::2"
        self.gateway, self.gateway6 = f"198.18.{number}.1", f"fd6b:7572:6100:{number}::1"

    @property
    def before(self):
        return ("nsenter", f"--net=/run/netns/{self.namespace}")

    def run(self, *command, check=True, **more):
        return subprocess.run([*self.before, *map(str, command)], check=check, capture_output=True, timeout=60, **more)

    def inside(self, function):
        """What `function()` gives, called on a thread that is in the namespace."""
        result, failure = [], []

        def enter():
            try:
                with open(f"/run/netns/{self.namespace}", "rb") as namespace:
                    if _LIBC.setns(namespace.fileno(), _NEW_NETWORK) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                result.append(function())
            except BaseException as error:  # given to who called
                failure.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if failure:
            raise failure[0]
        return result[0]

    def socket(self, *arguments):
        return self.inside(lambda: socket.socket(*arguments))

    def connect(self, address, port, seconds=5.0):
        """A TCP connection; OSError when there is none in that time."""
        connection = self.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        connection.settimeout(seconds)
        try:
            connection.connect((address, port))
        except OSError:
            connection.close()
            raise
        return connection

    def reaches(self, address, port, seconds=1.0):
        try:
            self.connect(address, port, seconds).close()
        except OSError:
            return False
        return True


class Network:
    def __init__(self, hosts=HOSTS):
        self.prefix = f"kura-{os.getpid()}-{time.monotonic_ns() % 1_000_000}"
        self.router = f"{self.prefix}-router"
        self.hosts = {}
        for number, name in enumerate(hosts, 1):
            self.hosts[name] = Host(f"{self.prefix}-{name}", number)
            setattr(self, name, self.hosts[name])

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for namespace in [host.namespace for host in self.hosts.values()] + [self.router]:
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True)

    def _make(self):
        hosts = list(enumerate(self.hosts.values(), 1))
        _ip(f"netns add {namespace}" for namespace in [self.router, *(host.namespace for _, host in hosts)])
        _ip((command for number, host in hosts for command in (
            f"link add to{number} type veth peer name wire netns {host.namespace}",
            f"address add {host.gateway}/24 dev to{number}",
            f"address add {host.gateway6}/64 dev to{number} nodad",
            f"link set to{number} up")), self.router)
        for _, host in hosts:
            _ip(("link set lo up",
                 f"address add {host.address}/24 dev wire",
                 f"address add {host.address6}/64 dev wire nodad",
                 "link set wire up",
                 f"route add default via {host.gateway}",
                 f"route add ::/0 via {host.gateway6}"), host.namespace)
        router = Host(self.router, 0)
        router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        for host in self.hosts.values():  # both sides are up when the first packet comes through
            _until_answered(host)


def _ip(commands, namespace=None):
    where = ["-n", namespace] if namespace else []
    subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(commands).encode(), check=True, capture_output=True)


def _until_answered(host):
    """Addresses of IPv6 are found out about in a moment."""
    wait_until(lambda: host.run("ip", "-6", "route", "get", host.gateway6, check=False).returncode == 0)


def scan_tcp(host, target, ports=range(1, 65536)):
    """{port: "open" or "refused"} of what answers at all; one SYN for each port."""
    is_v6 = ":" in target
    source_port = 55555
    raw = host.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    with raw:
        _make_large(raw)
        if is_v6:
            raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_CHECKSUM, 16)
        pseudo = _sum(socket.inet_aton(host.address) + socket.inet_aton(target) + struct.pack("!HH", 6, 20)) if not is_v6 else 0
        answers = {}
        for count, port in enumerate(ports, 1):
            head = struct.pack("!HHIIBBHHH", source_port, port, 1, 0, 5 << 4, 0x02, 1024, 0, 0)
            if not is_v6:
                head = head[:16] + struct.pack("!H", ~_folded(_sum(head) + pseudo) & 0xFFFF) + head[18:]
            raw.sendto(head, (target, 0))
            if count % 64 == 0:
                _take_tcp(raw, target, source_port, answers, 0.0)
        _take_tcp(raw, target, source_port, answers, 1.0)
        return answers


def scan_udp(host, target, ports=range(1, 65536)):
    """The ports from which anything comes back: a datagram, or word that nobody listens there."""
    is_v6 = ":" in target
    family = socket.AF_INET6 if is_v6 else socket.AF_INET
    answers = set()
    with host.socket(family, socket.SOCK_DGRAM) as probe, \
            host.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if is_v6 else socket.IPPROTO_ICMP) as errors:
        _make_large(errors)
        probe.setblocking(False)
        for count, port in enumerate(ports, 1):
            with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                probe.sendto(b"?", (target, port))
            if count % 64 == 0:
                _take_udp(probe, errors, is_v6, answers, 0.0)
        _take_udp(probe, errors, is_v6, answers, 1.0)
    return answers


def _make_large(raw):
    raw.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
    raw.setblocking(False)


def _sum(data):
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def _folded(value):
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def _packets(raw, quiet):
    """What has come, and comes until it was quiet for so long."""
    while select.select([raw], [], [], quiet)[0]:
        with contextlib.suppress(BlockingIOError):
            yield raw.recvfrom(4096)


def _take_tcp(raw, target, source_port, answers, quiet):
    for packet, peer in _packets(raw, quiet):
        begin = 0 if ":" in target else (packet[0] & 15) * 4
        sender, to, flags = *struct.unpack_from("!HH", packet, begin), packet[begin + 13]
        if peer[0] == target and to == source_port:
            answers[sender] = "open" if flags & 0x12 == 0x12 else "refused"


def _take_udp(probe, errors, is_v6, answers, quiet):
    for packet, _ in _packets(errors, quiet):
        outer = 0 if is_v6 else (packet[0] & 15) * 4
        if packet[outer] != (1 if is_v6 else 3):  # destination unreachable
            continue
        inner = outer + 8
        inner_head = 40 if is_v6 else (packet[inner] & 15) * 4
        answers.add(struct.unpack_from("!H", packet, inner + inner_head + 2)[0])
    for _, peer in _packets(probe, 0.0):
        answers.add(peer[1])
