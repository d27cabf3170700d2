// By "Xbase file format description" (E. Bachmann) and Microsoft's "Table file structure" of Visual FoxPro.
#include "detect/databases/dbf.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "detect/grammar/noise.h"

namespace kura::detect::dbf {
namespace {

struct Field {
  std::size_t offset = 0;  // in the record
  std::size_t size = 0;
  char type = 0;
};

struct Table {
  std::uint64_t head = 0;    // bytes
  std::uint64_t record = 0;  // bytes
  std::uint64_t count = 0;
  std::vector<Field> fields;
  bool adds_up = false;
};

bool known_version(std::uint8_t version) {
  constexpr std::array<std::uint8_t, 19> kKnown = {0x02, 0x03, 0x04, 0x05, 0x07, 0x30, 0x31, 0x32, 0x43, 0x63,
                                                   0x7B, 0x83, 0x8B, 0x8C, 0x8E, 0xCB, 0xE5, 0xF5, 0xFB};
  return std::ranges::find(kKnown, version) != kKnown.end();
}

bool level_seven(std::uint8_t version) { return (version & 7) == 4; }

bool known_type(std::uint8_t type) {
  return std::string_view("CNFDLMGPBITYV@+O0QWX2478").find(static_cast<char>(type)) != std::string_view::npos;
}

// A field's name begins with a letter of some code page and has no control characters before its end.
bool is_name(base::ByteSpan name) {
  if (name[0] < 'A' || (name[0] > 'Z' && name[0] < 'a' && name[0] != '_')) return false;
  for (const std::uint8_t c : name) {
    if (c == 0) return true;
    if (c < 0x20 || c == 0x7F) return false;
  }
  return true;
}

bool field_at(base::ByteSpan entry, bool seven, Field& field) {
  const std::size_t type = seven ? 32 : 11;
  if (!known_type(entry[type]) || !is_name(entry.first(type))) return false;
  field.type = static_cast<char>(entry[type]);
  field.size = entry[seven ? 33 : 16];
  // Clipper and FoxPro keep the upper half of long texts' sizes among the decimals.
  if (field.type == 'C') field.size += static_cast<std::size_t>(entry[seven ? 34 : 17]) << 8;
  return true;
}

// False where a field's description is damaged.
bool read_table(Window& in, Table& table) {
  const std::uint8_t version = in.byte(0).value_or(0);
  const bool seven = level_seven(version);
  table.count = in.little32(4).value_or(0);
  table.head = in.little16(8).value_or(0);
  table.record = in.little16(10).value_or(0);
  const std::size_t size = seven ? 48 : 32;
  std::size_t offset = 1;
  for (std::uint64_t at = seven ? 68 : 32; at + size <= table.head; at += size) {
    const base::ByteSpan entry = in.at(at, size);
    if (entry.size() < size || entry[0] == 0x0D || entry[0] == 0) break;
    Field field;
    if (!field_at(entry, seven, field)) return false;
    field.offset = offset;
    offset += field.size;
    table.fields.push_back(field);
  }
  table.adds_up = offset == table.record;
  return !table.fields.empty();
}

bool allowed(char type, std::uint8_t c) {
  const bool digit = c >= '0' && c <= '9';
  if (c == 0 || c == ' ') return true;
  if (type == 'D') return digit || c == '-' || c == '/';
  if (type == 'L') return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || digit || c == '?';
  // Numbers; where they do not fit there are stars.
  return digit || (c >= '*' && c <= '.') || c == 'E' || c == 'e' || c == '#' || c == '?';
}

// How much of a record is not what its fields hold.
std::size_t odd_bytes(base::ByteSpan record, const Table& table) {
  const std::uint8_t mark = record[0];  // whether it is deleted
  std::size_t odd = mark == ' ' || mark == '*' || mark == 0 ? 0 : 2;
  for (const Field& field : table.fields) {
    const bool text = field.type == 'N' || field.type == 'F' || (field.type == 'D' && field.size == 8) ||
                      (field.type == 'L' && field.size == 1);
    if (!text || field.offset > record.size() || field.size > record.size() - field.offset) continue;
    for (const std::uint8_t c : record.subspan(field.offset, field.size)) odd += allowed(field.type, c) ? 0U : 1U;
  }
  return odd;
}

bool all_text(const Table& table) {
  return table.adds_up && std::ranges::all_of(table.fields, [](const Field& field) {
           return field.type == 'C' || field.type == 'N' || field.type == 'F' || field.type == 'D' ||
                  field.type == 'L' || (field.type == 'M' && field.size == 10);
         });
}

// Where all fields are text, nothing looks random, nor every other piece of it, which is slower to tell and so is asked
// once in 4 KiB: who encrypts in stripes does not stop after one.
Report check_texts(Window& in, Range texts, Budget& budget) {
  for (std::uint64_t at = texts.offset; at + kNoisePiece <= texts.end(); at += kNoisePiece) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(2 * kNoisePiece, texts.end() - at));
    const base::ByteSpan bytes = in.at(at, length);
    if (!budget.spend(kNoisePiece)) return over_budget();
    const bool striped = (at - texts.offset) % (8 * kNoisePiece) == 0 &&
                         (stripes_look_random(bytes, 64) || stripes_look_random(bytes, 16));
    if (looks_random(bytes) || striped) {
      return broken(at, "its records look random where text belongs");
    }
  }
  return whole();
}

bool is_zero(base::ByteSpan bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t c) { return c == 0; });
}

// Odd bytes come alone in honest tables (a program that wrote texts into a number); random ones in every record of a
// stretch, of whole blocks or of stripes.
Report check_records(Window& in, const Table& table, Budget& budget) {
  std::uint64_t wiped = 0;
  std::size_t before = 0;  // odd bytes of the record before
  for (std::uint64_t i = 0; i < table.count; ++i) {
    const std::uint64_t at = table.head + i * table.record;
    const base::ByteSpan record = in.at(at, static_cast<std::size_t>(table.record));
    if (!budget.spend(table.record)) return over_budget();
    if (record.size() < table.record) break;  // only the last one may end early
    if (record[0] == 0 && is_zero(record)) ++wiped;
    const std::size_t odd = table.adds_up ? odd_bytes(record, table) : 0;
    if ((odd >= 2 && before >= 2 && odd + before >= 5) || (table.record >= 1024 && odd >= 24)) {
      return broken(at, "record " + std::to_string(i + 1) + " of the table is damaged");
    }
    before = odd;
  }
  // Records that were never filled in are blanks.
  if (table.count >= 4 && wiped * 2 > table.count)
    return broken(table.head, "most of its records are wiped with zeros");
  return all_text(table) ? check_texts(in, {table.head, table.count * table.record}, budget) : whole();
}

}  // namespace

bool recognise(Window& in) {
  const base::ByteSpan head = in.at(0, 116);
  if (head.size() < 65 || !known_version(head[0])) return false;
  if (head[2] > 12 || head[3] > 31 || head[15] > 1 || head[14] > 1) return false;
  const bool seven = level_seven(head[0]);
  const auto size = little<std::uint16_t>(head, 8);
  if (size < 65 || little<std::uint16_t>(head, 10) < 2 || (seven && head.size() < 116)) return false;
  Field field;
  return field_at(head.subspan(seven ? 68 : 32), seven, field) && field.size > 0;
}

Report check(Window& in, Budget& budget) {
  Table table;
  if (!read_table(in, table)) return broken(32, "the description of its fields is damaged");
  const std::uint64_t end = table.head + table.count * table.record;
  if (in.size() + 1 < end) {
    return broken(in.size(), "it ends early: its header says " + std::to_string(table.count) + " records");
  }
  Report report = check_records(in, table, budget);
  if (report.finding != Finding::kWhole || table.head >= in.size()) return report;
  add_stretch(report.stretches, {{table.head, in.size() - table.head}, Density::kPlain});
  return report;
}

// FoxPro's: a header of 512 bytes, blocks of a size that it tells, the first one with a kind and a length. dBASE IV's:
// the first block begins with FF FF 08 00.
bool recognise_memo(Window& in) {
  const base::ByteSpan head = in.at(0, 512);
  if (head.size() < 512 || in.size() < 520) return false;
  const std::uint64_t fox = big<std::uint16_t>(head, 6);
  if (big<std::uint32_t>(head, 0) > 0 && fox > 0 && fox <= 16384 && is_zero(head.subspan(4, 2)) &&
      is_zero(head.subspan(8))) {
    const std::uint64_t first = (512 + fox - 1) / fox * fox;
    return in.big32(first).value_or(9) <= 2 && in.big32(first + 4).value_or(0) <= in.size();
  }
  const std::uint64_t block = little<std::uint16_t>(head, 20);
  return block >= 512 && block % 512 == 0 && little<std::uint32_t>(head, 0) > 0 && is_zero(head.subspan(24, 488)) &&
         in.little32(block) == 0x0008FFFF;
}

// Memos that were replaced leave gaps, so blocks do not chain: only the end is proven.
Report check_memo(Window& in, Budget& budget) {
  const bool four = in.little32(in.little16(20).value_or(0)) == 0x0008FFFF;
  const std::uint64_t block = four ? in.little16(20).value_or(1) : in.big16(6).value_or(1);
  const std::uint64_t next = four ? in.little32(0).value_or(0) : in.big32(0).value_or(0);
  if (!budget.spend(512)) return over_budget();
  // The last block is often not filled up.
  if (next > 0 && (next - 1) * block > in.size()) {
    return broken(in.size(), "it ends early: its header says " + std::to_string(next) + " blocks");
  }
  return whole({{{512, in.size() - 512}, Density::kPlain}});
}

}  // namespace kura::detect::dbf
