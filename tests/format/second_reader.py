#!/usr/bin/env python3
"""A second reader of Kuramori repositories, written from docs/format.md alone.

    second_reader.py REPO --recovery-key FILE | --passphrase-file FILE  list
    second_reader.py REPO ...  restore SNAPSHOT TARGET [PATH ...]
    second_reader.py REPO ...  verify

It shares no line with the product, so that a file which both bring back is there because of the page and not because of
a mistake that both make. It is also meant to be read beside the page: stored_objects.py has one class an object, fields
in their order; here is what they are together. Names and paths are bytes throughout.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some attributes or special files could not be made here, 4 the
repository is damaged (every damaged object and every file it spoils is named).
"""
import argparse
import contextlib
import functools
import json
import os
import re
import sys

from parity_shards import Parity
from stored_objects import (
    FILE, FILES, FOLDER, FORMAT_BITS, LINK, LISTINGS, MOST_ENTRY, Condemned, Config, Damaged, Entry, Fields, Index, Key,
    Lease, Pack, Refused, Secrets, Snapshot, Store, Stream, check, naming, raw_public, read_recovery_key)


class Repository:
    """A repository that a recovery key or a passphrase has opened."""

    def __init__(self, folder, recovery_key=None, passphrase=None):
        self.store = Store(folder)
        if recovery_key is not None:
            config_id, recovery = read_recovery_key(recovery_key)
        else:
            config_id, recovery = self.try_passphrase(passphrase)
        self.config = self.load("config", config_id, Config)
        self.secrets = Secrets(recovery, self.config.repository_id, self.config.naming)
        if (raw_public(self.secrets.box), raw_public(self.secrets.signing)) != (self.config.box, self.config.signing):
            raise Refused("this recovery key is not the one of this repository's config")
        self.pack = functools.lru_cache(maxsize=128)(lambda id: Pack(self.store, id, self.secrets))
        self.problems = []

    def load(self, kind, id, parse, *more):
        with naming(f"{kind}/{id.hex()}"):
            return parse(self.store.get(kind, id), *more)

    def load_all(self, kind, parse, *more):
        """All whole objects of a kind, by id; what is wrong with the others goes to `problems`."""
        found = {}
        for id in self.store.ids(kind):
            with self.noting():
                found[id] = self.load(kind, id, parse, *more)
        return found

    @contextlib.contextmanager
    def noting(self):
        try:
            yield
        except Damaged as why:
            self.problems.append(str(why))

    def try_passphrase(self, passphrase):
        damage = ""
        for id in self.store.ids("keys"):
            try:
                key = self.load("keys", id, Key)
                if key.type == 1:
                    return key.config_id, key.recovery_secret(passphrase)
            except Damaged as why:
                damage += f"; {why}"
        raise Refused("the passphrase opens none of this repository's recovery keys" + damage)

    def machines(self):
        """Public key -> label of the machines that have a certificate for this config."""
        found = {}
        for id, key in self.load_all("keys", Key).items():
            with self.noting(), naming(f"keys/{id.hex()}"):
                if key.type == 2:
                    key.check_certificate(self.config)
                    found[key.machine] = key.label
        return found

    def snapshots(self):
        """The snapshots that count, oldest number first."""
        machines, counted = self.machines(), []
        found = self.load_all("snapshots", Snapshot, self.secrets)
        for id, snapshot in found.items():
            with self.noting(), naming(f"snapshots/{id.hex()}"):
                check(snapshot.machine in machines, "does not count: its machine has no certificate")
                before = found.get(snapshot.before)
                check(not before or (before.machine, before.number) == (snapshot.machine, snapshot.number - 1),
                      "its predecessor is not the machine's snapshot before")
                counted.append(snapshot)
        return sorted(counted, key=lambda s: (s.machine, s.number, s.time))

    def tree(self, snapshot):
        return Tree(self, snapshot)


class Tree:
    """What a snapshot holds: finds its chunks, in the packs that it says it needs and in no other."""

    def __init__(self, repository, snapshot):
        self.repository, self.snapshot = repository, snapshot
        self.places = {}  # chunk id -> (pack id, frame number, frame, number in the frame)
        for index_id, _ in snapshot.needs:
            try:
                index = repository.load("index", index_id, Index, repository.secrets)
            except Damaged as why:  # the packs know themselves what they hold, but not which of them is needed
                repository.problems.append(str(why))
                packs = [(id, None) for id in repository.store.ids("packs")]
            else:
                with naming(f"snapshots/{snapshot.id.hex()}"):
                    packs = snapshot.needed(index_id, [(id, r) for (id, _), r in zip(index.packs, index.records)])
            for pack_id, record in packs:
                with repository.noting():
                    self.add(pack_id, record or repository.pack(pack_id).record())
        self.frame = functools.lru_cache(maxsize=8)(lambda pack, *frame: repository.pack(pack).chunks(*frame))

    def add(self, pack_id, frames):
        for number, frame in enumerate(frames):
            for k, (id, _) in enumerate(frame.chunks):
                self.places.setdefault(id, (pack_id, number, frame, k))

    def place(self, id, content):
        check(id in self.places, f"chunk {id.hex()} is in none of the packs that the snapshot needs")
        pack = self.repository.pack(self.places[id][0])
        check(pack.content == content, f"packs/{pack.id.hex()}: has chunk {id.hex()}, but is of content {pack.content}")
        return self.places[id]

    def chunk(self, id, content):
        pack_id, number, frame, k = self.place(id, content)
        return self.frame(pack_id, number, frame)[k]

    def ids(self, content):
        """The ids of depth 0."""
        ids = iter(content.ids)
        for _ in range(content.depth):
            ids = self.split(Stream(self.chunk(id, LISTINGS) for id in ids))
        return ids

    @staticmethod
    def split(stream):
        while stream.left():
            yield stream.id()

    def bytes_of(self, content, of):
        return (self.chunk(id, of) for id in self.ids(content))

    def size_of(self, content, of):
        places = (self.place(id, of) for id in self.ids(content))
        return sum(frame.chunks[k][1] for _, _, frame, k in places)

    def shown(self, path):
        return f"{self.snapshot.id.hex()}:/{os.fsdecode(b'/'.join(path))}"

    def listing(self, content):
        stream, last = Stream(self.bytes_of(content, LISTINGS)), b""
        while stream.left():
            size = stream.varint()
            check(size <= MOST_ENTRY, f"an entry of {size} bytes")
            entry = Entry(Fields(stream.take(size)))
            check(entry.name > last, f"the name {entry.name!r} comes after {last!r}")
            last = entry.name
            yield entry

    def walk(self, wanted=()):
        """Gives (path as a tuple of names, entry, leaving) for all entries, folders when entered and when left.
        With `wanted` only the paths on the way to these and below them. Works at any depth."""
        stack = [((), None, self.listing(self.snapshot.root))]
        while stack:
            path, folder, members = stack[-1]
            entry = None
            with self.repository.noting(), naming(self.shown(path)):
                entry = next(members, None)
            if entry is None:
                stack.pop()
                if folder:
                    yield path, folder, True
                continue
            here = path + (entry.name,)
            if wanted and not any(w[:len(here)] == here[:len(w)] for w in wanted):
                continue
            yield here, entry, False
            if entry.type == FOLDER:
                stack.append((here, entry, self.listing(entry.content)))


class Restorer:
    """Writes a tree into an empty folder. Stands in one folder at a time, so that no path is too long for it."""

    def __init__(self, tree, target):
        os.makedirs(target, exist_ok=True)
        if os.listdir(target):
            raise Refused(f"{os.fsdecode(target)} is not empty: give an empty folder as target")
        self.tree, self.target, self.not_possible, self.links = tree, target, [], {}
        self.folder = os.open(target, os.O_DIRECTORY)

    def run(self, wanted=()):
        for path, entry, leaving in self.tree.walk(wanted):
            if leaving:
                self.attributes(path, entry, b".")
                self.step(b"..")
            elif entry.type == FOLDER:
                os.mkdir(entry.name, 0o700, dir_fd=self.folder)
                self.step(entry.name)
            else:
                with self.tree.repository.noting(), naming(self.tree.shown(path)):
                    self.write(path, entry)
        os.close(self.folder)

    def step(self, name):
        before, self.folder = self.folder, os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self.folder)
        os.close(before)

    def write(self, path, entry):
        if entry.inode and (entry.type, entry.inode) in self.links:
            return self.hard_link(self.links[entry.type, entry.inode], entry.name)
        if entry.type == FILE:
            self.write_file(entry)
        elif entry.type == LINK:
            os.symlink(entry.target, entry.name, dir_fd=self.folder)
        else:
            try:
                os.mknod(entry.name, FORMAT_BITS[entry.type] | 0o600, os.makedev(*entry.device), dir_fd=self.folder)
            except PermissionError as why:
                return self.not_possible.append(f"{self.tree.shown(path)}: {why.strerror}")
        self.attributes(path, entry, entry.name)
        if entry.inode:
            self.links[entry.type, entry.inode] = path

    def hard_link(self, first, name):
        at = os.open(self.target, os.O_DIRECTORY)
        for step in first[:-1]:
            before, at = at, os.open(step, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(before)
        os.link(first[-1], name, src_dir_fd=at, dst_dir_fd=self.folder, follow_symlinks=False)
        os.close(at)

    def write_file(self, entry):
        fd = os.open(entry.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=self.folder)
        try:
            self.write_data(fd, entry)
        except Damaged:
            os.unlink(entry.name, dir_fd=self.folder)  # rather nothing than wrong bytes
            raise
        finally:
            os.close(fd)

    def write_data(self, fd, entry):
        extents, at, room = iter(entry.extents), 0, 0
        for chunk in self.tree.bytes_of(entry.content, FILES):
            chunk = memoryview(chunk)
            while chunk:
                if room == 0:
                    at, room = next(extents, (0, 0))
                    check(room, "its content is longer than its size says")
                written = os.pwrite(fd, chunk[:room], at)
                chunk, at, room = chunk[written:], at + written, room - written
        check(room == 0 and next(extents, None) is None, "its content is shorter than its size says")
        os.ftruncate(fd, entry.size)

    def attributes(self, path, entry, name):
        """In this order, for chown takes away set-user-id bits and capabilities, and every change sets times."""
        if os.geteuid() == 0:
            os.chown(name, entry.uid, entry.gid, dir_fd=self.folder, follow_symlinks=False)
        if entry.type != LINK:
            os.chmod(name, entry.mode, dir_fd=self.folder)
        for attribute, value in entry.xattrs:
            try:
                os.setxattr(b"/proc/self/fd/%d/%s" % (self.folder, name), attribute, value, follow_symlinks=False)
            except OSError as why:
                self.not_possible.append(f"{self.tree.shown(path)}: {os.fsdecode(attribute)}: {why.strerror}")
        os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=self.folder, follow_symlinks=False)


def verify(repository):
    """Proves every object, and that every snapshot is whole. What is wrong is in `repository.problems`."""
    repository.load_all("config", Config)
    records = {}
    for id in repository.store.ids("packs"):
        with repository.noting():
            pack = repository.pack(id)
            with naming(f"packs/{id.hex()}"):
                repository.store.get("packs", id)
            records[id] = (pack.size, pack.record())
            for number, frame in enumerate(records[id][1]):
                pack.chunks(number, frame)
    for id, index in repository.load_all("index", Index, repository.secrets).items():
        for (pack_id, size), record in zip(index.packs, index.records):
            with repository.noting():
                check(records.get(pack_id) in (None, (size, record)),  # None: damaged, or gone since (section 6)
                      f"index/{id.hex()}: its record of pack {pack_id.hex()} is not that of the pack's footer")
    for snapshot in repository.snapshots():
        verify_tree(repository, snapshot)
    repository.load_all("leases", Lease)
    repository.load_all("condemned", Condemned)
    verify_parity(repository)


def verify_parity(repository):
    """Shards against all that they cover, where it is all there: what is gone may have been removed."""
    store = repository.store
    for id, shard in repository.load_all("parity", Parity).items():
        with repository.noting(), naming(f"parity/{id.hex()}"):
            if all(os.path.exists(store.path(*member)) for member in shard.members()):
                shard.verify(store.get)


def verify_tree(repository, snapshot):
    with repository.noting():
        tree = repository.tree(snapshot)
        for pack_id in {place[0] for place in tree.places.values()}:
            with repository.noting():
                repository.pack(pack_id)  # is there
        for path, entry, leaving in tree.walk():
            with repository.noting(), naming(tree.shown(path)):
                if entry.type == FILE and not leaving:
                    check(tree.size_of(entry.content, FILES) == sum(size for _, size in entry.extents),
                          "its content is not as long as its size says")


# ---- The command ----------------------------------------------------------------------------------------------------

def describe(snapshot):
    files, folders, others, size, failed = snapshot.counts
    return {"id": snapshot.id.hex(), "number": snapshot.number, "parent": snapshot.before.hex(),
            "machine": snapshot.machine.hex(), "time_ns": snapshot.time, "end_ns": snapshot.end,
            "host": os.fsdecode(snapshot.host), "user": os.fsdecode(snapshot.user),
            "paths": [os.fsdecode(p) for p in snapshot.paths], "tags": [os.fsdecode(t) for t in snapshot.tags],
            "files": files, "folders": folders, "others": others, "bytes": size, "failed": failed,
            "verdict": ["not judged", "clean", "suspect", "attacked"][snapshot.verdict]}


def find_snapshot(repository, prefix):
    found = [s for s in repository.snapshots() if len(prefix) >= 4 and s.id.hex().startswith(prefix)]
    if len(found) != 1:
        raise Refused("\n".join([f"{len(found)} snapshots have an id that begins with {prefix}"] + repository.problems))
    return found[0]


def run(arguments):
    if arguments.recovery_key:
        with open(arguments.recovery_key, encoding="ascii", errors="replace") as file:
            repository = Repository(os.fsencode(arguments.repo), recovery_key=file.read())
    else:
        with open(arguments.passphrase_file, "rb") as file:
            repository = Repository(os.fsencode(arguments.repo), passphrase=re.sub(rb"\r?\n\Z", b"", file.read()))
    not_possible = []
    if arguments.command == "list":
        for snapshot in repository.snapshots():
            print(json.dumps(describe(snapshot)))
    elif arguments.command == "restore":
        snapshot = find_snapshot(repository, arguments.snapshot)
        repository.problems.clear()  # of other objects than this snapshot's
        restorer = Restorer(repository.tree(snapshot), os.fsencode(arguments.target))
        restorer.run([tuple(os.fsencode(p).strip(b"/").split(b"/")) for p in arguments.path])
        not_possible = restorer.not_possible
    else:
        verify(repository)
    for problem in repository.problems + not_possible:
        print(problem.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)
    return 4 if repository.problems else 3 if not_possible else 0


def main():
    parser = argparse.ArgumentParser(description="Reads a Kuramori repository as docs/format.md says.")
    parser.add_argument("repo")
    key = parser.add_mutually_exclusive_group(required=True)
    key.add_argument("--recovery-key", metavar="FILE")
    key.add_argument("--passphrase-file", metavar="FILE")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the snapshots, a JSON object a line")
    restore = commands.add_parser("restore", help="write a snapshot, or some paths of it, into an empty folder")
    restore.add_argument("snapshot")
    restore.add_argument("target")
    restore.add_argument("path", nargs="*")
    commands.add_parser("verify", help="prove every stored byte")
    try:
        return run(parser.parse_args())
    except Damaged as why:
        print(why, file=sys.stderr)
        return 4
    except (Refused, OSError) as why:
        print(why, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
