// Whoever judges contents for a backup, the guard or an inspection: here, or in a process that can do nothing else
// (detect/confined).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "detect/judge/judgement.h"

namespace kura::detect {

// One version of a file. All of it stays the caller's, and has to last for the call.
struct Contents {
  int fd = -1;  // open for reading; its position is not used
  std::uint64_t size = 0;
  std::optional<base::ByteSpan> bytes;  // all of it, when it is in memory: then the file is not read again
};

struct NamedContents {
  Contents contents;
  std::string_view name;
};

// May be used by several threads at a time.
class ContentsJudge {
 public:
  ContentsJudge() = default;
  ContentsJudge(const ContentsJudge&) = delete;
  ContentsJudge& operator=(const ContentsJudge&) = delete;
  virtual ~ContentsJudge() = default;

  // Each as by judge(), in judge.h, in their order. Never fails: a version that could not be judged is kUnknown, with
  // the reason. Asking for many small files at once costs less than asking for each.
  virtual std::vector<Version> judge(std::span<const NamedContents> files) = 0;
  Version judge(const Contents& contents, std::string_view name) {
    const NamedContents file{contents, name};
    return std::move(judge(std::span(&file, 1)).front());
  }
  // As judge_change() with both contents, in pair.h. Falls back to the versions alone when it fails.
  virtual Judgement judge_change(const Version& before, const Contents& old_contents, const Version& after,
                                 const Contents& new_contents, std::string_view name) = 0;
};

// In this process: for contents that are trusted, and for tests.
class DirectJudge final : public ContentsJudge {
 public:
  using ContentsJudge::judge;
  std::vector<Version> judge(std::span<const NamedContents> files) override;
  Judgement judge_change(const Version& before, const Contents& old_contents, const Version& after,
                         const Contents& new_contents, std::string_view name) override;
};

}  // namespace kura::detect
