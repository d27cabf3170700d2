"""A vault that follows another one: what comes, what a follower cannot do, and what becomes of it when one of the two is
killed or lost."""
import random
import shutil
import signal
import subprocess
import time

from following import KILLS, alarms, hostile, is_frozen, objects, pair  # noqa: F401
from kura import Kura, running, tree_of, wait_until
from vault import Vault, request


# What comes.

def test_a_vault_that_follows_gets_all_and_serves_a_restore(pair):
    ids = [pair.back_up(i) for i in range(3)]
    files = tree_of(pair.source)
    told = pair.b.pull().summary
    assert told["snapshots"] == 3 and told["alarms"] == 0 and told["behind"] == 0
    assert pair.b.snapshots("office") == ids
    assert pair.b.pull().summary["objects"] == 0  # nothing again
    pair.b.verify("office")
    pair.assert_b_restores("latest", files)


def test_it_follows_while_it_runs_and_is_reached_by_nobody(pair):
    pair.b.start_pulling()
    first = pair.back_up(1)
    wait_until(lambda: pair.b.snapshots_if_any("office") == [first])
    listening = subprocess.run(["ss", "-Hltnup"], stdout=subprocess.PIPE, check=True, text=True).stdout
    assert f"pid={pair.b.process.pid}," not in listening and f"pid={pair.a.process.pid}," in listening
    state = pair.b.run("status", "--json").lines[-1]
    assert state["vault"] == "a" and state["repositories"][0]["state"] == "following"


def test_several_repositories_come_and_a_third_vault_follows_the_second(pair, tmp_path):
    pair.a.machine("pc2", "lab").backup(pair.source, keys=False)
    office = pair.back_up(1)
    pair.b.start()
    with Vault(tmp_path / "c", "c") as c:
        c.follow(pair.b)
        wait_until(lambda: c.snapshots_if_any("office") == [office] and len(c.snapshots_if_any("lab")) == 1, 60)
        assert objects(c, "lab") == objects(pair.b, "lab")


def test_what_the_followed_vault_lets_go_stays_by_the_own_policy(pair):
    pair.a.run("policy", "office", "daily=1")
    ids = [pair.back_up(i) for i in range(3)]
    pair.b.pull()
    skipped = pair.back_up(4), pair.back_up(5)
    pair.a.stop()
    pair.a.start()  # it looks at once
    wait_until(lambda: ids[1] not in pair.a.snapshots("office"))
    wait_until(lambda: skipped[0] not in pair.a.snapshots("office"))
    told = pair.b.pull().summary
    assert told["alarms"] == 0 and told["snapshots"] == 1  # what went before it came is no fault
    assert pair.b.snapshots("office") == [*ids, skipped[1]]
    pair.b.verify("office")


def test_the_quota_of_the_follower_holds_whatever_the_followed_vault_has(pair):
    lab = pair.a.machine("pc2", "lab")
    pair.back_up(1, 50_000)
    pair.b.pull()
    pair.b.start_pulling(pause="1h")
    pair.b.run("policy", "office", "within=30d", "daily=60", "weekly=26", "monthly=24", "yearly=10", "quota=2M")
    pair.b.stop()
    before = pair.b.snapshots("office")
    pair.back_up(2, 3_000_000)
    lab.backup(pair.source, keys=False)
    told = pair.b.pull(code=1)
    states = {line["repository"]: line["state"] for line in told.of_type("repository")}
    assert states == {"office": "waiting", "lab": "following"} and "quota" in str(told.lines)
    assert pair.b.snapshots("office") == before and len(pair.b.snapshots("lab")) == 1
    assert sum(map(len, objects(pair.b).values())) < 2_000_000
    assert not alarms(pair.b)


def test_the_key_that_is_given_has_to_be_the_vaults(pair, tmp_path):
    assert pair.followed["key"] == pair.a.key and not pair.followed["key_was_given"]
    c = Vault(tmp_path / "c", "c")
    c.start_pulling()
    try:
        refused = c.follow(pair.a, "--key", pair.b.key, code=1)
        assert "another key" in refused.errors[-1]["message"]
        assert not (c.root / "followed/a").exists()
        assert c.follow(pair.a, "--key", pair.a.key).summary["key_was_given"]
    finally:
        c.stop()


# What a follower cannot do.

def test_a_follower_reads_everything_and_changes_nothing(pair):
    snapshot = pair.back_up(1)
    own = pair.b.root / "followed/a"
    before = objects(pair.a), (pair.a.repository("office") / "journal").read_bytes()

    def ask(method, path, body=None):
        command = ["curl", "-sS", "-X", method, "--cacert", own / "authority.pem", "--cert", own / "machine.pem", "-w",
                   "\n%{http_code}", *(["-I"] if method == "HEAD" else []), f"{pair.a.address}/v1/{path}"]
        if body is not None:
            command += ["-H", "Expect:", "--data-binary", "@-"]
        out = subprocess.run(command, input=body or b"", stdout=subprocess.PIPE, check=True, timeout=60).stdout
        return int(out.rpartition(b"\n")[2])

    for path in ("repositories", "repositories/office/packs", f"repositories/office/snapshots/{snapshot}",
                 "repositories/office/journal", f"repositories/office/snapshots/{snapshot}/copies"):
        assert ask("GET", path) == 200, path
    junk = "0" * 64
    for kind in ("config", "keys", "packs", "index", "snapshots", "leases", "condemned", "parity"):
        for name in (junk, snapshot):
            assert ask("PUT", f"repositories/office/{kind}/{name}", b"junk") == 403, kind
            assert ask("DELETE", f"repositories/office/{kind}/{name}") == 403, kind
            assert ask("POST", f"repositories/office/{kind}/{name}", b"junk") == 403, kind
    for path in ("office/sync", "office/journal", "office/copies/x", "office", "", "/copies", "nobody/packs/" + junk):
        assert ask("POST", f"repositories/{path}", b"{}") in (403, 404), path
        assert ask("PUT", f"repositories/{path}", b"{}") in (403, 404), path
    for junk_claim in (b"", b"junk", (pair.a.repository("office") / "journal").read_bytes()):
        assert ask("POST", "repositories/office/copies", junk_claim) in (400, 403)
    for path in ("repositories/../journal", "repositories//packs", "repositories/office/tmp", "journal"):
        assert ask("GET", path) in (403, 404), path
    assert (objects(pair.a), (pair.a.repository("office") / "journal").read_bytes()) == before


def test_a_machine_is_no_follower_and_a_follower_no_machine(pair):
    for path in ("repositories", "repositories/", "repositories//packs"):
        assert request(pair.pc, "GET", f"/v1/{path}")[0] in (403, 404)
    assert request(pair.pc, "POST", "/v1/repositories/office/copies", body=b"x")[0] in (403, 404)
    refused = pair.a.run("enrol", "b", "--repository", "office", code=1)
    assert b"follows this one" in refused.err
    assert b"belongs to the repository" in pair.a.run("enrol", "pc", "--follower", code=1).err


def test_a_revoked_follower_gets_nothing_more(pair):
    pair.back_up(1)
    pair.b.pull()
    pair.a.run("revoke", "b", "--why", "closed")
    pair.back_up(2)
    pair.b.pull(code=1)
    assert len(pair.b.snapshots("office")) == 1


# Copies.

def test_the_followed_vault_knows_what_has_a_copy(pair):
    ids = [pair.back_up(i) for i in range(2)]
    assert pair.a.run("status", "--json").lines[0]["copies"] == {"snapshots": 0, "newest": None}
    pair.b.pull()
    ids.append(pair.back_up(3))
    copies = pair.a.run("status", "--json").lines[0]["copies"]
    assert copies["snapshots"] == 2 and copies["newest"]
    assert request(pair.pc, "GET", f"/v1/repositories/office/snapshots/{ids[0]}/copies") == (200, b'{"copies":["b"]}')
    assert request(pair.pc, "GET", f"/v1/repositories/office/snapshots/{ids[2]}/copies") == (200, b'{"copies":[]}')
    assert request(pair.pc, "GET", f"/v1/repositories/office/snapshots/{'0' * 64}/copies")[0] == 404
    assert [(line["who"], line["objects"]) for line in pair.a.events("office", "copy")] == [("b", ids[:2])]
    pair.a.stop()
    pair.a.start()
    assert pair.a.run("status", "--json").lines[0]["copies"]["snapshots"] == 2
    (pair.b.repository("office") / "followed/a.told").unlink()
    pair.b.pull()  # tells all again
    assert [line["objects"] for line in pair.a.events("office", "copy")] == [ids[:2], ids[2:]]


def test_a_backup_waits_for_its_copy(pair):
    told = pair.pc.json("backup", pair.source, "--wait-for-copy=1s", keys=False, code=1)
    (summary,) = told.of_type("summary")
    assert "no other vault has it" in told.errors[-1]["message"] and summary["snapshot_id"] in pair.a.snapshots("office")
    pair.b.start_pulling()
    (pair.source / "more").write_bytes(b"more")
    summary = pair.pc.json("backup", pair.source, "--wait-for-copy", keys=False).summary
    assert summary["copies"] == ["b"] and summary["snapshot_id"] in pair.b.snapshots("office")


def test_a_folder_has_no_copies_to_wait_for(tmp_path):
    (tmp_path / "k").mkdir()
    kura = Kura(tmp_path / "k")
    told = kura.json("backup", kura.folder / "recovery-key", "--wait-for-copy", code=1, keys=False)
    assert "is no vault" in told.errors[-1]["message"]


# Kills, cut lines, and the end of A.

def test_a_killed_follower_goes_on_where_it_was(pair, hostile):
    """No pack that came is fetched again."""
    chance = random.Random(5)
    ids = []
    for i in range(KILLS):
        ids += [pair.back_up(100 * i + k, 2_000_000) for k in range(2)]
        process = subprocess.Popen(pair.b.command("pull", "--once", "--json"), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with running(process):
            try:
                process.wait(timeout=chance.uniform(0.02, 0.5))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        have = {path.name for path in pair.b.packs("office")}
        mark = len(hostile.requests)
        if i % 3 == 2:
            pair.b.pull()
            again = [path for _, path, _ in hostile.requests[mark:] if path.rpartition("/")[2] in have]
            assert not again
    pair.b.pull()
    assert pair.b.snapshots("office") == ids
    pair.b.verify("office")
    assert not alarms(pair.b)


def test_a_killed_followed_vault_is_followed_on(pair):
    chance = random.Random(6)
    pair.b.start_pulling()
    done = []
    for i in range(KILLS):
        done.append(pair.back_up(i, 2_000_000))
        time.sleep(chance.uniform(0, 0.5))
        pair.a.stop(signal.SIGKILL)
        pair.a.start()
    wait_until(lambda: pair.b.snapshots_if_any("office") == done, 60)
    assert not alarms(pair.b)
    pair.b.verify("office")


def test_a_cut_line_goes_on_in_the_middle_of_a_pack(pair, hostile):
    pair.back_up(1, 3_000_000)
    cut = set()

    def cut_once(method, path, answer):
        if "/packs/" in path and path not in cut:
            cut.add(path)
            answer.length, answer.body = len(answer.body), answer.body[:len(answer.body) * 2 // 3]

    hostile.alter = cut_once
    assert pair.b.pull().summary["behind"] == 0
    ranges = [span for _, path, span in hostile.requests if "/packs/" in path and span]
    assert len(ranges) == len(cut) > 0
    assert not alarms(pair.b) and objects(pair.b).items() <= objects(pair.a).items()


def test_a_is_destroyed_in_the_middle_of_a_pull_and_b_restores_the_last_that_is_complete(pair, hostile):
    whole = pair.back_up(1)
    files = tree_of(pair.source)
    pair.b.pull()
    pair.back_up(2, 20_000_000)
    wanted = []

    def destroy(method, path, answer):
        if "/packs/" not in path:
            return
        wanted.append(path)
        if len(wanted) == 2:
            pair.a.stop(signal.SIGKILL)
            shutil.rmtree(pair.a.root)
        if len(wanted) >= 2:
            answer.length, answer.body = len(answer.body), answer.body[:1000]

    hostile.alter = destroy
    pair.b.pull(code=1)
    assert len(wanted) >= 2 and not pair.a.root.exists()
    assert pair.b.snapshots("office") == [whole]
    pair.assert_b_restores(whole, files)


def test_what_froze_the_first_vault_freezes_the_second_and_only_a_person_there_thaws_it(pair):
    pair.back_up(1)
    pair.b.pull()
    assert not is_frozen(pair.b)
    pair.a.run("freeze", "office", "--why", "an attack at the office", "--who", "ann")
    pair.b.pull(code=4)
    (told,) = alarms(pair.b)
    assert "frozen there" in told and "an attack at the office" in told and is_frozen(pair.b)
    pair.a.run("thaw", "office", "--why", "all is well", "--who", "ann")
    pair.b.pull()
    assert is_frozen(pair.b)
    pair.b.start_pulling(pause="1h")
    pair.b.run("thaw", "office", "--why", "all is well", "--who", "ann")
    pair.b.stop()
    latest = pair.back_up(2)
    pair.b.pull()  # what was told is not told again
    assert len(alarms(pair.b)) == 1 and not is_frozen(pair.b) and latest in pair.b.snapshots("office")
    pair.a.run("freeze", "office", "--why", "again", "--who", "ann")
    pair.b.pull(code=4)
    assert len(alarms(pair.b)) == 2 and is_frozen(pair.b)
