// Judges the contents of a file that a backup has just read, while they are in memory.
#pragma once

#include <optional>
#include <string_view>

#include "archive/format/judged.h"
#include "base/bytes.h"
#include "base/codec.h"
#include "detect/judge/contents_judge.h"
#include "detect/judge/judgement.h"

namespace kura::archive {

// What is remembered of a version to judge the next one by.
struct JudgedVersion {
  Judged judged;
  std::uint64_t size = 0;
  detect::Texture texture;
  bool is_note = false;  // it reads like a ransom note; of a version judged now

  friend bool operator==(const JudgedVersion& a, const JudgedVersion& b) {
    return a.judged == b.judged && a.size == b.size && a.texture == b.texture;
  }
};

// For the file cache. The texture as runs of blocks; one that would take more than 64 KiB is left out.
void encode_judged_version(const JudgedVersion& version, base::Encoder& out);
// Fails through `in`.
JudgedVersion decode_judged_version(base::Decoder& in);

// What the backup before had of a file; each may be null.
struct Before {
  const JudgedVersion* known = nullptr;  // under this name, or the one that this name was made of
  const JudgedVersion* moved = nullptr;  // under another, if it is the same: only what an attack leaves is held to it
};

// What follows from a version that was judged now.
JudgedVersion conclude(detect::Version now, std::string_view name, const Before& before);

// `data`: bytes of the contents without holes. Never fails. Reads the file once or twice.
JudgedVersion judge_contents(detect::ContentsJudge& judge, const detect::Contents& contents, std::uint64_t data,
                             std::string_view name, const Before& before);

}  // namespace kura::archive
