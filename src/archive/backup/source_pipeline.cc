#include "archive/backup/source_pipeline.h"

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "archive/backup/batch_window.h"
#include "archive/backup/lane.h"
#include "archive/backup/read_stage.h"
#include "archive/backup/source_stage.h"
#include "archive/backup/task_queue.h"

namespace kura::archive {
namespace {

constexpr std::size_t kWindow = 8192;       // entries that the walk may be ahead of the assembly
constexpr std::size_t kWaitingFiles = 256;  // each may hold a descriptor of its folder

struct GoneFile {
  std::string path;  // absolute
  detect::Verdict verdict;
};

// The assembly, from the front of the window, until the walk has ended.
void assemble(BatchWindow& window, Assembly& assembly, JobControl& job) {
  std::deque<std::unique_ptr<Batch>> batches;
  while (window.take(batches, job.token())) {
    for (const std::unique_ptr<Batch>& batch : batches) {
      for (Item& item : batch->items) {
        if (base::Status taken = assembly.take(item); !taken) return job.fail(std::move(taken).error());
      }
    }
    batches.clear();
  }
}

}  // namespace

base::Result<SourcePipeline::Outcome> SourcePipeline::run() {
  BatchWindow window(kWindow);
  TaskQueue tasks(kWaitingFiles);
  Lane lane(writer);  // of the listings
  Assembly assembly(lane, listings, cache_after, ledger, problems, progress);
  std::vector<GoneFile> gone;
  Lineage lineage;
  if (ledger != nullptr) {
    cache_before.on_passed([&](const std::string& path, const CachedFile& file) {
      if (!file.judged) return;
      lineage.went(path, file.stamp.inode, *file.judged);
      if (gone.size() < detect::ChangeLedger::kMost) gone.push_back({path, file.judged->judged.verdict});
    });
  }
  {
    std::vector<std::jthread> threads;  // joined before anything they use goes
    threads.emplace_back([&] {
      SourceStage source(writer, cache_before, lineage, window, tasks, problems, job, judge != nullptr);
      job.fail_on(walk(plan, walk_options, source, job.token()));
      if (!job.stopped()) job.fail_on(source.finish());
      tasks.close();
      window.close();
    });
    for (unsigned i = 0; i < readers; ++i) {
      threads.emplace_back([&] { ReadStage(writer, files, window, tasks, job, progress, judge).run(); });
    }
    assemble(window, assembly, job);
  }
  KURA_TRY(job.status());
  for (const GoneFile& file : gone) {
    const std::size_t slash = file.path.rfind('/');
    ledger->vanished(std::string_view(file.path).substr(0, slash), std::string_view(file.path).substr(slash + 1),
                     file.verdict);
  }
  return Outcome{.root = assembly.root(), .counts = assembly.counts()};
}

}  // namespace kura::archive
