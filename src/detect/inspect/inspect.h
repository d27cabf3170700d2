// Judges files that are in no backup: folders of them, on all cores, or a folder beside an older copy of it.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/progress.h"
#include "detect/inspect/folder_walk.h"
#include "detect/judge/contents_judge.h"
#include "detect/judge/judgement.h"

namespace kura::detect {

struct Inspected {
  std::string path;                     // as given, or below the newer folder
  std::optional<std::string> old_path;  // below the older folder, where it is another
  bool is_note = false;                 // it reads like a ransom note
  bool had_before = false;              // whether it was judged against an older version
  Judgement judgement;
  std::uint64_t size = 0;
};

struct InspectOptions {
  unsigned threads = 0;  // 0: one a core
};

// In the order of names, folder by folder; from one thread.
using OnInspected = std::function<void(const Inspected&)>;

struct InspectCounts {
  std::array<std::uint64_t, 4> files{};  // by Verdict
  std::uint64_t bytes = 0;

  std::uint64_t of(Verdict verdict) const { return files.at(static_cast<std::size_t>(verdict)); }
};

// Each of `paths` is a file or a folder; one that is not there is an error before anything is judged.
base::Result<InspectCounts> inspect(const std::vector<std::string>& paths, const InspectOptions& options,
                                    ContentsJudge& judge, base::Progress& progress, const OnInspected& on_inspected,
                                    const OnUnreadable& on_unreadable, std::stop_token stop);

// Both are folders, or both are files.
base::Result<InspectCounts> inspect_pairs(const std::string& before, const std::string& after,
                                          const InspectOptions& options, ContentsJudge& judge, base::Progress& progress,
                                          const OnInspected& on_inspected, const OnUnreadable& on_unreadable,
                                          std::stop_token stop);

}  // namespace kura::detect
