"""Seven good days survive whatever a machine that was taken over sends afterwards."""
import os
import random
import shutil
import time

import pytest

from kura import Kura

DAY = 24 * 3600
NOON = 12 * 3600

needs_faketime = pytest.mark.skipif(not shutil.which("faketime"), reason="the package faketime is not installed")


class Office:
    """A machine, its repository, and clocks that a test may move."""

    def __init__(self, folder):
        self.kura, self.source, self.count = Kura(folder), folder / "source", 0
        self.source.mkdir()
        self.today = int(time.time()) // DAY * DAY

    def backup(self, clock=None):
        """A backup of new contents; `clock` is what the machine believes the time is (seconds since 1970)."""
        self.count += 1
        (self.source / "document").write_text(f"version {self.count}")
        if clock is not None:
            when = time.strftime("@%Y-%m-%d %H:%M:%S", time.gmtime(clock))
            self.kura.before = ("faketime", "-m", "-f", when)
        try:
            return self.kura.backup(self.source, env={"NO_FAKE_STAT": "1", "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"})
        finally:
            self.kura.before = ()

    def receive(self, snapshot, when):
        """Makes it a snapshot that came in then: in a folder that is the time of the file."""
        os.utime(self.kura.repository / "snapshots" / snapshot, (when, when))

    def dailies(self, clocks):
        """Seven good days, ending yesterday. With `clocks` the machine's own times are right as well."""
        good = []
        for days_ago in range(7, 0, -1):
            when = self.today - days_ago * DAY + NOON
            good.append(self.backup(when if clocks else None))
            self.receive(good[-1], when)
        return good

    def forget(self, *rule):
        self.kura.run("forget", *rule)
        return self.kura.ids()


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


def flood(office, count, seed):
    """Junk, seconds later, claiming any time."""
    chance = random.Random(seed)
    now = int(time.time())
    claims = [now + i for i in range(count // 4)]
    claims += [now - days * DAY + chance.randrange(DAY) for days in range(count // 4)]
    claims += [now + days * DAY for days in range(count // 4)]
    claims += [chance.choice([0, 1, 2**31 - 2, 10**9, now - 365 * DAY, now + 3650 * DAY]) for _ in range(count // 4)]
    chance.shuffle(claims)
    return [office.backup(when) for when in claims]


@needs_faketime
def test_a_flood_with_any_forged_times_pushes_none_of_seven_days_out(office):
    good = office.dailies(clocks=True)
    junk = flood(office, 32, seed=1)
    assert set(good) <= set(office.forget("--keep-daily", "8"))
    for _ in range(3):  # again and again, as a job would
        left = office.forget("--keep-daily", "7")
        # Today's bucket is one of the seven; the good day that it may take the place of is the oldest, not more.
        assert set(good[1:]) <= set(left)
    office.kura.run("gc", "--keep-orphans", "0s")
    office.kura.assert_whole()
    assert junk[-1] in left, "the newest stays"


@needs_faketime
def test_a_flood_on_the_day_of_the_last_good_backup_pushes_none_out(office):
    """Seven dailies, the last of them today; the junk comes seconds later."""
    good = office.dailies(clocks=True)[1:] + [office.backup()]
    flood(office, 32, seed=2)
    assert set(good) <= set(office.forget("--keep-daily", "7"))


@needs_faketime
def test_seven_days_known_only_by_the_machines_clock_survive_as_well(office):
    """A repository whose times of receipt are all today: copied with other means, or a week made in an hour."""
    good = [office.backup(office.today - days_ago * DAY + NOON) for days_ago in range(6, -1, -1)]
    flood(office, 32, seed=3)
    assert set(good) <= set(office.forget("--keep-daily", "7"))


@needs_faketime
@pytest.mark.parametrize("rule", [("--keep-hourly", "24", "--keep-daily", "7"),
                                  ("--keep-daily", "7", "--keep-weekly", "4"),
                                  ("--keep-daily", "7", "--keep-monthly", "12", "--keep-yearly", "3"),
                                  ("--keep-daily", "7", "--keep-within", "1h")], ids=" ".join)
def test_more_rules_never_keep_less(office, rule):
    good = office.dailies(clocks=True)[1:] + [office.backup()]
    flood(office, 16, seed=4)
    assert set(good) <= set(office.forget(*rule))


def test_an_honest_office_keeps_what_it_asked_for_and_not_more(office):
    good = office.dailies(clocks=False)
    again = office.backup()
    for _ in range(3):
        later = office.backup()
    left = office.forget("--keep-within", "1s", "--keep-daily", "30")
    assert set(good) <= set(left) and again in left and later in left


def test_a_dry_run_removes_nothing_and_says_what_it_would(office):
    office.dailies(clocks=False)
    before = office.kura.ids()
    done = office.kura.json("forget", "--keep-daily", "2", "--dry-run")
    assert office.kura.ids() == before and done.summary["dry_run"] is True
    decided = done.of_type("snapshot")
    assert [d["id"] for d in decided] == before
    assert done.summary["forgotten"] == sum(not d["keep"] for d in decided)


def test_other_hosts_and_paths_have_buckets_of_their_own(office, tmp_path):
    (tmp_path / "other").mkdir()
    mine = office.backup()
    other = office.kura.backup(tmp_path / "other")
    host = office.kura.backup(office.source, "--host", "elsewhere")
    for _ in range(3):
        office.backup()
    assert {mine, other, host} <= set(office.forget("--keep-daily", "1"))


def test_named_snapshots_are_forgotten_and_no_others(office):
    ids = [office.backup() for _ in range(4)]
    office.kura.run("forget", ids[1][:12], ids[2])
    assert office.kura.ids() == [ids[0], ids[3]]
    done = office.kura.json("forget", ids[0], "0123456789abcdef", code=1)
    assert done.errors and office.kura.ids() == [ids[0], ids[3]], "a name that is wrong removes nothing"
    office.kura.assert_whole()
