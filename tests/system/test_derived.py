"""What a vault derives is remembered in SQLite or PostgreSQL, and only remembered: whatever happens to the database,
backups and housekeeping go on and nothing is lost."""
import json
import os
import random
import socket
import time
import urllib.parse

import pytest

from kura import MIB, fill, wait_until
from postgresql import PASSWORD, USER, Postgresql
from vault import Vault

FILES = 6


@pytest.fixture(scope="module")
def server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Postgresql(port) as running:
        yield running


@pytest.fixture
def database(server, request):
    """An empty one; its name."""
    name = "k" + str(abs(hash(request.node.name)))
    server.sql(f"create database {name}")
    yield name
    server.sql(f"drop database if exists {name} with (force)")


def url(server, database, password=PASSWORD):
    secret = f":{urllib.parse.quote(password, safe='')}" if password else ""
    return f"postgresql://{USER}{secret}@127.0.0.1:{server.port}/{database}"


def backups(kura, count, chance):
    source = kura.folder / "source"
    for _ in range(count):
        fill(source / str(chance.getrandbits(64)), FILES, MIB // 8, chance)
        kura.backup(source)


def logged(vault, event):
    lines = (vault.folder / "vault.log").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line.get("event") == event]


def remembered(server, database):
    return int(server.sql("select count(*) from kura_needs", database)[0])


def assert_whole(kura):
    kura.assert_whole()
    kura.restored(kura.ids()[-1], kura.folder / f"restored-{time.monotonic_ns()}")


def test_needs_are_remembered_in_a_file_and_used_after_a_start(tmp_path):
    with Vault(tmp_path / "v", serve=("--upkeep-every", "1s")) as vault:
        kura, chance = vault.machine("pc1"), random.Random(1)
        backups(kura, 3, chance)
        vault.stop()
        file = vault.root / "derived.sqlite"
        assert file.stat().st_mode & 0o777 == 0o600
        for spoil in (os.remove, lambda path: path.write_bytes(chance.randbytes(50_000)), lambda path: os.truncate(path, 5000)):
            spoil(file)
            vault.start()
            backups(kura, 1, chance)
            wait_until(lambda: file.exists() and file.read_bytes()[:15] == b"SQLite format 3")
            vault.stop()
            assert not logged(vault, "database_down")
        vault.start()
        assert_whole(kura)
        vault.verify("pc1")


def test_a_vault_goes_on_when_postgresql_is_killed_stalled_or_dropped(server, database, tmp_path):
    with Vault(tmp_path / "v", serve=("--upkeep-every", "1s"),
               environment={"KURA_VAULT_DATABASE": url(server, database)}) as vault:
        kura, chance = vault.machine("pc1"), random.Random(1)
        backups(kura, 2, chance)
        wait_until(lambda: remembered(server, database) == 2)
        assert not (vault.root / "derived.sqlite").exists()

        server.kill()
        began = time.monotonic()
        backups(kura, 1, chance)
        assert time.monotonic() - began < 5
        wait_until(lambda: logged(vault, "database_down"))
        assert vault.admin("/health")[0] == 200
        server.start()
        wait_until(lambda: remembered(server, database) == 3)

        server.stall()
        began = time.monotonic()
        backups(kura, 1, chance)
        assert time.monotonic() - began < 5
        server.stall(on=False)
        wait_until(lambda: remembered(server, database) == 4)

        server.sql(f"drop database {database} with (force)")
        backups(kura, 1, chance)
        vault.stop()
        vault.start()  # without its database
        server.sql(f"create database {database}")
        wait_until(lambda: int(server.sql("select count(*) from pg_tables where tablename = 'kura_needs'", database)[0])
                   and remembered(server, database) == 5)  # read from the snapshots
        assert_whole(kura)
        vault.verify("pc1")
        downs = logged(vault, "database_down")
        assert 2 <= len(downs) <= 6 and len(logged(vault, "database_up")) >= 2, downs

        # A password is in no log and in no process's arguments.
        written = (vault.folder / "vault.log").read_text()
        assert "MARK" not in written and urllib.parse.quote(PASSWORD, safe="") not in written
        assert b"MARK" not in open(f"/proc/{vault.process.pid}/cmdline", "rb").read()


def test_what_others_write_into_the_database_lets_nothing_go(server, database, tmp_path):
    with Vault(tmp_path / "v", serve=("--upkeep-every", "1s", "--database", url(server, database, password=None)),
               environment={"PGPASSWORD": PASSWORD}) as vault:
        kura = vault.machine("pc1")
        backups(kura, 3, random.Random(1))
        wait_until(lambda: remembered(server, database) == 3)
        vault.stop()
        server.sql("update kura_needs set needs = substr(needs, 1, 33) || '\\x0000'::bytea", database)
        server.sql("update kura_needs set snapshot = snapshot || '\\x00'::bytea where snapshot = "
                   "(select snapshot from kura_needs limit 1)", database)
        before = vault.packs("pc1")
        vault.start()
        wait_until(lambda: remembered(server, database) == 4)  # what no snapshot has is left where it is
        vault.stop()
        assert vault.packs("pc1") == before
        vault.start()
        assert_whole(kura)


def test_an_address_that_is_none_is_refused_and_not_shown(tmp_path):
    vault = Vault(tmp_path / "v")
    for address in ("mysql://u:MARK@h/d", "postgresql://u:MARK%zz@h/d"):
        done = vault.run("serve", "--database", address, "--json", code=2)
        assert b"MARK" not in done.out + done.err
