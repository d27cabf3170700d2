// Compares two versions of a file, byte by byte. A backup could not: a machine cannot read what it stored earlier.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "archive/format/entry.h"
#include "archive/repo/pack_reader.h"
#include "base/progress.h"
#include "detect/judge/contents_judge.h"

namespace kura::archive {

class SecondLook {
 public:
  // Larger files are not looked at: both versions are in memory for it.
  static constexpr std::uint64_t kLargest = 64U << 20;

  // Both outlive it; `progress` counts files and bytes that were compared, and may be null.
  SecondLook(detect::ContentsJudge& judge, base::Progress* progress) : judge_(judge), progress_(progress) {}

  struct Side {
    PackReader& reader;
    const Entry& file;
  };
  // Why `after` is what an attack made of `before`; empty when it is not, or when that cannot be said: one of them is
  // too large, or damaged, which whoever restores it tells. `path` is the newer one's. The same two are read once.
  const std::string& compare(const Side& before, const Side& after, const std::string& path);
  // Whether a small file is nothing but digits of base64 or hexadecimal. Not when it cannot be read.
  bool is_coded(const Side& file, const std::string& path) const;

 private:
  std::string judged(const Side& before, const Side& after, const std::string& path) const;

  detect::ContentsJudge& judge_;
  base::Progress* const progress_;
  std::map<std::pair<std::string, std::string>, std::string> known_;  // by what names their contents
};

}  // namespace kura::archive
