// Judges contents in processes that can do nothing else: whatever a file does to a validator, it gets no further than
// a wrong word about files. One process a thread that asks at a time, started when it is first needed, kept, and
// started anew when it ended.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "detect/confined/judge_process.h"
#include "detect/confined/messages.h"
#include "detect/judge/contents_judge.h"

namespace kura::detect {

// How long one file may take before its process is ended: `least`, and a second for each `bytes_a_second` of it.
struct JudgeTime {
  std::chrono::seconds least{60};
  std::uint64_t bytes_a_second = 1U << 20;
};

class ConfinedJudge final : public ContentsJudge {
 public:
  // Told of each file that could not be judged, by its name and why, from the thread that asks.
  using OnFailure = std::function<void(std::string_view name, const base::Error& error)>;

  // `stop` ends what is being judged: it is kUnknown then, and nobody is told. `program` answers to kServeJudge, as
  // this one does.
  explicit ConfinedJudge(OnFailure on_failure, std::stop_token stop = {}, JudgeTime time = {},
                         std::string program = "/proc/self/exe")
      : on_failure_(std::move(on_failure)), stop_(std::move(stop)), time_(time), program_(std::move(program)) {}

  // Each kMostAtOnce files cost some 20 us beside the judging itself, and contents in memory a copy. When a process
  // ends over several files, each is asked for once more by itself.
  using ContentsJudge::judge;
  std::vector<Version> judge(std::span<const NamedContents> files) override;
  // Both contents by their descriptors.
  Judgement judge_change(const Version& before, const Contents& old_contents, const Version& after,
                         const Contents& new_contents, std::string_view name) override;

 private:
  using Prepare = std::function<void(const JudgeProcess&)>;

  base::Result<base::Bytes> ask(const Request& request, std::span<const int> files, std::uint64_t size,
                                const Prepare& prepare);
  void judge_some(std::span<const NamedContents> files, std::vector<Version>& versions);
  base::Result<std::vector<Version>> try_some(std::span<const NamedContents> files);
  base::Result<JudgeProcess> take() const;
  void tell(std::string_view name, const base::Error& error) const;

  const OnFailure on_failure_;
  const std::stop_token stop_;
  const JudgeTime time_;
  const std::string program_;
  mutable base::Guarded<std::vector<JudgeProcess>> idle_;
};

}  // namespace kura::detect
