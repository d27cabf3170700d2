"""Trees that are hard to back up, and the facts of a tree by which two are compared.

Paths are bytes. Everything works relative to open folders, for some paths here are longer than PATH_MAX.
"""
import functools
import hashlib
import os
import random
import socket
import stat
import struct
from urllib.parse import quote_from_bytes

MIB = 1 << 20
TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo",
         stat.S_IFCHR: "character device", stat.S_IFBLK: "block device", stat.S_IFSOCK: "socket"}

NAMES = [bytes([b]) for b in range(1, 256) if b not in b"./"] + [
    b"a" * 255, b"\xff" * 255, b"-rf", b"...", b" lead", b"trail ", b"two\nlines", b"back\\slash", b'"quotes\'',
    b"%s%n", "\u00e9".encode(), "e\u0301".encode(), "\u8535\u5b88".encode(), b"\xed\xa0\x80", b"\xc0\xaf",
    b"\x1b[31m", b"*", b"{a,b}"]


def put(path, data=b"", mode=0o644, mtime_ns=None):
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)
    if mtime_ns is not None:
        os.utime(path, ns=(0, mtime_ns))


def text(size, seed):
    """Compressible bytes, the same for the same seed."""
    chance, words = random.Random(seed), [b"invoice", b"contract", b"total", b"\xe8\x94\xb5", b"page", b"tax", b"\n"]
    line = b" ".join(chance.choice(words) for _ in range(4096))
    return b"".join(b"%d %s" % (i, line[chance.randrange(1000):]) for i in range(size // len(line) + 2))[:size]


def put_sparse(path, size, *extents):
    with open(path, "wb") as file:
        for at, data in extents:
            file.seek(at)
            file.write(data)
        file.truncate(size)


def make_tree(root, seed, large):
    """The same contents for the same seed; owners, devices and some attributes only where root makes it.
    Some MiB to store without `large`."""
    chance = random.Random(seed)
    os.makedirs(root)
    inside = functools.partial(os.path.join, root)
    for folder in (b"names", b"sizes", b"links", b"kinds", b"modes", b"times", b"many", b"attributes"):
        os.mkdir(inside(folder))
    for i, name in enumerate(NAMES):
        put(inside(b"names", name), b"%d" % i)
    put(inside(b"sizes/empty"))
    put(inside(b"sizes/one"), b"1")
    put(inside(b"sizes/random"), chance.randbytes(40 * MIB if large else MIB // 4))
    put(inside(b"sizes/text"), text(9 * MIB if large else 3 * MIB, seed))
    put(inside(b"sizes/zeros"), bytes(3 * MIB))
    put_sparse(inside(b"sizes/holes"), 64 * MIB, (0, b"first"), (20 * MIB, text(MIB, 1)), (40 * MIB + 5, b"within"))
    put_sparse(inside(b"sizes/only-hole"), 8 * MIB + 1)
    put_sparse(inside(b"sizes/hole-first"), 2 * MIB + 3, (2 * MIB, b"end"))
    for i in range(2000 if large else 60):
        os.makedirs(inside(b"many/%d" % (i % 20)), exist_ok=True)
        put(inside(b"many/%d/%d" % (i % 20, i)), chance.randbytes(i % 777))
    make_links(inside)
    make_kinds(inside)
    make_deep(root, [b"%d" % i * 50 for i in range(10, 70)] if large else [b"deep", b"deeper"])
    make_attributes(inside)
    if large and os.geteuid() == 0:
        put(inside(b"modes/0"), b"to be read by root alone", 0)
    for name, when in {b"before": -1, b"long-before": -2**31 * 10**9 + 7, b"epoch": 0, b"last": 999_999_999,
                       b"later": 4_102_444_800 * 10**9 + 123_456_789}.items():
        put(inside(b"times", name), name, mtime_ns=when)
    os.mkdir(inside(b"times/folder"))
    os.utime(inside(b"times/folder"), ns=(0, -1_500_000_001))


def make_links(inside):
    put(inside(b"links/one"), b"a file of three names")
    os.link(inside(b"links/one"), inside(b"links/two"))
    os.link(inside(b"links/one"), inside(b"names/three"))
    for name, target in {b"dangling": b"nowhere", b"bytes": b"\xff\n\xfe", b"absolute": b"/etc/passwd",
                         b"folder": b"../names", b"long": b"x/" * 2000 + b"y", b"itself": b"itself",
                         b"to-one": b"one"}.items():
        os.symlink(target, inside(b"links", name))
    os.utime(inside(b"links/dangling"), ns=(0, 86400 * 10**9 + 1), follow_symlinks=False)


def make_kinds(inside):
    os.mkdir(inside(b"kinds/empty-folder"))
    os.mkfifo(inside(b"kinds/fifo"), 0o620)
    here = os.getcwd()
    os.chdir(inside(b"kinds"))  # a socket's path may have 107 bytes only
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(b"socket")
    os.chdir(here)
    if os.geteuid() == 0:
        os.mknod(inside(b"kinds/null"), stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(inside(b"kinds/block"), stat.S_IFBLK | 0o660, os.makedev(259, 70000))


def make_deep(root, names):
    folder = os.open(root, os.O_DIRECTORY)
    for name in names:
        os.mkdir(name, dir_fd=folder)
        before, folder = folder, os.open(name, os.O_DIRECTORY, dir_fd=folder)
        os.close(before)
    file = os.open(b"at the bottom", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=folder)
    os.write(file, b"deep")
    os.close(file), os.close(folder)


def make_attributes(inside):
    for mode in (0o400, 0o4755, 0o2711, 0o7777, 0o1666):
        put(inside(b"modes/%o" % mode), b"", mode)
    for mode in (0o500, 0o1777, 0o2775):
        os.mkdir(inside(b"modes/folder-%o" % mode))
        put(inside(b"modes/folder-%o/file" % mode), b"inside")
        os.chmod(inside(b"modes/folder-%o" % mode), mode)
    put(inside(b"attributes/file"), b"x")
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in (
        (1, 6, 2**32 - 1), (2, 4, 12345), (4, 4, 2**32 - 1), (16, 6, 2**32 - 1), (32, 0, 2**32 - 1)))
    wanted = [(b"file", b"user.empty", b""), (b"file", b"user.bytes", b"\xff\0\n"),
              (b"file", b"user.long", b"v" * 2000),
              (b"file", b"system.posix_acl_access", acl), (b".", b"user.folder", b"of the folder")]
    if os.geteuid() == 0:
        os.symlink(b"file", inside(b"attributes/link"))
        put(inside(b"attributes/owned"), b"x")
        os.chown(inside(b"attributes/owned"), 12345, 2**32 - 2)
        put(inside(b"attributes/capable"), b"x", 0o755)
        capability = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)  # cap_net_raw=ep
        wanted += [(b"link", b"trusted.on-a-link", b"1"), (b"capable", b"security.capability", capability)]
    for name, attribute, value in wanted:
        try:
            os.setxattr(inside(b"attributes", name), attribute, value, follow_symlinks=False)
        except OSError:
            pass  # this file system does not take it


def facts_of(root):
    """path -> what is to be the same after a restore. The paths are relative to root, which is b"."."""
    found, first_names = {}, {}
    for folder, folders, files, fd in os.fwalk(root, follow_symlinks=False):
        relative = os.path.relpath(folder, root)
        if relative == b".":
            found[b"."] = facts(fd, b".", first_names, b".")
        for name in sorted(folders + files):
            path = name if relative == b"." else os.path.join(relative, name)
            found[path] = facts(fd, name, first_names, path)
    return found


def facts(fd, name, first_names, path):
    status = os.stat(name, dir_fd=fd, follow_symlinks=False)
    type = TYPES[stat.S_IFMT(status.st_mode)]
    found = {"type": type, "mode": stat.S_IMODE(status.st_mode), "uid": status.st_uid, "gid": status.st_gid,
             "mtime_ns": status.st_mtime_ns}
    through = b"/proc/self/fd/%d/%s" % (fd, name)
    found["xattrs"] = {os.fsdecode(attribute): os.getxattr(through, attribute, follow_symlinks=False).hex()
                       for attribute in os.listxattr(through, follow_symlinks=False)}
    if type == "file":
        found.update(size=status.st_size, sha256=hash_of(fd, name))
    elif type == "link":
        found["target"] = quote_from_bytes(os.readlink(name, dir_fd=fd))
    elif type.endswith("device"):
        found["device"] = [os.major(status.st_rdev), os.minor(status.st_rdev)]
    if type != "folder" and status.st_nlink > 1:  # found in any order, so a name of all that are one file
        first_names.setdefault((status.st_dev, status.st_ino), []).append(path)
        found["same_as"] = first_names[status.st_dev, status.st_ino]
    return found


def hash_of(fd, name):
    digest = hashlib.sha256()
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd), "rb") as file:
        while piece := file.read(MIB):
            digest.update(piece)
    return digest.hexdigest()


def differences(wanted, got):
    """The facts that differ, a line each."""
    lines = [f"{path!r}: missing" for path in wanted.keys() - got.keys()]
    lines += [f"{path!r}: was not there" for path in got.keys() - wanted.keys()]
    for path in wanted.keys() & got.keys():
        a, b = ({**f, "same_as": sorted(f.get("same_as", []))} for f in (wanted[path], got[path]))
        lines += [f"{path!r}: {key}: {a.get(key)!r} became {b.get(key)!r}"
                  for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]
    return sorted(lines)
