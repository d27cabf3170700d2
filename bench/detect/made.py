"""Clean files of kinds that packages lack or have few of, made by the programs that people make them with, out of files of
the corpus of the same half. What is chosen is seeded; keys, salts and times inside of them are the programs' own."""
import json
import mailbox
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

PASSWORD = "bench: nothing secret is kept here"
Maker = Callable[["Desk", Path], None]


class Desk:
    """Where one file is made: files to make it of, a seeded choice, a folder that goes afterwards."""

    def __init__(self, sources: list[dict[str, object]], base: Path, chance: random.Random, folder: Path, number: int):
        self.sources, self.base, self.chance, self.folder, self.number = sources, base, chance, folder, number
        folder.mkdir(parents=True)

    def run(self, *command: object, given: bytes | None = None, environment: dict[str, str] | None = None) -> bytes:
        return subprocess.run([str(word) for word in command], cwd=self.folder, check=True, capture_output=True, input=given,
                              env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", **(environment or {})},
                              timeout=300).stdout

    def files(self, count: int, kinds: set[str] | None = None, largest: int = 1_000_000) -> list[Path]:
        fitting = [line for line in self.sources if int(str(line["size"])) <= largest and (kinds is None or line["kind"] in kinds)]
        return [self.base / str(line["path"]) for line in self.chance.sample(fitting, min(count, len(fitting)))]

    def tree(self, count: int, largest: int = 1_000_000) -> Path:
        """A folder with copies of some files."""
        folder = self.folder / "tree"
        folder.mkdir()
        for number, path in enumerate(self.files(count, largest=largest)):
            shutil.copyfile(path, folder / f"{number:02d}-{path.name}")
        return folder

    def one(self, kinds: set[str] | None = None, largest: int = 1_000_000) -> Path:
        return self.files(1, kinds, largest)[0]

    def pick(self, *choices: object) -> object:
        """Each in turn, so that even a few files have all of them."""
        return choices[self.number // 2 % len(choices)]


# ---- Databases ----

def make_sqlite(desk: Desk, out: Path) -> None:
    database = sqlite3.connect(out)
    database.execute(f"pragma page_size={desk.pick(4096, 1024, 8192, 512, 65536)}")
    database.execute(f"pragma auto_vacuum={desk.pick('none', 'full', 'incremental')}")
    if desk.number % 3 == 0:
        database.execute("pragma journal_mode=wal")
    database.execute("create table documents (id integer primary key, name text, size int, contents blob)")
    database.execute("create index by_name on documents (name, size)")
    for path in desk.files(desk.chance.randrange(5, 60), largest=200_000):
        data = path.read_bytes()
        database.execute("insert into documents (name, size, contents) values (?, ?, ?)", (path.name, len(data), data))
    database.execute("delete from documents where id % 7 = 0")
    database.commit()
    database.close()


def make_dump(desk: Desk, out: Path) -> None:
    make_sqlite(desk, desk.folder / "database")
    with sqlite3.connect(desk.folder / "database") as database:
        out.write_text("\n".join(database.iterdump()) + "\n", errors="surrogateescape")


def make_csv(desk: Desk, out: Path) -> None:
    separator, encoding = desk.pick((",", "utf-8"), (";", "cp1252"), ("\t", "utf-16"), (",", "cp932"))
    rows = [separator.join([str(i), f"item {desk.chance.randrange(10**6)}", f"{desk.chance.random() * 1000:.2f}", "café" if encoding != "cp932" else "商品"])
            for i in range(desk.chance.randrange(200, 20_000))]
    out.write_text("\r\n".join(["id,name,price,note".replace(",", separator), *rows]), encoding=encoding, errors="replace")


def make_json(desk: Desk, out: Path) -> None:
    rows = [{"id": i, "name": f"item {desk.chance.randrange(10**6)}", "tags": ["a", "b", None, True], "price": desk.chance.random()}
            for i in range(desk.chance.randrange(50, 5000))]
    out.write_text(json.dumps(rows, indent=desk.pick(None, 1, 4)))


# ---- Archives ----

def make_7z(desk: Desk, out: Path) -> None:
    desk.run("7zz", "a", f"-m0={desk.pick('lzma2', 'ppmd', 'bzip2', 'copy', 'lzma')}", f"-ms={desk.pick('on', 'off')}", out, desk.tree(12))


def make_7z_locked(desk: Desk, out: Path) -> None:
    desk.run("7zz", "a", f"-p{PASSWORD}", f"-mhe={desk.pick('on', 'off')}", out, desk.tree(8))


def make_zip(desk: Desk, out: Path) -> None:
    desk.run("zip", "-q", "-r", f"-{desk.pick(6, 0, 9, 1)}", out, "tree") if desk.tree(12) else None


def make_zip_locked(desk: Desk, out: Path) -> None:
    """By zip's own weak cipher and by AES."""
    tree = desk.tree(8)
    if desk.pick(True, False):
        desk.run("zip", "-q", "-r", "-P", PASSWORD, out, tree.name)
    else:
        desk.run("7zz", "a", "-tzip", "-mem=AES256", f"-p{PASSWORD}", out, tree)


def make_epub(desk: Desk, out: Path) -> None:
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
                         '<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>')
        archive.writestr("book.opf", '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="2.0"/>', zipfile.ZIP_DEFLATED)
        for number, path in enumerate(desk.files(9, {"html", "png", "jpeg"})):
            archive.write(path, f"text/{number}{path.suffix}", zipfile.ZIP_DEFLATED)


def make_tar(desk: Desk, out: Path) -> None:
    with tarfile.open(out, "w", format=desk.pick(tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT)) as tar:
        tar.add(desk.tree(15), "tree")


def packed_by(*command: str) -> Maker:
    """A tar, or a single file, through a packer."""
    def make(desk: Desk, out: Path) -> None:
        plain = desk.folder / "plain"
        make_tar(desk, plain) if desk.pick(True, False) else shutil.copyfile(desk.one(largest=4_000_000), plain)
        out.write_bytes(desk.run(*command, given=plain.read_bytes()))
    return make


def make_cpio(desk: Desk, out: Path) -> None:
    desk.tree(12)
    names = "\n".join(sorted(os.path.join("tree", name) for name in os.listdir(desk.folder / "tree")))
    out.write_bytes(desk.run("cpio", "-o", "-H", desk.pick("newc", "odc"), given=names.encode()))


def make_pack(desk: Desk, out: Path) -> None:
    desk.tree(20)
    name = ["-c", "user.name=B", "-c", "user.email=b@example.org"]
    desk.run("git", "init", "-q", ".")
    desk.run("git", "add", "tree")
    desk.run("git", *name, "commit", "-qm", "first")
    desk.run("git", "gc", "-q")
    shutil.copyfile(next((desk.folder / ".git/objects/pack").glob(f"*{out.suffix}")), out)


# ---- Honest ciphers ----

def make_gpg(desk: Desk, out: Path) -> None:
    armor = ["--armor"] if out.suffix == ".asc" else []
    desk.run("gpg", "--homedir", desk.folder, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", PASSWORD, *armor,
             "--s2k-count", "65536", "-o", out, "--symmetric", desk.one())


def make_gpg_public(desk: Desk, out: Path) -> None:
    gpg = ["gpg", "--homedir", desk.folder, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    desk.folder.chmod(0o700)
    desk.run(*gpg, "--quick-generate-key", "b@example.org", desk.pick("future-default", "rsa2048"), "default", "never")
    desk.run(*gpg, "--trust-model", "always", "-r", "b@example.org", "-o", out, desk.pick("--encrypt", "--sign"), desk.one())
    subprocess.run(["gpgconf", "--homedir", desk.folder, "--kill", "all"], check=False)


def make_age(desk: Desk, out: Path) -> None:
    said = desk.run("age-keygen").decode()
    key = next(line.split(": ")[1] for line in said.splitlines() if "public key" in line)
    desk.run("age", *(["-a"] if desk.pick(False, True) else []), "-r", key, "-o", out, desk.one())


def certificate(desk: Desk) -> None:
    desk.run("openssl", "req", "-x509", "-newkey", desk.pick("rsa:2048", "ed25519"), "-nodes", "-keyout", "key", "-out", "cert",
             "-subj", "/CN=bench", "-days", "30")


def make_p12(desk: Desk, out: Path) -> None:
    certificate(desk)
    desk.run("openssl", "pkcs12", "-export", "-inkey", "key", "-in", "cert", "-out", out, "-passout", f"pass:{PASSWORD}")


def make_p7m(desk: Desk, out: Path) -> None:
    desk.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "cert", "-subj", "/CN=bench")
    desk.run("openssl", "cms", "-encrypt", "-binary", "-aes256", "-in", desk.one(), "-outform", desk.pick("DER", "PEM", "SMIME"), "-out", out, "cert")


def make_pem(desk: Desk, out: Path) -> None:
    certificate(desk)
    shutil.copyfile(desk.folder / str(desk.pick("cert", "key")), out)


def make_openssl(desk: Desk, out: Path) -> None:
    desk.run("openssl", "enc", "-aes-256-ctr", "-pbkdf2", "-pass", f"pass:{PASSWORD}", "-in", desk.one(), "-out", out)


def make_kdbx(desk: Desk, out: Path) -> None:
    import pykeepass  # the only one that needs it
    database = pykeepass.create_database(str(out), password=PASSWORD)
    for number in range(desk.chance.randrange(1, 40)):
        database.add_entry(database.root_group, f"entry {number}", "user", f"secret {number}", notes="note " * desk.chance.randrange(99))
    database.save()


def make_luks(desk: Desk, out: Path) -> None:
    kind = desk.pick("luks2", "luks1")
    size = (20 if kind == "luks2" else 6) << 20
    out.write_bytes(desk.chance.randbytes(size))  # the data's place is never anything but random
    desk.run("cryptsetup", "luksFormat", "--batch-mode", "--type", kind, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", 1000, out, "-",
             given=PASSWORD.encode())


# ---- Disks ----

def make_ext(desk: Desk, out: Path) -> None:
    desk.run(f"mkfs.{desk.pick('ext4', 'ext2', 'ext3')}", "-q", "-F", "-d", desk.tree(30), out, f"{desk.pick(16, 24, 40)}M")


def make_ntfs(desk: Desk, out: Path) -> None:
    with open(out, "wb") as file:
        file.truncate(16 << 20)
    desk.run("mkntfs", "-F", "-Q", "-q", out)
    for number, path in enumerate(desk.files(12, largest=500_000)):
        desk.run("ntfscp", "-f", out, path, f"file-{number}{path.suffix}")


def make_fat(desk: Desk, out: Path) -> None:
    bits, kib = desk.pick((16, 8192), (12, 4096), (32, 34_000))
    desk.run("mkfs.fat", "-C", "-F", bits, *(["-s", 1] if bits == 32 else []), out, kib)
    for number, path in enumerate(desk.files(12, largest=200_000)):
        desk.run("mcopy", "-i", out, path, f"::file{number}{path.suffix}")


def make_squashfs(desk: Desk, out: Path) -> None:
    desk.run("mksquashfs", desk.tree(30), out, "-quiet", "-no-progress", "-comp", desk.pick("gzip", "xz", "zstd", "lz4"))


def make_iso(desk: Desk, out: Path) -> None:
    desk.run("genisoimage", "-quiet", "-J", "-R", "-o", out, desk.tree(30))


def disk(image: str, *options: str) -> Maker:
    def make(desk: Desk, out: Path) -> None:
        raw = desk.folder / "raw"
        desk.run("mkfs.ext4", "-q", "-F", "-d", desk.tree(30), raw, "16M")
        more = ["-c"] if image == "qcow2" and desk.pick(False, True) else []
        desk.run("qemu-img", "convert", "-f", "raw", "-O", image, *more, *options, raw, out)
    return make


# ---- Sound, video, pictures ----

def by_ffmpeg(*options: str, video: bool = True, sound: bool = True) -> Maker:
    def make(desk: Desk, out: Path) -> None:
        seconds = desk.chance.randrange(1, 5)
        size = desk.pick("320x240", "640x360", "176x144")
        picture = str(desk.pick(f"testsrc2=s={size}", f"mandelbrot=s={size}", f"cellauto=s={size}:seed={desk.number}", f"smptebars=s={size}"))
        inputs = ["-f", "lavfi", "-t", seconds, "-i", picture] if video else []
        inputs += ["-f", "lavfi", "-t", seconds, "-i", f"anoisesrc=seed={desk.number}:color={desk.pick('pink', 'brown', 'white')}"] if sound else []
        desk.run("ffmpeg", "-nostdin", "-loglevel", "error", "-y", *inputs, *options, out)
    return make


def by_sox(*options: str) -> Maker:
    def make(desk: Desk, out: Path) -> None:
        desk.run("sox", "-n", "-r", desk.pick(44100, 8000, 22050), "-c", desk.pick(1, 2), *options, out, "synth", desk.chance.randrange(1, 4),
                 desk.pick("pluck", "sine", "pinknoise"), desk.chance.randrange(100, 900))
    return make


def picture(desk: Desk):  # -> PIL.Image.Image
    from PIL import Image
    for path in desk.files(8, {"png", "jpeg"}, 3_000_000):
        try:
            return Image.open(path).convert(str(desk.pick("RGB", "L")))
        except (OSError, ValueError, Image.DecompressionBombError):
            continue
    return Image.effect_noise((300, 200), 50).convert("RGB")


def by_pil(**options: object) -> Maker:
    """Real pictures of the corpus, in another form. A list is gone through by turns."""
    def make(desk: Desk, out: Path) -> None:
        chosen = {name: desk.pick(*value) if isinstance(value, list) else value for name, value in options.items()}
        image = picture(desk)
        if out.suffix in (".pcx", ".ico"):
            image = image.convert("RGB").resize((200, 160))
        elif out.suffix == ".webp":
            image.thumbnail((1600, 1600))
        image.save(out, **{name: value for name, value in chosen.items() if value is not None})
    return make


def make_psd(desk: Desk, out: Path) -> None:
    picture(desk).convert("RGB").save(desk.folder / "a.png")
    desk.run("convert", "a.png", "-compress", desk.pick("RLE", "None"), out)


def make_pdf(desk: Desk, out: Path) -> None:
    """Encrypted, linearised, with object streams, and by Ghostscript."""
    old, how = desk.one({"pdf"}, 2_000_000), desk.pick("encrypt", "linearise", "streams", "gs", "qdf")
    if how == "gs":
        desk.run("gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=pdfwrite", f"-sOutputFile={out}", old)
        return
    words = {"encrypt": ["--encrypt", "user", "owner", "256", "--"], "linearise": ["--linearize"], "qdf": ["--qdf"],
             "streams": ["--object-streams=generate"]}[str(how)]
    done = subprocess.run(["qpdf", *words, old, out], check=False, capture_output=True, timeout=120)
    if done.returncode not in (0, 3):  # 3: with warnings
        raise RuntimeError(done.stderr.decode(errors="replace")[-200:])


# ---- Mail and texts ----

def message(desk: Desk) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", f"Report {desk.chance.randrange(999)}: 報告"
    mail["Date"] = "Tue, 14 Nov 2023 22:13:20 +0000"
    mail.set_content(desk.one({"text"}, 20_000).read_text(errors="replace"))
    for path in desk.files(desk.chance.randrange(3), {"pdf", "png", "ooxml", "jpeg"}, 300_000):
        mail.add_attachment(path.read_bytes(), maintype="application", subtype="octet-stream", filename=path.name)
    return mail


def make_eml(desk: Desk, out: Path) -> None:
    out.write_bytes(bytes(message(desk)))


def make_mbox(desk: Desk, out: Path) -> None:
    box = mailbox.mbox(out)
    for _ in range(desk.chance.randrange(2, 15)):
        box.add(message(desk))
    box.close()


def is_mostly(text: str, first: str, last: str) -> bool:
    return sum(first <= letter <= last for letter in text[:20_000]) > 200


def text_in(encoding: str, first: str, last: str) -> Maker:
    """Texts of the corpus that have letters of that script, in an encoding of the time before UTF-8."""
    def make(desk: Desk, out: Path) -> None:
        for path in desk.files(4000, {"text", "html", "xml", "source", "text-other"}, 400_000):
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            if is_mostly(text, first, last):
                data = text.encode(encoding, "ignore")
                if len(data) > 500:
                    out.write_bytes(data)
                    return
        raise RuntimeError("there is no text to convert")
    return make


def make_wide(desk: Desk, out: Path) -> None:
    encoding, mark = desk.pick(("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"))
    out.write_bytes(mark + desk.one({"text", "source"}, 200_000).read_text(errors="replace").encode(encoding, "replace"))


KANA, HAN = ("\u3041", "\u30f6"), ("\u4e00", "\u9fa5")
MAKERS: dict[str, tuple[str, Maker, int]] = {  # ending, how, and how many
    "sqlite": ("sqlite", make_sqlite, 150), "dump": ("sql", make_dump, 30), "csv": ("csv", make_csv, 100), "json": ("json", make_json, 80),
    "7z": ("7z", make_7z, 100), "7z-locked": ("7z", make_7z_locked, 40), "zip": ("zip", make_zip, 60), "zip-locked": ("zip", make_zip_locked, 40),
    "epub": ("epub", make_epub, 60), "tar": ("tar", make_tar, 80), "gzip": ("tgz", packed_by("gzip", "-c"), 40), "bzip2": ("bz2", packed_by("bzip2", "-c"), 60),
    "xz": ("xz", packed_by("xz", "-c"), 60), "lzma": ("lzma", packed_by("lzma", "-c"), 20), "zstd": ("zst", packed_by("zstd", "-c"), 60),
    "lz4": ("lz4", packed_by("lz4", "-c"), 40), "lzip": ("lz", packed_by("lzip", "-c"), 40), "cpio": ("cpio", make_cpio, 20),
    "git-pack": ("pack", make_pack, 30), "git-idx": ("idx", make_pack, 10),
    "gpg": ("gpg", make_gpg, 60), "gpg-armour": ("asc", make_gpg, 30), "gpg-public": ("gpg", make_gpg_public, 24), "age": ("age", make_age, 40),
    "p12": ("p12", make_p12, 30), "p7m": ("p7m", make_p7m, 30), "pem": ("pem", make_pem, 30), "openssl": ("enc", make_openssl, 30),
    "kdbx": ("kdbx", make_kdbx, 24), "luks": ("luks", make_luks, 8),
    "ext": ("ext4", make_ext, 12), "ntfs": ("ntfs", make_ntfs, 12), "fat": ("fat", make_fat, 12), 
    "squashfs": ("squashfs", make_squashfs, 20), "iso": ("iso", make_iso, 20), "qcow2": ("qcow2", disk("qcow2"), 12),
    "vmdk": ("vmdk", disk("vmdk"), 6), "vmdk-stream": ("vmdk", disk("vmdk", "-o", "subformat=streamOptimized"), 8), "vdi": ("vdi", disk("vdi"), 8),
    "vhd": ("vhd", disk("vpc"), 8), "vhdx": ("vhdx", disk("vhdx"), 6),
    "mp4": ("mp4", by_ffmpeg("-pix_fmt", "yuv420p"), 50), "mp4-fast": ("mp4", by_ffmpeg("-pix_fmt", "yuv420p", "-movflags", "+faststart"), 30),
    "mov": ("mov", by_ffmpeg("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"), 30), "m4a": ("m4a", by_ffmpeg("-c:a", "aac", video=False), 40),
    "mkv": ("mkv", by_ffmpeg("-pix_fmt", "yuv420p"), 40), "webm": ("webm", by_ffmpeg("-c:v", "libvpx", "-b:v", "500k"), 40),
    "avi": ("avi", by_ffmpeg("-c:v", "mpeg4"), 40), "wmv": ("wmv", by_ffmpeg("-c:v", "wmv2"), 20), "ogv": ("ogv", by_ffmpeg("-c:v", "libtheora"), 20),
    "mp3": ("mp3", by_ffmpeg("-b:a", "128k", video=False), 80), "ogg": ("ogg", by_ffmpeg("-c:a", "libvorbis", video=False), 40),
    "opus": ("opus", by_ffmpeg(video=False), 30), "flac": ("flac", by_ffmpeg(video=False), 60), "wav": ("wav", by_ffmpeg(video=False), 40),
    "wav-8": ("wav", by_sox("-b", "8"), 20), "wav-24": ("wav", by_sox("-b", "24"), 20), "wav-float": ("wav", by_sox("-e", "floating-point", "-b", "32"), 10),
    "aiff": ("aiff", by_sox(), 20), "au": ("au", by_sox(), 20),
    "tiff": ("tif", by_pil(compression=[None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"]), 120), "webp": ("webp", by_pil(lossless=[True, False]), 120),
    "bmp": ("bmp", by_pil(), 80), "jpeg": ("jpg", by_pil(quality=[75, 92, 50], progressive=[True, False]), 100), "png": ("png", by_pil(), 40),
    "gif": ("gif", by_pil(), 60), "jpeg2000": ("jp2", by_pil(), 40), "pcx": ("pcx", by_pil(), 20), "tga": ("tga", by_pil(), 20), "ppm": ("ppm", by_pil(), 20),
    "ico": ("ico", by_pil(), 20), "psd": ("psd", make_psd, 60), "pdf": ("pdf", make_pdf, 120),
    "eml": ("eml", make_eml, 120), "mbox": ("mbox", make_mbox, 60), "sjis": ("sjis", text_in("cp932", *KANA), 100),
    "eucjp": ("eucjp", text_in("euc_jp", *KANA), 100), "gb18030": ("gb18030", text_in("gb18030", *HAN), 60), "big5": ("big5", text_in("big5", *HAN), 60),
    "iso2022jp": ("jis", text_in("iso2022_jp", *KANA), 20), "utf16": ("utf16", make_wide, 80),
}


def prepare(folder: Path, lines: list[dict[str, object]], name: str, quick: bool) -> list[dict[str, object]]:
    """Files made of those of a corpus: path, half. What is there is not made again; what a program did not make is said."""
    place, made = folder / name, []
    for what, (ending, make, count) in MAKERS.items():
        for number in range(2 if quick else count):
            half = "train" if number % 2 else "test"
            out = place / half / "made" / f"{what}-{number:03d}.{ending}"
            if not out.exists() and not make_one(what, make, out, [line for line in lines if line["half"] == half], folder, number):
                continue
            made.append({"path": str(out), "half": half, "source": f"made/{what}-{number:03d}"})
    return made


def make_one(what: str, make: Maker, out: Path, sources: list[dict[str, object]], base: Path, number: int) -> bool:
    out.parent.mkdir(parents=True, exist_ok=True)
    work = base / f"making-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    part = work / f"out{out.suffix}"
    try:
        make(Desk(sources, base, random.Random(f"made {what} {number}"), work / "desk", number), part)
        part.rename(out)
        return True
    except subprocess.CalledProcessError as error:
        print(f"made: {out.name}: {error.cmd[0]}: {(error.stderr or b'').decode(errors='replace').strip()[-200:]}", file=sys.stderr)
    except (OSError, RuntimeError, ValueError, IndexError, ImportError, KeyError, subprocess.TimeoutExpired) as error:
        print(f"made: {out.name}: {type(error).__name__}: {error}", file=sys.stderr)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return False
