#include "base/glob.h"

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/utf8.h"

namespace kura::base {
namespace {

constexpr std::uint32_t kSlash = '/';

std::string_view without_slashes_around(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

// The positions in the pattern that are possible after some part of the path: bit i stands before token i, the bit
// behind the last token means that all of the pattern is used up.
class Glob::States {
 public:
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): most of words_ is never touched
  explicit States(std::size_t token_count) : words_used_((token_count + 64) / 64) { clear(); }

  void clear() { std::fill_n(words_.begin(), words_used_, 0); }
  void set(std::size_t state) { words_[state / 64] |= std::uint64_t{1} << state % 64; }
  bool has(std::size_t state) const { return (words_[state / 64] >> state % 64 & 1) != 0; }
  bool none() const {
    return std::all_of(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(words_used_),
                       [](std::uint64_t word) { return word == 0; });
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t i = 0; i < words_used_; ++i) {
      for (std::uint64_t word = words_[i]; word != 0; word &= word - 1) {
        visit(64 * i + static_cast<std::size_t>(std::countr_zero(word)));
      }
    }
  }

 private:
  static constexpr std::size_t kMostTokens = 2 * kLongest + 4;
  std::size_t words_used_;
  std::array<std::uint64_t, kMostTokens / 64 + 1> words_;  // the first words_used_ of them
};

class Glob::Parser {
 public:
  explicit Parser(std::string_view pattern) : whole_(pattern), rest_(pattern) {}

  Result<Glob> parse() {
    if (rest_.starts_with('!')) return refused("a leading '!' is not offered; write \\! for the character itself");
    if (rest_.size() > kLongest) return refused("it is too long");
    if (rest_.size() > 1 && rest_.ends_with('/') && !ends_in_escaped_slash()) {
      glob_.only_directories_ = true;
      while (rest_.ends_with('/')) rest_.remove_suffix(1);
    }
    const bool anchored = rest_.starts_with('/');
    while (rest_.starts_with('/')) rest_.remove_prefix(1);
    if (rest_.empty()) return refused("it names nothing");
    glob_.only_last_component_ = !anchored && !rest_.contains('/');
    if (!anchored && !glob_.only_last_component_) add_folders();
    while (!rest_.empty()) {
      if (const char* problem = next()) return refused(problem);
    }
    return std::move(glob_);
  }

 private:
  // Nullptr, or what is wrong.
  const char* next() {
    switch (rest_.front()) {
      case '*':
        stars();
        return nullptr;
      case '?':
        rest_.remove_prefix(1);
        add(Kind::kAnyOne);
        return nullptr;
      case '[':
        return char_class();
      case '\\':
        rest_.remove_prefix(1);
        if (rest_.empty()) return "it ends in a backslash";
        break;
      default:
        break;
    }
    add(Kind::kLiteral, take());
    return nullptr;
  }

  void stars() {
    const bool starts_component = glob_.tokens_.empty() || glob_.tokens_.back().kind == Kind::kInFolder ||
                                  (glob_.tokens_.back().kind == Kind::kLiteral && glob_.tokens_.back().value == kSlash);
    const std::size_t count = std::min(rest_.find_first_not_of('*'), rest_.size());
    rest_.remove_prefix(count);
    if (count == 1) {
      add(Kind::kStar);
    } else if (starts_component && rest_.starts_with('/')) {
      rest_.remove_prefix(1);
      add_folders();
    } else {
      add(Kind::kDoubleStar);
    }
  }

  const char* char_class() {
    static constexpr const char* kUnclosed = "it has a [ without its ]; write \\[ for the character itself";
    CharClass result;
    rest_.remove_prefix(1);
    if (rest_.starts_with('!') || rest_.starts_with('^')) {
      result.negated = true;
      rest_.remove_prefix(1);
    }
    for (bool first = true;; first = false) {  // a ] right at the start is a character of the class
      if (rest_.empty()) return kUnclosed;
      if (rest_.front() == ']' && !first) break;
      Range range{};
      if (!class_char(range.first)) return kUnclosed;
      range.last = range.first;
      if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
        rest_.remove_prefix(1);
        if (!class_char(range.last)) return kUnclosed;
      }
      result.ranges.push_back(range);
    }
    rest_.remove_prefix(1);
    add(Kind::kClass, static_cast<std::uint32_t>(glob_.classes_.size()));
    glob_.classes_.push_back(std::move(result));
    return nullptr;
  }

  bool class_char(std::uint32_t& character) {
    if (rest_.starts_with('\\')) rest_.remove_prefix(1);
    if (rest_.empty()) return false;
    character = take();
    return true;
  }

  std::uint32_t take() {
    const Utf8Char character = first_utf8_char(rest_);
    rest_.remove_prefix(character.size);
    return character.value;
  }

  bool ends_in_escaped_slash() const {
    const std::string_view before = rest_.substr(0, rest_.size() - 1);
    const std::size_t backslashes = before.size() - (before.find_last_not_of('\\') + 1);
    return backslashes % 2 == 1;
  }

  void add(Kind kind, std::uint32_t value = 0) { glob_.tokens_.push_back({kind, value}); }
  void add_folders() {
    add(Kind::kFolders);
    add(Kind::kInFolder);
  }

  std::unexpected<Error> refused(std::string_view why) const {
    return fail(ErrorCode::kUsage, fmt::format("the pattern \"{}\" cannot be used: {}", printable(whole_), why));
  }

  std::string_view whole_;
  std::string_view rest_;
  Glob glob_;
};

Result<Glob> Glob::create(std::string_view pattern) { return Parser(pattern).parse(); }

bool Glob::CharClass::contains(std::uint32_t character) const {
  const bool listed = std::ranges::any_of(
      ranges, [&](const Range& range) { return range.first <= character && character <= range.last; });
  return listed != negated;
}

// Adds a state, and those reached from it without a character: a star may stand for nothing.
void Glob::enter(States& states, std::size_t state) const {
  for (;;) {
    states.set(state);
    if (state == tokens_.size()) return;
    switch (tokens_[state].kind) {
      case Kind::kStar:
      case Kind::kDoubleStar:
        state += 1;
        break;
      case Kind::kFolders:
        state += 2;
        break;
      default:
        return;
    }
  }
}

bool Glob::accepts(const Token& token, std::uint32_t character) const {
  switch (token.kind) {
    case Kind::kLiteral:
      return character == token.value;
    case Kind::kAnyOne:
    case Kind::kStar:
      return character != kSlash;
    case Kind::kClass:
      return character != kSlash && classes_[token.value].contains(character);
    default:
      return true;
  }
}

void Glob::step(const States& from, std::uint32_t character, States& to) const {
  from.for_each([&](std::size_t state) {
    if (state == tokens_.size() || !accepts(tokens_[state], character)) return;
    switch (tokens_[state].kind) {
      case Kind::kStar:
      case Kind::kDoubleStar:
        enter(to, state);
        break;
      case Kind::kFolders:
        if (character != kSlash) enter(to, state + 1);
        break;
      case Kind::kInFolder:
        enter(to, character == kSlash ? state - 1 : state);
        break;
      default:
        enter(to, state + 1);
        break;
    }
  });
}

bool Glob::matches(std::string_view path, bool is_directory) const {
  if (only_directories_ && !is_directory) return false;
  path = without_slashes_around(path);
  if (only_last_component_) path = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  States first(tokens_.size());
  States second(tokens_.size());
  States* now = &first;
  States* next = &second;
  enter(*now, 0);
  while (!path.empty()) {
    const Utf8Char character = first_utf8_char(path);
    path.remove_prefix(character.size);
    next->clear();
    step(*now, character.value, *next);
    if (next->none()) return false;
    std::swap(now, next);
  }
  return now->has(tokens_.size());
}

Result<GlobSet> GlobSet::create(std::span<const std::string> patterns) {
  GlobSet set;
  for (const std::string& pattern : patterns) KURA_TRY(set.add(pattern));
  return set;
}

Status GlobSet::add(std::string_view pattern) {
  globs_.push_back(KURA_TRY(Glob::create(pattern)));
  return {};
}

bool GlobSet::matches(std::string_view path, bool is_directory) const {
  return std::ranges::any_of(globs_, [&](const Glob& glob) { return glob.matches(path, is_directory); });
}

bool GlobSet::covers(std::string_view path, bool is_directory) const {
  if (empty()) return false;
  path = without_slashes_around(path);
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (matches(path.substr(0, slash), true)) return true;
  }
  return matches(path, is_directory);
}

}  // namespace kura::base
