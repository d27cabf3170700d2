"""What a vault and its people decide: quotas, freezing, barriers, deletion by two, and a clock that jumps."""
import random
import subprocess

import pytest

from kura import fake_clock, needs_faketime, wait_until
from office import make_office
from vault import Vault, request


@pytest.fixture
def vault(tmp_path):
    with Vault(tmp_path / "v", serve=("--upkeep-every", "1s", "--deletion-delay", "0s")) as running_vault:
        yield running_vault


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    for i in range(12):
        (folder / f"file-{i}").write_bytes(random.Random(i).randbytes(1_500_000))
    return folder


def status(vault, repository="pc1"):
    return next(line for line in vault.run("status", "--json").lines if line["repository"] == repository)


def encrypt(source, seed=1):
    for path in source.iterdir():
        path.write_bytes(random.Random(seed * 1000 + int(path.name.split("-")[1])).randbytes(1_500_000))


def scramble(files, seed=1):
    for number, path in enumerate(files):
        path.write_bytes(random.Random(seed * 1000 + number).randbytes(path.stat().st_size))


def freezes(vault, repository):
    return [(line["who"], line["text"]) for line in vault.events(repository, "freeze")]


def test_a_repository_ends_at_its_quota_and_says_so(vault, source):
    pc = vault.machine("pc1")
    vault.run("policy", "pc1", "within=30d", "daily=60", "weekly=26", "monthly=24", "yearly=10", "quota=5M")
    full = pc.run("backup", source, code=1, keys=False)
    assert b"quota" in full.err and b"operator" in full.err, full.err
    assert status(vault)["snapshots"] == 0
    other = vault.machine("pc2")
    other.backup(source)
    vault.run("policy", "pc1", "within=30d", "daily=60", "weekly=26", "monthly=24", "yearly=10", "quota=100M")
    pc.backup(source)
    assert status(vault)["used"] > 18_000_000


def test_the_repositories_of_a_customer_share_a_quota(vault, source):
    rules = ("within=30d", "daily=60", "weekly=26", "monthly=24", "yearly=10", "customer=acme")
    machines = [vault.machine(name) for name in ("pc1", "pc2")]
    for name in ("pc1", "pc2"):
        vault.run("policy", name, *rules)
    vault.run("customer", "acme", "--quota", "30MB")
    machines[0].backup(source)
    full = machines[1].run("backup", source, code=1, keys=False)
    assert b"customer acme" in full.err
    assert vault.run("customer", "--json").lines[0]["quota"] == 30_000_000


def test_a_machine_that_sees_an_attack_freezes_its_repository_and_no_other(vault, tmp_path):
    office = make_office(tmp_path / "office", 60)
    pc, other = vault.machine("pc1"), vault.machine("pc2")
    for machine in (pc, other):
        vault.run("policy", machine.folder.name, "daily=1")
        machine.backup(office)
    scramble(sorted(path for path in office.rglob("*") if path.is_file())[:5])  # too few for the vault's own eyes
    done = pc.json("backup", office, keys=False)
    assert done.summary["verdict"] == "attacked" and done.summary["frozen"] is True
    ((who, why),) = freezes(vault, "pc1")
    assert who == "pc1" and why.startswith("the machine says: the backup ") and "attack" in why
    assert status(vault, "pc1")["frozen"] and not status(vault, "pc2")["frozen"]
    # All of the evening is kept, over a restart too, and nobody fills the journal by saying it again.
    for number in range(3):
        (office / "new").write_text(str(number))
        pc.backup(office, keys=False)
    vault.stop()
    vault.start()
    assert len(pc.ids()) == 5 and len(freezes(vault, "pc1")) == 1
    vault.run("thaw", "pc1", "--why", "the disk was put back", "--who", "ann")
    wait_until(lambda: len(pc.ids()) < 5)


def test_a_machine_freezes_nothing_of_others_and_thaws_nothing(vault, source):
    pc, other = vault.machine("pc1"), vault.machine("pc2")
    other.backup(source)
    assert request(pc, "POST", "/v1/repositories/pc2/freeze", body=b"why")[0] in (403, 404)
    assert request(pc, "POST", "/v1/repositories/pc1/freeze", body=b"x" * 10_000_000)[0] in (400, 413)
    assert not status(vault, "pc1")["frozen"] and not status(vault, "pc2")["frozen"]
    assert request(pc, "POST", "/v1/repositories/pc1/freeze", body=b"odd\x1b[31m\n")[0] == 200
    ((_, why),) = freezes(vault, "pc1")
    assert "\x1b" not in why and "\n" not in why
    for path in ("/v1/thaw", "/v1/repositories/pc1/thaw"):
        assert request(pc, "POST", path, body=b'{"repository":"pc1","who":"pc1","text":"no"}')[0] in (403, 404)
    assert status(vault, "pc1")["frozen"]


def test_encrypted_files_freeze_the_repository_without_any_key(vault, source):
    pc = vault.machine("pc1")
    good = pc.backup(source)
    for i in range(4):
        (source / "file-0").write_bytes(random.Random(50 + i).randbytes(200_000))
        pc.backup(source)
    assert not status(vault)["frozen"]
    encrypt(source)
    pc.backup(source)
    told = status(vault)
    assert told["frozen"] and told["suspect"] == 1
    assert b"FROZEN" in vault.run("status").out and b"SUSPECT" in vault.run("status").out
    vault.stop()
    vault.start()
    assert status(vault)["frozen"]
    vault.run("thaw", "pc1", "--no-attack", "--why", "new software")
    told = status(vault)
    assert not told["frozen"] and told["suspect"] == 0
    assert good in pc.ids()


def test_after_a_barrier_backups_lean_on_nothing_of_the_attack(vault, source, tmp_path):
    pc = vault.machine("pc1")
    good = pc.backup(source)
    since = vault.run("clock", "show", "--json").summary["now"]
    wait_until(lambda: vault.run("clock", "show", "--json").summary["now"] > since)
    since = vault.run("clock", "show", "--json").summary["now"]
    (source / "planted").write_bytes(random.Random(9).randbytes(2_000_000))
    pc.backup(source)
    barred = vault.run("barrier", "pc1", "--since", since, "--json").summary["barred_packs"]
    assert barred > 0
    before = set(vault.packs("pc1"))
    after = pc.json("backup", source).summary
    assert after["chunks_new"] > 0 and set(vault.packs("pc1")) > before
    again = pc.json("backup", source).summary
    assert again["chunks_new"] == 0
    assert (pc.restored(after["snapshot_id"], tmp_path / "out") / str(source)[1:] / "planted").read_bytes() == \
        (source / "planted").read_bytes()
    assert good in pc.ids()
    pc.assert_whole()


@pytest.fixture
def people(vault, tmp_path):
    """Two operators of the vault: their names and key files."""
    keys = {}
    for name in ("mori", "sato", "ito"):
        keys[name] = tmp_path / f"{name}.key"
        public = vault.run("operator", "new-key", keys[name], "--json").summary["key"]
        if name != "ito":
            vault.run("operator", "add", name, public)
    return keys


def test_snapshots_go_before_their_time_only_by_two_people(vault, source, people):
    pc = vault.machine("pc1")
    first, second = pc.backup(source), None
    (source / "file-1").write_text("changed")
    second = pc.backup(source)
    mori, sato, ito = (("--who", name, "--key", people[name]) for name in ("mori", "sato", "ito"))
    vault.run("delete-request", "pc1", first, *ito, code=1)
    vault.run("delete-request", "pc1", first, "--who", "mori", "--key", people["sato"], code=1)
    number = vault.run("delete-request", "pc1", first, *mori, "--json").summary["request"]
    for same in (mori, ito, ("--who", "sato", "--key", people["mori"])):
        vault.run("delete-approve", "pc1", number, *same, code=1)
    assert set(pc.ids()) == {first, second}
    vault.run("delete-approve", "pc1", number, *sato)
    wait_until(lambda: pc.ids() == [second])
    assert vault.run("requests", "--json").lines == []
    shown = vault.run("journal", "show", vault.repository("pc1") / "journal", "--json").lines
    assert [line["event"] for line in shown][-3:] == ["delete request", "delete approval", "delete"]
    vault.verify("pc1")


def test_less_is_kept_only_by_two_people(vault, source, people):
    pc = vault.machine("pc1")
    vault.run("policy", "pc1", "daily=3")  # there is nothing yet that could go
    vault.run("policy", "pc1", "daily=5")
    pc.backup(source)
    refused = vault.run("policy", "pc1", "daily=4", code=1)
    assert b"two people" in refused.err
    vault.run("policy", "pc1", "daily=6")
    number = vault.run("delete-request", "pc1", "--policy", "daily=1", "--who", "mori", "--key", people["mori"],
                       "--json").summary["request"]
    vault.run("delete-cancel", "pc1", number)
    vault.run("delete-approve", "pc1", number, "--who", "sato", "--key", people["sato"], code=1)
    number = vault.run("delete-request", "pc1", "--policy", "daily=1", "--who", "mori", "--key", people["mori"],
                       "--json").summary["request"]
    vault.run("delete-approve", "pc1", number, "--who", "sato", "--key", people["sato"])
    wait_until(lambda: status(vault)["policy"] == "daily=1")


def test_one_stolen_login_makes_no_second_person(vault, source, people):
    """Whoever may do everything at the vault takes both operators out and puts his own in: these do not count yet."""
    pc = vault.machine("pc1")
    snapshot = pc.backup(source)
    for name in ("mori", "sato"):
        vault.run("operator", "remove", name)
    for name in ("mori", "sato"):
        public = vault.run("operator", "new-key", people["ito"].with_name(f"own-{name}"), "--json").summary["key"]
        vault.run("operator", "add", name, public)
    refused = vault.run("delete-request", "pc1", snapshot, "--who", "mori", "--key",
                        people["ito"].with_name("own-mori"), code=1)
    assert b"is an operator from" in refused.err


def test_a_third_operator_counts_at_once_when_two_agree(vault, people):
    public = vault.run("operator", "new-key", people["ito"].with_name("kato.key"), "--json").summary["key"]
    vault.run("operator", "add", "kato", public, "--agreed", f"mori={people['mori']}", "--agreed",
              f"sato={people['sato']}")
    listed = {line["operator"]: line["from"] for line in vault.run("operator", "list", "--json").lines}
    assert listed["kato"] <= vault.run("clock", "show", "--json").summary["now"]
    late = vault.run("operator", "add", "ito", "ab" * 32, "--agreed", f"mori={people['mori']}", "--json").summary
    assert late["from"] > vault.run("clock", "show", "--json").summary["now"]


@needs_faketime
@pytest.mark.parametrize("jump", ["+1y", "-1y", "+10s"])
def test_a_clock_that_jumps_ages_no_snapshot_and_keeps_nobody_out(tmp_path, source, jump):
    shift = tmp_path / "shift"
    shift.write_text("+0s")
    fake = fake_clock(FAKETIME_TIMESTAMP_FILE=str(shift), FAKETIME_NO_CACHE="1")
    with Vault(tmp_path / "v", serve=("--upkeep-every", "1s"), environment=fake) as vault:
        pc = vault.machine("pc1")
        vault.run("policy", "pc1", "daily=2")
        for i in range(3):
            (source / "file-0").write_text(str(i))
            pc.backup(source)
        shift.write_text(jump)
        (source / "file-0").write_text("after")
        pc.backup(source)  # its certificate is good by the vault's time
        doubt = vault.run("clock", "show", "--json").summary["doubt"]
        assert (doubt is None) == (jump == "+10s")
        vault.stop()
        vault.start()
        shown = vault.run("clock", "show", "--json").summary
        assert (shown["doubt"] is None) == (jump == "+10s")
        kept = len(pc.ids())
        assert kept >= 2
        if jump != "+10s":
            assert abs(_seconds(shown["now"]) - _seconds(_now())) < 3600
            assert b"in doubt" in vault.run("clock", "show").out and b"clock" in vault.run("status").err
            events = [line["event"] for line in vault.run("journal", "show", vault.root / "journal", "--json").lines]
            assert events.count("clock doubt") == 1
            shift.write_text("+0s")
            vault.run("clock", "trust", "--why", "NTP is back")
        assert vault.run("clock", "show", "--json").summary["doubt"] is None
        pc.assert_whole()


def _now():
    return subprocess.run(["date", "-u", "+%Y-%m-%dT%H:%M:%SZ"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()


def _seconds(text):
    return int(subprocess.run(["date", "-u", "-d", text, "+%s"], stdout=subprocess.PIPE, check=True).stdout)


def test_monitoring_sees_what_people_must_look_at(vault, source):
    pc = vault.machine("pc1")
    pc.backup(source)
    assert vault.admin("/health") == (200, b'{"healthy":true,"troubles":[]}')
    _, metrics = vault.admin("/metrics")
    lines = metrics.decode().splitlines()
    assert 'kura_vault_snapshots{repository="pc1"} 1' in lines and lines[-1] == "# EOF"
    assert 'kura_vault_frozen{repository="pc1"} 0' in lines
    damaged = vault.packs("pc1")[0]
    damaged.chmod(0o600)
    with open(damaged, "r+b") as file:
        file.seek(500)
        byte = file.read(1)
        file.seek(500)
        file.write(bytes([byte[0] ^ 1]))
    wait_until(lambda: status(vault)["damaged"] == 1, seconds=60)
    state, body = vault.admin("/health")
    assert state == 503 and b"1 object not whole" in body
    vault.run("freeze", "pc1")
    assert b'kura_vault_frozen{repository="pc1"} 1' in vault.admin("/metrics")[1]
    events = [line["event"] for line in vault.run("journal", "show", vault.repository("pc1") / "journal", "--json").lines]
    assert events.count("alarm") == 1


def test_the_rule_3_2_1_1_0_is_shown_as_far_as_it_holds(vault, source, tmp_path):
    pc = vault.machine("pc1")
    assert status(vault)["rule_32110"] == "3- 2- 1- 1- 0-"
    pc.backup(source)
    wait_until(lambda: status(vault)["rule_32110"] == "3- 2+ 1+ 1+ 0+", seconds=60)  # all was read again
    with Vault(tmp_path / "b", name="b") as other:
        other.follow(vault)
        wait_until(lambda: status(vault)["rule_32110"] == "3+ 2+ 1+ 1+ 0+", seconds=90)
        assert status(other)["rule_32110"].startswith("3+")
    (source / "file-0").write_text("newer than what the other vault has")
    pc.backup(source)
    assert status(vault)["rule_32110"].startswith("3-")
