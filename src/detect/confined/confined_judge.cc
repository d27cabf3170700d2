#include "detect/confined/confined_judge.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "detect/judge/pair.h"

namespace kura::detect {
namespace {

using base::Result;

constexpr std::chrono::seconds kStartTime{30};

Patience patience_of(std::chrono::seconds time, const std::stop_token& stop) {
  return {.until = std::chrono::steady_clock::now() + time, .stop = stop};
}

}  // namespace

Result<JudgeProcess> ConfinedJudge::take() const {
  {
    const auto idle = idle_.lock();
    if (!idle->empty()) {
      JudgeProcess process = std::move(idle->back());
      idle->pop_back();
      return process;
    }
  }
  return KURA_TRY_AS(JudgeProcess::start(program_, patience_of(kStartTime, stop_)), "starting the judge's process");
}

Result<base::Bytes> ConfinedJudge::ask(const Request& request, std::span<const int> files, const Prepare& prepare) {
  const std::uint64_t size =
      request.contents.size + (request.change ? request.change->old_contents.size : std::uint64_t{0});
  const std::chrono::seconds time =
      time_.least + std::chrono::seconds(static_cast<std::int64_t>(size / time_.bytes_a_second));
  base::Encoder out;
  encode(request, out);
  for (bool again = false;; again = true) {
    JudgeProcess process = KURA_TRY(take());
    prepare(process);
    auto answer = process.ask(out.bytes(), files, longest_answer(size), patience_of(time, stop_));
    if (answer) {
      idle_.lock()->push_back(std::move(process));
      return answer;
    }
    // It may have ended before it was asked.
    if (!again && answer.error().code() == base::ErrorCode::kConflict) continue;
    const std::string how = process.end();
    return how.empty() ? answer : base::fail(base::ErrorCode::kIo, "the process that judged it is gone: " + how);
  }
}

Version ConfinedJudge::judge(const Contents& contents, std::string_view name) {
  const bool shared = contents.bytes && contents.bytes->size() <= kSharedBytes;
  const Request request{.name = std::string(name), .contents = {.size = contents.size, .shared = shared}, .change = {}};
  const auto prepare = [&](const JudgeProcess& process) {
    if (shared) std::ranges::copy(*contents.bytes, process.shared().begin());
  };
  const std::array<int, 1> files{contents.fd};
  auto version = [&]() -> Result<Version> {
    const base::Bytes answer = KURA_TRY(ask(request, shared ? std::span<const int>() : files, prepare));
    base::Decoder in(answer);
    Version decoded = decode_version(in, contents.size);
    KURA_TRY(in.finish("a judge's answer"));
    return decoded;
  }();
  if (version) return *std::move(version);
  tell(name, version.error());
  Version unjudged;
  unjudged.size = contents.size;
  unjudged.judgement.reasons.push_back("it could not be judged: " + version.error().text());
  return unjudged;
}

Judgement ConfinedJudge::judge_change(const Version& before, const Contents& old_contents, const Version& after,
                                      const Contents& new_contents, std::string_view name) {
  const Request request{
      .name = std::string(name),
      .contents = {.size = new_contents.size, .shared = false},
      .change = Request::Change{
          .old_contents = {.size = old_contents.size, .shared = false}, .before = before, .after = after}};
  const std::array<int, 2> files{new_contents.fd, old_contents.fd};
  auto judgement = [&]() -> Result<Judgement> {
    const base::Bytes answer = KURA_TRY(ask(request, files, [](const JudgeProcess&) {}));
    base::Decoder in(answer);
    Judgement decoded = decode_judgement(in);
    KURA_TRY(in.finish("a judge's answer"));
    return decoded;
  }();
  if (judgement) return *std::move(judgement);
  tell(name, judgement.error());
  return detect::judge_change(before, after, name);
}

void ConfinedJudge::tell(std::string_view name, const base::Error& error) const {
  if (error.code() != base::ErrorCode::kInterrupted && on_failure_) on_failure_(name, error);
}

}  // namespace kura::detect
