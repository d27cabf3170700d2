#include "detect/programs/java_class.h"

#include <algorithm>
#include <string>

namespace kura::detect::programs {
namespace java {
namespace {

constexpr std::uint64_t kAfterVersion = 8;

// The bytes of a constant after its tag; 0 for one that is none (section 4.4). 1 has its length in it.
std::uint64_t constant_size(std::uint8_t tag) {
  switch (tag) {
    case 7:
    case 8:
    case 16:
    case 19:
    case 20:
      return 2;
    case 15:
      return 3;
    case 3:
    case 4:
    case 9:
    case 10:
    case 11:
    case 12:
    case 17:
    case 18:
      return 4;
    case 5:
    case 6:
      return 8;
    default:
      return 0;
  }
}

// Modified UTF-8 (section 4.4.7).
bool is_text(base::ByteSpan text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::uint8_t lead = text[i];
    const std::size_t length = lead < 0x80 ? 1 : (lead & 0xe0) == 0xc0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : 0;
    if (length == 0 || lead == 0 || text.size() - i < length) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((text[i + k] & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

class Checker {
 public:
  Checker(Window& in, Budget& budget) : in_(in), budget_(budget) {}

  Report run() {
    if (!constants() || !references() || !members()) return result();
    if (short_) return broken(in_.size(), "it ends early");
    if (at_ < in_.size()) return broken(at_, "there are bytes after its last attribute");
    return whole();
  }

 private:
  Report result() const {
    if (budget_.spent_out()) return over_budget();
    if (short_ || at_ >= in_.size()) return broken(in_.size(), "it ends early");
    return broken(at_, wrong_);
  }
  bool fail(std::string what) {
    wrong_ = std::move(what);
    return false;
  }
  // Goes on by `size` bytes if they are there.
  bool skip(std::uint64_t size) {
    if (size > in_.size() - at_) {
      at_ = in_.size();
      return false;
    }
    at_ += size;
    return budget_.spend(1);
  }
  std::uint64_t number16() {
    const auto value = in_.big16(at_);
    short_ = short_ || !value;
    at_ = std::min(at_ + 2, in_.size());
    return value.value_or(0);
  }

  bool constants() {
    at_ = kAfterVersion;
    const std::uint64_t count = number16();
    tags_.assign(static_cast<std::size_t>(std::max<std::uint64_t>(count, 1)), 0);
    offsets_.assign(tags_.size(), 0);
    for (std::size_t i = 1; i < count; ++i) {
      const auto tag = in_.byte(at_);
      if (!tag) return skip(1);
      tags_[i] = *tag;
      offsets_[i] = at_ + 1;
      std::uint64_t size = constant_size(*tag);
      if (*tag == 1) {
        size = std::uint64_t{in_.big16(at_ + 1).value_or(0)} + 2;
        const auto text = in_.whole(at_ + 3, static_cast<std::size_t>(size - 2));
        if (text && !is_text(*text)) return fail("constant " + std::to_string(i) + " is no text");
      }
      if (size == 0) return fail("constant " + std::to_string(i) + " is of no kind there is");
      if (!skip(1 + size) || !budget_.spend(size)) return false;
      if (*tag == 5 || *tag == 6) ++i;  // takes two places
    }
    return true;
  }

  bool is(std::uint64_t index, std::uint8_t tag) const {
    return index < tags_.size() && tags_[static_cast<std::size_t>(index)] == tag;
  }

  // Constants name each other by number and kind.
  bool references() {
    for (std::size_t i = 1; i < tags_.size(); ++i) {
      const std::uint64_t first = in_.big16(offsets_[i]).value_or(0);
      const std::uint64_t second = in_.big16(offsets_[i] + 2).value_or(0);
      bool right = true;
      switch (tags_[i]) {
        case 7:
        case 8:
        case 16:
        case 19:
        case 20:
          right = is(first, 1);
          break;
        case 9:
        case 10:
        case 11:
          right = is(first, 7) && is(second, 12);
          break;
        case 12:
          right = is(first, 1) && is(second, 1);
          break;
        case 17:
        case 18:
          right = is(second, 12);
          break;
        default:
          break;
      }
      if (!right) {
        at_ = offsets_[i];
        return fail("constant " + std::to_string(i) + " names one of another kind");
      }
    }
    return true;
  }

  bool attributes() {
    const std::uint64_t count = number16();
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!is(in_.big16(at_).value_or(0), 1)) return fail("an attribute has no name");
      const auto length = in_.big32(at_ + 2);
      if (!length) return skip(6);
      if (!skip(std::uint64_t{6} + *length)) return false;
    }
    return true;
  }

  bool members() {
    if (!skip(6)) return false;  // access, this, super
    const std::uint64_t interfaces = number16();
    for (std::uint64_t i = 0; i < interfaces; ++i) {
      if (!is(in_.big16(at_).value_or(0), 7)) return fail("interface " + std::to_string(i) + " is no class");
      if (!skip(2)) return false;
    }
    for (int group = 0; group < 2; ++group) {  // fields, methods
      const std::uint64_t count = number16();
      for (std::uint64_t i = 0; i < count; ++i) {
        const bool named = is(in_.big16(at_ + 2).value_or(0), 1) && is(in_.big16(at_ + 4).value_or(0), 1);
        if (!named)
          return fail(std::string(group == 0 ? "field " : "method ") + std::to_string(i) + " has no name or type");
        if (!skip(6) || !attributes()) return false;
      }
    }
    return attributes();
  }

  Window& in_;
  Budget& budget_;
  std::uint64_t at_ = 0;
  bool short_ = false;  // a number would lie behind the end
  std::string wrong_;
  std::vector<std::uint8_t> tags_;
  std::vector<std::uint64_t> offsets_;
};

}  // namespace
}  // namespace java

bool is_java_class(Window& in) {
  const auto major = in.big16(6);
  return in.big32(0) == 0xcafebabe && major && *major >= 45 &&
         *major < 100;  // Mach-O's fat files have a small number there
}

Report check_java_class(Window& in, Budget& budget) { return java::Checker(in, budget).run(); }

}  // namespace kura::detect::programs
