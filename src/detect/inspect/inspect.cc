#include "detect/inspect/inspect.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/parallel.h"
#include "base/unique_fd.h"
#include "detect/inspect/pairing.h"

namespace kura::detect {
namespace {

namespace fs = std::filesystem;

// Judged together and told in order: enough for all cores to be busy beside one large file.
constexpr std::size_t kBatch = 1024;
// Small files that a thread asks the judge for at once.
constexpr std::size_t kAtOnce = 16;
constexpr std::uint64_t kSmallFile = 256U << 10;  // bytes

struct Task {
  std::string shown;
  std::string path;
  std::optional<std::string> old_path;  // to open
  std::optional<std::string> old_shown;
};

struct OpenFile {
  base::UniqueFd fd;
  std::uint64_t size = 0;

  Contents contents() const { return {.fd = fd.get(), .size = size, .bytes = {}}; }
};

base::Result<OpenFile> open_file(const std::string& path) {
  // Not to wait for a writer, should it have become a pipe meanwhile.
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return base::fail(base::Error::from_errno("cannot open " + path, errno));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return base::fail(base::Error::from_errno("cannot look at " + path, errno));
  if (!S_ISREG(status.st_mode)) {
    return base::fail(base::ErrorCode::kUnsupported, path + " is not a regular file, so it has no contents to judge");
  }
  return OpenFile{std::move(fd), static_cast<std::uint64_t>(status.st_size)};
}

// Each of them, by itself; small ones are asked for at once.
std::vector<Version> judge_each(ContentsJudge& judge, const std::vector<const Task*>& tasks,
                                const std::vector<OpenFile>& files) {
  std::vector<Version> versions(files.size());
  std::vector<NamedContents> small;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].size > kSmallFile) {
      versions[i] = judge.judge(files[i].contents(), tasks[i]->shown);
    } else {
      small.push_back({files[i].contents(), tasks[i]->shown});
      places.push_back(i);
    }
  }
  std::vector<Version> judged = judge.judge(small);
  for (std::size_t i = 0; i < places.size(); ++i) versions[places[i]] = std::move(judged[i]);
  return versions;
}

base::Result<Inspected> conclude(ContentsJudge& judge, const Task& task, const OpenFile& file, Version now) {
  Inspected result{.path = task.shown,
                   .old_path = task.old_shown,
                   .is_note = now.is_note,
                   .had_before = task.old_path.has_value(),
                   .judgement = {},
                   .size = now.size};
  if (task.old_path) {
    const OpenFile old_file = KURA_TRY(open_file(*task.old_path));
    const Version before = judge.judge(old_file.contents(), *task.old_path);
    result.judgement = judge.judge_change(before, old_file.contents(), now, file.contents(), task.shown);
  } else {
    result.judgement = std::move(now.judgement);
  }
  return result;
}

using Results = std::vector<std::optional<base::Result<Inspected>>>;

void judge_tasks(ContentsJudge& judge, const std::vector<Task>& tasks, std::size_t begin, std::size_t end,
                 Results& results) {
  std::vector<const Task*> opened;
  std::vector<OpenFile> files;
  std::vector<std::size_t> places;
  for (std::size_t i = begin; i < end; ++i) {
    auto file = open_file(tasks[i].path);
    if (!file) {
      results[i] = std::unexpected(std::move(file).error());
      continue;
    }
    opened.push_back(&tasks[i]);
    files.push_back(*std::move(file));
    places.push_back(i);
  }
  std::vector<Version> versions = judge_each(judge, opened, files);
  for (std::size_t i = 0; i < places.size(); ++i) {
    results[places[i]] = conclude(judge, *opened[i], files[i], std::move(versions[i]));
  }
}

class Inspection {
 public:
  Inspection(const InspectOptions& options, ContentsJudge& judge, base::Progress& progress,
             const OnInspected& on_inspected, const OnUnreadable& on_unreadable, std::stop_token stop)
      : threads_(base::thread_count(options.threads)),
        judge_(judge),
        progress_(progress),
        on_inspected_(on_inspected),
        on_unreadable_(on_unreadable),
        stop_(std::move(stop)) {}

  base::Status add(Task task) {
    waiting_.push_back(std::move(task));
    return waiting_.size() < kBatch ? base::Status() : judge_waiting();
  }

  base::Status judge_waiting() {
    Results results(waiting_.size());
    const std::size_t groups = (waiting_.size() + kAtOnce - 1) / kAtOnce;
    KURA_TRY(base::each_on_threads(groups, threads_, [&](std::size_t group) -> base::Status {
      KURA_TRY(base::not_stopped(stop_));
      const std::size_t begin = group * kAtOnce;
      const std::size_t end = std::min(begin + kAtOnce, waiting_.size());
      judge_tasks(judge_, waiting_, begin, end, results);
      progress_.files_done += end - begin;
      for (std::size_t i = begin; i < end; ++i) {
        if (*results[i]) progress_.bytes_done += (*results[i])->size;
      }
      return {};
    }));
    KURA_TRY(base::not_stopped(stop_));  // what was being judged then is not told
    for (std::size_t i = 0; i < waiting_.size(); ++i) tell(waiting_[i], *results[i]);
    waiting_.clear();
    return {};
  }

  const InspectCounts& counts() const { return counts_; }

 private:
  void tell(const Task& task, const base::Result<Inspected>& result) {
    if (!result) return on_unreadable_(task.shown, result.error());
    ++counts_.files.at(static_cast<std::size_t>(result->judgement.verdict));
    counts_.bytes += result->size;
    on_inspected_(*result);
  }

  unsigned threads_;
  ContentsJudge& judge_;
  base::Progress& progress_;
  const OnInspected& on_inspected_;
  const OnUnreadable& on_unreadable_;
  std::stop_token stop_;
  std::vector<Task> waiting_;
  InspectCounts counts_;
};

base::Result<fs::file_type> type_of(const std::string& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) {
    return base::fail(base::Error::from_errno("cannot look at " + path, code ? code.value() : ENOENT));
  }
  return status.type();
}

base::Status add_pairs(Inspection& inspection, const std::string& before, const std::string& after,
                       const std::string& folder, const std::vector<FoundFile>& files) {
  const auto old_files = KURA_TRY(files_in(joined(before, folder)));
  const auto partners = pair_up(old_files, files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string shown = joined(folder, files[i].name);
    Task task{.shown = shown, .path = joined(after, shown), .old_path = {}, .old_shown = {}};
    if (partners[i]) {
      const std::string old_shown = joined(folder, old_files[*partners[i]].name);
      task.old_path = joined(before, old_shown);
      if (old_shown != shown) task.old_shown = old_shown;
    }
    KURA_TRY(inspection.add(std::move(task)));
  }
  return {};
}

}  // namespace

base::Result<InspectCounts> inspect(const std::vector<std::string>& paths, const InspectOptions& options,
                                    ContentsJudge& judge, base::Progress& progress, const OnInspected& on_inspected,
                                    const OnUnreadable& on_unreadable, std::stop_token stop) {
  std::vector<fs::file_type> types;
  for (const std::string& path : paths) types.push_back(KURA_TRY(type_of(path)));
  Inspection inspection(options, judge, progress, on_inspected, on_unreadable, std::move(stop));
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string& path = paths[i];
    if (types[i] != fs::file_type::directory) {
      KURA_TRY(inspection.add({.shown = path, .path = path, .old_path = {}, .old_shown = {}}));
      continue;
    }
    const auto on_folder = [&](const std::string& folder, const std::vector<FoundFile>& files) -> base::Status {
      for (const FoundFile& file : files) {
        const std::string full = joined(joined(path, folder), file.name);
        KURA_TRY(inspection.add({.shown = full, .path = full, .old_path = {}, .old_shown = {}}));
      }
      return {};
    };
    KURA_TRY(walk_folders(path, on_folder, on_unreadable));
  }
  KURA_TRY(inspection.judge_waiting());
  return inspection.counts();
}

base::Result<InspectCounts> inspect_pairs(const std::string& before, const std::string& after,
                                          const InspectOptions& options, ContentsJudge& judge, base::Progress& progress,
                                          const OnInspected& on_inspected, const OnUnreadable& on_unreadable,
                                          std::stop_token stop) {
  const fs::file_type old_type = KURA_TRY(type_of(before));
  const fs::file_type new_type = KURA_TRY(type_of(after));
  if (old_type != new_type) {
    return base::fail(base::ErrorCode::kUsage,
                      "of " + before + " and " + after + " one is a folder and the other is not",
                      "Give two folders, or two files");
  }
  Inspection inspection(options, judge, progress, on_inspected, on_unreadable, std::move(stop));
  if (new_type != fs::file_type::directory) {
    KURA_TRY(inspection.add({.shown = after, .path = after, .old_path = before, .old_shown = before}));
  } else {
    KURA_TRY(walk_folders(
        after,
        [&](const std::string& folder, const std::vector<FoundFile>& files) {
          return add_pairs(inspection, before, after, folder, files);
        },
        on_unreadable));
  }
  KURA_TRY(inspection.judge_waiting());
  return inspection.counts();
}

}  // namespace kura::detect
