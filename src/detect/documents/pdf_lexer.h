// The words of a PDF file outside its streams (ISO 32000-1, 7.2 and 7.3).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::pdf {

enum class Token : std::uint8_t {
  kFileEnd,
  kNumber,
  kName,  // text() without its slash
  kKeyword,
  kString,
  kOpenDict,
  kCloseDict,
  kOpenArray,
  kCloseArray,
  kEofMark,  // the comment %%EOF
  kBad,      // bytes that no writer puts between streams
};

// Reads forward; another user of the same window may come between two tokens if seek() follows.
class Lexer {
 public:
  Lexer(Window& in, std::uint64_t offset) : in_(&in), base_(offset) {}

  Token next();
  // Of the last token: its beginning, its first kKept bytes, its value if it was a whole number (else 0).
  std::uint64_t began() const { return began_; }
  std::string_view text() const { return {text_.data(), kept_}; }
  std::uint64_t number() const;
  // After the last token.
  std::uint64_t position() const { return base_ + taken_; }
  void seek(std::uint64_t offset);
  // Bytes passed so far, to be paid for.
  std::uint64_t passed() const { return passed_ + taken_; }

 private:
  static constexpr std::size_t kKept = 64;

  int peek();
  void skip() { ++taken_; }
  bool skip_space();  // false at a long run of zero bytes
  Token comment();
  Token literal_string();
  Token hex_string();
  Token regular(Token kind);
  Token after_less();

  Window* in_;
  base::ByteSpan view_;
  std::uint64_t base_;
  std::size_t taken_ = 0;  // of view_
  std::uint64_t passed_ = 0;
  std::uint64_t began_ = 0;
  std::array<char, kKept> text_{};
  std::size_t kept_ = 0;
};

}  // namespace kura::detect::pdf
