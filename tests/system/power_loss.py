"""Disks that a power loss could have left, from a log of what a program wrote (support/write_recorder.cc).

    log = Log(path)
    log.build(cut, folder, random.Random(1), 0.5)    # as if the power had gone after the first `cut` records

What was synced is there: bytes by a sync of their file, names by a sync of the folder that has them. Of the rest any
part may be there, whatever its order: each change of a name or not, each write whole, not at all, or some of its sectors
with the old bytes in the others, and where a file grew, zeros. A rename is one step. That is less than what ext4
promises: a program that this finds no fault with relies on nothing that POSIX does not say.
"""
import dataclasses
import os
import struct

HEAD = struct.Struct("<BQQII")
CREATE, WRITE, TRUNCATE, RENAME, REMOVE, MAKE_FOLDER, SYNC_BEGINS, SYNC_ENDS = range(1, 9)
SECTOR = 512
FOLDER = "a folder"


class File:
    """Bytes that are durable, and writes that are not yet: (number of the record, offset, data) or (number, size, None)."""

    def __init__(self):
        self.durable, self.pending = bytearray(), []

    def sync(self, before):
        for change in self.pending:
            if change[0] < before:
                apply(self.durable, *change[1:])
        self.pending = [change for change in self.pending if change[0] >= before]

    def whole(self):
        data = bytearray(self.durable)
        for change in self.pending:
            apply(data, *change[1:])
        return data

    def after_power_loss(self, chance, share):
        """The durable bytes, and of each further write with this probability all or some sectors."""
        data = bytearray(self.durable)
        for _, offset, written in self.pending:
            if chance.random() >= share:
                if written and chance.random() < 0.3:
                    grow(data, offset + len(written))  # the new size alone came to the disk
                continue
            if written is None or chance.random() < 0.6:
                apply(data, offset, written)
            else:
                tear(data, offset, written, chance)
        return data


def grow(data, size):
    data.extend(bytes(max(0, size - len(data))))


def apply(data, offset, written):
    if written is None:
        grow(data, offset)
        del data[offset:]
        return
    grow(data, offset)
    data[offset:offset + len(written)] = written


def tear(data, offset, written, chance):
    """Some of the sectors that a write goes to, or the first ones."""
    begins = range(offset - offset % SECTOR, offset + len(written), SECTOR)
    first = chance.randrange(len(begins))
    chosen = begins[:first] if chance.random() < 0.5 else [begin for begin in begins if chance.random() < 0.5]
    if chance.random() < 0.7:
        grow(data, offset + len(written))
    for begin in chosen:
        low, high = max(begin, offset), min(begin + SECTOR, offset + len(written))
        apply(data, low, written[low - offset:high - offset])


@dataclasses.dataclass
class NameChange:
    """Of names in one folder, whose sync makes it durable."""
    number: int
    folder: str
    path: str
    node: object        # that the name is given, or None when it is removed
    instead_of: str = None  # the name that goes in the same step

    def apply(self, names):
        if self.node is None:
            names.pop(self.path, None)
            return
        if self.instead_of is not None and names.get(self.instead_of) is self.node:
            del names[self.instead_of]
        names[self.path] = self.node


class Disk:
    """What a program sees, and what of it is durable, record by record."""

    def __init__(self):
        self.seen, self.durable = {"": FOLDER}, {"": FOLDER}
        self.inodes, self.pending, self.syncs = {}, [], {}

    def take(self, number, call, inode, argument, path, data):
        if call == CREATE:
            self.inodes[inode] = File()
            self._name(number, path, self.inodes[inode])
        elif call in (WRITE, TRUNCATE):
            # A file from before the log would be half known.
            self.inodes[inode].pending.append((number, argument, data if call == WRITE else None))
        elif call == RENAME:
            self._name(number, data.decode(), self.seen[path], instead_of=path)
        elif call == REMOVE:
            self._name(number, path, None)
        elif call == MAKE_FOLDER:
            self._name(number, path, FOLDER)
        elif call == SYNC_BEGINS:
            self.syncs[argument] = (number, self.inodes[inode] if inode else None, path)
        elif call == SYNC_ENDS:
            self._sync(*self.syncs.pop(argument))
        else:
            raise ValueError(f"record {number} has the unknown call {call}")

    def _name(self, number, path, node, instead_of=None):
        change = NameChange(number, os.path.dirname(path), path, node, instead_of)
        change.apply(self.seen)
        self.pending.append(change)

    def _sync(self, before, file, path):
        if file is not None:
            file.sync(before)
            return
        folder = path[1:] if path else None  # None: everything
        if folder is None:
            for one in self.inodes.values():
                one.sync(before)
        due = [change for change in self.pending if change.number < before and folder in (None, change.folder)]
        for change in due:
            change.apply(self.durable)
        # A file that has its new name has no older one that is still to come.
        moved = {(change.instead_of, id(change.node)) for change in due if change.instead_of is not None}
        done = {change.number for change in due}
        self.pending = [change for change in self.pending
                        if change.number not in done and (change.path, id(change.node)) not in moved]

    def after_power_loss(self, chance, share):
        """path -> file or FOLDER."""
        names = dict(self.durable)
        for change in self.pending:
            if chance.random() < share:
                change.apply(names)
        return names


class Log:
    def __init__(self, path):
        data = path.read_bytes()
        self.records, self.ends, at = [], [], 0
        while at < len(data):
            call, inode, argument, path_size, size = HEAD.unpack_from(data, at)
            at += HEAD.size
            path = data[at:at + path_size].decode()
            at += path_size + size
            self.records.append((call, inode, argument, path, data[at - size:at]))
            self.ends.append(at)

    def disk(self, cut):
        disk = Disk()
        for number, record in enumerate(self.records[:cut]):
            disk.take(number, *record)
        return disk

    def build(self, cut, folder, chance, share):
        """Makes `folder` what a power loss after `cut` records could have left; what is not durable is there with the
        probability `share`."""
        names = self.disk(cut).after_power_loss(chance, share)
        make(folder, names, lambda file: file.after_power_loss(chance, share))

    def build_whole(self, folder):
        """Makes `folder` what the program saw at the end."""
        make(folder, self.disk(len(self.records)).seen, File.whole)


def make(folder, names, content):
    folder.mkdir()
    for path, node in sorted(names.items(), key=lambda item: item[0].count("/")):
        target = folder / path
        if path == "" or not target.parent.is_dir():  # what lies in a folder that was lost is lost
            continue
        if node is FOLDER:
            target.mkdir(mode=0o700)
        else:
            target.touch(mode=0o600)
            target.write_bytes(content(node))
