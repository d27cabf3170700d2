"""An office's files, of kinds that know when they are whole, and what an attack does to them."""
import json
import random
import sqlite3
import sys
import zipfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

WORDS = ("the invoice of this month was sent to the customer and we wait for the answer until Friday since the goods are "
         "in the warehouse in Suzhou while the contract was signed by both sides").split()


def prose(chance, words=400):
    return " ".join(chance.choice(WORDS) for _ in range(words)) + "\n"


def write_document(path, chance, words=3000, picture=20_000):
    """A .docx with a part of prose, as a word processor zips it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("[Content_Types].xml", '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>')
        parts.writestr("word/document.xml", f"<w:document><w:body><w:p>{prose(chance, words)}</w:p></w:body></w:document>")
        parts.writestr("word/media/image1.bin", chance.randbytes(picture))


def write_text(path, chance):
    path.write_text("".join(prose(chance, 12) for _ in range(300)))


def write_picture(path, chance, size=96):
    def part(name, body):
        return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
    rows = b"".join(b"\0" + bytes((x * y + chance.randrange(30)) % 256 for x in range(size * 3)) for y in range(size))
    head = size.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b""))


def write_database(path, chance, rows=400):
    path.unlink(missing_ok=True)
    base = sqlite3.connect(path)
    base.execute("create table orders (id integer primary key, what text, sum integer)")
    base.executemany("insert into orders (what, sum) values (?, ?)", ((prose(chance, 8), chance.randrange(10**6)) for _ in range(rows)))
    base.commit()
    base.close()


def write_table(path, chance):
    path.write_text("id,name,sum\n" + "".join(f"{i},{chance.choice(WORDS)},{chance.randrange(10**6)}\n" for i in range(2000)))


def write_record(path, chance):
    path.write_text(json.dumps([{"id": i, "text": prose(chance, 6)} for i in range(200)]))


KINDS = {"docx": write_document, "txt": write_text, "png": write_picture, "db": write_database, "csv": write_table, "json": write_record}


def make_office(folder, files=60, seed=1):
    """`files` files in folders of departments below `folder`, all kinds in turn."""
    chance = random.Random(seed)
    names = list(KINDS)
    for i in range(files):
        place = Path(folder) / ("sales", "accounts", "plans/2026")[i % 3]
        place.mkdir(parents=True, exist_ok=True)
        KINDS[names[i % len(names)]](place / f"file {i:03}.{names[i % len(names)]}", chance)
    return Path(folder)


def edit(path, chance):
    """The file's program saves it anew."""
    KINDS[path.suffix[1:]](path, chance)
