#include "archive/restore/restore.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "archive/restore/planner.h"
#include "archive/restore/verify.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;

constexpr unsigned kMostReads = 16;  // at once: each holds some 8 MiB

// "/a/b" for "a//b/", "/" for "".
std::string shortest_form(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (slash != 0) result.append("/").append(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return result.empty() ? "/" : result;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

void set_totals(base::Progress& progress, const SnapshotLabel& label, const RestoreOptions& options,
                const std::string& path) {
  if (path != "/" || !options.includes.empty() || !options.excludes.empty() || options.wanted) return;
  progress.files_total = label.counts.files;
  progress.bytes_total = label.counts.bytes;
}

}  // namespace

Result<RestoreSummary> run_restore(const Repository& repository, const StoredSnapshot& snapshot,
                                   const RestoreOptions& options, base::Progress& progress,
                                   const RestoreProblem& on_problem, std::stop_token stop) {
  const auto begin = std::chrono::steady_clock::now();
  KURA_TRY(repository.need_recovery_secrets());
  if (!snapshot.snapshot.label) return base::fail(ErrorCode::kWrongKey, "the snapshot's label is not open");
  const SnapshotLabel& label = *snapshot.snapshot.label;
  const std::string path = shortest_form(options.path);
  const unsigned threads = options.threads != 0 ? options.threads
                                                : std::max(std::thread::hardware_concurrency(),
                                                           std::min(repository.store().requests_at_once(), kMostReads));

  RestoreSummary summary;
  const ChunkIndex index = KURA_TRY(load_index(repository, snapshot, summary.damaged));
  PackReader reader(repository, index);
  const Entry start = KURA_TRY(find_entry(reader, label.root, path));
  set_totals(progress, label, options, path);

  const std::string stands_for = start.type == EntryType::kFolder ? path : folder_of(path);
  const MetadataWriter metadata(options.numeric_owner);
  RestoreReport report(progress, on_problem, stop);
  const std::unique_ptr<TargetTree> tree =
      KURA_TRY(TargetTree::open(options.target, stands_for, options.dry_run, metadata, report));
  {
    FileWriter writer(*tree, metadata, report);
    ChunkFlow flow(reader, writer, report, threads);
    RestorePlanner planner(reader, options, *tree, metadata, writer, flow, report);
    KURA_TRY(planner.plan(start, path));
    flow.finish();
    planner.link_names();
  }
  if (options.verify && !options.dry_run && !report.stopped()) {
    KURA_TRY(verify_restored(reader, options, start, path, *tree, report, threads));
  }
  tree->finish_root();
  KURA_TRY(report.status());

  for (DamagedObject& pack : reader.replaced_packs()) summary.damaged.push_back(std::move(pack));
  summary.files_restored = report.files_restored;
  summary.files_skipped = report.files_skipped;
  summary.files_failed = report.files_failed;
  summary.folders = report.folders;
  summary.others = report.others;
  summary.bytes_written = report.bytes_written;
  summary.bytes_verified = report.bytes_verified;
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return summary;
}

}  // namespace kura::archive
