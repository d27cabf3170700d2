#include "detect/text/hex_records.h"

#include <algorithm>
#include <string>

namespace kura::detect::text {
namespace {

constexpr std::size_t kRecordView = 64U << 10;
constexpr std::size_t kLongest = 600;  // a record has at most 255 + 5 bytes

enum class Record : std::uint8_t { kRight, kWrong, kLast };

// Intel (Hexadecimal Object File Format, 1988): all bytes of a record add up to 0; type 1 ends the file.
Record intel(base::ByteSpan bytes) {
  if (bytes.size() < 5 || bytes[0] != bytes.size() - 5) return Record::kWrong;
  unsigned sum = 0;
  for (const std::uint8_t byte : bytes) sum += byte;
  if ((sum & 0xff) != 0) return Record::kWrong;
  return bytes[3] == 1 ? Record::kLast : Record::kRight;
}

// Motorola: the count is of the bytes after it, and all from it on add up to 0xff; S7, S8 and S9 end the file.
Record motorola(char type, base::ByteSpan bytes) {
  if (bytes.size() < 3 || bytes[0] != bytes.size() - 1) return Record::kWrong;
  unsigned sum = 0;
  for (const std::uint8_t byte : bytes) sum += byte;
  if ((sum & 0xff) != 0xff) return Record::kWrong;
  return type >= '7' ? Record::kLast : Record::kRight;
}

Record record(std::string_view line) {
  if (line.starts_with(':')) {
    const auto bytes = base::from_hex(line.substr(1));
    return bytes ? intel(*bytes) : Record::kWrong;
  }
  if (line.size() < 4 || line[0] != 'S' || line[1] < '0' || line[1] > '9') return Record::kWrong;
  const auto bytes = base::from_hex(line.substr(2));
  return bytes ? motorola(line[1], *bytes) : Record::kWrong;
}

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\x1a' || line.back() == '\0')) {
    line.remove_suffix(1);
  }
  return line;
}

// The line there without its end; nothing where none ends within a record's length.
std::optional<std::string_view> line_at(Window& in, std::uint64_t at) {
  const std::string_view text = base::as_text(in.at(at, kLongest));
  const std::size_t end = text.find('\n');
  if (end != std::string_view::npos) return text.substr(0, end);
  if (at + text.size() == in.size()) return text;
  return std::nullopt;
}

}  // namespace

bool is_hex_records(Window& in) {
  std::uint64_t at = 0;
  for (int i = 0; i < 3; ++i) {
    const auto line = line_at(in, at);
    if (!line || record(trimmed(*line)) == Record::kWrong) return false;
    at += line->size() + 1;
  }
  return true;
}

Report check_hex_records(Window& in, Budget& budget) {
  bool ended = false;
  std::uint64_t number = 0;
  for (std::uint64_t at = 0; at < in.size();) {
    const auto line = line_at(in, at);
    if (!budget.spend(line ? line->size() + 1 : kRecordView)) return over_budget();
    ++number;
    const std::string_view text = line ? trimmed(*line) : std::string_view();
    // Comments and empty lines are kept by some tools; what follows the last record is nobody's.
    const bool comment =
        line.has_value() && (text.empty() || text[0] == '#' || text[0] == ';' || text[0] == '$' || text[0] == '@');
    const Record found = comment ? Record::kRight : record(text);
    if (found == Record::kWrong) {
      return broken(at, "the record in line " + std::to_string(number) + " is wrong in its length or checksum");
    }
    ended = ended || found == Record::kLast;
    at += line->size() + 1;
  }
  if (!ended) return broken(in.size(), "it ends early: there is no last record");
  return whole();
}

}  // namespace kura::detect::text
