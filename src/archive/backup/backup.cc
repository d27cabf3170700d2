#include "archive/backup/backup.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "archive/backup/commit.h"
#include "archive/backup/compaction.h"
#include "archive/backup/source_pipeline.h"
#include "archive/backup/survey.h"
#include "archive/backup/write_session.h"
#include "archive/parity/protection.h"
#include "base/host.h"
#include "base/parallel.h"
#include "base/time.h"

namespace kura::archive {
namespace {

constexpr unsigned kMostThreads = 8;  // of a stage: memory grows with them

constexpr const char* kNewMachineKey =
    "Give it a new one with `kura key add --machine`, or point --state-dir to the state folder that has it";

// Without a certificate nobody would count the snapshot: better no backup than one that is none.
base::Status need_certificate(const Repository& repository) {
  const KeyList keys = KURA_TRY(repository.keys());
  if (keys.certificate_of(repository.machine()->public_key()) != nullptr) return {};
  return base::fail(base::ErrorCode::kWrongKey,
                    "the repository " + repository.store().describe() +
                        " holds no certificate for this machine's key: it was removed, or is damaged",
                    keys.none() ? kUnfinishedCopy : kNewMachineKey);
}

base::Status need_machine(const Repository& repository) {
  KURA_TRY(repository.need_write_secrets());
  if (repository.machine() && repository.machine_state()) return need_certificate(repository);
  return base::fail(base::ErrorCode::kNotFound,
                    "this machine has no key for the repository " + repository.store().describe(), kNewMachineKey);
}

Verdict verdict_of(detect::SetVerdict verdict) {
  switch (verdict) {
    case detect::SetVerdict::kClean:
      return Verdict::kClean;
    case detect::SetVerdict::kSuspect:
      return Verdict::kSuspect;
    case detect::SetVerdict::kAttacked:
      return Verdict::kAttacked;
  }
  std::unreachable();
}

// Folders that are never part of a backup: the repository itself, which would grow by its own copy, and this machine's
// state for it, which changes with every backup and holds the machine's key. A new key is made from the recovery key.
std::vector<std::pair<dev_t, ino_t>> own_folders(const Repository& repository) {
  std::vector<std::pair<dev_t, ino_t>> folders;
  std::vector<std::string> paths{repository.store().describe()};
  if (repository.machine_state()) paths.push_back(repository.machine_state()->folder());
  for (const std::string& path : paths) {
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
      folders.emplace_back(status.st_dev, status.st_ino);
    }
  }
  return folders;
}

// One backup in progress: its parts, from the outermost.
class Backup {
 public:
  Backup(const Repository& repository, const BackupOptions& options, base::Progress& progress,
         const ProblemHandler& on_problem, std::stop_token stop)
      : repository_(repository),
        options_(options),
        progress_(progress),
        problems_(on_problem, progress),
        job_(std::move(stop)) {}

  base::Result<BackupSummary> run() {
    const auto began = std::chrono::steady_clock::now();
    KURA_TRY(need_machine(repository_));
    plan_ = KURA_TRY(plan_walk(options_.paths));
    secrets_ = KURA_TRY(repository_.need_write_secrets());
    series_ = series_of(secrets_->series, options_.host, plan_.paths);
    base::raise_file_limit();
    session_ = KURA_TRY(WriteSession::open(repository_, LeasePurpose::kBackup, !options_.dry_run, job_.token()));
    KURA_TRY(store_all());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    summary_.seconds = took.count();
    return summary_;
  }

 private:
  base::Status store_all();
  base::Result<SourcePipeline::Outcome> read_source(Writer& writer, FileCacheWriter* cache);
  void begin_ledger(const std::vector<StoredSnapshot>& snapshots);
  void judge_set();
  SnapshotLabel label_for(const SourcePipeline::Outcome& outcome) const;
  void summarise(const SourcePipeline::Outcome& outcome, const Writer& writer);
  void remember_uses(const Compaction& compaction, const Writer& writer, PackUses uses) const;
  std::string cache_path() const {
    return repository_.machine_state()->folder() + "/" + base::to_hex(series_) + ".files";
  }

  const Repository& repository_;
  const BackupOptions& options_;
  base::Progress& progress_;
  Problems problems_;
  JobControl job_;
  WalkPlan plan_;
  const WriteSecrets* secrets_ = nullptr;
  Series series_{};
  std::unique_ptr<WriteSession> session_;
  detect::ChangeLedger ledger_{detect::Suspicion()};
  detect::Suspicion suspicion_;  // for the next backup
  const std::int64_t started_ = base::now_ns();
  BackupSummary summary_;
};

// What the series' last snapshot of this machine suspected is gone on from, or kept where nothing is judged.
void Backup::begin_ledger(const std::vector<StoredSnapshot>& snapshots) {
  for (const StoredSnapshot& stored : snapshots) {
    const Snapshot& snapshot = stored.snapshot;
    if (snapshot.series == series_ && snapshot.machine == repository_.machine()->public_key() && snapshot.label) {
      suspicion_ = snapshot.label->suspicion;
      ledger_ = detect::ChangeLedger(suspicion_);
    }
  }
}

void Backup::judge_set() {
  if (options_.judge == nullptr) return;
  detect::SetJudgement judged = std::move(ledger_).judge();
  suspicion_ = judged.suspicion;
  summary_.verdict = verdict_of(judged.verdict);
  summary_.evidence = std::move(judged.evidence);
}

base::Result<SourcePipeline::Outcome> Backup::read_source(Writer& writer, FileCacheWriter* cache) {
  const Config& config = repository_.config();
  const GearTable gear = secrets_->gear_table(config.repository);
  const Chunker files(config.files, gear);
  const Chunker listings(config.listings, gear);
  FileCacheReader cache_before(cache_path(), repository_.config_id());
  const WalkOptions walk_options{
      .excluded = [this](const std::string& path,
                         bool is_folder) { return options_.excludes.matches(path, is_folder); },
      .one_file_system = options_.one_file_system,
      .skipped_folders = own_folders(repository_)};
  SourcePipeline pipeline{.plan = plan_,
                          .walk_options = walk_options,
                          .files = files,
                          .listings = listings,
                          .writer = writer,
                          .cache_before = cache_before,
                          .cache_after = cache,
                          .problems = problems_,
                          .progress = progress_,
                          .job = job_,
                          .readers = std::min(base::thread_count(options_.threads), kMostThreads),
                          .judge = options_.judge,
                          .ledger = options_.judge != nullptr ? &ledger_ : nullptr};
  std::optional<Survey> survey;
  if (options_.survey) survey.emplace(plan_, walk_options, progress_, job_.token());
  return pipeline.run();
}

base::Status Backup::store_all() {
  std::vector<StoredSnapshot> snapshots = KURA_TRY(repository_.snapshots()).snapshots;
  begin_ledger(snapshots);
  const Compaction compaction = KURA_TRY(
      Compaction::prepare(repository_, session_->known(), std::move(snapshots), series_, options_.compact, started_));
  IndexWriter indexes(repository_);
  PackUses uses;
  Protection protection(repository_);
  const auto on_stored = [&](IndexedPack pack, PackBytes sealed) -> base::Status {
    protection.add_pack(pack.id, sealed);
    summary_.bytes_stored_new += pack.size;
    progress_.bytes_stored += pack.size;
    std::uint64_t bytes = 0;
    for (const FrameRecord& frame : pack.record.frames) bytes += frame.text_size();
    uses.packs.push_back({.pack = pack.id, .used = bytes, .bytes = bytes, .since = started_});
    return indexes.add(std::move(pack), true);
  };
  Writer writer(repository_.store(), repository_.config(), *secrets_, session_->known(), on_stored, job_,
                options_.dry_run, compaction.plan());
  std::optional<FileCacheWriter> cache;
  if (!options_.dry_run) cache.emplace(cache_path(), repository_.config_id());

  const SourcePipeline::Outcome outcome = KURA_TRY(read_source(writer, cache ? &*cache : nullptr));
  KURA_TRY(writer.finish());
  summarise(outcome, writer);
  judge_set();
  if (options_.dry_run) return {};
  const Committed committed =
      KURA_TRY(commit_snapshot(*session_, writer, indexes, label_for(outcome), series_, started_));
  cache->commit();
  uses.snapshot = committed.snapshot;
  remember_uses(compaction, writer, std::move(uses));
  protection.finish(committed.objects());
  summary_.bytes_parity = protection.bytes_written();
  summary_.parity_problem = protection.problem();
  summary_.snapshot_id = committed.snapshot;
  summary_.bytes_stored_new += committed.bytes_written;
  progress_.bytes_stored += committed.bytes_written;
  return {};
}

// `uses` has those of the new packs.
void Backup::remember_uses(const Compaction& compaction, const Writer& writer, PackUses uses) const {
  const ChunkIndex& known = session_->known();
  for (std::size_t number = 0; number < known.packs().size(); ++number) {
    const std::uint64_t used = writer.used(number);
    if (used == 0) continue;
    const ChunkIndex::Pack& pack = known.packs()[number];
    std::uint64_t bytes = 0;
    for (std::uint32_t frame = 0; frame < pack.frames; ++frame) {
      bytes += known.frame(static_cast<std::uint32_t>(number), frame).text_size;
    }
    // No snapshot has named a pack that is in no index.
    const std::int64_t since = pack.index == ChunkIndex::kNoIndex ? started_ : compaction.since(pack.id);
    uses.packs.push_back({.pack = pack.id, .used = std::min(used, bytes), .bytes = bytes, .since = since});
  }
  save_pack_uses(pack_uses_path(*repository_.machine_state(), series_), uses, repository_.config_id());
}

SnapshotLabel Backup::label_for(const SourcePipeline::Outcome& outcome) const {
  SnapshotLabel label;
  label.root = outcome.root;
  label.host = options_.host;
  label.user = options_.user;
  label.paths = plan_.paths;
  label.tags = options_.tags;
  label.ended = base::now_ns();
  label.counts = outcome.counts.snapshot;
  label.counts.failed = problems_.count();
  label.verdict = summary_.verdict;
  label.evidence = summary_.evidence;
  label.suspicion = suspicion_;
  return label;
}

void Backup::summarise(const SourcePipeline::Outcome& outcome, const Writer& writer) {
  const AssemblyCounts& counts = outcome.counts;
  summary_.files_total = counts.snapshot.files;
  summary_.files_new = counts.files_new;
  summary_.files_changed = counts.files_changed;
  summary_.files_unmodified = counts.files_unmodified;
  summary_.files_failed = problems_.count();
  summary_.folders_total = counts.snapshot.folders;
  summary_.bytes_total = counts.snapshot.bytes;
  summary_.bytes_read = counts.bytes_read;
  summary_.chunks_new = writer.chunks_new();
  summary_.chunks_reused = writer.chunks_reused();
  summary_.bytes_compacted = writer.bytes_compacted();
  summary_.packs_compacted = writer.packs_compacted();
}

}  // namespace

base::Result<BackupSummary> run_backup(const Repository& repository, const BackupOptions& options,
                                       base::Progress& progress, const ProblemHandler& on_problem,
                                       std::stop_token stop) {
  return Backup(repository, options, progress, on_problem, std::move(stop)).run();
}

}  // namespace kura::archive
