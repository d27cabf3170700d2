"""What several of the test files start from."""
import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from kura import MIB, PROGRAM, Kura, fill, tree_of


@pytest.fixture
def nobodys():
    """A folder that belongs to an ordinary user and that he can reach, and the program in it: (folder, program)."""
    folder = Path(tempfile.mkdtemp(prefix="kura-test-", dir="/var/tmp"))
    shutil.copy(PROGRAM, folder / "kura")
    os.chown(folder, 65534, 65534)
    folder.chmod(0o755)
    yield folder, folder / "kura"
    subprocess.run(["rm", "-rf", folder], check=True)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Three snapshots in several packs: (kura, source, {snapshot: its files}). Not to be changed: see `copied`."""
    folder = tmp_path_factory.mktemp("original")
    source = fill(folder / "source" / "a", 12, MIB // 4, random.Random(1)).parent
    kura = Kura(folder)
    contents = {}
    for day in range(3):
        fill(source / f"day-{day}", 4, MIB // 4, random.Random(10 + day))
        (source / "a" / "file-3").write_bytes(random.Random(20 + day).randbytes(MIB // 4))
        contents[kura.backup(source)] = tree_of(source)
    return kura, source, contents


@pytest.fixture
def copied(original, tmp_path):
    kura, source, contents = original
    return kura.copied_to(tmp_path), source, contents
