#include "detect/documents/pdf_lexer.h"

#include <algorithm>

namespace kura::detect::pdf {
namespace {

enum Class : std::uint8_t { kControl, kSpace, kDelimiter, kRegular, kHigh };

constexpr std::array<Class, 256> make_classes() {
  std::array<Class, 256> classes{};
  for (std::size_t i = 0; i < 256; ++i) classes[i] = i < 0x20 ? kControl : i < 0x7F ? kRegular : kHigh;
  for (const char c : std::string_view("\0\t\n\f\r ", 6)) classes[static_cast<std::uint8_t>(c)] = kSpace;
  for (const char c : std::string_view("()<>[]{}/%")) classes[static_cast<std::uint8_t>(c)] = kDelimiter;
  return classes;
}
constexpr std::array<Class, 256> kClasses = make_classes();

// Zero bytes are white space, but nobody writes hundreds of them: that is a wiped block.
constexpr std::uint32_t kMostZeros = 256;
constexpr std::uint32_t kMostControls = 3;         // in a comment: of another character set, or the mark "binary"
constexpr std::uint64_t kMostString = 8ULL << 20;  // scripts stand in strings
constexpr std::uint32_t kMostWord = 1024;
constexpr std::uint64_t kHeaderComments = 1024;  // there any bytes are allowed

bool numeric(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+'; });
}

bool hex_digit(int c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

int Lexer::peek() {
  if (taken_ == view_.size()) {
    base_ += taken_;
    passed_ += taken_;
    taken_ = 0;
    view_ = in_->at(base_, 64U << 10);
    if (view_.empty()) return -1;
  }
  return view_[taken_];
}

void Lexer::seek(std::uint64_t offset) {
  passed_ += taken_;
  base_ = offset;
  taken_ = 0;
  view_ = {};
}

std::uint64_t Lexer::number() const {
  std::uint64_t value = 0;
  for (const char c : text()) {
    if (c < '0' || c > '9' || value > (1ULL << 58)) return 0;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool Lexer::skip_space() {
  std::uint32_t zeros = 0;
  for (int c = peek(); c >= 0 && kClasses[static_cast<std::uint8_t>(c)] == kSpace; c = peek()) {
    zeros = c == 0 ? zeros + 1 : 0;
    if (zeros > kMostZeros) return false;
    skip();
  }
  return true;
}

Token Lexer::next() {
  while (true) {
    began_ = position();
    kept_ = 0;
    if (!skip_space()) return Token::kBad;
    const int c = peek();
    began_ = position();
    if (c < 0) return Token::kFileEnd;
    if (c == '%') {
      const Token comment_is = comment();
      if (comment_is != Token::kString) return comment_is;
      continue;
    }
    if (kClasses[static_cast<std::uint8_t>(c)] == kRegular) return regular(Token::kKeyword);
    if (kClasses[static_cast<std::uint8_t>(c)] != kDelimiter) return Token::kBad;
    skip();
    switch (c) {
      case '/':
        return regular(Token::kName);
      case '(':
        return literal_string();
      case '<':
        return after_less();
      case '>':
        if (peek() != '>') return Token::kBad;
        skip();
        return Token::kCloseDict;
      case '[':
        return Token::kOpenArray;
      case ']':
        return Token::kCloseArray;
      case '{':
      case '}':
        return Token::kKeyword;  // of a PostScript function that lies open
      default:
        return Token::kBad;
    }
  }
}

Token Lexer::after_less() {
  if (peek() != '<') return hex_string();
  skip();
  return Token::kOpenDict;
}

// kString: a comment like any other.
Token Lexer::comment() {
  std::uint32_t controls = 0;
  for (int c = peek(); c >= 0 && c != '\n' && c != '\r'; c = peek()) {
    if (kept_ < kKept) text_[kept_++] = static_cast<char>(c);
    if (kClasses[static_cast<std::uint8_t>(c)] == kControl || c == 0) ++controls;
    if (controls > kMostControls && began_ > kHeaderComments) return Token::kBad;
    skip();
  }
  return text().starts_with("%%EOF") ? Token::kEofMark : Token::kString;
}

Token Lexer::literal_string() {
  std::uint64_t depth = 1;
  for (std::uint64_t length = 0; length < kMostString; ++length) {
    const int c = peek();
    if (c < 0) return Token::kFileEnd;
    skip();
    if (c == '\\') {
      if (peek() >= 0) skip();
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      return Token::kString;
    }
  }
  return Token::kBad;
}

Token Lexer::hex_string() {
  std::uint32_t zeros = 0;
  while (true) {
    const int c = peek();
    if (c < 0) return Token::kFileEnd;
    if (c != '>' && !hex_digit(c) && kClasses[static_cast<std::uint8_t>(c)] != kSpace) return Token::kBad;
    zeros = c == 0 ? zeros + 1 : 0;
    if (zeros > kMostZeros) return Token::kBad;
    skip();
    if (c == '>') return Token::kString;
  }
}

// Names may hold bytes of any character set, as Asian writers leave them; keywords are ASCII.
Token Lexer::regular(Token kind) {
  std::uint32_t length = 0;
  for (int c = peek(); c >= 0; c = peek()) {
    const Class is = kClasses[static_cast<std::uint8_t>(c)];
    if (is == kSpace || is == kDelimiter) break;
    if (is == kControl || (is == kHigh && kind != Token::kName) || ++length > kMostWord) return Token::kBad;
    if (kept_ < kKept) text_[kept_++] = static_cast<char>(c);
    skip();
  }
  if (kind == Token::kKeyword && numeric(text())) return Token::kNumber;
  return kind;
}

}  // namespace kura::detect::pdf
