"""What people and programs do to files on a good day. A `Work` makes the new version of one file, and says by its name where it
belongs; what works on whole folders is in benign_trees.py. All is done by the real programs, or as they do it; a program that
is not there is said by `missing`, and a file that its program cannot take by `NotSuited`."""
import gzip
import json
import mailbox
import os
import random
import re
import shutil
import sqlite3
import subprocess
import tempfile
import xml.dom.minidom
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from xml.parsers.expat import ExpatError

PASSWORD = "benign work: nothing secret is kept here"


class NotSuited(Exception):
    """This file is none for this work."""


Do = Callable[[Path, Path, random.Random], str | None]  # old file, place of the new one, chance; a new name, or None: the old one


@dataclass(frozen=True)
class Work:
    name: str
    endings: frozenset[str]  # without dots; empty: all files
    do: Do
    programs: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        return [program for program in self.programs if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None]

    def suits(self, path: Path) -> bool:
        return not self.endings or path.suffix[1:].lower() in self.endings

    def new_version(self, old: Path, folder: Path, name: str, seed: int) -> str:
        """Makes folder/NAME, of which the file was `name` before; gives the name it has now."""
        chance = random.Random(f"{self.name} {seed} {name}")
        with tempfile.TemporaryDirectory(dir=folder, prefix=".work-") as work:
            part = Path(work) / f"new{old.suffix}"
            try:
                new_name = self.do(old, part, chance) or name
            except (subprocess.SubprocessError, OSError, ValueError, KeyError, zipfile.BadZipFile, sqlite3.Error, RuntimeError, EOFError,
                    NotImplementedError, SyntaxError, IndexError) as error:
                raise NotSuited(f"{self.name}: {old}: {type(error).__name__}: {error}") from error
            new_name = new_name.replace("{}", name)
            place = folder / new_name
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, place)
        return new_name


def run(*command: object, fine: tuple[int, ...] = (0,), given: bytes | None = None) -> bytes:
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False, timeout=120, input=given,
                          env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    if done.returncode not in fine:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stdout


# ---- Office files and other zips ----

def zipped_again(old: Path, new: Path, chance: random.Random, change: Callable[[str, bytes], bytes]) -> None:
    level = chance.choice([1, 6, 9])
    with zipfile.ZipFile(old) as before, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as after:
        if any(entry.flag_bits & 1 for entry in before.infolist()):
            raise NotSuited(f"{old}: it is locked by a password")
        for entry in before.infolist():
            made = zipfile.ZipInfo(entry.filename, (2026, 11, chance.randrange(1, 29), 12, 0, 0))
            made.compress_type = zipfile.ZIP_STORED if entry.filename == "mimetype" or entry.is_dir() else zipfile.ZIP_DEFLATED
            after.writestr(made, change(entry.filename, before.read(entry)))


def office_save(old: Path, new: Path, chance: random.Random) -> None:
    """Somebody changed words in a document, table or slide, and saved it."""
    def change(name: str, data: bytes) -> bytes:
        if not name.endswith((".xml", ".rels")) or b"<" not in data:
            return data
        parts = re.split(rb"(?<=>)([^<>&]{4,})(?=<)", data)
        for at in range(1, len(parts), 2):
            if chance.random() < 0.2:
                parts[at] += b" and more"
        return b"".join(parts) if name.endswith("document.xml") or "content" in name or "slide" in name or "shared" in name else data
    zipped_again(old, new, chance, change)


def zip_again(old: Path, new: Path, chance: random.Random) -> None:
    zipped_again(old, new, chance, lambda _name, data: data)


def libreoffice_save(old: Path, new: Path, _chance: random.Random) -> None:
    """LibreOffice opens it and saves it again."""
    with tempfile.TemporaryDirectory() as home:
        run("soffice", f"-env:UserInstallation=file://{home}/profile", "--headless", "--convert-to", old.suffix[1:], "--outdir", home, old)
        shutil.move(Path(home) / f"{old.stem}{old.suffix}", new)


# ---- PDF ----

def qpdf(*words: str) -> Do:
    def do(old: Path, new: Path, _chance: random.Random) -> None:
        run("qpdf", *words, old, new, fine=(0, 3))
    return do


def distil(old: Path, new: Path, _chance: random.Random) -> None:
    run("gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=pdfwrite", f"-sOutputFile={new}", old)


# ---- Pictures ----

def jpeg_lossless(old: Path, new: Path, chance: random.Random) -> None:
    words = chance.choice([["-progressive"], ["-optimize"], ["-rotate", "90"], ["-copy", "none"]])
    run("jpegtran", *words, "-outfile", new, old)


def jpeg_again(old: Path, new: Path, chance: random.Random) -> None:
    new.write_bytes(run("cjpeg", "-quality", chance.choice([60, 75, 90]), given=run("djpeg", old)))


def picture(change: str) -> Do:
    """Opened and saved by an image library: with other dots, smaller, or as another kind of file."""
    def do(old: Path, new: Path, chance: random.Random) -> str | None:
        from PIL import Image, ImageEnhance
        Image.MAX_IMAGE_PIXELS = 40_000_000
        with Image.open(old) as image:
            image.load()
            kind = image.format
            if change == "resize":
                image = image.resize((max(1, image.width * 2 // 3), max(1, image.height * 2 // 3)))
            elif change == "edit":
                image = ImageEnhance.Brightness(image.convert("RGB")).enhance(1.1)
            else:
                kind = chance.choice(["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
                image = image.convert("RGB")
            image.save(new, format=kind)
            ending = {"JPEG": "jpg", "TIFF": "tif"}.get(str(kind), str(kind).lower())
        return f"{{}}.{ending}" if change == "convert" else None
    return do


# ---- Sound ----

def tags(old: Path, new: Path, chance: random.Random) -> None:
    import mutagen
    shutil.copyfile(old, new)
    try:
        file = mutagen.File(new, easy=True)
        if file is None:
            raise NotSuited(f"{old}: it has no place for tags")
        if file.tags is None:
            file.add_tags()
        file["title"] = f"Song {chance.randrange(1000)}"
        file["artist"] = "Somebody " * chance.randrange(1, 300)
        file.save()
    except NotSuited:
        raise
    except Exception as error:  # mutagen has many kinds of errors of its own
        raise NotSuited(f"{old}: {error}") from error


def sound_again(old: Path, new: Path, _chance: random.Random) -> None:
    run("ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", old, "-af", "volume=0.8", new)


def streams_again(old: Path, new: Path, _chance: random.Random) -> None:
    """The same sound and pictures, written into a new container."""
    run("ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", old, "-c", "copy", "-metadata", "title=Changed", new)


# ---- Databases ----

def sqlite_vacuum(old: Path, new: Path, _chance: random.Random) -> None:
    with sqlite3.connect(f"file:{old}?mode=ro&immutable=1", uri=True) as database:
        database.execute("vacuum into ?", (str(new),))


def sqlite_change(old: Path, new: Path, chance: random.Random) -> None:
    shutil.copyfile(old, new)
    with sqlite3.connect(new) as database:
        database.execute("pragma journal_mode=delete")
        database.execute(f"create table notes_{chance.randrange(10**6)} (id integer primary key, words text)")
        name = database.execute("select name from sqlite_master where name like 'notes_%' order by rowid desc limit 1").fetchone()[0]
        database.executemany(f"insert into {name} (words) values (?)", [(f"note {i}",) for i in range(chance.randrange(3000))])
    database.close()


def sqlite_restore(old: Path, new: Path, _chance: random.Random) -> None:
    """Dumped as SQL, and made again of it."""
    run("sqlite3", new, given=run("sqlite3", "-readonly", old, ".dump"))
    if not new.exists() or not new.stat().st_size:
        raise NotSuited(f"{old}: it has no tables")


# ---- Mail, texts ----

def mbox_append(old: Path, new: Path, chance: random.Random) -> None:
    shutil.copyfile(old, new)
    box = mailbox.mbox(new)
    for _ in range(chance.randrange(1, 5)):
        mail = EmailMessage()
        mail["From"], mail["Subject"] = "c@example.org", f"Answer {chance.randrange(999)}"
        mail.set_content("Thank you.\n" * chance.randrange(1, 50))
        mail.add_attachment(chance.randbytes(chance.randrange(30_000)), maintype="image", subtype="jpeg", filename="photo.jpg")
        box.add(mail)
    box.close()


def text_edit(old: Path, new: Path, chance: random.Random) -> None:
    """Lines are deleted, doubled, moved and written, in whatever encoding it is, as long as lines end in one byte."""
    data = old.read_bytes()
    if b"\0" in data:
        raise NotSuited(f"{old}: it is no text in bytes")
    lines = data.splitlines(keepends=True)
    for _ in range(chance.randrange(1, 12)):
        at = chance.randrange(len(lines) + 1)
        match chance.randrange(4):
            case 0 if lines:
                del lines[at % len(lines)]
            case 1 if lines:
                lines.insert(at, lines[chance.randrange(len(lines))])
            case 2:
                lines[at:at] = lines[at:at + 20]
            case _:
                lines.insert(at, b"TODO(%d): look at this once more\n" % chance.randrange(10_000))
    new.write_bytes(b"".join(lines) or b"empty\n")


def text_append(old: Path, new: Path, chance: random.Random) -> None:
    data = old.read_bytes()
    if b"\0" in data:
        raise NotSuited(f"{old}: it is no text in bytes")
    lines = b"".join(b"2026-11-%02d 12:00:%02d service[%d]: request took %d ms\n" % (chance.randrange(1, 29), i % 60, chance.randrange(9999), i)
                     for i in range(chance.randrange(1, 400)))
    new.write_bytes(data + (b"" if data.endswith(b"\n") else b"\n") + lines)


def line_ends(old: Path, new: Path, _chance: random.Random) -> None:
    data = old.read_bytes()
    if b"\0" in data or b"\n" not in data:
        raise NotSuited(f"{old}: there are no lines to convert")
    new.write_bytes(data.replace(b"\r\n", b"\n") if b"\r\n" in data else data.replace(b"\n", b"\r\n"))


def recode(source: str, *targets: str) -> Do:
    def do(old: Path, new: Path, chance: random.Random) -> None:
        new.write_bytes(run("iconv", "-f", source, "-t", chance.choice(targets), old))
    return do


def recode_utf8(old: Path, new: Path, chance: random.Random) -> None:
    if b"\0" in old.read_bytes():  # UTF-16 of English is valid UTF-8, too, and is no text in it
        raise NotSuited(f"{old}: it is no text in UTF-8")
    data = run("iconv", "-f", "UTF-8", "-t", chance.choice(["UTF-16", "CP932//TRANSLIT", "EUC-JP//TRANSLIT", "GB18030", "UTF-16LE", "ISO-8859-1//TRANSLIT"]), old)
    new.write_bytes(data)


def pretty(old: Path, new: Path, chance: random.Random) -> None:
    data = old.read_bytes()
    if old.suffix == ".json":
        text = json.dumps(json.loads(data), indent=chance.choice([None, 2, 4]), ensure_ascii=chance.choice([True, False]))
        new.write_text(text, encoding="utf-8", errors="surrogatepass")
    else:
        try:
            with xml.dom.minidom.parseString(data) as document:
                new.write_bytes(document.toprettyxml(encoding="utf-8"))
        except ExpatError as error:
            raise NotSuited(f"{old}: {error}") from error


def table_sort(old: Path, new: Path, _chance: random.Random) -> None:
    if b"\0" in old.read_bytes():
        raise NotSuited(f"{old}: it is no text in bytes")
    first, *rows = old.read_bytes().splitlines(keepends=True)
    new.write_bytes(first + b"".join(sorted(rows)))


# ---- Names, archives, honest ciphers ----

def rename(old: Path, new: Path, chance: random.Random) -> str:
    shutil.copyfile(old, new)
    return chance.choice(["2026 {}", "{}.bak", "{}.old", "{}~", "Copy of {}"])


def packed(program: str, ending: str) -> Do:
    """As log rotation does."""
    def do(old: Path, new: Path, _chance: random.Random) -> str:
        new.write_bytes(run(program, "-c", given=old.read_bytes()))
        return "{}." + ending
    return do


def unpacked(old: Path, new: Path, _chance: random.Random) -> str:
    with gzip.open(old) as file:
        new.write_bytes(file.read(32 << 20))
    return "{}.unpacked"


def tarred(old: Path, new: Path, _chance: random.Random) -> str:
    run("tar", "-C", old.parent, "-cf", new, "--", old.name)
    return "{}.tar"


def locked(ending: str, *command: str) -> Do:
    """Somebody's own encryption of a file. {new}, {old} and {password} stand for themselves."""
    def do(old: Path, new: Path, _chance: random.Random) -> str:
        with tempfile.TemporaryDirectory() as home:
            out = Path(home) / f"out.{ending}"
            words = {"{new}": str(out), "{old}": str(old), "{password}": PASSWORD, "{home}": home}
            run(*[words.get(word, word) for word in command])
            shutil.move(out, new)
        return "{}." + ending
    return do


def keepass_entry(old: Path, new: Path, chance: random.Random) -> None:
    import pykeepass
    shutil.copyfile(old, new)
    try:
        database = pykeepass.PyKeePass(str(new), password="bench: nothing secret is kept here")
    except Exception as error:
        raise NotSuited(f"{old}: it has another password") from error
    database.add_entry(database.root_group, f"new {chance.randrange(10**9)}", "user", "secret")
    database.save()


# ---- Disks, programs ----

def fat_copy(old: Path, new: Path, chance: random.Random) -> None:
    shutil.copyfile(old, new)
    run("mcopy", "-i", new, "-", f"::new{chance.randrange(9999)}.txt", given=b"a line\n" * chance.randrange(5000))


def ext_copy(old: Path, new: Path, chance: random.Random) -> None:
    shutil.copyfile(old, new)
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"a line\n" * chance.randrange(5000))
        file.flush()
        run("debugfs", "-w", "-R", f"write {file.name} new-{chance.randrange(9999)}", new)


def image_again(old: Path, new: Path, _chance: random.Random) -> None:
    kind = {"vhd": "vpc"}.get(old.suffix[1:], old.suffix[1:])
    run("qemu-img", "convert", "-O", kind, old, new)


def strip(old: Path, new: Path, _chance: random.Random) -> None:
    run("strip", "-o", new, old)


ZIPS = frozenset("docx docm dotx xlsx xlsm xltx pptx pptm potx ppsx odt ods odp odg odb ott ots otp odf odm otg sxw sxc".split())
TEXTS = frozenset("txt md rst c h cc cpp cxx hxx hpp py java js ts go rb pl pm sh t el tcl lua sql html htm xml svg xhtml json css csv po yml yaml conf ini "
                  "tex log sjis eucjp gb18030 big5 patch diff ui in am ac m cs php r sgml xhp properties cmake mk eml rtf dxf".split())
PICTURES = frozenset("png jpg jpeg gif tif tiff bmp webp ppm pgm tga pcx".split())

WORKS = {work.name: work for work in (
    Work("office-save", ZIPS, office_save),
    Work("libreoffice-save", ZIPS | frozenset(["doc", "xls", "ppt", "rtf"]), libreoffice_save, ("soffice",)),
    Work("zip-again", frozenset(["zip", "jar", "epub"]) | ZIPS, zip_again),
    Work("pdf-linearise", frozenset(["pdf"]), qpdf("--linearize"), ("qpdf",)),
    Work("pdf-streams", frozenset(["pdf"]), qpdf("--object-streams=generate", "--compress-streams=y"), ("qpdf",)),
    Work("pdf-encrypt", frozenset(["pdf"]), qpdf("--encrypt", "user", "owner", "256", "--"), ("qpdf",)),
    Work("pdf-distil", frozenset(["pdf"]), distil, ("gs",)),
    Work("jpeg-lossless", frozenset(["jpg", "jpeg"]), jpeg_lossless, ("jpegtran",)),
    Work("jpeg-again", frozenset(["jpg", "jpeg"]), jpeg_again, ("cjpeg", "djpeg")),
    Work("picture-edit", PICTURES, picture("edit")),
    Work("picture-resize", PICTURES, picture("resize")),
    Work("picture-convert", PICTURES, picture("convert")),
    Work("tags", frozenset(["mp3", "flac", "ogg", "oga", "opus", "m4a", "mp4"]), tags),
    Work("sound-again", frozenset(["wav", "flac", "mp3", "ogg", "aiff", "au"]), sound_again, ("ffmpeg",)),
    Work("streams-again", frozenset(["mp4", "mkv", "webm", "mov", "avi", "m4a", "ogv"]), streams_again, ("ffmpeg",)),
    Work("sqlite-vacuum", frozenset(["sqlite", "sqlite3", "db", "gpkg", "db3"]), sqlite_vacuum),
    Work("sqlite-change", frozenset(["sqlite", "sqlite3", "db", "gpkg", "db3"]), sqlite_change),
    Work("sqlite-restore", frozenset(["sqlite", "sqlite3", "db", "db3"]), sqlite_restore, ("sqlite3",)),
    Work("mbox-append", frozenset(["mbox"]), mbox_append),
    Work("text-edit", TEXTS, text_edit),
    Work("text-append", TEXTS, text_append),
    Work("line-ends", TEXTS, line_ends),
    Work("recode-sjis", frozenset(["sjis"]), recode("CP932", "UTF-8", "UTF-16", "EUC-JP"), ("iconv",)),
    Work("recode-eucjp", frozenset(["eucjp"]), recode("EUC-JP", "UTF-8", "CP932"), ("iconv",)),
    Work("recode-big5", frozenset(["big5"]), recode("BIG5", "UTF-8", "GB18030"), ("iconv",)),
    Work("recode-utf8", frozenset(["txt", "md", "html", "csv", "c", "py", "po"]), recode_utf8, ("iconv",)),
    Work("pretty", frozenset(["json", "xml", "svg"]), pretty),
    Work("table-sort", frozenset(["csv", "tsv"]), table_sort),
    Work("rename", frozenset(), rename),
    Work("gzip", frozenset(), packed("gzip", "gz"), ("gzip",)),
    Work("xz", frozenset(), packed("xz", "xz"), ("xz",)),
    Work("zstd", frozenset(), packed("zstd", "zst"), ("zstd",)),
    Work("bzip2", frozenset(), packed("bzip2", "bz2"), ("bzip2",)),
    Work("gunzip", frozenset(["gz"]), unpacked),
    Work("tar", frozenset(), tarred, ("tar",)),
    Work("gpg", frozenset(), locked("gpg", "gpg", "--homedir", "{home}", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "{password}",
                                    "--s2k-count", "65536", "-o", "{new}", "--symmetric", "{old}"), ("gpg",)),
    Work("7z-locked", frozenset(), locked("7z", "7zz", "a", "-p" + PASSWORD, "-mhe=on", "{new}", "{old}"), ("7zz",)),
    Work("zip-locked", frozenset(), locked("zip", "zip", "-q", "-j", "-P", "{password}", "{new}", "{old}"), ("zip",)),
    Work("keepass-entry", frozenset(["kdbx"]), keepass_entry),
    Work("fat-copy", frozenset(["fat"]), fat_copy, ("mcopy",)),
    Work("ext-copy", frozenset(["ext4"]), ext_copy, ("debugfs",)),
    Work("image-again", frozenset(["qcow2", "vmdk", "vdi", "vhd", "vhdx"]), image_again, ("qemu-img",)),
    Work("strip", frozenset(["so", "o"]), strip, ("strip",)),
)}
