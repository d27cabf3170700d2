"""A vault is keyless throughout: nothing of what was backed up, and no key that reads it, is on its disk, in its memory
or in its logs."""
import os
import random
import re
import secrets
import threading
from pathlib import Path

import pytest

from kura import MIB, needs_root
from vault import Vault

PIECE = 16  # bytes of a secret that are looked for: a copy that is in pieces is found too


def pieces(secret):
    """Looked for instead of a whole secret."""
    return [secret[at:at + PIECE] for at in range(0, len(secret) - PIECE + 1, PIECE)]


class Searched:
    """Where which of the texts lie."""

    def __init__(self, texts):
        self.texts, self.found = texts, set()

    def take(self, data, where):
        self.found.update((text, where) for text in self.texts if text in data)

    def folder(self, folder):
        for path in Path(folder).rglob("*"):
            self.take(os.fsencode(path.name), "a name")
            if path.is_file():
                self.take(path.read_bytes(), path)

    def memory(self, process):
        """All that the process may read of its own memory."""
        with open(f"/proc/{process}/maps", encoding="utf-8") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
            for line in maps:
                words = line.split()
                begin, end = (int(word, 16) for word in words[0].split("-"))
                if not words[1].startswith("r") or words[-1] in ("[vvar]", "[vsyscall]"):
                    continue
                try:
                    memory.seek(begin)
                    for at in range(begin, end, 16 * MIB):
                        self.take(memory.read(min(16 * MIB, end - at)), f"memory {words[-1]}")
                except (OSError, ValueError):
                    continue  # given back meanwhile


class Watch(threading.Thread):
    """Searches the memory of a process again and again until it is stopped."""

    def __init__(self, process, searched):
        super().__init__(daemon=True)
        self.process, self.searched, self.looks, self.stopped = process, searched, 0, threading.Event()
        self.start()

    def run(self):
        while not self.stopped.is_set():
            self.searched.memory(self.process)
            self.looks += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.join()


def make_source(folder, marker, name):
    """The marker as contents that are stored as they are, as contents that compress, in pieces, and as a name."""
    (folder / name.decode()).mkdir(parents=True)
    (folder / name.decode() / "opaque").write_bytes(random.Random(1).randbytes(MIB) + marker)
    (folder / "text").write_bytes(b"".join(b"line %d %s\n" % (number, marker) for number in range(20_000)))
    (folder / "small").write_bytes(marker)
    os.setxattr(folder / "small", b"user.mark", marker)


def keys_of(kura):
    """What opens the backups or stands for the machine: as it is in files, and as bytes."""
    machine = next(kura.state.glob("*/machine.key")).read_text()
    config = re.search("^config ([0-9a-f]{64})$", machine, re.MULTILINE)[1]  # that everybody may know
    words = set(re.findall("[0-9a-f]{64}", machine + (kura.folder / "recovery-key").read_text())) - {config}
    return [key for word in words for key in (word.encode(), bytes.fromhex(word))]


@needs_root
def test_nothing_that_was_backed_up_and_no_key_is_on_the_disk_in_the_memory_or_in_the_log(tmp_path):
    marker, name = secrets.token_hex(32).encode(), b"name-" + secrets.token_hex(32).encode()
    known = "pc-" + secrets.token_hex(16)  # the machine's name, which the vault does know: it has to be found
    make_source(tmp_path / "source", marker, name)
    with Vault(tmp_path / "v") as vault:
        pc = vault.machine(known)
        keys = [piece for key in keys_of(pc) for piece in pieces(key)]
        assert len(keys) == 3 * (4 + 2)  # the recovery key and two of the machine: in hex, and as bytes
        secret = [*pieces(marker), *pieces(name[5:]), *keys]
        searched = Searched([*secret, known.encode()])
        with Watch(vault.process.pid, searched) as watch:
            for _ in range(2):
                pc.backup(tmp_path / "source")
                (tmp_path / "source" / "more").write_bytes(random.Random(2).randbytes(MIB) + marker)
            pc.restored("latest", tmp_path / "target")
        assert watch.looks > 0
        pc.assert_whole()
        afterwards = Searched([*secret, known.encode()])
        afterwards.memory(vault.process.pid)
        vault.run("status"), vault.run("machines")
        on_disk = Searched([*secret, known.encode()])
        on_disk.folder(vault.root)
        on_disk.take((vault.folder / "vault.log").read_bytes(), "the log")
    for search in (searched, afterwards, on_disk):
        assert {where for text, where in search.found if text == known.encode()}, "the search finds nothing"
        assert {(text, where) for text, where in search.found if text != known.encode()} == set()
