#include "detect/confined/confined_judge.h"

#include <algorithm>
#include <array>
#include <iterator>
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

// `size`: bytes of all contents.
Result<base::Bytes> ConfinedJudge::ask(const Request& request, std::span<const int> files, std::uint64_t size,
                                       const Prepare& prepare) {
  const std::chrono::seconds time =
      time_.least + std::chrono::seconds(static_cast<std::int64_t>(size / time_.bytes_a_second));
  base::Encoder out;
  encode(request, out);
  for (bool again = false;; again = true) {
    JudgeProcess process = KURA_TRY(take());
    prepare(process);
    auto answer = process.ask(out.bytes(), files, longest_answer(size, request.files.size()), patience_of(time, stop_));
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

Result<std::vector<Version>> ConfinedJudge::try_some(std::span<const NamedContents> files) {
  Request request;
  std::vector<int> open_files;
  std::uint64_t size = 0;
  std::size_t used = 0;  // of the shared memory
  for (const auto& [contents, name] : files) {
    AskedFile& asked = request.files.emplace_back(std::string(name), Place{.size = contents.size, .shared_at = {}});
    size += contents.size;
    if (contents.bytes && contents.bytes->size() <= kSharedBytes - used) {
      asked.contents.shared_at = used;
      used += contents.bytes->size();
    } else {
      open_files.push_back(contents.fd);
    }
  }
  const auto share = [&](const JudgeProcess& process) {
    for (std::size_t i = 0; i < files.size(); ++i) {
      const auto& at = request.files[i].contents.shared_at;
      if (at) std::ranges::copy(*files[i].contents.bytes, process.shared().subspan(*at).begin());
    }
  };
  const base::Bytes answer = KURA_TRY(ask(request, open_files, size, share));
  base::Decoder in(answer);
  std::vector<Version> versions;
  for (const NamedContents& file : files) versions.push_back(decode_version(in, file.contents.size));
  KURA_TRY(in.finish("a judge's answer"));
  return versions;
}

void ConfinedJudge::judge_some(std::span<const NamedContents> files, std::vector<Version>& versions) {
  auto judged = try_some(files);
  if (judged) {
    std::ranges::move(*judged, std::back_inserter(versions));
    return;
  }
  if (files.size() > 1 && judged.error().code() != base::ErrorCode::kInterrupted) {
    for (const NamedContents& file : files) judge_some(std::span(&file, 1), versions);
    return;
  }
  for (const auto& [contents, name] : files) {
    tell(name, judged.error());
    Version& unjudged = versions.emplace_back();
    unjudged.size = contents.size;
    unjudged.judgement.reasons.push_back("it could not be judged: " + judged.error().text());
  }
}

std::vector<Version> ConfinedJudge::judge(std::span<const NamedContents> files) {
  std::vector<Version> versions;
  versions.reserve(files.size());
  for (std::size_t i = 0; i < files.size(); i += kMostAtOnce) {
    judge_some(files.subspan(i, std::min(kMostAtOnce, files.size() - i)), versions);
  }
  return versions;
}

Judgement ConfinedJudge::judge_change(const Version& before, const Contents& old_contents, const Version& after,
                                      const Contents& new_contents, std::string_view name) {
  const Request request{
      .files = {{std::string(name), Place{.size = new_contents.size, .shared_at = {}}}},
      .change = Request::Change{
          .old_contents = {.size = old_contents.size, .shared_at = {}}, .before = before, .after = after}};
  const std::array<int, 2> files{new_contents.fd, old_contents.fd};
  auto judgement = [&]() -> Result<Judgement> {
    const base::Bytes answer =
        KURA_TRY(ask(request, files, old_contents.size + new_contents.size, [](const JudgeProcess&) {}));
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
