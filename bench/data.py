"""The benchmark's data: three folders made from Debian packages, the same for the same packages and scale.

office  documents, pictures, office files (zip), tables, archives: about 1.2 GB in 20,000 files at scale 1
small   the Linux source: about 1.3 GB in 78,000 files
big     a database, a mail box, a disk image: about 1.5 GB in 3 files
"""

import base64
import os
import shutil
import sqlite3
import subprocess
import tarfile
import zipfile
import zlib

OFFICE_PACKAGES = ["debian-handbook", "gimp-help-en", "gnome-backgrounds", "libreoffice-common",
                   "libreoffice-help-en-us", "libreoffice-help-ja", "openclipart-png", "postgresql-doc-15",
                   "texlive-latex-base-doc"]
SOURCE_PACKAGE = "linux-source-6.1"
TEXT = (".html", ".txt", ".md", ".rst", ".xml", ".tex", ".sgml", ".h", ".py")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".pdf", ".svg")
ARCHIVES = (".deb", ".gz", ".zip", ".jar", ".xz", ".bz2")
INSTALLED = ["/usr/share/doc", "/usr/include", "/usr/lib/python3", "/usr/share"]
MTIME = 1_700_000_000  # what all files start with
MB = 1_000_000


def order(name):
    """A number for a name that is spread evenly and the same everywhere: what picks files."""
    return zlib.crc32(os.fsencode(name))


def fetch(packages, below):
    """Downloads packages with apt-get where they are missing; returns their .deb files by package."""
    os.makedirs(below, exist_ok=True)
    found = {}
    for package in packages:
        here = [n for n in os.listdir(below) if n.startswith(package + "_")]
        if not here:
            subprocess.run(["apt-get", "download", "-q", package], cwd=below, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            here = [n for n in os.listdir(below) if n.startswith(package + "_")]
        found[package] = os.path.join(below, here[0])
    return found


def unpack(debs, below):
    os.makedirs(below, exist_ok=True)
    for package, deb in debs.items():
        target = os.path.join(below, package)
        if not os.path.isdir(target):
            subprocess.run(["dpkg-deb", "-x", deb, target + ".part"], check=True)
            os.rename(target + ".part", target)


def regular_files(roots):
    """Path and size of every regular file below the roots, each once, in an order that mixes all kinds."""
    seen = {}
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.islink(path) and os.path.isfile(path):
                    seen[path] = os.path.getsize(path)
    return sorted(seen.items(), key=lambda item: (order(item[0]), item[0]))


def read(path, limit=-1):
    with open(path, "rb") as file:
        return file.read(limit)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def take(files, endings, budget, largest, count):
    """Files with these endings until the budget (bytes) or the count is used up. Files far smaller than what is left for
    each are passed over, so that both come to their end together."""
    taken = []
    for path, size in files:
        left = count - len(taken)
        if left <= 0:
            break
        if not path.lower().endswith(endings) or not budget / left / 5 <= size <= min(largest, budget) or size == 0:
            continue
        taken.append(path)
        budget -= size
    return taken


def make_office(out, work, scale):
    debs = fetch(OFFICE_PACKAGES, os.path.join(work, "debs"))
    unpack(debs, os.path.join(work, "unpacked"))
    roots = [os.path.join(work, "unpacked", p) for p in OFFICE_PACKAGES]
    files = regular_files(roots + INSTALLED + ["/usr/share/java", "/usr/lib/jvm"])
    files += sorted((path, os.path.getsize(path)) for path in debs.values())

    def copy(kind, paths):
        for i, path in enumerate(paths):
            team = f"team-{order(path) % 17:02d}"
            write(f"{out}/{team}/{kind}/{i:05d}-{os.path.basename(path)}", read(path))

    total = 1200 * MB * scale
    copy("documents", take(files, TEXT, total * 0.25, 20 * MB, int(12000 * scale)))
    copy("pictures", take(files, PICTURES, total * 0.35, 30 * MB, int(5000 * scale)))
    copy("archives", take(files, ARCHIVES, total * 0.20, 60 * MB, int(1000 * scale)))

    # Office files are zip archives of XML and pictures; tables are lines of numbers and words.
    texts = take(files[::-1], TEXT, total * 0.5, 2 * MB, int(9000 * scale))
    pictures = take(files[::-1], PICTURES, total * 0.10, 2 * MB, int(1500 * scale))
    for i in range(int(1500 * scale)):
        path = f"{out}/team-{i % 17:02d}/letters/report-{i:05d}.docx"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for j, text in enumerate(texts[i * 6:i * 6 + 3]):
                archive.writestr(zipfile.ZipInfo(f"word/part{j}.xml"), read(text), zipfile.ZIP_DEFLATED)
            if i < len(pictures):
                archive.writestr(zipfile.ZipInfo("word/media/image1.png"), read(pictures[i]))
    for i in range(int(500 * scale)):
        rows = [f"{k};{path};{size};{order(path + str(i)) / 100:.2f}\n"
                for k, (path, size) in enumerate(files[i * 37:i * 37 + 2500])]
        write(f"{out}/team-{i % 17:02d}/tables/table-{i:04d}.csv", "".join(rows).encode(errors="replace"))


def make_small(out, work, scale):
    deb = fetch([SOURCE_PACKAGE], os.path.join(work, "debs"))
    unpack(deb, os.path.join(work, "unpacked"))
    archive = f"{work}/unpacked/{SOURCE_PACKAGE}/usr/src/{SOURCE_PACKAGE}.tar.xz"
    with tarfile.open(archive, "r|xz") as tar:
        for member in tar:
            if member.isfile() and order(member.name) < scale * 2**32:
                write(os.path.join(out, member.name), tar.extractfile(member).read())


def make_big(out, work, scale):
    size = 500 * MB * scale
    installed = regular_files(["/usr/share", "/usr/include", "/usr/lib/python3"])
    make_database(f"{out}/records.sqlite", installed, size)
    make_mail_box(f"{out}/mail.mbox", installed[::-1], size)
    make_disk_image(f"{out}/disk.img", os.path.join(work, "image"), size)


def make_database(path, files, size):
    database = sqlite3.connect(path)
    database.execute("create table records (id integer primary key, name text, bytes int, sum text, note blob)")
    database.execute("create index by_name on records (name)")
    used = 0
    for path, length in files:
        note = read(path, 4000)
        sums = f"{order(path):08x}{zlib.adler32(note):08x}"
        database.execute("insert into records (name, bytes, sum, note) values (?, ?, ?, ?)",
                         (path.encode(errors="replace").decode(errors="replace"), length, sums, note))
        used += len(note) + 2 * len(path) + 60
        if used > size:
            break
    database.commit()
    database.close()


def make_mail_box(path, files, size):
    with open(path, "wb") as box:
        for number, (source, length) in enumerate(files):
            if length > 3 * MB or length == 0:
                continue
            body = read(source)
            head = f"From user{number % 97}@example.org Tue Nov 14 22:13:20 2023\nSubject: {os.path.basename(source)}\n"
            box.write(head.encode(errors="replace") + f"Message-ID: <{order(source):08x}@example.org>\n".encode())
            if source.lower().endswith(TEXT):
                box.write(b"\n" + body + b"\n\n")
            else:
                box.write(b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(body) + b"\n")
            if box.tell() > size:
                break


def make_disk_image(path, tree, size):
    """An ext4 file system, three quarters full of programs and libraries."""
    shutil.rmtree(tree, ignore_errors=True)
    room = size * 0.75
    for source, length in regular_files(["/usr/bin", "/usr/lib/x86_64-linux-gnu", "/usr/lib/python3"]):
        if length < room and length < size / 8:
            write(tree + source, read(source))
            room -= length + 4096
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", "-d", tree, "-U", "5eed5eed-5eed-45ee-85ee-5eed5eed5eed",
                    "-E", "hash_seed=5eed5eed-5eed-45ee-85ee-5eed5eed5eed", path, f"{int(size / 1024)}k"],
                   check=True, env={**os.environ, "E2FSPROGS_FAKE_TIME": str(MTIME)})
    shutil.rmtree(tree)


MAKERS = {"office": make_office, "small": make_small, "big": make_big}


def prepare(name, base, scale):
    """The folder of a data set, made when it is not there. What a killed run had changed is put back."""
    out = os.path.join(base, f"{name}-{scale:g}")
    undo_day_2(out)
    if not os.path.isdir(out):
        part = out + ".part"
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        MAKERS[name](part, base, scale)
        for folder, _, names in os.walk(part, topdown=False):
            for path in [os.path.join(folder, n) for n in names] + [folder]:
                os.utime(path, (MTIME, MTIME))
        os.rename(part, out)
    return out


def describe(folder):
    """Number of files and bytes."""
    files = regular_files([folder])
    return len(files), sum(size for _, size in files)


def day_2(out):
    """Changes 1 % of the files, the same ones each time: in turn a piece inside, the end, or all of it. Where there are
    fewer than 100 files, 1 % of each one's bytes: 64 KiB out of every 6.4 MB."""
    files = regular_files([out])
    few = len(files) < 100
    chosen = [path for path, _ in (files if few else files[::100])]
    for path in chosen:
        saved = out + ".undo/" + os.path.relpath(path, out)
        os.makedirs(os.path.dirname(saved), exist_ok=True)
        shutil.copy2(path, saved + ".part")
        os.rename(saved + ".part", saved)
    for number, path in enumerate(chosen):
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            if few:
                for offset in range(0, size - 65536, 6553600):
                    file.seek(offset)
                    file.write(noise(f"{number}.{offset}", 65536))
            elif number % 3 == 0:
                file.seek(size // 2)
                file.write(noise(path[len(out):], 300))
            elif number % 3 == 1:
                file.seek(size)
                file.write(noise(path[len(out):], 2000))
            else:
                file.truncate(0)
                file.write(noise(path[len(out):], size))
    return len(chosen)


def noise(seed, size):
    """Words that were not there before and compress about as text does."""
    line, words = order(seed), []
    while len(words) * 10 < size:
        line = (line * 1103515245 + 12345) % 2**31
        words.append(b"%09d " % (line % 100_000_000))
    return b"".join(words)[:size]


def undo_day_2(out):
    undo = out + ".undo"
    for folder, _, names in os.walk(undo):
        for name in names:
            if not name.endswith(".part"):
                saved = os.path.join(folder, name)
                shutil.copy2(saved, os.path.join(out, os.path.relpath(saved, undo)))
    shutil.rmtree(undo, ignore_errors=True)
