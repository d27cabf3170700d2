"""The objects of a Kuramori repository, read as docs/format.md says: one class an object, fields in their order.

The lower half of second_reader.py, which see. Nothing here reads more than one object.
"""
import contextlib
import functools
import hashlib
import hmac
import os
import re
import stat
import struct
from dataclasses import dataclass

import zstandard
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KIB, MIB = 1 << 10, 1 << 20
KINDS = {  # folder: (magic, limit), section 1
    "config": (b"KURACONF", 4 * KIB), "keys": (b"KURAKEYS", 4 * KIB), "packs": (b"KURAPACK", 256 * MIB),
    "index": (b"KURAINDX", 64 * MIB), "snapshots": (b"KURASNAP", 64 * MIB), "leases": (b"KURALEAS", 4 * KIB),
    "condemned": (b"KURACOND", 64 * MIB), "parity": (b"KURAPARI", 320 * MIB)}
FILES, LISTINGS = 1, 2  # what a chunk is part of ("content" on the page)
MOST_TEXT, MOST_ENTRY, MOST_FRAMES, MOST_CHUNKS = 16 * MIB, 16 * MIB, 1 << 20, 1 << 22
NOBODY = bytes(32)  # "or zeros"


class Damaged(Exception):
    """Stored bytes are not what the page allows, or are missing. The text says what and where."""


class Refused(Exception):
    """The request cannot be served: wrong passphrase, no such snapshot, no repository."""


def check(holds, otherwise):
    if not holds:
        raise Damaged(otherwise)


@contextlib.contextmanager
def naming(where):
    """Puts the name of the object or path in front of what is found wrong inside."""
    try:
        yield
    except Damaged as why:
        raise Damaged(f"{where}: {why}") from None


# ---- Conventions ----------------------------------------------------------------------------------------------------

class Fields:
    """Takes fields off bytes, in order; never reads past the end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, size):
        check(size <= self.left(), f"ends early, {size} bytes were to follow and {self.left()} do")
        self.at += size
        return bytes(self.data[self.at - size:self.at])

    def rest(self):
        return self.take(self.left())

    def before(self):
        return bytes(self.data[:self.at])

    def end(self):
        check(not self.left(), f"{self.left()} bytes left over after the last field")

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def u8(self):
        return self.number("B")

    def u16(self):
        return self.number("H")

    def u32(self):
        return self.number("I")

    def u64(self):
        return self.number("Q")

    def i64(self):
        return self.number("q")

    def varint(self):
        value = 0
        for i in range(10):
            byte = self.u8()
            value |= (byte & 0x7F) << 7 * i
            if byte < 0x80:
                check(i == 0 or byte != 0, "a varint is not in its shortest form")
                check(value < 1 << 64, "a varint is larger than 64 bits")
                return value
        raise Damaged("a varint is longer than 10 bytes")

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def str(self):
        return self.take(self.varint())

    def id(self):
        return self.take(32)

    def strs(self):
        found = []
        while self.left():
            found.append(self.str())
        return found

    def numbered(self):
        """Section 7: `varint number, varint size, bytes`, strictly rising. Gives number -> Fields."""
        found, last = {}, -1
        while self.left():
            number = self.varint()
            check(number > last, f"field {number} comes after field {last}")
            found[number], last = Fields(self.str()), number
        return found


class Stream(Fields):
    """The same, over pieces that come one after another."""

    def __init__(self, pieces):
        super().__init__(b"")
        self.pieces = pieces

    def _pull(self, size):
        while len(self.data) - self.at < size:
            piece = next(self.pieces, None)
            if piece is None:
                return
            self.data, self.at = self.data[self.at:] + piece, 0

    def left(self):
        self._pull(1)
        return super().left()

    def take(self, size):
        self._pull(size)
        return super().take(size)


def opening(kind, data):
    """Magic and version, with which each object begins (section 1)."""
    magic, limit = KINDS[kind]
    check(len(data) <= limit, f"has {len(data)} bytes, more than {limit}")
    fields = Fields(data)
    check(fields.take(8) == magic, f"does not begin with {magic.decode()}")
    fields.version = fields.u16()
    newest = 2 if kind == "config" else 1
    check(1 <= fields.version <= newest, f"is of version {fields.version}, and {newest} is the newest that is known")
    return fields


# ---- Primitives -----------------------------------------------------------------------------------------------------

def hmac_sha256(key, text):
    return hmac.digest(key, text, "sha256")


def hkdf(key, salt, info, size=32):
    return HKDF(SHA256(), size, salt, info).derive(key)


def nonce(n):
    return struct.pack("<Q", n) + bytes(4)


def cipher(aead, key):
    check(aead in (1, 2), f"aead {aead} is unknown")
    return AESGCM(key) if aead == 1 else ChaCha20Poly1305(key)


def unseal(aead, key, n, sealed, associated, what):
    try:
        return cipher(aead, key).decrypt(nonce(n), sealed, associated)
    except (InvalidTag, ValueError):
        raise Damaged(f"{what} does not open: it was altered, or sealed with another key") from None


def check_signature(public, signature, text, what):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        raise Damaged(f"the signature {what} is wrong") from None


def raw_public(private):
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def hpke_key_and_nonce(shared, enc, recipient, info):
    """RFC 9180, sections 4.1 and 5.1, base mode: KEM 0x0020, KDF 0x0001, AEAD 0x0003. `shared` is the X25519 result."""
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x03"

    def extract(who, salt, label, text):
        return hmac_sha256(salt, b"HPKE-v1" + who + label + text)

    def expand(who, key, label, text, size):
        info = struct.pack(">H", size) + b"HPKE-v1" + who + label + text
        return HKDFExpand(SHA256(), size, info).derive(key)

    secret = expand(kem, extract(kem, b"", b"eae_prk", shared), b"shared_secret", enc + recipient, 32)
    context = b"\x00" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    secret = extract(suite, secret, b"secret", b"")
    return expand(suite, secret, b"key", context, 32), expand(suite, secret, b"base_nonce", context, 12)


def hpke_open(private, enc, info, associated, sealed):
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(enc))  # refuses an all-zero result
        key, first_nonce = hpke_key_and_nonce(shared, enc, raw_public(private), info)
        return ChaCha20Poly1305(key).decrypt(first_nonce, sealed, associated)
    except (InvalidTag, ValueError):
        raise Damaged("the session key does not open: it was altered, or sealed to another box key") from None


class Secrets:
    """Section 2: everything that follows from the recovery secret."""

    def __init__(self, recovery, repository_id, naming=1):
        def derive(key, info):
            return hkdf(key, repository_id, info)
        self.repository_id, self.naming = repository_id, naming
        self.box = X25519PrivateKey.from_private_bytes(derive(recovery, b"kura box v1"))
        self.signing = Ed25519PrivateKey.from_private_bytes(derive(recovery, b"kura sign v1"))
        self.write = derive(recovery, b"kura write v1")
        self.chunk_id = derive(self.write, b"kura chunk id v1")
        self.catalog = derive(self.write, b"kura catalog v1")
        self.series = derive(self.write, b"kura series v1")

    def id_of(self, content, chunk):
        """Section 5. `naming` is the config's."""
        if self.naming == 1 or len(chunk) <= 4096:
            return hmac_sha256(self.chunk_id, bytes([content]) + chunk)
        pieces = (chunk[at:at + 4096] for at in range(0, len(chunk), 4096))
        digests = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
        return hmac_sha256(self.chunk_id, struct.pack("<BI", content + 128, len(chunk)) + digests)

    @functools.lru_cache(maxsize=64)
    def session_key(self, sealed):
        key = hpke_open(self.box, sealed[:32], b"kura session v1" + self.repository_id, b"", sealed[32:])
        check(len(key) == 32, "the session key has another size than 32 bytes")
        return key


# ---- Objects --------------------------------------------------------------------------------------------------------

class Store:
    """Section 1: a folder of objects."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, kind, id):
        name = id.hex()
        place = f"packs/{name[:2]}/{name}" if kind == "packs" else f"{kind}/{name}"
        return os.path.join(self.folder, place.encode())

    def ids(self, kind):
        """The objects of a kind, by name. Whatever does not look like an object is not part of the repository."""
        folders = [os.path.join(self.folder, kind.encode())]
        if kind == "packs":
            folders = [os.path.join(folders[0], b"%02x" % i) for i in range(256)]
        folders = filter(os.path.isdir, folders)
        paths = {os.path.join(folder, name) for folder in folders for name in os.listdir(folder)}
        names = [os.path.basename(path) for path in paths if stat.S_ISREG(os.lstat(path).st_mode)]
        ids = [bytes.fromhex(name.decode()) for name in names if re.fullmatch(rb"[0-9a-f]{64}", name)]
        return sorted(id for id in ids if self.path(kind, id) in paths)

    def open(self, kind, id):
        try:
            return open(self.path(kind, id), "rb")
        except FileNotFoundError:
            raise Damaged("is missing") from None

    def get(self, kind, id):
        """A whole object, its name proven."""
        with self.open(kind, id) as file:
            data = file.read(KINDS[kind][1] + 1)
        check(len(data) <= KINDS[kind][1], f"has more than {KINDS[kind][1]} bytes")
        check(hashlib.sha256(data).digest() == id, "its bytes do not have the SHA-256 that is its name")
        return data


class Config:
    """Section 3."""

    def __init__(self, data):
        fields = opening("config", data)
        self.id = hashlib.sha256(data).digest()
        self.repository_id = fields.take(16)
        self.created = fields.i64()
        self.box, self.signing = fields.take(32), fields.take(32)
        for _ in (FILES, LISTINGS):
            fields.u8(), fields.u8()  # algorithm and normalisation: how chunks were cut is nothing to a reader
            least, average, most = fields.u32(), fields.u32(), fields.u32()
            check(0 < least <= average <= most <= MOST_TEXT, "the chunk sizes make no sense")
        self.pack_size = fields.u32()
        self.naming, self.parity = (fields.u8(), (fields.u8(), fields.u8())) if fields.version == 2 else (1, (0, 0))
        signed = fields.before()
        check_signature(self.signing, fields.take(64), signed, "by the recovery signing key")
        fields.end()
        if self.naming not in (1, 2):
            raise Refused(f"chunks are named in way {self.naming}, which is none that this reader knows")


class Key:
    """Section 4: a recovery slot (type 1) or a machine certificate (type 2)."""

    def __init__(self, data):
        fields = opening("keys", data)
        self.type, self.config_id, self.created, self.label = fields.u8(), fields.id(), fields.i64(), fields.str()
        check(self.type in (1, 2), f"key type {self.type} is unknown")
        check(len(self.label) <= 255, "the label has more than 255 bytes")
        if self.type == 1:
            self.salt, self.passes, self.memory = fields.take(16), fields.u32(), fields.u32()
            check(1 <= self.passes <= 16 and 8 <= self.memory <= 2 * MIB, "the cost of Argon2id is out of bounds")
        else:
            self.machine = fields.take(32)
        self.bound = fields.before()
        self.proof = fields.take(48 if self.type == 1 else 64)
        fields.end()

    def recovery_secret(self, passphrase):
        key = hash_secret_raw(passphrase, self.salt, self.passes, self.memory, 1, 32, Type.ID, 0x13)
        return unseal(2, key, 0, self.proof, self.bound, "the recovery secret")

    def check_certificate(self, config):
        check(self.config_id == config.id, "is for another config")
        check_signature(config.signing, self.proof, self.bound, "by the recovery signing key")


def read_recovery_key(text):
    """Section 4, the text file: gives the config id and the recovery secret."""
    lines = "\n".join(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    found = re.fullmatch("KURA-RECOVERY-KEY-1 ([0-9a-f]{64}) ([0-9a-f]{64}) ([0-9a-f]{8})", lines)
    if not found:
        raise Refused("this is no recovery key: one line KURA-RECOVERY-KEY-1 CONFIG-ID R CHECK is to be there")
    config_id, secret = bytes.fromhex(found[1]), bytes.fromhex(found[2])
    if hashlib.sha256(config_id + secret).hexdigest()[:8] != found[3]:
        raise Refused("the recovery key has a typing error: its check digits are wrong")
    return config_id, secret


@dataclass(frozen=True)
class Frame:
    offset: int
    sealed_size: int
    compression: int
    chunks: tuple  # of (id, size)


def read_pack_record(fields):
    """Section 5, the text of a footer and of an index: a pack's frames."""
    count, offset, chunks_in_pack, frames = fields.varint(), 140, 0, []
    check(1 <= count <= MOST_FRAMES, f"a pack record of {count} frames")
    for _ in range(count):
        sealed_size, compression, chunk_count = fields.varint(), fields.u8(), fields.varint()
        chunks_in_pack += chunk_count
        check(chunk_count >= 1 and chunks_in_pack <= MOST_CHUNKS, "a frame without chunks, or a pack with too many")
        chunks = tuple((fields.id(), fields.varint()) for _ in range(chunk_count))
        text_size = sum(size for _, size in chunks)
        check(all(size for _, size in chunks) and text_size <= MOST_TEXT, "a chunk or a frame has a size out of bounds")
        check(compression in (0, 1), f"compression {compression} is unknown")
        check(sealed_size > 16, "a frame without text")
        check(compression or sealed_size == text_size + 16, "a frame is not as large as its chunks")
        check(offset + sealed_size <= KINDS["packs"][1], "the frames are larger than a pack can be")
        frames.append(Frame(offset, sealed_size, compression, chunks))
        offset += sealed_size
    return tuple(frames)


class Pack:
    """Section 5. The file stays open, frames are read when they are asked for."""

    def __init__(self, store, id, secrets):
        self.id, self.secrets = id, secrets
        with naming(f"packs/{id.hex()}"):
            self.file = store.open("packs", id)
            self.size = os.fstat(self.file.fileno()).st_size
            check(148 <= self.size <= KINDS["packs"][1], f"has a size of {self.size} bytes")
            fields = opening("packs", self.read(0, 140))
            self.aead, self.content, repository_id = fields.u8(), fields.u8(), fields.take(16)
            check(self.aead in (1, 2), f"aead {self.aead} is unknown")
            check(self.content in (FILES, LISTINGS), f"content {self.content} is unknown")
            check(repository_id == secrets.repository_id, "is of another repository")
            self.head, self.salt, self.sealed_session_key = fields.before(), fields.take(32), fields.take(80)

    def read(self, offset, size):
        data = os.pread(self.file.fileno(), size, offset)
        check(len(data) == size, "ends early")
        return data

    def record(self):
        """The pack's own record, from its footer."""
        with naming(f"packs/{self.id.hex()}"):
            size, mark = struct.unpack("<I4s", self.read(self.size - 8, 8))
            check(mark == b"KEND", "does not end with KEND")
            check(140 + size + 8 <= self.size, "the footer is larger than the pack")
            key = hkdf(self.secrets.catalog, self.salt, b"kura footer v1")
            sealed = self.read(self.size - 8 - size, size)
            fields = Fields(unseal(self.aead, key, 0, sealed, self.head + b"\xff" * 4, "the footer"))
            frames = read_pack_record(fields)
            fields.end()
            check(frames[-1].offset + frames[-1].sealed_size == self.size - 8 - size, "bytes between frames and footer")
            return frames

    def chunks(self, number, frame):
        """Opens a frame; gives its chunks' bytes, each proven by its id."""
        with naming(f"packs/{self.id.hex()}: frame {number}"):
            key = hkdf(self.secrets.session_key(self.sealed_session_key), self.salt, b"kura pack v1")
            associated = self.head + struct.pack("<I", number)
            text = unseal(self.aead, key, number, self.read(frame.offset, frame.sealed_size), associated, "it")
            size = sum(size for _, size in frame.chunks)
            text = self.decompress(text, size) if frame.compression else text
            check(len(text) == size, "has another size than its chunks together")
            found = []
            for id, size in frame.chunks:
                chunk, text = text[:size], text[size:]
                check(self.secrets.id_of(self.content, chunk) == id, f"chunk {id.hex()} has other bytes than its id")
                found.append(chunk)
            return found

    @staticmethod
    def decompress(packed, size):
        try:
            said = zstandard.get_frame_parameters(packed).content_size
            check(said in (size, zstandard.CONTENTSIZE_UNKNOWN), "has another size than its chunks together")
            return zstandard.ZstdDecompressor().decompress(packed, max_output_size=size, allow_extra_data=False)
        except zstandard.ZstdError as why:
            raise Damaged(f"is not one zstd frame: {why}") from None


class Index:
    """Section 6."""

    def __init__(self, data, secrets):
        fields = opening("index", data)
        aead, zero, repository_id, salt = fields.u8(), fields.u8(), fields.take(16), fields.take(32)
        check(zero == 0, "the byte after aead is not 0")
        check(repository_id == secrets.repository_id, "is of another repository")
        self.packs = [(fields.id(), fields.u64()) for _ in range(fields.u32())]
        associated = fields.before()
        key = hkdf(secrets.catalog, salt, b"kura index v1")
        records = Fields(unseal(aead, key, 0, fields.rest(), associated, "the records"))
        self.records = [read_pack_record(records) for _ in self.packs]
        records.end()


class Snapshot:
    """Section 7. The label is opened too, so this needs the keys; the fields before it do not."""

    def __init__(self, data, secrets):
        fields = opening("snapshots", data)
        self.id = hashlib.sha256(data).digest()
        aead, zero, repository_id, self.machine = fields.u8(), fields.u8(), fields.take(16), fields.take(32)
        check(zero == 0, "the byte after aead is not 0")
        check(repository_id == secrets.repository_id, "is of another repository")
        self.number, self.before, self.series, self.time = fields.u64(), fields.id(), fields.take(16), fields.i64()
        check(self.number >= 1 and (self.number == 1) == (self.before == NOBODY), "number and predecessor do not fit")
        self.needs = [(fields.id(), fields.take(fields.u32())) for _ in range(fields.u32())]
        salt, size = fields.take(32), fields.u32()
        associated, sealed = fields.before(), fields.take(size)
        signed = fields.before()
        check_signature(self.machine, fields.take(64), signed, "by the machine")
        fields.end()
        key = hkdf(secrets.catalog, salt, b"kura snapshot v1")
        self.read_label(Fields(unseal(aead, key, 0, sealed, associated, "the label")).numbered())
        named = b"".join(bytes(write_varint(len(s))) + s for s in [self.host] + sorted(self.paths))
        check(hmac_sha256(secrets.series, named)[:16] == self.series, "the series is not that of its host and paths")

    def read_label(self, label):
        check({1, 2, 4, 6, 7, 8} <= label.keys(), "the label lacks fields")
        self.root = Content(label[1])
        self.host, self.user = label[2].str(), label[3].str() if 3 in label else b""
        self.paths, self.tags = label[4].strs(), label[5].strs() if 5 in label else []
        self.end = label[6].i64()
        self.counts = [label[7].varint() for _ in range(5)]
        self.verdict = label[8].u8()
        check(self.verdict <= 3, f"verdict {self.verdict} is unknown")
        for number in range(1, 9):
            if number in label:
                with naming(f"label field {number}"):
                    label[number].end()

    def needed(self, index_id, packs):
        """Those of the packs of an index that this snapshot needs."""
        bits = next(bits for id, bits in self.needs if id == index_id)
        check(len(bits) <= (len(packs) + 7) // 8, f"has more bits than index {index_id.hex()} has packs")
        chosen = [k for k in range(len(bits) * 8) if bits[k // 8] >> k % 8 & 1]
        check(not chosen or chosen[-1] < len(packs), f"needs a pack past the last of index {index_id.hex()}")
        return [packs[k] for k in chosen]


def write_varint(value):
    while value >= 0x80:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value


class Content:
    """Section 8: where a stream of bytes is."""

    def __init__(self, fields):
        self.depth, ids = fields.u8(), fields.rest()
        check(self.depth <= 3, f"content of depth {self.depth}")
        check(len(ids) % 32 == 0, "content with a part of an id")
        check(ids or self.depth == 0, "empty content that is not of depth 0")
        self.ids = [ids[i:i + 32] for i in range(0, len(ids), 32)]


FILE, FOLDER, LINK, FIFO, CHARACTER_DEVICE, BLOCK_DEVICE, SOCKET = range(1, 8)
FORMAT_BITS = {FILE: stat.S_IFREG, FOLDER: stat.S_IFDIR, LINK: stat.S_IFLNK, FIFO: stat.S_IFIFO,
               CHARACTER_DEVICE: stat.S_IFCHR, BLOCK_DEVICE: stat.S_IFBLK, SOCKET: stat.S_IFSOCK}
DEVICES = {CHARACTER_DEVICE, BLOCK_DEVICE}
# Which types a field may be of, and which fields a type must have.
WHERE = {1: {FILE}, 2: {FILE, FOLDER}, 3: {LINK}, 4: DEVICES, 7: FORMAT_BITS.keys() - {FOLDER}, 9: {FILE}}
MUST = {FILE: {1, 2}, FOLDER: {2}, LINK: {3}, CHARACTER_DEVICE: {4}, BLOCK_DEVICE: {4}}


class Entry:
    """Section 8: one entry of a listing."""

    def __init__(self, fields):
        self.type, self.name = fields.u8(), fields.str()
        check(self.type in FORMAT_BITS, f"an entry of the unknown type {self.type}")
        check(1 <= len(self.name) <= 255 and self.name not in (b".", b"..") and not set(self.name) & set(b"/\0"),
              f"the name {self.name!r} is not allowed")
        with naming(repr(self.name)):
            self.mode, self.uid, self.gid = fields.varint(), fields.varint(), fields.varint()
            check(self.mode <= 0o7777 and max(self.uid, self.gid) < 1 << 32, "mode or owner is out of bounds")
            seconds, nanoseconds = fields.zigzag(), fields.varint()
            check(nanoseconds < 10**9, "more nanoseconds than a second has")
            self.mtime_ns = seconds * 10**9 + nanoseconds
            self.read_more(fields.numbered())

    def read_more(self, more):
        check(MUST.get(self.type, set()) <= more.keys(), "a field is missing that its type must have")
        check(all(self.type in WHERE.get(number, FORMAT_BITS) for number in more), "has a field of another type")
        self.size = more[1].varint() if 1 in more else 0
        self.content = Content(more[2]) if 2 in more else None
        self.target = more[3].rest() if 3 in more else None
        check(self.target is None or (self.target and 0 not in self.target), "a symbolic link to an impossible target")
        self.device = (more[4].varint(), more[4].varint()) if 4 in more else (0, 0)
        self.owner, self.group = (more[n].rest() if n in more else None for n in (5, 6))
        self.inode = (more[7].varint(), more[7].varint()) if 7 in more else None
        self.xattrs = []
        while 8 in more and more[8].left():
            self.xattrs.append((more[8].str(), more[8].str()))
        self.extents = self.read_extents(more[9]) if 9 in more else [(0, self.size)] if self.size else []
        for number in range(1, 10):
            if number in more:
                more[number].end()

    def read_extents(self, fields):
        found, at = [], 0
        while fields.left():
            start, size = at + fields.varint(), fields.varint()
            at = start + size
            check(size > 0 and at <= self.size, "a data extent that is empty or past the end of the file")
            found.append((start, size))
        return found


class Lease:
    """Section 9."""

    def __init__(self, data):
        fields = opening("leases", data)
        self.session, self.purpose = fields.take(16), fields.u8()
        check(self.purpose in (1, 2, 3), f"purpose {self.purpose} is unknown")
        self.start, self.renewals = fields.i64(), fields.u32()
        fields.end()


class Condemned:
    """Section 9."""

    def __init__(self, data):
        fields = opening("condemned", data)
        self.packs = [fields.id() for _ in range(fields.u32())]
        self.indexes = [fields.id() for _ in range(fields.u32())]
        fields.end()
