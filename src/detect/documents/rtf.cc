#include "detect/documents/rtf.h"

#include <algorithm>
#include <array>
#include <string>

namespace kura::detect::rtf {
namespace {

constexpr std::size_t kView = 64U << 10;
constexpr std::uint32_t kPiece = 512;
constexpr std::uint32_t kMostControls = 7;  // of a piece: of 512 random bytes 57 are control characters
constexpr std::uint64_t kMostZeros = 4096;  // in a row, inside of groups

enum Class : std::uint8_t { kText, kZero, kControl, kOpen, kClose, kEscape };

constexpr std::array<std::uint8_t, 256> classes() {
  std::array<std::uint8_t, 256> made{};
  for (std::size_t c = 0; c < 0x20; ++c) made[c] = kControl;
  made[0] = kZero;
  made['\t'] = made['\n'] = made['\r'] = made['\f'] = made[0x0B] = made[0x1A] = kText;
  made[0x7F] = kControl;
  made['{'] = kOpen;
  made['}'] = kClose;
  made['\\'] = kEscape;
  return made;
}
constexpr std::array<std::uint8_t, 256> kClasses = classes();

class Checker {
 public:
  Checker(Window& in, Budget& budget) : in_(in), budget_(budget) {}
  Report run();

 private:
  // The bytes of an escape at `at`, after the backslash; what \bin announces is in them.
  std::uint64_t escape(std::uint64_t at);
  bool view(base::ByteSpan bytes);
  bool last_closes();

  Window& in_;
  Budget& budget_;
  std::uint64_t offset_ = 0;
  std::uint64_t skip_to_ = 0;
  std::uint64_t depth_ = 0;
  std::uint64_t zeros_ = 0;
  std::uint64_t piece_ = 0;
  std::uint32_t controls_ = 0;  // in the piece
  bool closed_ = false;
  Report report_;
};

std::uint64_t Checker::escape(std::uint64_t at) {
  const base::ByteSpan word = in_.at(at, 16);
  if (word.size() < 5 || !base::as_text(word).starts_with("bin")) return 1;
  std::uint64_t length = 0;
  std::size_t i = 3;
  for (; i < word.size() && word[i] >= '0' && word[i] <= '9'; ++i) length = length * 10 + (word[i] - '0');
  if (i == 3) return 1;
  return i + (i < word.size() && word[i] == ' ' ? 1 : 0) + length;
}

// False when an escape ends the view early, or at the end.
bool Checker::view(base::ByteSpan bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint8_t is = kClasses[bytes[i]];
    if (is == kText) continue;
    const std::uint64_t at = offset_ + i;
    if (is == kOpen) {
      ++depth_;
    } else if (is == kClose) {
      if (depth_ > 0 && --depth_ == 0) closed_ = true;
    } else if (is == kEscape) {
      if (i + 1 >= bytes.size() || bytes[i + 1] == 'b') {
        skip_to_ = at + 1 + escape(at + 1);
        return true;
      }
      ++i;
    } else if (is == kZero) {
      if (!closed_ && ++zeros_ > kMostZeros) {
        report_ = broken(at, "zeros stand where text belongs");
        return false;
      }
    } else {
      if (at - piece_ >= kPiece) {
        piece_ = at;
        controls_ = 0;
      }
      if (++controls_ > kMostControls) {
        report_ = broken(piece_, "bytes that are no text stand where text belongs");
        return false;
      }
    }
  }
  skip_to_ = offset_ + bytes.size();
  return true;
}

// Whether the file ends with a brace: not in the middle of things.
bool Checker::last_closes() {
  const std::uint64_t size = std::min<std::uint64_t>(in_.size(), 64);
  const std::string_view tail = base::as_text(in_.at(in_.size() - size, static_cast<std::size_t>(size)));
  const std::size_t last = tail.find_last_not_of(std::string_view("\r\n \0", 4));
  return last != std::string_view::npos && tail[last] == '}';
}

// Readers end at the group that closes the first one; what is behind it is looked at for noise only. Some writers leave
// out the last braces.
Report Checker::run() {
  while (offset_ < in_.size()) {
    const base::ByteSpan bytes = in_.at(offset_, kView);
    if (bytes.empty()) break;
    if (!view(bytes)) return report_;
    if (skip_to_ > in_.size()) return broken(in_.size(), "it ends early, in binary data");
    if (!budget_.spend(skip_to_ - offset_ + 1)) return over_budget();
    offset_ = skip_to_;
  }
  if (depth_ == 1 && last_closes()) return whole();
  if (!closed_) return broken(in_.size(), "it ends early: " + std::to_string(depth_) + " groups are open");
  return whole();
}

}  // namespace

bool recognise(Window& in) { return in.has(0, "{\\rtf"); }

Report check(Window& in, Budget& budget) { return Checker(in, budget).run(); }

}  // namespace kura::detect::rtf
