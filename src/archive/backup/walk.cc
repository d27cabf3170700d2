#include "archive/backup/walk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "archive/backup/folder_names.h"
#include "archive/format/limits.h"

namespace kura::archive {
namespace {

constexpr std::size_t kKeptOpen = 32;  // folders on the way down that stay open; those above are opened again by ".."

struct Frame {
  OpenFolder folder;  // null when it was closed to save descriptors
  struct stat status{};
  FolderNames names;
  std::size_t next = 0;            // of names
  std::size_t path_size = 0;       // of the folder's own path; 0 for "/"
  const PlanNode* plan = nullptr;  // null: all of it
  dev_t device = 0;                // where the given path began: for one_file_system
};

class Walker {
 public:
  Walker(const WalkOptions& options, WalkVisitor& visitor, std::stop_token stop)
      : options_(options), visitor_(visitor), stop_(std::move(stop)) {}

  base::Status run(const PlanNode& root) {
    OpenFolder folder = open_folder(AT_FDCWD, "/", root.whole);
    struct stat status{};
    if (folder == nullptr || ::fstat(folder->get(), &status) != 0) {
      return base::fail(base::Error::from_errno("cannot open /", errno));
    }
    path_ = "/";
    KURA_TRY(descend("", nullptr, folder, status, root.whole ? nullptr : &root, status.st_dev));
    while (!frames_.empty()) {
      KURA_TRY(base::not_stopped(stop_));
      if (frames_.back().next == frames_.back().names.size()) {
        KURA_TRY(ascend());
      } else {
        KURA_TRY(visit(frames_.back().names[frames_.back().next++]));
      }
    }
    return {};
  }

 private:
  base::Status visit(const char* name);
  base::Status visit_folder(const char* name, struct stat status, const PlanNode* plan);
  base::Status descend(const char* name, const OpenFolder& parent, const OpenFolder& folder, const struct stat& status,
                       const PlanNode* plan, dev_t device);
  base::Status ascend();
  OpenFolder reopen(std::size_t depth, const OpenFolder& child);
  OpenFolder open_again(int parent, const char* name, const Frame& frame);

  void set_path(const char* name) {
    path_.resize(frames_.back().path_size);
    path_ += '/';
    path_ += name;
  }
  void report(int reason) { visitor_.problem(path_, base::Error::from_errno("cannot read it", reason)); }
  bool skipped(const struct stat& status) const {
    return std::ranges::find(options_.skipped_folders, std::pair{status.st_dev, status.st_ino}) !=
           options_.skipped_folders.end();
  }

  const WalkOptions& options_;
  WalkVisitor& visitor_;
  std::stop_token stop_;
  std::vector<Frame> frames_;
  std::string path_;  // of what is being visited
};

base::Status Walker::visit(const char* name) {
  set_path(name);
  Frame& frame = frames_.back();
  const PlanNode* plan = nullptr;
  if (frame.plan != nullptr) {
    const PlanNode& member = frame.plan->members.find(std::string_view(name))->second;
    if (!member.whole) plan = &member;
  }
  if (std::strlen(name) > kNameLimit) {
    report(ENAMETOOLONG);
    return {};
  }
  struct stat status{};
  if (::fstatat(frame.folder->get(), name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    report(errno);
    return {};
  }
  const bool is_folder = S_ISDIR(status.st_mode);
  if (frame.plan == nullptr && options_.excluded && options_.excluded(path_, is_folder)) return {};
  if (is_folder) return visit_folder(name, status, plan);
  // A folder on the way that is none any more: the paths behind it are gone.
  if (plan != nullptr) report(ENOTDIR);
  const OpenFolder parent = frame.folder;
  return visitor_.entry({name, path_, status, parent, nullptr});
}

base::Status Walker::visit_folder(const char* name, struct stat status, const PlanNode* plan) {
  if (skipped(status)) return {};
  const Frame& above = frames_.back();
  const OpenFolder parent = above.folder;
  const bool begins_here = above.plan != nullptr;  // a given path, or on the way to one
  OpenFolder folder;
  if (begins_here || !options_.one_file_system || status.st_dev == above.device) {
    folder = open_folder(parent->get(), name, plan == nullptr);
    if (folder == nullptr || ::fstat(folder->get(), &status) != 0) {
      report(errno);
      folder = nullptr;
    }
  }
  // A mount point that appeared, or a folder that was put in its place, between the two looks.
  if (folder != nullptr && skipped(status)) return {};
  return descend(name, parent, folder, status, plan, begins_here ? status.st_dev : above.device);
}

base::Status Walker::descend(const char* name, const OpenFolder& parent, const OpenFolder& folder,
                             const struct stat& status, const PlanNode* plan, dev_t device) {
  KURA_TRY(visitor_.enter({name, path_, status, parent, folder}));
  if (folder == nullptr) return visitor_.leave();
  Frame frame;
  frame.folder = folder;
  frame.status = status;
  frame.plan = plan;
  frame.device = device;
  frame.path_size = frames_.empty() ? 0 : path_.size();
  if (plan != nullptr) {
    for (const auto& [member, node] : plan->members) frame.names.add(member.c_str());
    frame.names.sort();
  } else if (base::Status read = frame.names.read(folder->get()); !read) {
    visitor_.problem(path_, std::move(read).error());
  }
  frames_.push_back(std::move(frame));
  if (frames_.size() > kKeptOpen) frames_[frames_.size() - 1 - kKeptOpen].folder.reset();
  return {};
}

base::Status Walker::ascend() {
  const OpenFolder child = std::move(frames_.back().folder);
  frames_.pop_back();
  if (!frames_.empty() && frames_.back().folder == nullptr) {
    Frame& frame = frames_.back();
    frame.folder = reopen(frames_.size() - 1, child);
    if (frame.folder == nullptr && frame.next < frame.names.size()) {
      path_.resize(std::max<std::size_t>(frame.path_size, 1));
      visitor_.problem(path_,
                       {base::ErrorCode::kConflict, "the folder was moved while it was read; the rest of it is missing",
                        "Run the backup again"});
      frame.next = frame.names.size();
    }
  }
  return visitor_.leave();
}

OpenFolder Walker::open_again(int parent, const char* name, const Frame& frame) {
  OpenFolder folder = open_folder(parent, name, frame.plan == nullptr);
  struct stat status{};
  if (folder == nullptr || ::fstat(folder->get(), &status) != 0 || !is_same_file(status, frame.status)) return nullptr;
  return folder;
}

// From the child that is left, or when that was moved, all the way down from "/".
OpenFolder Walker::reopen(std::size_t depth, const OpenFolder& child) {
  if (child != nullptr) {
    if (OpenFolder folder = open_again(child->get(), "..", frames_[depth])) return folder;
  }
  OpenFolder folder = open_again(AT_FDCWD, "/", frames_[0]);
  for (std::size_t i = 1; i <= depth && folder != nullptr; ++i) {
    const char* name = frames_[i - 1].names[frames_[i - 1].next - 1];
    folder = open_again(folder->get(), name, frames_[i]);
  }
  return folder;
}

}  // namespace

base::Status walk(const WalkPlan& plan, const WalkOptions& options, WalkVisitor& visitor, std::stop_token stop) {
  return Walker(options, visitor, std::move(stop)).run(plan.root);
}

}  // namespace kura::archive
