// What is done to files in the tests of the judges of images and media, and what they say then.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "detect/grammar/kind.h"

namespace kura::detect::media_damage {

inline Report judged(const Kind& kind, base::ByteSpan file) {
  MemoryInput input(file);
  Window window(input);
  if (!kind.recognise(window)) return undecided("not recognised");
  Budget budget = Budget::for_file(file.size());
  return kind.check(window, budget);
}

inline const Kind& kind_in(std::span<const Kind> kinds, std::string_view name) {
  for (const Kind& kind : kinds) {
    if (kind.name == name) return kind;
  }
  return kinds.front();
}

inline base::Bytes with_random(base::Bytes file, std::size_t offset, std::size_t size, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  for (std::size_t i = offset; i < std::min(file.size(), offset + size); ++i)
    file[i] = static_cast<std::uint8_t>(random());
  return file;
}

// Whether damage is found or lies in a stretch that the report gives to statistics.
inline bool found_or_told(const Kind& kind, base::ByteSpan file, std::size_t offset, std::size_t size) {
  const Report report = judged(kind, file);
  if (report.finding != Finding::kWhole) return true;
  for (const Stretch& stretch : report.stretches) {
    if (stretch.range.offset < offset + size && offset < stretch.range.end()) return true;
  }
  return false;
}

// The seeds of a fuzz target: small real files.
inline std::vector<std::filesystem::path> seeds(const std::string& group) {
  std::vector<std::filesystem::path> all;
  const auto here = std::filesystem::path(__FILE__).parent_path() / "../../../fuzz/corpus" / group;
  for (const auto& entry : std::filesystem::directory_iterator(here)) all.push_back(entry.path());
  return all;
}

inline base::Bytes contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace kura::detect::media_damage
