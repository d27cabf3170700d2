#include "detect/programs/python_code.h"

#include <string>

namespace kura::detect::programs {
namespace python {
namespace {

constexpr int kDeepest = 200;  // CPython's own limit is 2000; compilers do not nest that far
constexpr std::uint64_t kHeader = 16;

// The fields of a code object, which change with the version (Lib/importlib/_bootstrap_external.py lists the magics).
struct Layout {
  unsigned numbers;  // before the objects
  unsigned before;   // objects before the first line's number
  unsigned after;    // objects after it
};

std::optional<Layout> layout_of(std::uint16_t magic) {
  if (magic >= 3390 && magic < 3410) return Layout{5, 8, 1};  // 3.7
  if (magic >= 3410 && magic < 3450) return Layout{6, 8, 1};  // 3.8 to 3.10
  if (magic >= 3495 && magic < 3640) return Layout{5, 8, 2};  // 3.11 to 3.14
  return std::nullopt;
}

// Python/marshal.c.
class Reader {
 public:
  Reader(Window& in, Budget& budget, Layout layout) : in_(in), budget_(budget), layout_(layout) {}

  bool object(int depth) {
    if (depth == 0 || !budget_.spend(16)) return false;
    start_ = at_;
    const auto byte = in_.byte(at_);
    if (!byte) return false;
    ++at_;
    const bool kept = (*byte & 0x80) != 0;
    if (kept) ++kept_;
    switch (*byte & 0x7f) {
      case 'N':
      case 'F':
      case 'T':
      case 'S':
      case '.':
        return true;
      case 'i':
        return skip(4);
      case 'I':
      case 'g':
        return skip(8);
      case 'y':
        return skip(16);
      case 'f':
        return sized(1);
      case 'l':
        return integer();
      case 's':
      case 't':
      case 'u':
      case 'a':
      case 'A':
        return sized(4);
      case 'z':
      case 'Z':
        return sized(1);
      case 'r':
        return word() < kept_;
      case ')':
        return objects(little_byte(), depth);
      case '(':
      case '[':
      case '<':
      case '>':
        return objects(word(), depth);
      case '{':
        return dictionary(depth);
      case ':':
        return objects(3, depth);  // a slice, from 3.14 on
      case 'c':
        return code(depth);
      default:
        return false;
    }
  }
  std::uint64_t at() const { return at_; }
  std::uint64_t start() const { return start_; }

 private:
  bool skip(std::uint64_t size) {
    if (size > in_.size() - at_) {
      at_ = in_.size();
      return false;
    }
    at_ += size;
    return true;
  }
  std::uint64_t word() {
    const auto value = in_.little32(at_);
    if (!skip(4)) return in_.size();
    return value.value_or(0);
  }
  std::uint64_t little_byte() {
    const auto value = in_.byte(at_);
    skip(1);
    return value.value_or(0);
  }
  bool sized(unsigned width) {
    const std::uint64_t size = width == 1 ? little_byte() : word();
    return skip(size) && budget_.spend(size);
  }
  bool integer() {  // digits of 15 bits; the sign is in their count
    const auto count = static_cast<std::int32_t>(static_cast<std::uint32_t>(word()));
    return skip(2 * static_cast<std::uint64_t>(count < 0 ? -std::int64_t{count} : std::int64_t{count}));
  }
  bool objects(std::uint64_t count, int depth) {
    if (count > in_.size() - at_) return false;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!object(depth - 1)) return false;
    }
    return true;
  }
  bool dictionary(int depth) {
    while (in_.byte(at_) != '0') {
      if (!object(depth - 1) || !object(depth - 1)) return false;
    }
    return skip(1);
  }
  bool code(int depth) {
    return skip(4 * layout_.numbers) && objects(layout_.before, depth) && skip(4) && objects(layout_.after, depth);
  }

  Window& in_;
  Budget& budget_;
  Layout layout_;
  std::uint64_t at_ = kHeader;
  std::uint64_t start_ = kHeader;
  std::uint64_t kept_ = 0;
};

}  // namespace
}  // namespace python

bool is_python_code(Window& in) {
  const auto magic = in.little16(0);
  // Two bytes of the version, then a line end that transfers in text mode would spoil, flags, and a code object.
  const auto code = in.byte(python::kHeader);
  return magic && *magic >= 3390 && *magic < 3700 && in.has(2, "\r\n") && in.little32(4).value_or(9) <= 3 && code &&
         (*code & 0x7f) == 'c';
}

Report check_python_code(Window& in, Budget& budget) {
  const auto layout = python::layout_of(in.little16(0).value_or(0));
  if (!layout) return whole({{{0, in.size()}, Density::kPlain}});
  python::Reader reader(in, budget, *layout);
  const bool right = reader.object(python::kDeepest);
  if (budget.spent_out()) return over_budget();
  if (!right && reader.at() >= in.size()) return broken(in.size(), "it ends early");
  if (!right) return broken(reader.start(), "what stands there is no object of Python");
  return whole();
}

}  // namespace kura::detect::programs
