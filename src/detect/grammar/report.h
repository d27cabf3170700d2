// What a validator says of a file, and how much it may spend to find out.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "detect/input/window.h"

namespace kura::detect {

enum class Finding : std::uint8_t {
  kWhole,      // the grammar holds wherever it speaks
  kCipher,     // the same, and what it wraps is encrypted by design (a password-protected document, an OpenPGP message)
  kBroken,     // no program of this kind would have written these bytes
  kUndecided,  // it could not be judged to its end (over budget, a method that is not read here)
};

// What the contents of a stretch are like when they are whole.
enum class Density : std::uint8_t {
  kPlain,  // records, text, samples: blocks that look random do not belong there
  kDense,  // compressed or encrypted by design: looks random anyway
};

// Sound or pixels as numbers, one behind the other. Their highest bytes change little from one to the next, so not even
// one block that looks random belongs among them.
struct Samples {
  std::uint8_t size = 0;     // of one, in bytes; 0: there are none
  std::uint8_t highest = 0;  // which of its bytes is the most significant

  friend bool operator==(const Samples&, const Samples&) = default;
};

inline constexpr Samples kBytesOfSamples{1, 0};  // of bytes, or of several whose bytes all change little

// A stretch of the file of whose contents the grammar says nothing: a judge looks at it by statistics.
struct Stretch {
  Range range;
  Density density = Density::kPlain;
  Samples samples = {};

  friend bool operator==(const Stretch&, const Stretch&) = default;
};

struct Report {
  Finding finding = Finding::kWhole;
  // For kBroken and kUndecided: what is wrong where, for a person ("the checksum of part word/document.xml is wrong").
  // Names out of the file go through base::escape. For kCipher: what it is ("a zip archive with a password").
  std::string evidence;
  std::uint64_t at = 0;            // where it shows, a byte offset; the file's size when it ends early
  std::vector<Stretch> stretches;  // in ascending order, at most kMostStretches
};

inline constexpr std::size_t kMostStretches = 4096;

inline Report whole(std::vector<Stretch> stretches = {}) { return {Finding::kWhole, {}, 0, std::move(stretches)}; }
inline Report cipher(std::string what) { return {Finding::kCipher, std::move(what), 0, {}}; }
inline Report broken(std::uint64_t at, std::string evidence) { return {Finding::kBroken, std::move(evidence), at, {}}; }
inline Report undecided(std::string why) { return {Finding::kUndecided, std::move(why), 0, {}}; }

// Adds a stretch, joined with the last one where they touch; beyond kMostStretches the last one grows over the gap
// when both are alike, and is left out else.
void add_stretch(std::vector<Stretch>& stretches, Stretch next);

// What may be spent on one file, so that no file takes for ever: bytes read, bytes unpacked and steps of loops are all
// paid from one purse. The same file always ends in the same way, on any machine.
class Budget {
 public:
  // For a file of `size` bytes: enough for any honest one.
  static Budget for_file(std::uint64_t size) { return Budget((64ULL << 20) + 40 * size); }
  explicit Budget(std::uint64_t units) : left_(units) {}

  // False when there is not that much left; then it stays false.
  bool spend(std::uint64_t units) {
    if (units > left_) {
      left_ = 0;
      spent_out_ = true;
      return false;
    }
    left_ -= units;
    return true;
  }
  bool spent_out() const { return spent_out_; }
  std::uint64_t left() const { return left_; }

 private:
  std::uint64_t left_;
  bool spent_out_ = false;
};

// The report of a validator that ran out of budget.
inline Report over_budget() { return undecided("it expands to too much, or has too many parts, to be judged whole"); }

}  // namespace kura::detect
