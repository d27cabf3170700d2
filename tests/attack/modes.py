"""What attackers do to the contents of a file. Each mode is a function of the old contents and a key: no files here.

Those that encrypt parts say which bytes (`ranges`), and all other bytes stay as they are; `full` and those that change the
length rewrite everything.
"""
import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers import modes as cipher_modes

KIB, MIB = 1 << 10, 1 << 20
CIPHERS = ("aes-ctr", "chacha20")
KEY_BLOB = 512  # what a footer has: the file's key under an attacker's RSA key of 4096 bits
Range = tuple[int, int]  # offset, length


def keystream(cipher: str, key: bytes, size: int) -> bytes:
    """The cipher's first bytes. One key is for one file only, so that the nonce can be all zeros."""
    if cipher == "aes-ctr":
        encryptor = Cipher(algorithms.AES(key), cipher_modes.CTR(bytes(16))).encryptor()
    elif cipher == "chacha20":
        encryptor = Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor()
    else:
        raise ValueError(f"there is no cipher '{cipher}'; there are: {', '.join(CIPHERS)}")
    return encryptor.update(bytes(size))


def file_key(seed: int, path: str) -> bytes:
    """A key that is another for each file and comes back with the seed."""
    return hashlib.sha256(f"kuramori attack simulator {seed} {path}".encode("utf-8", "surrogateescape")).digest()


def xor(first: bytes, second: bytes) -> bytes:
    return (int.from_bytes(first, "little") ^ int.from_bytes(second, "little")).to_bytes(len(first), "little")


# ---- Which bytes ----

def head(length: int) -> Callable[[int, bytes], Iterator[Range]]:
    def ranges(size: int, _key: bytes) -> Iterator[Range]:
        if size:
            yield 0, min(size, length)
    return ranges


def stepped(length: int, skip: int, begin: int = 0) -> Callable[[int, bytes], Iterator[Range]]:
    """`length` bytes are encrypted, `skip` are left, and so on."""
    def ranges(size: int, _key: bytes) -> Iterator[Range]:
        for offset in range(begin, size, length + skip):
            yield offset, min(length, size - offset)
    return ranges


def n_of_m(chosen: int, group: int, block: int) -> Callable[[int, bytes], Iterator[Range]]:
    """Of each `group` blocks, the key picks `chosen`; a rest that is shorter counts as a group."""
    def ranges(size: int, key: bytes) -> Iterator[Range]:
        for number, begin in enumerate(range(0, size, block * group)):
            blocks = range(begin, min(size, begin + block * group), block)
            ranked = sorted(blocks, key=lambda offset: hashlib.sha256(key + b"%d" % offset).digest())
            for offset in sorted(ranked[:chosen]):
                yield offset, min(block, size - offset)
    return ranges


@dataclass(frozen=True)
class Mode:
    name: str
    means: str
    ranges: Callable[[int, bytes], Iterator[Range]] | None = None  # of those that leave the other bytes as they are
    rewrite: Callable[[bytes, bytes, bytes], bytes] | None = None  # of the others: old contents, keystream, key


def _full(data: bytes, stream: bytes, _key: bytes) -> bytes:
    return xor(data, stream)


def _base64(data: bytes, stream: bytes, _key: bytes) -> bytes:
    return base64.b64encode(xor(data, stream))


def _base64_lines(data: bytes, stream: bytes, _key: bytes) -> bytes:
    return base64.encodebytes(xor(data, stream))


def _hex(data: bytes, stream: bytes, _key: bytes) -> bytes:
    return xor(data, stream).hex().encode()


def _footer(data: bytes, stream: bytes, key: bytes) -> bytes:
    return xor(data, stream) + keystream("chacha20", hashlib.sha256(b"footer" + key).digest(), KEY_BLOB)


def _random(data: bytes, stream: bytes, _key: bytes) -> bytes:
    return stream


def _zeros(data: bytes, _stream: bytes, _key: bytes) -> bytes:
    return bytes(len(data))


MODES = {mode.name: mode for mode in (
    Mode("full", "all of it", rewrite=_full),
    Mode("header-4k", "the first 4 KiB", head(4 * KIB)),
    Mode("header-1m", "the first MiB", head(MIB)),
    Mode("16-16", "16 bytes, then 16 left, and so on", stepped(16, 16)),
    Mode("64-128", "64 bytes, then 128 left, and so on", stepped(64, 128)),
    Mode("n-of-m", "3 of each 10 blocks of 4 KiB, chosen by the key", n_of_m(3, 10, 4 * KIB)),
    Mode("chunks-1m", "a MiB, then 2 MiB left, and so on", stepped(MIB, 2 * MIB)),
    Mode("sparse", "4 KiB of each 64 KiB after the first 64 KiB, which stay", stepped(4 * KIB, 60 * KIB, 64 * KIB)),
    Mode("base64", "all of it, then in base64 as one line", rewrite=_base64),
    Mode("base64-lines", "all of it, then in base64 in lines", rewrite=_base64_lines),
    Mode("hex", "all of it, then in hexadecimal digits", rewrite=_hex),
    Mode("footer", f"all of it, and {KEY_BLOB} bytes of key behind it", rewrite=_footer),
    Mode("wiper-random", "random bytes in its place", rewrite=_random),
    Mode("wiper-zeros", "zeros in its place", rewrite=_zeros),
)}


def changed_ranges(mode: Mode, size: int, key: bytes) -> list[Range] | None:
    """The bytes that a mode encrypts; None when it rewrites the whole file."""
    return None if mode.ranges is None else list(mode.ranges(size, key))


def transformed(name: str, data: bytes, cipher: str, key: bytes) -> bytes:
    """The contents after the attack. Equal to those before when a mode finds nothing to do in so small a file."""
    mode = MODES[name]
    stream = keystream(cipher, key, len(data))
    if mode.rewrite:
        return mode.rewrite(data, stream, key)
    mask = bytearray(len(data))
    for offset, length in mode.ranges(len(data), key):
        mask[offset:offset + length] = b"\xff" * length
    kept = int.from_bytes(stream, "little") & int.from_bytes(mask, "little")
    return xor(data, kept.to_bytes(len(data), "little"))
