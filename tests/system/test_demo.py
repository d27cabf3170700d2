"""The demo that a newcomer runs first, as `./run demo` runs it."""

import os
import subprocess

DEMO = os.path.join(os.path.dirname(__file__), "..", "..", "demo", "demo.sh")


def demo(*arguments):
    done = subprocess.run(["sh", DEMO, *arguments], env=os.environ, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    return done.returncode, done.stdout.decode()


def test_it_brings_back_documents_of_this_machine():
    code, said = demo()
    assert code == 0 and "the same: " in said, said[-3000:]


def test_it_brings_back_a_folder_of_ones_own(tmp_path):
    (tmp_path / "own folder").mkdir()
    (tmp_path / "own folder" / "file").write_text("mine")
    code, said = demo(str(tmp_path / "own folder"))
    assert code == 0 and "the same: " in said, said[-3000:]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    code, said = demo(str(tmp_path / "none"))
    assert code == 1 and f"there is no {tmp_path}/none" in said, said
