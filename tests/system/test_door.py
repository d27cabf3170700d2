"""The door: who gets to a vault's port and who does not, through real nftables in network namespaces."""
import contextlib
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from door import DOOR_PROGRAM, EMERGENCY, PORT, Door, GuardedVault, knock, send
from kura import NOBODY, needs_root, wait_until
from network import Network, scan_tcp, scan_udp
from vault import VAULT_PROGRAM, Vault, identity

pytestmark = needs_root


@pytest.fixture
def net():
    with Network() as network:
        yield network


@pytest.fixture
def door(net, tmp_path):
    with Door(tmp_path, net.a, keep=[f"tcp:22:{net.operator.address}", f"tcp:{PORT}:{net.b.address}"]) as helper:
        yield helper


@pytest.fixture
def open_folder():
    """Everybody may enter it, which is not so of a test's own folder."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield folder


@pytest.fixture
def vault(net, door, tmp_path):
    with GuardedVault(tmp_path / "v", net.a, door) as guarded:
        yield guarded


@pytest.fixture
def server(net, vault):
    """The office server, enrolled; the door is shut to it."""
    kura = vault.enrolled("server", net.server)
    assert not net.server.reaches(net.a.address, PORT)
    return kura


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    for i in range(10):
        (folder / f"file-{i}").write_bytes(random.Random(i).randbytes(2000 * i + 1))
    return folder


def tls_connection(kura, address=None):
    """A connection to the vault with the machine's certificate, that stays."""
    own = identity(kura)
    context = ssl.create_default_context(cafile=own / "authority.pem")
    context.load_cert_chain(own / "machine.pem")
    plain = kura.host.connect(address or kura.vault.host, PORT)
    return context.wrap_socket(plain, server_hostname=kura.vault.host)


def answered(connection):
    """Whether the vault answers a request there."""
    try:
        connection.sendall(b"GET /v1/time HTTP/1.1\r\nHost: v\r\n\r\n")
        return connection.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def is_cut(connection):
    """Whether the other side has ended it; waits for that."""
    connection.settimeout(20)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def shut_to(vault, machine):
    return not vault.state(machine)["open"]


def in_every_hour(vault, machine="server"):
    vault.door("schedule", machine, "--none", "--at", "00:00", "--for", "24h")


def test_the_scanners_find_what_there_is_without_a_door(net, tmp_path):
    """So that a scan that finds nothing means something."""
    with Vault(tmp_path, host=net.a.address, before=net.a.before) as plain:
        for target in (net.a.address, net.a.address6):
            answers = scan_tcp(net.pc, target)
            assert len(answers) == 65535
            is_open = [port for port, answer in answers.items() if answer == "open"]
            assert is_open == ([plain.port] if ":" not in target else [])
            assert len(scan_udp(net.pc, target, range(1, 20_000))) > 2  # how often a machine tells is limited


def test_outside_of_the_window_no_port_is_found_from_anywhere(net, vault):
    for host, target in ((net.pc, net.a.address), (net.server, net.a.address), (net.pc, net.a.address6)):
        assert scan_tcp(host, target) == {}
        assert scan_udp(host, target) == set()
    assert host.run("ping", "-c1", "-W1", net.a.address, check=False).returncode != 0
    # What is kept reachable is: a machine that answers there is one that can be told to be closed.
    assert scan_tcp(net.operator, net.a.address, range(1, 1024)) == {22: "refused"}
    assert scan_tcp(net.b, net.a.address, range(PORT - 5, PORT + 5)) == {PORT: "open"}


def test_a_vault_that_only_pulls_is_found_by_nobody_and_reaches_out_itself(net, vault, tmp_path):
    with Door(tmp_path / "..", net.b, port=0) as helper:
        assert scan_tcp(net.a, net.b.address) == {} and scan_tcp(net.server, net.b.address, range(1, 10_000)) == {}
        assert scan_udp(net.server, net.b.address) == set()
        assert net.b.reaches(net.a.address, PORT)
        refused = helper.ask(do="open", address=net.a.address, seconds=60)
        assert not refused["done"] and "no port" in refused["message"]


def test_inside_of_the_window_only_the_one_address_gets_in(net, vault, server, source):
    vault.door("open", "server", "--for", "10m", "--address", net.server.address)
    assert scan_tcp(net.server, net.a.address) == {PORT: "open"}
    assert scan_udp(net.server, net.a.address, range(PORT - 500, PORT + 500)) == set()
    assert scan_tcp(net.pc, net.a.address, range(PORT - 500, PORT + 500)) == {}
    assert scan_tcp(net.server, net.a.address6, range(PORT - 5, PORT + 5)) == {}
    server.backup(source)
    assert len(server.ids()) == 1


def test_a_machine_knocks_within_its_hours_and_its_job_shuts_the_door(net, vault, server, source):
    in_every_hour(vault)
    server.backup(source)
    wait_until(lambda: shut_to(vault, "server"))
    assert not net.server.reaches(net.a.address, PORT)
    texts = vault.events("door")
    assert texts[-2:] == [f"open {net.server.address} job", "shut the job has ended"]
    assert server.ids()  # and again
    server.assert_whole()


def test_a_machine_is_told_why_the_door_stays_shut(net, vault, server, source):
    refused = server.run("backup", source, code=1, keys=False)
    assert b"door stays shut" in refused.err and b"--emergency" in refused.err
    assert any(text.startswith(f"refuse job from {net.server.address}") for text in vault.events("door"))


def test_another_machine_at_the_same_address_is_not_answered(net, vault, server, source):
    """Two machines behind one router."""
    other = vault.enrolled("other", net.server)
    vault.door("open", "server", "--for", "10m", "--address", net.server.address)
    with tls_connection(server) as connection:
        assert answered(connection)
    with tls_connection(other) as connection:
        assert not answered(connection)
    assert b"not open for this machine" in other.run("backup", source, code=1, keys=False).err


def test_the_end_of_the_time_shuts_the_door_and_cuts_what_is_connected(net, vault, server):
    vault.door("open", "server", "--for", "3s", "--address", net.server.address)
    with tls_connection(server) as connection:
        assert answered(connection)
        assert is_cut(connection)
    assert not net.server.reaches(net.a.address, PORT)
    wait_until(lambda: vault.events("door")[-1] == "shut the time is over")


def test_the_operator_shuts_the_door_and_cuts_what_is_connected(net, vault, server):
    for close in (("close", "server"), ("close", "--all")):
        vault.door("open", "server", "--for", "10m", "--address", net.server.address)
        with tls_connection(server) as connection:
            assert answered(connection)
            vault.door(*close)
            assert is_cut(connection)
        assert not net.server.reaches(net.a.address, PORT)


def test_the_kernel_shuts_the_door_when_vault_and_helper_are_dead(net, vault, server, door):
    vault.door("open", "server", "--for", "5s", "--address", net.server.address)
    assert net.server.reaches(net.a.address, PORT)
    vault.stop(signal.SIGKILL)
    door.stop(signal.SIGKILL)
    with pytest.raises(ConnectionRefusedError):  # nobody listens, but packets come through
        net.server.connect(net.a.address, PORT)

    def is_shut():
        try:
            net.server.connect(net.a.address, PORT, 0.5).close()
        except TimeoutError:
            return True
        except ConnectionRefusedError:
            return False
        return False
    wait_until(is_shut)
    assert scan_tcp(net.server, net.a.address, range(PORT - 50, PORT + 50)) == {}


def test_a_helper_that_is_killed_or_stopped_leaves_the_door_shut_to_all_others(net, vault, server, door):
    for how in (signal.SIGKILL, signal.SIGTERM):
        vault.door("open", "server", "--for", "10m", "--address", net.server.address)
        door.stop(how)
        assert not net.pc.reaches(net.a.address, PORT)
        door.start()  # shut, whatever was open
        assert not net.server.reaches(net.a.address, PORT)
        assert vault.run("door", "open", "server", "--for", "1m", "--address", net.server.address)
        assert net.server.reaches(net.a.address, PORT)
    door.stop()
    assert not net.server.reaches(net.a.address, PORT)
    assert scan_tcp(net.pc, net.a.address, range(1, 1000)) == {}
    net.a.run(DOOR_PROGRAM, "remove")
    assert net.pc.reaches(net.a.address, PORT)


def test_a_vault_that_is_started_again_has_shut_the_door(net, vault, server):
    in_every_hour(vault)
    for how in (signal.SIGKILL, signal.SIGTERM):
        vault.door("open", "server", "--for", "2h", "--address", net.server.address)
        assert net.server.reaches(net.a.address, PORT)
        vault.stop(how)
        vault.start()
        assert not net.server.reaches(net.a.address, PORT)
        state = vault.state("server")
        assert not state["open"] and state["schedule"] == "00:00+24h" and state["allowed_until"] is None
    assert "shut the vault was started again" in vault.events("door")
    assert "shut the vault stops" in vault.events("door")


def test_only_a_new_knock_of_the_machine_within_its_hours_opens(net, vault, server, tmp_path):
    with Network(("a", "server")) as elsewhere, Door(tmp_path / "v", elsewhere.a) as other_door, \
            GuardedVault(tmp_path / "other", elsewhere.a, other_door) as other_vault:
        foreign = other_vault.enrolled("server", elsewhere.server)
        foreign_knock = knock(foreign, time.time_ns() + 10**12)
        posing = knock(foreign, time.time_ns() + 10**12, authority=knock(server, 1)[18:50])
    counter = time.time_ns()
    out_of_hours = knock(server, counter)
    send(net.server, net.a.address, out_of_hours)
    wait_until(lambda: vault.events("door")[-1].startswith("refuse job"))
    in_every_hour(vault)
    good = knock(server, counter + 1)
    forged = knock(server, counter + 2, key=ec.generate_private_key(ec.SECP256R1()))
    altered = bytearray(knock(server, counter + 3))
    altered[9] = EMERGENCY
    for wrong in (out_of_hours, forged, bytes(altered), foreign_knock, posing, knock(server, counter),
                  b"", b"KURAKNOK", good[:-1], good + b"x", random.Random(1).randbytes(400), good[:200] + good):
        send(net.server, net.a.address, wrong)
    # After all of these comes one that is good.
    assert not net.server.reaches(net.a.address, PORT)
    send(net.server, net.a.address, good)
    wait_until(lambda: not shut_to(vault, "server"))
    assert net.server.reaches(net.a.address, PORT)
    vault.door("close", "server")
    vault.stop(signal.SIGKILL)
    vault.start()  # counters are remembered
    for host in (net.server, net.pc):
        send(host, net.a.address, good)
    time.sleep(1)
    assert shut_to(vault, "server") and not net.pc.reaches(net.a.address, PORT)
    send(net.server, net.a.address, knock(server, counter + 4))
    wait_until(lambda: not shut_to(vault, "server"))


def test_a_revoked_machine_is_shut_out_and_knocks_in_vain(net, vault, server):
    in_every_hour(vault)
    send(net.server, net.a.address, knock(server, time.time_ns()))
    wait_until(lambda: not shut_to(vault, "server"))
    with tls_connection(server) as connection:
        assert answered(connection)
        vault.run("revoke", "server", "--why", "stolen")
        assert is_cut(connection)
    send(net.server, net.a.address, knock(server, time.time_ns()))
    send(net.server, net.a.address, knock(server, time.time_ns(), EMERGENCY))
    assert not net.server.reaches(net.a.address, PORT, 2)
    assert shut_to(vault, "server") and vault.events("alarm") == []


def test_nobody_answers_a_knock(net, vault, server):
    in_every_hour(vault)
    with net.server.socket(socket.AF_INET, socket.SOCK_DGRAM) as knocking:
        knocking.sendto(knock(server, time.time_ns()), (net.a.address, PORT))
        wait_until(lambda: not shut_to(vault, "server"))
        knocking.settimeout(1)
        with pytest.raises(TimeoutError):
            knocking.recv(1)


def test_an_emergency_backup_opens_the_door_at_any_hour_and_raises_an_alarm(net, vault, server, source):
    done = server.run("backup", source, "--emergency", keys=False)
    assert b"emergency backup is done" in done.out
    wait_until(lambda: shut_to(vault, "server"))
    assert not net.server.reaches(net.a.address, PORT)
    assert len(vault.events("alarm")) == 1 and net.server.address in vault.events("alarm")[0]
    assert vault.state("server")["emergencies"] == 1
    told = server.run("-r", source.parent / "folder", "backup", source, "--emergency", code=2, keys=False)
    assert b"no door" in told.err


def test_emergencies_are_few_a_day_also_after_a_restart(net, vault, server):
    for _ in range(3):
        send(net.server, net.a.address, knock(server, time.time_ns(), EMERGENCY))
        wait_until(lambda: not shut_to(vault, "server"))
        send(net.server, net.a.address, knock(server, time.time_ns(), EMERGENCY))  # the same emergency
        wait_until(lambda: vault.events("door")[-1].endswith("emergency again"))
        vault.door("close", "server")
        vault.stop()
        vault.start()
    send(net.server, net.a.address, knock(server, time.time_ns(), EMERGENCY))
    wait_until(lambda: vault.events("door")[-1].startswith("refuse emergency"))
    assert shut_to(vault, "server") and len(vault.events("alarm")) == 3
    assert not net.server.reaches(net.a.address, PORT)


def test_a_flood_of_knocks_keeps_the_machine_from_nothing(net, vault, server, source):
    in_every_hour(vault)
    forged = knock(server, time.time_ns() + 10**15, key=ec.generate_private_key(ec.SECP256R1()))
    with net.pc.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        for _ in range(20_000):
            flood.sendto(forged, (net.a.address, PORT))
    server.backup(source)


def test_a_door_opens_over_ipv6_too(net, vault, server):
    in_every_hour(vault)
    send(net.server, net.a.address6, knock(server, time.time_ns()))
    wait_until(lambda: not shut_to(vault, "server"))
    assert vault.state("server")["addresses"] == [net.server.address6]
    assert net.server.reaches(net.a.address6, PORT) and not net.pc.reaches(net.a.address6, PORT)
    assert not net.server.reaches(net.a.address, PORT)
    vault.door("close", "server")
    assert not net.server.reaches(net.a.address6, PORT)


def test_a_stranger_at_the_helpers_socket_gets_nothing(net, vault, door, open_folder):
    script = ("import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
              "s.settimeout(10)\n"
              "try:\n  s.sendall(b'{\"do\":\"open\",\"address\":\"%s\",\"seconds\":60}\\n')\n"
              "except OSError: pass\n"
              "try:\n  print(s.recv(100))\nexcept OSError: print(b'')\n" % net.pc.address)
    with Door(open_folder, net.operator) as reachable:
        asked = subprocess.run([*NOBODY, "/usr/bin/python3", "-c", script, reachable.socket], capture_output=True, check=True)
        assert asked.stdout.strip() == b"b''"
        assert reachable.ask(do="status")["open"] == []
    for line in (b"\n", b"{}\n", b"[]\n", b"x" * 100_000, b'{"do":"open"}\n', b'{"do":"open","address":"1.2.3.4"}\n',
                 b'{"do":"open","address":"198.18.1.2 } ; flush ruleset","seconds":9}\n',
                 b'{"do":"open","address":"0.0.0.0","seconds":9}\n', b'{"do":"open","address":"1.2.3.4","seconds":1e9}\n'):
        with door.connect() as connection:
            answer = b""
            with contextlib.suppress(OSError):  # too long a line is not read to its end
                connection.sendall(line)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(4096)
        assert b'"done":true' not in answer, line
    assert door.ask(do="status") == {"done": True, "port": PORT, "open": []}


def test_a_table_that_somebody_removed_or_changed_is_put_back_shut(net, vault, server):
    for harm in (("flush", "ruleset"), ("insert", "rule", "inet", "kura_door", "input", "accept"),
                 ("flush", "chain", "inet", "kura_door", "port")):
        vault.door("open", "server", "--for", "10m", "--address", net.server.address)
        net.a.run("nft", *harm)
        wait_until(lambda: not net.pc.reaches(net.a.address, PORT, 0.3) and
                   not net.server.reaches(net.a.address, PORT, 0.3))


def test_a_helper_without_the_right_to_do_so_says_what_to_do(net, open_folder):
    told = subprocess.run([*NOBODY, *("setpriv", "--bounding-set=-all"), DOOR_PROGRAM, "serve", "--port", "7443",
                           "--socket", Path(open_folder) / "door", "--json"], capture_output=True)
    assert told.returncode == 1 and b"CAP_NET_ADMIN" in told.stdout


def test_a_vault_without_its_helper_or_at_another_port_does_not_start(net, tmp_path):
    with Door(tmp_path, net.a, port=7000) as wrong:
        vault = GuardedVault(tmp_path / "v", net.a, wrong)
        told = vault.run("serve", "--listen", f"{net.a.address}:{PORT}", "--door", wrong.socket, code=1)
        assert b"--port 7443" in told.err
    told = vault.run("serve", "--door", tmp_path / "nothing", code=1)
    assert b"kura-door" in told.err


def test_neither_needs_to_be_root(net, nobodys, source):
    """As the units of systemd run them: two users, and one capability."""
    folder, _ = nobodys
    for program in (DOOR_PROGRAM, VAULT_PROGRAM):
        shutil.copy(program, folder)
    helper_user, vault_user = 65533, 65534
    (folder / "run").mkdir()
    shutil.chown(folder / "run", helper_user)
    alone = ("setpriv", "--regid=65534", "--clear-groups")
    as_helper = (*alone, f"--reuid={helper_user}", "--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin",
                 "--bounding-set=-all,+net_admin")
    as_vault = (*alone, f"--reuid={vault_user}", "--inh-caps=-all", "--bounding-set=-all")
    with Door(folder / "run", net.a, user=vault_user, program=folder / "kura-door", before=as_helper) as door:
        status = open(f"/proc/{door.process.pid}/status").read()
        assert "CapEff:\t0000000000001000" in status and "CapBnd:\t0000000000001000" in status
        (folder / "v").mkdir()
        shutil.chown(folder / "v", vault_user)
        with GuardedVault(folder / "v", net.a, door, before=as_vault) as vault:
            server = vault.enrolled("server", net.server)
            in_every_hour(vault)
            server.backup(source)


def test_the_helper_that_root_starts_gives_up_what_it_does_not_need(door):
    status = open(f"/proc/{door.process.pid}/status").read()
    assert "CapEff:\t0000000000001000" in status and "NoNewPrivs:\t1" in status


def test_what_the_kernel_has_is_shown(net, door):
    assert door.show()[-1]["open"] == 0
    assert door.ask(do="open", address=net.pc.address, seconds=100)["done"]
    shown = door.show()
    assert shown[0]["address"] == net.pc.address and 0 < shown[0]["seconds"] <= 100 and shown[-1]["open"] == 1
    assert f"tcp dport {PORT}" in shown[-1]["rules"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_the_units_are_well_formed_and_hardened(tmp_path):
    for unit in ("kura-vault", "kura-door"):
        made = DOOR_PROGRAM.parent.parent / "systemd" / f"{unit}.service"
        text = made.read_text()
        program = text[text.index("ExecStart=") + 10:].split()[0]
        (tmp_path / f"{unit}.service").write_text(text.replace(program, str(DOOR_PROGRAM.with_name(unit))))
        checked = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / f"{unit}.service"],
                                 capture_output=True)
        complaints = [line for line in checked.stderr.splitlines() if unit.encode() in line]
        assert not complaints, complaints
        rated = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=30",
                                tmp_path / f"{unit}.service"], capture_output=True)
        assert rated.returncode == 0, rated.stdout[-500:]
