// Opened with one repository's recovery key, sealed again as a machine of another.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "archive/backup/commit.h"
#include "archive/backup/content_writer.h"
#include "archive/backup/helpers.h"
#include "archive/backup/write_session.h"
#include "archive/parity/protection.h"
#include "archive/repo/needs.h"
#include "archive/repo/pack_reader.h"
#include "archive/repo/tree.h"
#include "archive/upkeep/copy.h"
#include "archive/upkeep/copy_selection.h"
#include "base/parallel.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::ObjectId;

constexpr std::string_view kCopyTag = "copy-of:";
constexpr std::size_t kMostRemembered = 1U << 22;  // chunk ids; 128 MiB

// Where files of `from` lie in `to`, so that what several snapshots share is opened once.
class CopiedFiles {
 public:
  const WrittenContent* find(const base::Digest& name) const {
    const auto found = files_.find(name);
    return found == files_.end() ? nullptr : &found->second;
  }
  void remember(const base::Digest& name, const WrittenContent& content) {
    const std::size_t ids = content.ref.ids.size() + content.below.size() + 4;
    if (!content.below_complete || ids_ + ids > kMostRemembered) return;
    if (files_.insert_or_assign(name, content).second) ids_ += ids;
  }

 private:
  std::unordered_map<base::Digest, WrittenContent, base::DigestHash> files_;
  std::size_t ids_ = 0;
};

// The tree of one snapshot, from one repository into the other. Used by one thread.
class TreeCopier {
 public:
  TreeCopier(PackReader& reader, Writer& writer, Lane& lane, const Chunker& files, const Chunker& listings,
             CopiedFiles& copied, JobControl& job, base::Progress& progress)
      : reader_(reader),
        writer_(writer),
        lane_(lane),
        files_(files),
        listings_(listings),
        copied_(copied),
        job_(job),
        progress_(progress) {}

  // Returns where the root's listing lies now.
  Result<ContentRef> copy(const ContentRef& root);

 private:
  struct Level {
    Entry folder;  // as it shall be listed in the folder above
    ListingReader from;
    ContentWriter to;
    std::string path;
  };
  Status enter(Entry folder, std::string path);
  Status take(Entry entry);
  Result<ContentRef> file(const ContentRef& content);
  bool use_again(const WrittenContent& content);

  PackReader& reader_;
  Writer& writer_;
  Lane& lane_;
  const Chunker& files_;
  const Chunker& listings_;
  CopiedFiles& copied_;
  JobControl& job_;
  base::Progress& progress_;
  std::vector<Level> levels_;
  base::Encoder encoded_;
};

Status TreeCopier::enter(Entry folder, std::string path) {
  ListingReader from = KURA_TRY_AS(ListingReader::open(reader_, folder.content), path);
  levels_.push_back({.folder = std::move(folder),
                     .from = std::move(from),
                     .to = ContentWriter(lane_, listings_, Content::kListing),
                     .path = std::move(path)});
  return {};
}

Result<ContentRef> TreeCopier::copy(const ContentRef& root) {
  Entry top;
  top.type = EntryType::kFolder;
  top.content = root;
  KURA_TRY(enter(std::move(top), "/"));
  for (;;) {
    if (job_.stopped()) KURA_TRY(job_.status());
    Level& level = levels_.back();
    std::optional<Entry> entry = KURA_TRY_AS(level.from.next(), level.path);
    if (entry) {
      KURA_TRY(take(*std::move(entry)));
      continue;
    }
    Entry folder = std::move(level.folder);
    folder.content = KURA_TRY(level.to.finish()).ref;
    levels_.pop_back();
    if (levels_.empty()) return folder.content;
    encoded_.clear();
    folder.encode(encoded_);
    KURA_TRY(levels_.back().to.append(encoded_.bytes()));
  }
}

Status TreeCopier::take(Entry entry) {
  std::string path = levels_.back().path;
  if (!path.ends_with('/')) path += '/';
  path += entry.name;
  if (entry.type == EntryType::kFolder) return enter(std::move(entry), std::move(path));
  if (entry.type == EntryType::kFile) {
    entry.content = KURA_TRY_AS(file(entry.content), path);
    ++progress_.files_done;
  }
  encoded_.clear();
  entry.encode(encoded_);
  return levels_.back().to.append(encoded_.bytes());
}

bool TreeCopier::use_again(const WrittenContent& content) {
  const auto use = [&](const ChunkId& id) { return writer_.use(id); };
  return std::ranges::all_of(content.ref.ids, use) && std::ranges::all_of(content.below, use);
}

Result<ContentRef> TreeCopier::file(const ContentRef& content) {
  base::Encoder encoded;
  content.encode(encoded);
  const base::Digest name = crypto::sha256(encoded.bytes());
  if (const WrittenContent* before = copied_.find(name); before != nullptr && use_again(*before)) return before->ref;
  ContentWriter to(lane_, files_, Content::kFile);
  for (const ChunkId& id : KURA_TRY(reader_.leaves(content))) {
    const base::Bytes bytes = KURA_TRY(reader_.chunk(id, Content::kFile));
    KURA_TRY(to.append(bytes));
    progress_.bytes_done += bytes.size();
  }
  const WrittenContent written = KURA_TRY(to.finish());
  copied_.remember(name, written);
  return written.ref;
}

class ResealingCopier {
 public:
  ResealingCopier(const Repository& from, const Repository& to, base::Progress& progress, std::stop_token stop)
      : from_(from), to_(to), progress_(progress), stop_(std::move(stop)) {}

  Result<CopySummary> run(const std::vector<ObjectId>& only);

 private:
  Status need_keys() const;
  Result<ObjectIdSet> copied_before() const;
  Status copy(const StoredSnapshot& stored);

  const Repository& from_;
  const Repository& to_;
  base::Progress& progress_;
  const std::stop_token stop_;
  CopiedFiles copied_;
  CopySummary summary_;
};

Status ResealingCopier::need_keys() const {
  KURA_TRY(from_.need_recovery_secrets());
  KURA_TRY(to_.need_write_secrets());
  if (to_.machine() && to_.machine_state()) return to_.config().check_writable();
  return base::fail(ErrorCode::kNotFound, fmt::format("this machine has no key for {}", to_.store().describe()),
                    "give the state folder that `kura init` used there (--state-dir)");
}

// By the labels, which only this repository's own machines can write.
Result<ObjectIdSet> ResealingCopier::copied_before() const {
  ObjectIdSet ids;
  for (const StoredSnapshot& stored : KURA_TRY(to_.snapshots()).snapshots) {
    for (const std::string& tag : stored.snapshot.label->tags) {
      if (!tag.starts_with(kCopyTag)) continue;
      if (const auto id = base::Digest::from_hex(std::string_view(tag).substr(kCopyTag.size()))) ids.insert(*id);
    }
  }
  return ids;
}

Status ResealingCopier::copy(const StoredSnapshot& stored) {
  std::vector<DamagedObject> damaged;  // what it makes unreadable shows when it is read
  const ChunkIndex from_index = KURA_TRY(load_index(from_, stored, damaged));
  PackReader reader(from_, from_index);
  JobControl job(stop_);
  const auto session = KURA_TRY(WriteSession::open(to_, LeasePurpose::kCopy, /*with_lease=*/true, job.token()));
  const WriteSecrets& secrets = *to_.write_secrets();
  const GearTable gear = secrets.gear_table(to_.config().repository);
  const Chunker files(to_.config().files, gear), listings(to_.config().listings, gear);

  IndexWriter indexes(to_);
  std::uint64_t stored_bytes = 0;
  Protection protection(to_);
  const auto on_stored = [&](IndexedPack pack, PackBytes bytes) -> Status {
    protection.add_pack(pack.id, bytes);
    stored_bytes += pack.size;
    progress_.bytes_stored += pack.size;
    return indexes.add(std::move(pack), true);
  };
  Writer writer(to_.store(), to_.config(), secrets, session->known(), on_stored, job);
  SnapshotLabel label = *stored.snapshot.label;
  {
    Helpers helpers(writer, base::thread_count(0));
    Lane lane(writer, &helpers.tasks());
    label.root = KURA_TRY(TreeCopier(reader, writer, lane, files, listings, copied_, job, progress_).copy(label.root));
  }
  label.tags.push_back(std::string(kCopyTag) + stored.id.hex());
  KURA_TRY(writer.finish());
  const Series series = series_of(secrets.series, label.host, label.paths);
  const Committed committed =
      KURA_TRY(commit_snapshot(*session, writer, indexes, std::move(label), series, stored.snapshot.started));
  protection.finish(committed.objects());
  if (!summary_.parity_problem) summary_.parity_problem = protection.problem();
  ++summary_.snapshots_copied;
  summary_.bytes_copied += stored_bytes + committed.bytes_written;
  return {};
}

Result<CopySummary> ResealingCopier::run(const std::vector<ObjectId>& only) {
  KURA_TRY(need_keys());
  const CopySelection selection = KURA_TRY(select_for_copy(from_, only));
  if (selection.damage) return base::fail(*selection.damage);
  const ObjectIdSet before = KURA_TRY(copied_before());
  for (const StoredSnapshot& stored : selection.snapshots) {
    progress_.files_total += stored.snapshot.label->counts.files;
    progress_.bytes_total += stored.snapshot.label->counts.bytes;
  }
  for (const StoredSnapshot& stored : selection.snapshots) {
    if (before.contains(stored.id)) {
      ++summary_.snapshots_present;
      continue;
    }
    KURA_TRY_AS(copy(stored), fmt::format("cannot copy snapshot {}", stored.id.hex()));
  }
  return summary_;
}

}  // namespace

Result<CopySummary> copy_resealed(const Repository& from, const Repository& to, const std::vector<ObjectId>& only,
                                  base::Progress& progress, std::stop_token stop) {
  return ResealingCopier(from, to, progress, std::move(stop)).run(only);
}

}  // namespace kura::archive
