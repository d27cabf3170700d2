// The judge of a command's files, and what to say when it fails.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include <fmt/format.h>

#include "app/output.h"
#include "base/escape.h"
#include "base/guarded.h"
#include "base/human.h"
#include "detect/confined/confined_judge.h"

namespace kura::app {

class Judging {
 public:
  explicit Judging(std::stop_token stop)
      : judge_([this](std::string_view name, const base::Error& error) { note(name, error); }, std::move(stop)) {}

  detect::ContentsJudge& judge() { return judge_; }
  // Files that were not judged, because the judge failed.
  std::uint64_t failed() const { return failures_.lock()->files; }
  void warn(Output& output) const {
    const auto failures = failures_.lock();
    if (failures->files == 0) return;
    output.warning(fmt::format("{} could not be judged; the first: {}", base::human_count(failures->files, "file"),
                               failures->first));
  }

 private:
  struct Failures {
    std::uint64_t files = 0;
    std::string first;
  };
  void note(std::string_view name, const base::Error& error) {
    const auto failures = failures_.lock();
    if (failures->files++ == 0) failures->first = base::printable(name) + ": " + error.text();
  }

  base::Guarded<Failures> failures_;
  detect::ConfinedJudge judge_;
};

}  // namespace kura::app
