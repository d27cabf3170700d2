#include "archive/backup/source_pipeline.h"

#include <thread>
#include <vector>

#include "archive/backup/item_window.h"
#include "archive/backup/read_stage.h"
#include "archive/backup/source_stage.h"
#include "archive/backup/work_queue.h"

namespace kura::archive {
namespace {

constexpr std::size_t kWindow = 4096;      // entries that the walk may be ahead of the assembly
constexpr std::size_t kWaitingJobs = 256;  // files: each may hold a descriptor of its folder

// The assembly, from the front of the window, until the walk has ended.
void assemble(ItemWindow& window, Assembly& assembly, JobControl& job) {
  std::deque<std::unique_ptr<Item>> items;
  while (window.take(items, job.token())) {
    for (std::unique_ptr<Item>& item : items) {
      if (base::Status taken = assembly.take(std::move(item)); !taken) return job.fail(std::move(taken).error());
    }
    items.clear();
  }
}

}  // namespace

base::Result<SourcePipeline::Outcome> SourcePipeline::run() {
  ItemWindow window(kWindow);
  WorkQueue<ReadJob> jobs(kWaitingJobs);
  Assembly assembly(writer, listings, cache_after, problems, progress);
  {
    std::vector<std::jthread> threads;  // joined before anything they use goes
    threads.emplace_back([&] {
      SourceStage source(writer, cache_before, window, jobs, problems, job);
      job.fail_on(walk(plan, walk_options, source, job.token()));
      jobs.close();
      window.close();
    });
    for (unsigned i = 0; i < readers; ++i) {
      threads.emplace_back([&] { ReadStage(writer, files, window, jobs, job, progress).run(); });
    }
    assemble(window, assembly, job);
  }
  KURA_TRY(job.status());
  return Outcome{.root = assembly.root(), .counts = assembly.counts()};
}

}  // namespace kura::archive
