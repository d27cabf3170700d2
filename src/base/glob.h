// Patterns for leaving files out (or taking them in), much like .gitignore, on names of any bytes:
//
//   *.tmp          the last component, in any folder           *      any characters but '/'
//   /srv/cache     exactly this path                           **     any characters, folders too
//   a/b            b in any folder a, at any depth             **/    no folder, or any number of folders
//   build/         folders only                                ?      one character but '/'
//   \[x\]          a backslash takes the next as it is         [a-z]  one of these; [!a-z] none of these
//
// A character is a UTF-8 code point, or one byte where the name is not UTF-8. Matching takes at most (length of the
// pattern) x (length of the path) steps, whatever they are, and no allocation. Immutable: threads may share them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kura::base {

class Glob {
 public:
  // kUsage when it is empty, longer than kLongest, has an unclosed [ or ends in a backslash, or begins with '!'
  // (.gitignore's "not", which is not offered; write \! for the character).
  static Result<Glob> create(std::string_view pattern);
  static constexpr std::size_t kLongest = 1000;  // characters

  // `path` has '/' between its components; one before the first or behind the last makes no difference.
  bool matches(std::string_view path, bool is_directory) const;

 private:
  struct Range {
    std::uint32_t first, last;
  };
  struct CharClass {
    std::vector<Range> ranges;
    bool negated = false;
    bool contains(std::uint32_t character) const;
  };
  enum class Kind : std::uint8_t {
    kLiteral,
    kAnyOne,      // ?
    kClass,       // [...]
    kStar,        // *
    kDoubleStar,  // ** that is not a component of its own before a '/'
    kFolders,     // **/ between two folders: always followed by kInFolder
    kInFolder,    // **/ inside of a folder's name
  };
  struct Token {
    Kind kind = Kind::kLiteral;
    std::uint32_t value = 0;  // the character, or an index into classes_
  };
  class Parser;
  class States;

  void step(const States& from, std::uint32_t character, States& to) const;
  void enter(States& states, std::size_t state) const;
  bool accepts(const Token& token, std::uint32_t character) const;

  std::vector<Token> tokens_;
  std::vector<CharClass> classes_;
  bool only_directories_ = false;
  bool only_last_component_ = false;
};

// Several patterns, any of which may match. An empty set matches nothing.
class GlobSet {
 public:
  GlobSet() = default;
  static Result<GlobSet> create(std::span<const std::string> patterns);
  Status add(std::string_view pattern);

  bool empty() const { return globs_.empty(); }
  bool matches(std::string_view path, bool is_directory) const;
  // Whether the path or one of the folders above it matches.
  bool covers(std::string_view path, bool is_directory) const;

 private:
  std::vector<Glob> globs_;
};

}  // namespace kura::base
