"""Damage that one of two vaults puts right with the other's bytes, and what nobody can do with that."""
import hashlib
import subprocess
import time

import pytest

from following import alarms, hostile, objects, pair  # noqa: F401
from hostile_vault import Answer
from kura import flip, tree_of, wait_until
from vault import request

SCRUBS = ("--scrub-rate", "1GB")
KINDS = ("config", "keys", "packs", "index", "snapshots")


def files(vault, kind, name="office"):
    """Of its objects of that kind."""
    folder = vault.repository(name) / "objects" / kind
    return sorted(path for path in folder.rglob("*") if path.is_file() and len(path.name) == 64)


def state(vault, name="office"):
    """Of the running vault's repository."""
    (found,) = [line for line in vault.run("status", "--json").lines if line.get("repository") == name]
    return found


def repairs(vault, name="office"):
    return {id: line["who"] for line in vault.events(name, "repair") for id in line["objects"]}


def scrubbing(vault, damaged):
    """Starts it anew, and waits until it has found so much."""
    vault.stop()
    vault.start(*SCRUBS)
    wait_until(lambda: state(vault)["damaged"] == damaged)


def assert_a_restores(pair, snapshot, whole):
    pair.pc.assert_whole()
    target = pair.pc.restored(snapshot, pair.folder / "out-a")
    assert tree_of(target / pair.source.relative_to("/")) == whole


def ask_as_b(pair, method, path, body):
    """A request to A with what B shows there."""
    own = pair.b.root / "followed/a"
    command = ["curl", "-sS", "-X", method, "--cacert", own / "authority.pem", "--cert", own / "machine.pem",
               "-H", "Expect:", "-w", "\n%{http_code}", "--data-binary", "@-", f"{pair.a.address}/v1/repositories/{path}"]
    out = subprocess.run(command, input=body, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60).stdout
    return int(out.rpartition(b"\n")[2])


# What is put right.

def test_flipped_bits_of_every_kind_in_the_followed_vault_are_put_right(pair):
    snapshot = pair.back_up(1)
    whole = tree_of(pair.source)
    pair.b.pull()
    before = objects(pair.a)
    flipped = [max(files(pair.a, kind), key=lambda path: path.stat().st_size) for kind in KINDS]
    for path in flipped:
        flip(path, at=path.stat().st_size // 2)
    scrubbing(pair.a, len(KINDS))
    sent = sum(path.stat().st_size for path in flipped)
    began = time.monotonic()
    told = pair.b.pull("--rate", "600K").summary
    assert time.monotonic() - began > sent / 600_000 * 0.9  # at its pace
    assert told["repaired_there"] == len(KINDS) and told["repaired_here"] == 0 and told["alarms"] == 0
    now = state(pair.a)
    assert now["damaged"] == 0 and now["repaired"] == len(KINDS)
    assert repairs(pair.a) == {path.name: "b" for path in flipped}
    assert objects(pair.a) == before
    metrics = pair.a.admin("/metrics")[1].decode()
    assert f'kura_vault_repaired_objects_total{{repository="office"}} {len(KINDS)}\n' in metrics
    assert 'kura_vault_damaged_objects{repository="office"} 0\n' in metrics
    assert b"repaired" in pair.a.run("status").out
    pair.a.verify("office")
    assert_a_restores(pair, snapshot, whole)


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_a_kind_that_was_removed_while_the_followed_vault_was_off_is_put_right(pair, kind):
    snapshot = pair.back_up(1)
    whole = tree_of(pair.source)
    pair.b.pull()
    before, used, lost = objects(pair.a), state(pair.a)["used"], files(pair.a, kind)
    pair.a.stop()
    for path in lost:
        path.unlink()
    scrubbing(pair.a, len(lost))
    assert pair.b.pull().summary["repaired_there"] == len(lost)
    now = state(pair.a)
    assert now["damaged"] == 0 and now["used"] == used and objects(pair.a) == before
    assert repairs(pair.a) == {path.name: "b" for path in lost}
    assert_a_restores(pair, snapshot, whole)
    pair.back_up(3)  # it leans on what was away
    pair.b.pull()


def test_flipped_bits_in_the_follower_are_put_right_from_the_followed_vault(pair):
    snapshot = pair.back_up(1)
    whole = tree_of(pair.source)
    pair.b.pull()
    before = objects(pair.b)
    flipped = [files(pair.b, kind)[0] for kind in KINDS]
    for path in flipped:
        flip(path, at=path.stat().st_size // 2)
    pair.b.start_pulling(*SCRUBS)
    wait_until(lambda: state(pair.b)["repaired"] == len(KINDS))
    assert state(pair.b)["damaged"] == 0
    pair.b.stop()
    assert repairs(pair.b) == {path.name: "a" for path in flipped}
    assert objects(pair.b) == before
    assert '"event":"repair"' in (pair.b.folder / "vault.log").read_text()
    pair.assert_b_restores(snapshot, whole)


def test_what_is_damaged_in_both_stays_told_and_is_not_tried_in_a_loop(pair, hostile):
    pair.back_up(1)
    pair.b.pull()
    name = files(pair.b, "packs")[0].name
    for vault in (pair.a, pair.b):
        (path,) = [path for path in files(vault, "packs") if path.name == name]
        flip(path, at=path.stat().st_size // 2)
    scrubbing(pair.a, 1)
    hostile.requests.clear()
    pair.b.start_pulling(*SCRUBS)
    wait_until(lambda: state(pair.b)["damaged"] == 1)
    wait_until(lambda: [line[0] for line in hostile.requests if name in line[1]] == ["HEAD", "GET"])
    seen = len(hostile.requests)
    wait_until(lambda: len(hostile.requests) > seen + 5)  # rounds later
    assert len([line for line in hostile.requests if name in line[1]]) == 2
    assert state(pair.b)["damaged"] == 1 and state(pair.a)["damaged"] == 1
    pair.b.stop()
    assert len(pair.a.events("office", "alarm")) == 1 and len(pair.b.events("office", "alarm")) == 1
    assert not repairs(pair.a) and not repairs(pair.b)


# What nobody can do with that.

def test_a_hostile_follower_puts_right_what_is_damaged_and_nothing_else(pair):
    lab = pair.a.machine("pc2", "lab")
    lab.backup(pair.source, keys=False)
    pair.back_up(1)
    right = {path.name: path.read_bytes() for path in files(pair.a, "packs")}
    damaged, config = files(pair.a, "packs")[0], files(pair.a, "config")[0]
    flip(damaged, at=100)
    flip(config, at=20)
    scrubbing(pair.a, 2)
    before = objects(pair.a), objects(pair.a, "lab"), (pair.a.repository("office") / "journal").read_bytes()
    junk = b"junk" * 1000
    whole = next(name for name in right if name != damaged.name)
    for path, body, expected in (
            (f"office/packs/{whole}", right[whole], 403),                              # not damaged
            (f"office/packs/{hashlib.sha256(junk).hexdigest()}", junk, 403),            # not there at all
            (f"office/packs/{damaged.name}", junk, 422),                                # other bytes
            (f"office/packs/{damaged.name}", right[damaged.name][:-1], 422),
            (f"office/packs/{damaged.name}", b"", 422),
            (f"office/config/{config.name}", b"x" * 4097, 400),                         # too large
            (f"office/index/{damaged.name}", right[damaged.name], 403),                 # of another kind
            (f"lab/packs/{damaged.name}", right[damaged.name], 403),                    # in another repository
            (f"nobody/packs/{damaged.name}", right[damaged.name], 404),
            (f"office/packs/{damaged.name}/copies", right[damaged.name], 403),
            (f"office/condemned/{damaged.name}", right[damaged.name], 403),
            (f"office/leases/{hashlib.sha256(junk).hexdigest()}", junk, 403)):
        assert ask_as_b(pair, "PUT", path, body) == expected, path
    for method in ("POST", "DELETE"):
        assert ask_as_b(pair, method, f"office/packs/{damaged.name}", right[damaged.name]) == 403
    another = request(lab, "PUT", f"/v1/repositories/office/packs/{damaged.name}", body=right[damaged.name])
    assert another[0] == 403  # a machine of another repository
    assert (objects(pair.a), objects(pair.a, "lab"), (pair.a.repository("office") / "journal").read_bytes()) == before
    assert not list((pair.a.repository("office") / "objects").rglob("tmp/*"))
    assert ask_as_b(pair, "PUT", f"office/packs/{damaged.name}", right[damaged.name]) == 200
    assert ask_as_b(pair, "PUT", f"office/packs/{damaged.name}", right[damaged.name]) == 403  # it is whole now
    assert repairs(pair.a) == {damaged.name: "b"}


def test_a_hostile_vault_is_sent_once_what_it_says_it_lacks(pair, hostile):
    """It takes all that comes, says that it is well, and goes on lacking it; or says that it failed."""
    pair.back_up(1)
    pair.b.pull()
    for path in files(pair.a, "packs")[:2]:
        flip(path, at=path.stat().st_size // 2)
    scrubbing(pair.a, 2)
    real, states = hostile.real, [200, 500]

    def keep(method, *more):
        return Answer(states.pop(), {}, b"{}") if method == "PUT" else real(method, *more)

    hostile.real = keep
    pair.b.start_pulling()
    wait_until(lambda: not states)
    seen = len(hostile.requests)
    wait_until(lambda: len(hostile.requests) > seen + 5)  # rounds later
    sent = [path for method, path, _ in hostile.requests if method == "PUT"]
    assert len(sent) == len(set(sent)) == 2
    assert state(pair.b)["damaged"] == 0 and state(pair.a)["damaged"] == 2
    pair.b.stop()
    assert not alarms(pair.b)


def test_a_hostile_vault_puts_nothing_wrong_in_the_place_of_what_is_damaged(pair, hostile):
    """Other bytes, an object without end, none at all."""
    pair.back_up(1)
    pair.b.pull()
    damaged = files(pair.b, "packs")[:2] + files(pair.b, "index")[:1]
    for path in damaged:
        flip(path, at=path.stat().st_size // 2)
    broken = [path.read_bytes() for path in damaged]
    other, endless, none = (path.name for path in damaged)

    def alter(method, path, made):
        if other in path:
            made.body = bytes(len(made.body))
        if endless in path:
            made.headers["kura-size"] = str(1 << 62)
        if none in path:
            made.status, made.body = 404, b"{}"

    hostile.alter = alter
    hostile.requests.clear()
    pair.b.start_pulling(*SCRUBS)
    wait_until(lambda: all(any(name in path for _, path, _ in hostile.requests) for name in (other, endless, none)))
    seen = len(hostile.requests)
    wait_until(lambda: len(hostile.requests) > seen + 4)
    assert state(pair.b)["damaged"] == 3
    pair.b.stop()
    assert [path.read_bytes() for path in damaged] == broken and not repairs(pair.b)
    assert all("following a" not in text for text in alarms(pair.b))
