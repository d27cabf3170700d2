"""Writes small repositories as docs/format.md says, and on request such as no honest writer makes.

For tests that show what a reader refuses. Each method makes one object; its keyword arguments are the fields that a
test may want to forge.
"""
import hashlib
import os
import struct

import zstandard
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from stored_objects import (
    FILES, KINDS, LISTINGS, NOBODY, Secrets, cipher, hkdf, hmac_sha256, hpke_key_and_nonce, nonce, raw_public,
    write_varint)


def varint(value):
    return bytes(write_varint(value))


def zigzag(value):
    return varint((value << 1 ^ value >> 63) & (1 << 64) - 1)


def string(data):
    return varint(len(data)) + data


def numbered(fields):
    """fields: pairs of number and bytes, or a dict of them."""
    pairs = fields.items() if isinstance(fields, dict) else fields
    return b"".join(varint(number) + string(data) for number, data in pairs)


def content(*ids, depth=0):
    return bytes([depth]) + b"".join(ids)


def entry(type, name, fields=(), mode=0o644, mtime=(0, 0)):
    return string(bytes([type]) + string(name) + varint(mode) + varint(os.geteuid()) + varint(os.getegid())
                  + zigzag(mtime[0]) + varint(mtime[1]) + numbered(fields))


class TinyWriter:
    """A repository in a new folder, with one machine that has a certificate."""

    def __init__(self, folder):
        self.folder = os.fsencode(folder)
        self.repository_id, self.recovery = os.urandom(16), os.urandom(32)
        self.secrets = Secrets(self.recovery, self.repository_id)
        self.machine = Ed25519PrivateKey.generate()
        self.config_id = self.config()
        self.certificate(self.machine)
        self.session_key = os.urandom(32)
        self.sealed_session_key = self.seal_session_key()
        self.packs = {LISTINGS: {}, FILES: {}}  # content: {pack id: (size, record)}

    def put(self, kind, data):
        id = hashlib.sha256(data).digest()
        parts = [self.folder, kind.encode()] + ([id.hex()[:2].encode()] if kind == "packs" else [])
        os.makedirs(os.path.join(*parts), exist_ok=True)
        with open(os.path.join(*parts, id.hex().encode()), "wb") as file:
            file.write(data)
        return id

    @staticmethod
    def opening(kind, version=1):
        return KINDS[kind][0] + struct.pack("<H", version)

    def recovery_key(self):
        check_digits = hashlib.sha256(self.config_id + self.recovery).hexdigest()[:8]
        return f"# a comment\nKURA-RECOVERY-KEY-1 {self.config_id.hex()} {self.recovery.hex()} {check_digits}\n"

    def config(self, signer=None, more=b"", version=1, naming=b""):
        data = self.opening("config", version) + self.repository_id + struct.pack("<q", -1)
        data += raw_public(self.secrets.box) + raw_public(self.secrets.signing)
        data += 2 * struct.pack("<BBIII", 1, 2, 1 << 10, 1 << 12, 1 << 14) + struct.pack("<I", 1 << 20) + naming
        return self.put("config", data + (signer or self.secrets.signing).sign(data) + more)

    def key(self, type):
        return self.opening("keys") + bytes([type]) + self.config_id + struct.pack("<q", 0) + string(b"label")

    def slot(self, passphrase, passes=1, memory=64):
        data = self.key(1) + os.urandom(16) + struct.pack("<II", passes, memory)
        key = hash_secret_raw(passphrase, data[-24:-8], min(passes, 9), min(memory, 1 << 16), 1, 32, Type.ID, 0x13)
        return self.put("keys", data + ChaCha20Poly1305(key).encrypt(nonce(0), self.recovery, data))

    def certificate(self, machine, signer=None):
        data = self.key(2) + raw_public(machine)
        return self.put("keys", data + (signer or self.secrets.signing).sign(data))

    def seal_session_key(self):
        ephemeral = X25519PrivateKey.generate()
        enc, recipient = raw_public(ephemeral), raw_public(self.secrets.box)
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
        key, first = hpke_key_and_nonce(shared, enc, recipient, b"kura session v1" + self.repository_id)
        return enc + ChaCha20Poly1305(key).encrypt(first, self.session_key, b"")

    def pack(self, kind, frames, aead=2, ids=None, compress=None, repository_id=None, footer=None, end=b"KEND",
             gap=b""):
        """frames: lists of chunks. `compress`: text -> zstd; `ids`: of all chunks, instead of the true ones."""
        head = self.opening("packs") + bytes([aead, kind]) + (repository_id or self.repository_id)
        salt = os.urandom(32)
        key = hkdf(self.session_key, salt, b"kura pack v1")
        stored, record, ids = b"", varint(len(frames)), iter(ids) if ids else None
        for number, chunks in enumerate(frames):
            text = b"".join(chunks)
            sealed = cipher(aead, key).encrypt(nonce(number), compress(text) if compress else text,
                                               head + struct.pack("<I", number))
            stored += sealed
            record += varint(len(sealed)) + bytes([1 if compress else 0]) + varint(len(chunks))
            for chunk in chunks:
                record += (next(ids) if ids else self.secrets.id_of(kind, chunk)) + varint(len(chunk))
        key = hkdf(self.secrets.catalog, salt, b"kura footer v1")
        footer = cipher(aead, key).encrypt(nonce(0), record if footer is None else footer, head + b"\xff" * 4)
        data = head + salt + self.sealed_session_key + stored + gap + footer + struct.pack("<I", len(footer)) + end
        id = self.put("packs", data)
        self.packs[kind][id] = (len(data), record)
        return id

    def chunk(self, data, kind=FILES):
        """A chunk in a pack of its own; gives its id."""
        self.pack(kind, [[data]], compress=zstandard.ZstdCompressor().compress)
        return self.secrets.id_of(kind, data)

    def index(self, packs=None, aead=1, more=b""):
        """packs: {id: (size, record)}, all by default."""
        packs = {**self.packs[FILES], **self.packs[LISTINGS]} if packs is None else packs
        salt = os.urandom(32)
        data = self.opening("index") + bytes([aead, 0]) + self.repository_id + salt + struct.pack("<I", len(packs))
        data += b"".join(id + struct.pack("<Q", size) for id, (size, _) in packs.items())
        text = b"".join(record for _, record in packs.values()) + more
        key = hkdf(self.secrets.catalog, salt, b"kura index v1")
        return self.put("index", data + cipher(aead, key).encrypt(nonce(0), text, data))

    def label(self, root):
        return {1: root, 2: string(b"host"), 3: string(b"user"), 4: string(b"/b") + string(b"/a"), 5: string(b"tag"),
                6: struct.pack("<q", 2), 7: bytes(5), 8: b"\x01"}

    def snapshot(self, label, needs, number=1, before=NOBODY, machine=None, signer=None, series=None, version=1,
                 more=b""):
        """needs: pairs of index id and bits."""
        machine, salt = machine or self.machine, os.urandom(32)
        series = series or hmac_sha256(self.secrets.series, string(b"host") + string(b"/a") + string(b"/b"))[:16]
        data = self.opening("snapshots", version) + bytes([2, 0]) + self.repository_id + raw_public(machine)
        data += struct.pack("<Q", number) + before + series + struct.pack("<q", 1) + struct.pack("<I", len(needs))
        data += b"".join(id + struct.pack("<I", len(bits)) + bits for id, bits in needs)
        text = label if isinstance(label, bytes) else numbered(label)
        data += salt + struct.pack("<I", len(text) + 16)
        key = hkdf(self.secrets.catalog, salt, b"kura snapshot v1")
        data += ChaCha20Poly1305(key).encrypt(nonce(0), text, data)
        return self.put("snapshots", data + (signer or machine).sign(data) + more)

    def all_packs(self):
        """An index of all packs, all of them needed."""
        count = len(self.packs[FILES]) + len(self.packs[LISTINGS])
        return [(self.index(), ((1 << count) - 1).to_bytes((count + 7) // 8, "little"))]

    def snapshot_of(self, *entries, **forged):
        """A snapshot whose root lists these entries."""
        root = content(self.chunk(b"".join(entries), LISTINGS)) if entries else content()
        return self.snapshot(self.label(root), self.all_packs(), **forged)
