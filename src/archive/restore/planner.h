// Walks the snapshot and the target side by side: makes folders, links and devices, leaves alone what is complete, and
// asks for the chunks of the files that are not.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "archive/repo/tree.h"
#include "archive/restore/chunk_flow.h"
#include "archive/restore/selection.h"

namespace kura::archive {

class RestorePlanner {
 public:
  // Everything outlives the planner.
  RestorePlanner(PackReader& reader, const RestoreOptions& options, TargetTree& tree, const MetadataWriter& metadata,
                 FileWriter& writer, ChunkFlow& flow, RestoreReport& report);

  // `start` is what lies at `path` in the snapshot, in its shortest form.
  base::Status plan(const Entry& start, const std::string& path);
  // The other names of files with several that have not been linked yet. After the flow has ended.
  void link_names();

 private:
  // A folder of the snapshot that the walk is in.
  struct Level {
    std::size_t path_size;
    std::string name;
    std::optional<Metadata> metadata;  // until it is made
    FolderRef folder{};                // none: nothing below it was wanted yet
    bool has_failed = false;
  };
  struct PendingName {
    FolderRef folder;
    std::string name;
    std::shared_ptr<LinkGroup> links;
    std::optional<std::uint64_t> file_size;  // nothing: not a file
  };

  base::Result<Visit> visit(const std::string& path, const Entry& entry);
  Visit enter(const std::string& path, const Entry& entry);
  // None when it cannot be made.
  FolderRef folder_here();
  bool make(Level& level, const FolderRef& parent);

  base::Status plan_entry(const FolderRef& folder, const Entry& entry);
  base::Result<bool> is_left_alone(const TargetFolder& folder, const Entry& entry);
  bool joins_links(const FolderRef& folder, const Entry& entry, std::shared_ptr<LinkGroup>& links);
  base::Status plan_file(const FolderRef& folder, const Entry& entry, std::shared_ptr<LinkGroup> links);
  void want_chunks(const std::shared_ptr<FileJob>& job);
  void submit();
  base::Status make_other(const TargetFolder& folder, const Entry& entry, LinkGroup* links);
  // Those whose first name is there. All others are few: their files are under way, or have failed.
  void link_what_is_there();
  void link(const PendingName& pending);
  // Whether it was linked: false when it is that file already.
  base::Result<bool> link_name(const PendingName& pending);

  PackReader& reader_;
  const RestoreOptions& options_;
  const Selection selection_;
  TargetTree& tree_;
  const MetadataWriter& metadata_;
  FileWriter& writer_;
  ChunkFlow& flow_;
  RestoreReport& report_;

  std::vector<Level> levels_;
  RestoreBatch batch_;
  std::size_t batch_memory_ = 0;
  std::size_t batch_limit_;
  // By device and inode, and by what the names have in common: those of one inode that differ were backed up while it
  // changed, and each is restored as it was.
  std::map<std::tuple<std::uint64_t, std::uint64_t, base::Digest>, std::shared_ptr<LinkGroup>> groups_;
  std::vector<PendingName> pending_names_;
};

}  // namespace kura::archive
