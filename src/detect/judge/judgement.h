// What is said of one version of a file, and what is remembered of it to judge the next one by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/stats/texture.h"

namespace kura::detect {

enum class Verdict : std::uint8_t {
  kUnknown = 0,  // nothing can be said: no grammar speaks of it, or it could not be read or judged to its end
  kValid = 1,    // whole in its own grammar
  kOpaque = 2,   // encrypted, or random, and meant to be
  kBroken = 3,   // no longer what it was, or what its name says: what encryption leaves
};
std::string_view name_of(Verdict verdict);  // "unknown", "valid", "opaque", "broken"
std::optional<Verdict> verdict_named(std::string_view name);

struct Judgement {
  Verdict verdict = Verdict::kUnknown;
  // Of a kind that is known ("png"), else empty.
  std::string kind;
  // In words, the strongest first. Never empty for kBroken and kUnknown.
  std::vector<std::string> reasons;
};

// Of MD5, SHA-1 and SHA-2, in bytes.
bool is_size_of_digest(std::uint64_t size);

// A version that was judged. What the next one is compared with.
struct Version {
  Judgement judgement;
  std::uint64_t size = 0;
  bool is_note = false;          // it reads like a ransom note
  bool begins_randomly = false;  // of no kind, and its first bytes are random or no text
  bool ends_early = false;       // broken, of a known kind, and only because its end is missing: a copy that broke off
  // Bytes that a small file stands for which is nothing but base64 or hexadecimal digits; 0 of any other.
  std::uint64_t coded_size = 0;
  Texture texture;  // of what no grammar proves: nothing, some stretches, or all
};

}  // namespace kura::detect
