"""Following a vault over a long line that loses packets."""
import random

from kura import Kura, fill, needs_root
from line import Line
from vault import Vault


@needs_root
def test_over_a_long_line_that_loses_packets_all_comes(tmp_path):
    with Line(rate=50e6, round_trip=0.06, loss=0.01) as line:
        with Vault(tmp_path / "a", "a", host=line.far, before=line.before) as a:
            machine = Kura(tmp_path / "pc", init=False)
            machine.folder.mkdir()
            machine.environment["KURA_REPO"] = f"{a.address}/office"
            machine.run("enrol", a.address, a.invite("pc", "office"), keys=False)
            machine.run("init", "--recovery-key-out", tmp_path / "recovery-key", keys=False)
            ids = []
            for i in range(2):
                fill(tmp_path / f"source/{i}", 4, 500_000, random.Random(i))
                ids.append(machine.backup(tmp_path / "source", keys=False))
            b = Vault(tmp_path / "b", "b")
            b.start_pulling(pause="1h")
            b.follow(a)
            b.stop()
            b.pull()
            assert b.snapshots("office") == ids
            assert not b.events("office", "alarm")
