"""Shards of parity (docs/format.md, section 10), in plain Python: how they are made of other objects."""
import hashlib

from stored_objects import Fields, check, opening


def gf_multiply(a, b):
    """In GF(2^8) with the polynomial 0x11d."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a, b = (a << 1) ^ (0x11d if a & 0x80 else 0), b >> 1
    return product


def gf_inverse(a):
    return next(b for b in range(256) if gf_multiply(a, b) == 1)


def gf_table(factor):
    return bytes(gf_multiply(factor, byte) for byte in range(256))


def crc64_table():
    table = list(range(256))
    for _ in range(8):
        table = [(c >> 1) ^ (0xC96C5795D7870F42 if c & 1 else 0) for c in table]
    return table


def crc64(data, table=tuple(crc64_table())):
    crc = 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFFFFFFFFFF


class Parity:
    """A shard. `group` is equal for those that belong together."""
    KINDS = {1: "config", 2: "keys", 3: "packs", 4: "index", 5: "snapshots"}

    def __init__(self, data):
        fields = opening("parity", data)
        self.number = fields.u8()
        self.group = fields.take(fields.u32())
        covered = fields.before()
        check(fields.take(32) == hashlib.sha256(covered).digest(), "its list is not what it was")
        self.read_group(Fields(self.group))
        blocks = sum(self.blocks(size) for column in self.columns for _, _, size in column)
        sums = fields.take(8 * (blocks + self.shards * self.blocks(self.length)))
        check(fields.take(32) == hashlib.sha256(sums).digest(), "its checksums are not what they were")
        self.sums = [int.from_bytes(sums[i:i + 8], "little") for i in range(0, len(sums), 8)]
        self.shard = fields.take(self.length)
        fields.end()

    def read_group(self, fields):
        self.shards, self.bits, columns = fields.u8(), fields.u8(), fields.u8()
        check(1 <= self.shards <= 8 and 9 <= self.bits <= 20 and 1 <= columns <= 128, "its group is out of bounds")
        check(self.number < self.shards, "it has no shard of its number")
        self.columns = [[(fields.u8(), fields.id(), fields.u64()) for _ in range(fields.u32())] for _ in range(columns)]
        fields.end()
        for column in self.columns:
            check(column and all(kind in self.KINDS and size > 0 for kind, _, size in column), "a column is out of bounds")
        self.length = max(self.ends(column)[-1] for column in self.columns)

    def blocks(self, size):
        return -(-size >> self.bits)

    def begins(self, column):
        begins = [0]
        for _, _, size in column:
            begins.append(begins[-1] + (self.blocks(size) << self.bits))
        return begins[:-1]

    def ends(self, column):
        return [begin + size for begin, (_, _, size) in zip(self.begins(column), column)]

    def check_blocks(self, data, first):
        """The checksums of an object or shard, from number `first`; gives the number after its last."""
        for at in range(0, len(data), 1 << self.bits):
            check(crc64(data[at:at + (1 << self.bits)]) == self.sums[first], f"the checksum of block {first} is wrong")
            first += 1
        return first

    def members(self):
        return [(self.KINDS[kind], id) for column in self.columns for kind, id, _ in column]

    def verify(self, get):
        """That checksums and shard are those of the objects, which `get(kind, id)` gives."""
        total, first = 0, 0
        for j, column in enumerate(self.columns):
            times = gf_table(gf_inverse((128 + self.number) ^ j))
            for begin, (kind, id, size) in zip(self.begins(column), column):
                data = get(self.KINDS[kind], id)
                check(len(data) == size, f"{self.KINDS[kind]}/{id.hex()} has not the size that it says")
                first = self.check_blocks(data, first)
                total ^= int.from_bytes(data.translate(times), "little") << (8 * begin)
        check(total.to_bytes(self.length, "little") == self.shard, "it is not the sum of what it covers")
        self.check_blocks(self.shard, first + self.number * self.blocks(self.length))
