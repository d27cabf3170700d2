#!/usr/bin/python3
"""Makes the seeds of the fuzz targets of stored objects: tests/fuzz/corpus/NAME/, from docs/format.md.

    /usr/bin/python3 tests/fuzz/make_corpus.py

Signatures and seals are left blank: the targets sign and seal anew what they are given. Run it when a format changes;
seeds that were found by fuzzing have other names and stay.
"""

import hashlib
import struct
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
REPOSITORY = b"\xaa" * 16


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def string(data):
    return varint(len(data)) + data


def field(number, data):
    return varint(number) + string(data)


def head(magic, version=1):
    return magic + struct.pack("<H", version)


def chunk_id(n):
    return bytes([n]) * 32


def config(version=1, least=1 << 18):
    chunker = struct.pack("<BBIII", 1, 2, least, 1 << 20, 4 << 20)
    box = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    return head(b"KURACONF", version) + REPOSITORY + struct.pack("<q", 5) + box + bytes(32) + 2 * chunker + \
        struct.pack("<I", 32 << 20) + bytes(64)


def key(kind, rest):
    return head(b"KURAKEYS") + bytes([kind]) + b"\xc0" * 32 + struct.pack("<q", -1) + string(b"label") + rest


def recovery_file():
    both = chunk_id(0xC0) + chunk_id(0x54)
    check = hashlib.sha256(both).hexdigest()[:8]
    return f"# comment\nKURA-RECOVERY-KEY-1 {both[:32].hex()} {both[32:].hex()} {check}\n".encode()


def machine_file():
    keys = chunk_id(1) + chunk_id(2) + chunk_id(3)
    check = hashlib.sha256(keys).hexdigest()[:16]
    return (f"# comment\nKURA-MACHINE-KEY-1\nconfig {keys[:32].hex()}\nwrite {keys[32:64].hex()}\n"
            f"sign {keys[64:].hex()}\ncheck {check}\n").encode()


def record():
    plain = varint(1516) + b"\0" + varint(2) + chunk_id(1) + varint(1000) + chunk_id(2) + varint(500)
    packed = varint(300) + b"\1" + varint(1) + chunk_id(3) + varint(16 << 20)
    return varint(2) + plain + packed


def index():
    size = 140 + 1516 + 300 + len(record()) + 16 + 8
    packs = struct.pack("<I", 2) + b"".join(chunk_id(n) + struct.pack("<Q", size) for n in (4, 5))
    return head(b"KURAINDX") + b"\1\0" + REPOSITORY + bytes(32) + packs + 2 * record()


def snapshot(number, before):
    needs = struct.pack("<I", 2) + chunk_id(6) + struct.pack("<I", 1) + b"\3" + chunk_id(7) + struct.pack("<I", 0)
    return head(b"KURASNAP") + b"\1\0" + REPOSITORY + bytes(32) + struct.pack("<Q", number) + before + b"\xee" * 16 + \
        struct.pack("<q", 66) + needs + bytes(32) + struct.pack("<I", 16) + bytes(16) + bytes(64)


def label():
    return field(1, b"\1" + chunk_id(4)) + field(2, string(b"host")) + field(3, string(b"user")) + \
        field(4, string(b"/a") + string(b"/b\xff")) + field(5, string(b"daily")) + field(6, struct.pack("<q", 77)) + \
        field(7, bytes([1, 2, 3, 4, 5])) + field(8, b"\2")


def entry(kind, fields, name=b"name"):
    rest = bytes([kind]) + string(name) + varint(0o644) + varint(1000) + varint(100) + varint(3) + varint(999999999)
    return string(rest + fields)


def entries():
    xattrs = field(8, string(b"user.a") + string(b"value"))
    owner = field(5, b"ann") + field(6, b"staff")
    return [
        entry(1, field(1, varint(5000)) + field(2, b"\0" + chunk_id(6)) + owner + field(7, b"\7\x08") + xattrs +
              field(9, varint(0) + varint(10) + varint(4000) + varint(990)), b"file\xff"),
        entry(2, field(2, b"\0") + owner, b"folder"),
        entry(3, field(3, b"../target"), b"link"),
        entry(4, b"", b"fifo"),
        entry(5, field(4, b"\5\1"), b"char"),
        entry(6, field(4, b"\5\1"), b"block"),
        entry(7, field(7, b"\1\1"), b"socket"),
    ]


def lease(purpose):
    return head(b"KURALEAS") + b"\x11" * 16 + bytes([purpose]) + struct.pack("<qI", 7, 3)


def condemned():
    return head(b"KURACOND") + struct.pack("<I", 2) + chunk_id(1) + chunk_id(2) + struct.pack("<I", 1) + chunk_id(3)


def parity(*columns, shards=2, bits=9, number=0):
    group = bytes([shards, bits, len(columns)])
    for column in columns:
        group += struct.pack("<I", len(column))
        group += b"".join(bytes([kind]) + chunk_id(n) + struct.pack("<Q", size) for kind, n, size in column)
    return head(b"KURAPARI") + bytes([number]) + struct.pack("<I", len(group)) + group + bytes(32)


def snapshot_cache():
    text = REPOSITORY + bytes(32) + struct.pack("<Q", 1) + bytes(32) + b"\xee" * 16 + struct.pack("<q", 66) + \
        varint(1) + chunk_id(6) + string(b"\3") + label()
    return b"KURASNPC" + struct.pack("<H", 1) + bytes(32) + struct.pack("<I", 1) + chunk_id(9) + \
        struct.pack("<Q", 300) + string(text)


def pack_uses():
    uses = chunk_id(4) + varint(300) + varint(1000) + varint(2 * 66), chunk_id(5) + varint(7) + varint(7) + varint(0)
    return b"KURAUSES" + struct.pack("<H", 1) + bytes(32) + chunk_id(9) + varint(len(uses)) + b"".join(uses)


def index_table():
    parts = [b"KURATABL" + struct.pack("<H", 1) + bytes(64) + struct.pack("<QIII", 0, 1, 1, 2),
             chunk_id(4) + struct.pack("<QI", 300, 0),
             struct.pack("<III", 140, 116, 3),
             struct.pack("<II", 0x01010101, 0x02020202),
             chunk_id(1) + struct.pack("<III", 0, 0, 1) + chunk_id(2) + struct.pack("<III", 0, 1, 2)]
    return b"".join(part.ljust(4096, b"\0") for part in parts)


def s3_list(*keys):
    objects = "".join(f"<Contents><Key>{key}</Key><LastModified>2026-11-24T15:38:55.789Z</LastModified>"
                      f"<Size>5</Size></Contents>" for key in keys)
    return (f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>{objects}"
            f"</ListBucketResult>").encode()


def s3_uploads():
    return (b"<ListMultipartUploadsResult><Upload><Key>packs/a</Key><UploadId>2~x</UploadId>"
            b"<Initiated>2026-11-24T15:38:55.789Z</Initiated></Upload></ListMultipartUploadsResult>")


def s3_upload():
    return b"<InitiateMultipartUploadResult><UploadId>2~x</UploadId></InitiateMultipartUploadResult>"


def s3_lock():
    return b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"


def s3_error(code):
    return f"<Error><Code>{code}</Code><Message>m</Message><Region>eu-1</Region></Error>".encode()


def journal_entry(event, sequence, fields):
    body = bytes([1, event]) + struct.pack("<Qq", sequence, 5) + bytes(32) + fields + bytes(64)
    return struct.pack("<I", len(body)) + body


def seeds():
    pack_header = head(b"KURAPACK") + b"\2\2" + REPOSITORY + bytes(32) + bytes(80)
    everything = b"".join(entries())
    return {
        "cache": {"snapshots": b"\0" + snapshot_cache(), "table": b"\1" + index_table(), "uses": b"\2" + pack_uses()},
        "config": {"whole": config(), "version": config(version=2), "bounds": config(least=0)},
        "key": {
            "slot": b"\0" + key(1, bytes(16) + struct.pack("<II", 1, 8) + bytes(48)),
            "machine": b"\0" + key(2, bytes(32) + bytes(64)),
            "type": b"\0" + key(3, bytes(96)),
            "recovery_file": b"\1" + recovery_file(),
            "machine_file": b"\2" + machine_file(),
        },
        "pack": {
            "header": b"\0" + pack_header,
            "record": b"\1" + record(),
            "trailer": b"\2" + struct.pack("<QI", 1000, 100) + b"KEND",
            "footer": b"\3" + bytes(40),
        },
        "index": {"whole": index()},
        "snapshot": {
            "first": b"\0" + snapshot(1, bytes(32)),
            "later": b"\0" + snapshot(2, chunk_id(9)),
            "label": b"\1" + label(),
            "label_later": b"\1" + label() + field(100, b"later"),
        },
        "entry": {
            **{f"type_{i}": b"\0" + e for i, e in enumerate(entries(), 1)},
            "listing": b"\0" + everything,
            "names": b"\0" + entry(4, b"", b"..") + entry(4, b"", b"a/b"),
            "content": b"\1\3" + chunk_id(1) + chunk_id(2),
        },
        "parity": {
            "packs": b"\0" + parity([(3, 1, 5000)], [(3, 2, 4096), (3, 3, 100)], [(3, 4, 1)], bits=16),
            "small": b"\0" + parity([(1, 1, 235), (2, 2, 200), (4, 3, 3000), (5, 4, 700)], shards=8, number=7),
            "empty_column": b"\0" + parity([(3, 1, 5)], []),
            "no_column": b"\0" + parity(),
            "bounds": b"\0" + parity([(3, 1, 1 << 40)], bits=21, shards=9, number=9),
            "checksums": b"\1" + bytes(8 * (2 + 1 + 2 * 2) + 32),
        },
        "lease": {**{f"purpose_{n}": lease(n) for n in (0, 1, 2, 3)}, "condemned": condemned()},
        "journal": {
            "begin": journal_entry(1, 1, field(1, b"office") + field(6, bytes(range(32))) + field(8, bytes(16))),
            "commit": journal_entry(3, 2, field(1, b"pc1") + field(3, b"\4") + field(4, bytes(32)) + field(5, b"\5")),
            "unknown": journal_entry(99, 3, field(1, b"x") + field(100, b"later")),
            "order": journal_entry(3, 2, field(2, b"b") + field(1, b"a")),
        },
        "door": {
            "knock": b"\0" + b"KURAKNOK" + struct.pack("<BBQ", 1, 2, 5) + chunk_id(1) + string(b"der") + string(b"sig"),
            "open": b'\1{"do":"open","address":"192.0.2.1","seconds":60}',
            "shut_all": b'\1{"do":"shut_all"}',
            "status": b'\2{"done":true,"port":7443,"open":[{"address":"2001:db8::1","seconds":9}]}',
            "hours": b"\x0302:00+3h 22:30+90m@fri,sat",
        },
        "vault_answers": {"list": b"%s 5 1700000000\n" % (b"ab" * 32), "error": b'{"message":"gone","hint":"see"}'},
        "followed_vault": {
            "card": b'\0{"vault":"a","key":"%s","repositories":["office","lab"]}' % (b"ab" * 32),
            "entries": b"\1" + journal_entry(3, 2, field(3, b"\4") + field(4, bytes(32)) + field(5, b"\5")) +
            journal_entry(4, 3, field(3, b"\4") + field(4, bytes(32))),
            "claim": b"\2" + journal_entry(1, 1, field(1, b"office") + field(6, bytes(range(32)))) +
            journal_entry(3, 2, field(3, b"\4") + field(4, bytes(32))),
            "route": b"\3/snapshots/" + b"ab" * 32 + b"/copies",
        },
        "s3_answers": {"list": s3_list("a%2Fb", "c+d"), "empty": s3_list(), "error": s3_error("SlowDown"),
                       "uploads": s3_uploads(), "upload": s3_upload(), "lock": s3_lock()},
    }


def main():
    for target, files in seeds().items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
