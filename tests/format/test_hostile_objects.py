"""What the second reader refuses: objects that are signed and sealed as they should be, and that kura never writes.

It is the promise behind "a reader refuses" in docs/format.md, and it shows that the second reader would notice if kura
wrote something that the page does not allow.
"""
import hashlib
import os
import struct

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

import second_reader
from stored_objects import FILE, FILES, FOLDER, LINK, LISTINGS, Damaged, Fields, Refused, hpke_open
from tiny_writer import TinyWriter, content, entry, numbered, string, varint


@pytest.fixture
def writer(tmp_path):
    return TinyWriter(tmp_path / "repository")


def problems(writer):
    repository = second_reader.Repository(writer.folder, recovery_key=writer.recovery_key())
    second_reader.verify(repository)
    return repository.problems


def restore(writer, snapshot_id, target):
    repository = second_reader.Repository(writer.folder, recovery_key=writer.recovery_key())
    tree = repository.tree(second_reader.find_snapshot(repository, snapshot_id.hex()))
    second_reader.Restorer(tree, os.fsencode(target)).run()
    return repository.problems


def test_hpke_opens_the_vector_of_the_rfc():
    """RFC 9180, A.2.1.1, sequence number 0."""
    private = X25519PrivateKey.from_private_bytes(
        bytes.fromhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"))
    enc = bytes.fromhex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
    sealed = bytes.fromhex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28")
    assert hpke_open(private, enc, b"Ode on a Grecian Urn", b"Count-0", sealed) == b"Beauty is truth, truth beauty"


def test_an_all_zero_hpke_key_is_refused():
    with pytest.raises(Damaged, match="session key does not open"):
        hpke_open(X25519PrivateKey.generate(), bytes(32), b"", b"", bytes(48))


def test_an_honest_repository_of_every_feature_is_whole_and_restored(writer, tmp_path):
    part = [writer.chunk(bytes([i]) * 100) for i in range(4)]
    names = [(1, varint(100)), (2, content(part[0]))]
    # Ids of a deep content may lie across the border of two chunks.
    ids = b"".join(part)
    deep = [writer.chunk(ids[:40], LISTINGS), writer.chunk(ids[40:], LISTINGS)]
    deeper = writer.chunk(b"".join(deep), LISTINGS)
    folder = writer.chunk(entry(FILE, b"inside", names), LISTINGS)
    first = writer.snapshot_of(
        entry(FILE, b"\n\xff", names, mode=0o4711, mtime=(-2, 5)),
        entry(FILE, b"deep", {1: varint(400), 2: content(deep[0], deep[1], depth=1)}),
        entry(FILE, b"deeper", {1: varint(400), 2: content(deeper, depth=2)}),
        entry(FILE, b"empty", {1: varint(0), 2: content()}),
        entry(FOLDER, b"folder", {2: content(folder), 77: b"unknown numbers are skipped"}, mode=0o500),
        entry(FILE, b"holes", {1: varint(1 << 20), 2: content(part[1]), 9: varint(4096) + varint(100)}),
        entry(LINK, b"link", {3: b"\xfe nowhere"}),
        entry(FILE, b"name1", names + [(7, varint(1) + varint(2))]),
        entry(FILE, b"name2", names + [(7, varint(1) + varint(2))]))
    writer.snapshot_of(number=2, before=first)
    assert problems(writer) == []
    target = os.fsencode(tmp_path / "target")
    assert restore(writer, first, target) == []
    facts = os.stat(target + b"/\n\xff")
    assert (facts.st_mode & 0o7777, facts.st_mtime_ns) == (0o4711, -2 * 10**9 + 5)
    read = {name: open(os.path.join(target, name), "rb").read() for name in (b"deep", b"deeper", b"empty", b"holes")}
    assert read[b"deep"] == read[b"deeper"] == b"".join(bytes([i]) * 100 for i in range(4))
    assert read[b"empty"] == b"" and read[b"holes"].strip(b"\0") == b"\1" * 100 and len(read[b"holes"]) == 1 << 20
    assert os.stat(target + b"/holes").st_blocks * 512 <= 64 << 10
    assert os.readlink(target + b"/link") == b"\xfe nowhere"
    assert os.path.samefile(target + b"/name1", target + b"/name2")
    assert open(target + b"/folder/inside", "rb").read() == bytes(100)


def test_a_missing_index_is_made_up_for_by_the_footers(writer, tmp_path):
    snapshot = writer.snapshot_of(entry(FILE, b"file", {1: varint(4), 2: content(writer.chunk(b"data"))}))
    for index in os.listdir(writer.folder + b"/index"):
        os.unlink(writer.folder + b"/index/" + index)
    found = restore(writer, snapshot, tmp_path / "target")
    assert len(found) == 1 and "index/" in found[0] and "is missing" in found[0]
    assert (tmp_path / "target" / "file").read_bytes() == b"data"


def name(data):
    return lambda w: w.snapshot_of(entry(FILE, data, {1: varint(0), 2: content()}))


def names(*sequence):
    return lambda w: w.snapshot_of(*(entry(FILE, n, {1: varint(0), 2: content()}) for n in sequence))


def one(type=FILE, **more):
    """A snapshot of one entry with these fields, f1=..., f2=..."""
    fields = {int(number[1:]): more[number] for number in sorted(more) if number[1:].isdigit()}
    others = {key: value for key, value in more.items() if not key[1:].isdigit()}
    return lambda w: w.snapshot_of(entry(type, b"entry", fields, **others))


def raw_listing(data):
    return lambda w: w.snapshot_of(data)


def file_of(**pack):
    """A file whose chunk lies in a forged pack."""
    def make(w):
        w.pack(FILES, [[b"data"]], **pack)
        return w.snapshot_of(entry(FILE, b"file", {1: varint(4), 2: content(w.secrets.id_of(FILES, b"data"))}))
    return make


def label_without(number):
    return lambda w: w.snapshot({k: v for k, v in w.label(content()).items() if k != number}, w.all_packs())


def label_with(number, data):
    return lambda w: w.snapshot({**w.label(content()), number: data}, w.all_packs())


def needing(bits, **forged):
    def make(w):
        w.chunk(b"data")
        return w.snapshot(w.label(content()), [(w.index(), bits)], **forged)
    return make


def without_the_needed_pack(w):
    root = content(w.chunk(entry(LINK, b"x", {3: b"y"}), LISTINGS))
    return w.snapshot(w.label(root), [(w.index(), b"\0")])


def index_of_other_record(w):
    pack = w.pack(FILES, [[b"data"]])
    size, record = w.packs[FILES][pack]
    w.index({pack: (size, record[:-1] + b"\5")}), w.index({pack: (size + 1, record)})


def chain(number, machine=None):
    def make(w):
        first = w.snapshot_of()
        if machine:
            w.certificate(machine)
        return w.snapshot_of(number=number, before=first, machine=machine)
    return make


def wrong_kind_of_chunk(w):
    return w.snapshot_of(entry(FILE, b"file", {1: varint(4), 2: content(w.chunk(b"data", LISTINGS))}))


def file_as_listing(w):
    listing = entry(FILE, b"x", {1: varint(0), 2: content()})
    return w.snapshot_of(entry(FOLDER, b"folder", {2: content(w.chunk(listing, FILES))}))


def appended(kind, data):
    return lambda w: w.put(kind, w.opening(kind) + data)


EMPTY = {"f1": varint(0), "f2": content()}
HOSTILE = {
    # listings
    "a name of two dots": (name(b".."), "not allowed"),
    "a name of one dot": (name(b"."), "not allowed"),
    "an empty name": (name(b""), "not allowed"),
    "a name with a slash": (name(b"a/b"), "not allowed"),
    "a name with a zero": (name(b"a\0b"), "not allowed"),
    "a name of 256 bytes": (name(b"a" * 256), "not allowed"),
    "names in falling order": (names(b"b", b"a"), "comes after"),
    "a name twice": (names(b"a", b"a"), "comes after"),
    "names in the order of letters": (names(b"a", b"B"), "comes after"),
    "an unknown type": (one(type=8, **EMPTY), "unknown type 8"),
    "mode bits past 07777": (one(mode=0o10000, **EMPTY), "out of bounds"),
    "a thousand million nanoseconds": (one(mtime=(0, 10**9), **EMPTY), "nanoseconds"),
    "a file without content": (one(f1=varint(0)), "missing"),
    "a file without size": (one(f2=content()), "missing"),
    "a folder with a size": (one(type=FOLDER, **EMPTY), "another type"),
    "a file with a target": (one(f3=b"x", **EMPTY), "another type"),
    "a link to nothing": (one(type=LINK, f3=b""), "impossible target"),
    "a link to a zero": (one(type=LINK, f3=b"a\0b"), "impossible target"),
    "a file that is shorter than its size": (one(f1=varint(5), f2=content()), "not as long"),
    "an extent past the end": (one(f9=varint(1) + varint(1), f1=varint(1), f2=content()), "past the end"),
    "an empty extent": (one(f9=varint(0) + varint(0), **EMPTY), "empty"),
    "an extent past 64 bits": (one(f9=varint(2**64 - 1) + varint(2**64 - 1), **EMPTY), "past the end"),
    "content of depth 4": (one(f1=varint(0), f2=content(bytes(32), depth=4)), "depth 4"),
    "empty content of depth 1": (one(f1=varint(0), f2=content(depth=1)), "empty content"),
    "a part of an id": (one(f1=varint(0), f2=content(bytes(31))), "part of an id"),
    "a chunk that is nowhere": (one(f1=varint(1), f2=content(bytes(32))), "none of the packs"),
    "bytes left over in a field": (one(f1=varint(0) + b"\0", f2=content()), "left over"),
    "fields in falling order": (raw_listing(entry(FILE, b"a", [(2, content()), (1, varint(0))])), "comes after field"),
    "a field twice": (raw_listing(entry(FILE, b"a", [(1, b"\0"), (1, b"\0"), (2, content())])), "comes after field"),
    "a listing that ends within an entry": (raw_listing(entry(LINK, b"a", {3: b"b"})[:-1]), "ends early"),
    "an entry that ends within a field": (raw_listing(string(entry(LINK, b"a", {3: b"b"})[1:-1])), "ends early"),
    "an overlong varint": (one(f1=b"\x80\x00", f2=content()), "shortest form"),
    "a varint of 11 bytes": (one(f1=b"\xff" * 10 + b"\x01", f2=content()), "longer than 10"),
    "a varint past 64 bits": (one(f1=b"\xff" * 9 + b"\x02", f2=content()), "larger than 64"),
    "an entry of 4 GiB": (raw_listing(varint(1 << 32) + b"x"), "an entry of"),
    "a listing chunk as file": (wrong_kind_of_chunk, "is of content 2"),
    "a file chunk as listing": (file_as_listing, "is of content 1"),
    # packs and indexes
    "an unknown aead": (lambda w: w.put("packs", w.opening("packs") + b"\3\1" + w.repository_id + bytes(130)),
                        "aead 3"),
    "an unknown content": (lambda w: w.put("packs", w.opening("packs") + b"\1\3" + w.repository_id + bytes(130)),
                           "content 3"),
    "a pack of another repository": (file_of(repository_id=bytes(16)), "another repository"),
    "a chunk under another's id": (file_of(ids=[bytes(32)]), "other bytes than its id"),
    "a pack without its end": (file_of(end=b"KERN"), "KEND"),
    "bytes before the footer": (file_of(gap=b"\0"), "between frames and footer"),
    "a pack without frames": (file_of(footer=varint(0)), "0 frames"),
    "a pack of 2^20 + 1 frames": (file_of(footer=varint(2**20 + 1)), "1048577 frames"),
    "a frame without chunks": (file_of(footer=b"\1\x14\0\0"), "without chunks"),
    "a chunk without bytes": (file_of(footer=b"\1\x10\0\1" + bytes(33)), "out of bounds"),
    "a chunk of 16 MiB and a byte": (file_of(footer=b"\1\x14\1\1" + bytes(32) + varint(2**24 + 1)), "out of bounds"),
    "an unknown compression": (file_of(footer=b"\1\x14\2\1" + bytes(32) + b"\4"), "compression 2"),
    "bytes after the pack record": (lambda w: w.pack(FILES, [[b"data"]], footer=b"\1\x14\0\1" + bytes(32) + b"\4\0"),
                                    "left over"),
    "zstd with bytes behind it": (file_of(compress=lambda t: zstandard.compress(t) + b"\0"), "one zstd frame"),
    "two zstd frames": (file_of(compress=lambda t: zstandard.compress(t[:2]) + zstandard.compress(t[2:])), "size"),
    "a zstd frame that grows": (file_of(compress=lambda t: zstandard.compress(bytes(1 << 26))), "another size"),
    "an index that contradicts footers": (index_of_other_record, "not that of the pack's footer"),
    "bytes after the index's records": (lambda w: w.index(more=b"\0"), "left over"),
    # snapshots
    "a machine without certificate": (lambda w: w.snapshot_of(machine=Ed25519PrivateKey.generate()), "certificate"),
    "a snapshot signed by another": (lambda w: w.snapshot_of(signer=Ed25519PrivateKey.generate()), "signature"),
    "a snapshot with more bytes": (lambda w: w.snapshot_of(more=b"\0"), "left over"),
    "number 1 with a predecessor": (chain(1), "do not fit"),
    "number 2 without one": (lambda w: w.snapshot_of(number=2), "do not fit"),
    "number 0": (lambda w: w.snapshot_of(number=0), "do not fit"),
    "a number left out": (chain(3), "snapshot before"),
    "the predecessor of another machine": (chain(2, Ed25519PrivateKey.generate()), "snapshot before"),
    "the series of other paths": (lambda w: w.snapshot_of(series=bytes(16)), "series"),
    "a pack that the snapshot does not need": (without_the_needed_pack, "none of the packs"),
    "bits past the last pack": (needing(b"\2"), "past the last"),
    "more bytes of bits than packs": (needing(b"\1\0"), "more bits"),
    "a label without root": (label_without(1), "lacks fields"),
    "a label with an unknown verdict": (label_with(8, b"\4"), "verdict 4"),
    "a label with bytes left over": (label_with(2, string(b"host") + b"\0"), "left over"),
    "a label that ends early": (lambda w: w.snapshot(numbered(w.label(content()))[:-1], w.all_packs()), "ends early"),
    # the others
    "a certificate signed by another": (
        lambda w: w.certificate(w.machine, signer=Ed25519PrivateKey.generate()), "recovery signing key"),
    "a config with more bytes": (lambda w: w.config(more=b"\0"), "left over"),
    "a config signed by another": (lambda w: w.config(signer=Ed25519PrivateKey.generate()), "recovery signing key"),
    "a key of an unknown type": (lambda w: w.put("keys", w.key(3)), "type 3"),
    "a slot that costs 4 TiB": (lambda w: w.slot(b"pass", memory=2**32 - 1), "Argon2id"),
    "a slot of a million passes": (lambda w: w.slot(b"pass", passes=10**6), "Argon2id"),
    "a lease for an unknown purpose": (appended("leases", bytes(16) + b"\4" + bytes(12)), "purpose 4"),
    "a lease that is short": (appended("leases", bytes(16) + b"\1" + bytes(11)), "ends early"),
    "a list with more bytes": (appended("condemned", bytes(9)), "left over"),
    "a list of too many": (appended("condemned", struct.pack("<I", 2**32 - 1)), "ends early"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_refused_and_named(writer, what):
    make, message = HOSTILE[what]
    make(writer)
    found = problems(writer)
    assert any(message in problem for problem in found), found
    assert all("/" in problem for problem in found)


KINDS_OF_OBJECTS = ["config", "keys", "packs", "index", "snapshots", "leases", "condemned"]


@pytest.mark.parametrize("kind", KINDS_OF_OBJECTS)
def test_an_unknown_version_is_refused_by_its_number(writer, kind):
    id = writer.put(kind, writer.opening(kind, version=258) + bytes(300))
    newest = 2 if kind == "config" else 1
    assert problems(writer) == [f"{kind}/{id.hex()}: is of version 258, and {newest} is the newest that is known"]


@pytest.mark.parametrize("kind", KINDS_OF_OBJECTS)
def test_an_object_past_its_limit_is_refused(writer, kind):
    limit = {"config": 4 << 10, "keys": 4 << 10, "packs": 256 << 20, "leases": 4 << 10}.get(kind, 64 << 20)
    id = writer.put(kind, writer.opening(kind))
    os.truncate(second_reader.Store(writer.folder).path(kind, id), limit + 1)
    found = problems(writer)
    assert len(found) == 1 and f"{kind}/{id.hex()}" in found[0] and "bytes" in found[0]


def test_what_has_no_name_of_an_object_is_not_part_of_the_repository(writer):
    writer.snapshot_of()
    for kind in KINDS_OF_OBJECTS:
        os.makedirs(os.path.join(writer.folder, kind.encode()), exist_ok=True)
        for stray in (b"README", hashlib.sha256(b"").hexdigest().upper().encode(), b"tmp.123"):
            with open(os.path.join(writer.folder, kind.encode(), stray), "wb") as file:
                file.write(b"not an object")
    assert problems(writer) == []


def test_a_forged_key_or_passphrase_opens_nothing(writer, tmp_path):
    writer.slot(b"right")
    opened = second_reader.Repository(writer.folder, passphrase=b"right")
    assert opened.secrets.write == writer.secrets.write
    with pytest.raises(Refused, match="opens none"):
        second_reader.Repository(writer.folder, passphrase=b"wrong")
    with pytest.raises(Refused, match="typing error"):
        second_reader.Repository(writer.folder, recovery_key=writer.recovery_key()[:-9] + "00000000")
    writer.recovery = os.urandom(32)
    with pytest.raises(Refused, match="not the one of this repository"):
        second_reader.Repository(writer.folder, recovery_key=writer.recovery_key())


@pytest.mark.parametrize("value", [0, 1, 127, 128, 2**32, 2**63, 2**64 - 1])
def test_varints_go_there_and_back(value):
    fields = Fields(varint(value))
    assert fields.varint() == value
    fields.end()
