#include "support/store/crash_file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace kura::store {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;

std::unexpected<base::Error> failure(std::string_view action, const std::string& path, int errno_value) {
  return base::fail(base::Error::from_errno(fmt::format("cannot {} {}", action, path), errno_value));
}

std::vector<std::string> components_of(const std::string& path) {
  std::vector<std::string> components;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string component = path.substr(begin, end - begin);
    if (!component.empty() && component != ".") components.push_back(component);
    begin = end + 1;
  }
  return components;
}

std::size_t below(std::mt19937_64& random, std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

}  // namespace

struct CrashFileSystem::Node {
  Type type = Type::kFile;
  std::int64_t modified = 0;
  base::Bytes bytes;
  std::size_t synced_size = 0;  // files are only appended to
  std::map<std::string, NodePtr> names;
  // What each name may be after a crash: first the durable state, last the present one; nullptr is no such name.
  std::map<std::string, std::vector<NodePtr>> histories;

  NodePtr at(const std::string& name) const {
    const auto found = names.find(name);
    return found == names.end() ? nullptr : found->second;
  }
  void set(const std::string& name, const NodePtr& node) {
    auto& history = histories[name];
    if (history.empty()) history.push_back(nullptr);
    history.push_back(node);
    if (node) {
      names[name] = node;
    } else {
      names.erase(name);
    }
  }
  void sync_names() {
    histories.clear();
    for (const auto& [name, node] : names) histories[name] = {node};
  }
};

class CrashFileSystem::OpenFile final : public FileSystem::File {
 public:
  OpenFile(CrashFileSystem& disk, NodePtr node, std::string path)
      : disk_(disk), node_(std::move(node)), path_(std::move(path)) {}
  Status write(base::ByteSpan bytes) override { return disk_.write(*node_, path_, bytes); }
  Status sync() override { return disk_.sync(*node_, path_); }
  Status set_modified(std::int64_t time) override { return disk_.set_modified(*node_, time); }

 private:
  CrashFileSystem& disk_;
  NodePtr node_;
  std::string path_;
};

CrashFileSystem::CrashFileSystem(std::uint64_t seed) : root_(std::make_shared<Node>()), random_(seed) {
  root_->type = Type::kFolder;
}
CrashFileSystem::~CrashFileSystem() = default;

void CrashFileSystem::set_fault(Fault fault) {
  const base::MutexLock lock(mutex_);
  fault_ = std::move(fault);
}

void CrashFileSystem::fail_only(std::size_t n, int errno_value) {
  set_fault([=](std::size_t i, Operation, std::string_view) { return i == n ? errno_value : 0; });
}

void CrashFileSystem::fail_from(std::size_t n, int errno_value) {
  set_fault([=](std::size_t i, Operation, std::string_view) { return i >= n ? errno_value : 0; });
}

std::size_t CrashFileSystem::operations() const {
  const base::MutexLock lock(mutex_);
  return operations_;
}

void CrashFileSystem::advance_clock(std::int64_t nanoseconds) {
  const base::MutexLock lock(mutex_);
  clock_ += nanoseconds;
}

Status CrashFileSystem::begin(Operation operation, std::string_view what, const std::string& path) {
  clock_ += 1000;
  const std::size_t n = operations_++;
  const int errno_value = fault_ ? fault_(n, operation, path) : 0;
  if (errno_value != 0) return failure(what, path, errno_value);
  return {};
}

CrashFileSystem::NodePtr CrashFileSystem::node_at(const std::string& path) const {
  NodePtr node = root_;
  for (const std::string& component : components_of(path)) {
    if (node->type != Type::kFolder) return nullptr;
    node = node->at(component);
    if (!node) return nullptr;
  }
  return node;
}

Result<CrashFileSystem::Place> CrashFileSystem::place_of(const std::string& path) const {
  std::vector<std::string> components = components_of(path);
  if (components.empty()) return failure("use", path, EINVAL);
  Place place{.folder = root_, .name = components.back()};
  components.pop_back();
  for (const std::string& component : components) {
    place.folder = place.folder->at(component);
    if (!place.folder) return failure("find", path, ENOENT);
    if (place.folder->type != Type::kFolder) return failure("find", path, ENOTDIR);
  }
  return place;
}

Result<CrashFileSystem::NodePtr> CrashFileSystem::file_at(const std::string& path) const {
  NodePtr node = node_at(path);
  if (!node) return failure("read", path, ENOENT);
  if (node->type != Type::kFile) return base::fail(ErrorCode::kDamaged, path + " is not a regular file");
  return node;
}

Result<std::unique_ptr<FileSystem::File>> CrashFileSystem::create(const std::string& path) {
  const base::MutexLock lock(mutex_);
  KURA_TRY(begin(Operation::kCreate, "create", path));
  const Place place = KURA_TRY(place_of(path));
  if (place.folder->at(place.name)) return failure("create", path, EEXIST);
  auto node = std::make_shared<Node>();
  node->modified = clock_;
  place.folder->set(place.name, node);
  return std::make_unique<OpenFile>(*this, node, path);
}

Status CrashFileSystem::write(Node& node, const std::string& path, base::ByteSpan bytes) {
  const base::MutexLock lock(mutex_);
  Status status = begin(Operation::kWrite, "write", path);
  if (!status) bytes = bytes.first(below(random_, bytes.size() + 1));
  node.bytes.insert(node.bytes.end(), bytes.begin(), bytes.end());
  node.modified = clock_;
  return status;
}

Status CrashFileSystem::sync(Node& node, const std::string& path) {
  const base::MutexLock lock(mutex_);
  KURA_TRY(begin(Operation::kSync, "sync", path));
  node.synced_size = node.bytes.size();
  return {};
}

Status CrashFileSystem::set_modified(Node& node, std::int64_t time) {
  const base::MutexLock lock(mutex_);
  node.modified = time;
  return {};
}

Status CrashFileSystem::rename(const std::string& from, const std::string& to) {
  const base::MutexLock lock(mutex_);
  KURA_TRY(begin(Operation::kRename, "rename a file to", to));
  const Place source = KURA_TRY(place_of(from));
  const Place target = KURA_TRY(place_of(to));
  const NodePtr node = source.folder->at(source.name);
  if (!node) return failure("rename", from, ENOENT);
  source.folder->set(source.name, nullptr);
  target.folder->set(target.name, node);
  return {};
}

Status CrashFileSystem::remove(const std::string& path) {
  const base::MutexLock lock(mutex_);
  KURA_TRY(begin(Operation::kRemove, "remove", path));
  const Place place = KURA_TRY(place_of(path));
  const NodePtr node = place.folder->at(place.name);
  if (!node) return failure("remove", path, ENOENT);
  if (node->type == Type::kFolder) return failure("remove", path, EISDIR);
  place.folder->set(place.name, nullptr);
  return {};
}

Status CrashFileSystem::make_folder(const std::string& path) {
  const base::MutexLock lock(mutex_);
  KURA_TRY(begin(Operation::kMakeFolder, "make the folder", path));
  const Place place = KURA_TRY(place_of(path));
  if (const NodePtr there = place.folder->at(place.name)) {
    return there->type == Type::kFolder ? Status{} : failure("make the folder", path, EEXIST);
  }
  auto node = std::make_shared<Node>();
  node->type = Type::kFolder;
  place.folder->set(place.name, node);
  return {};
}

Status CrashFileSystem::sync_folder(const std::string& path) {
  const base::MutexLock lock(mutex_);
  KURA_TRY(begin(Operation::kSyncFolder, "sync the folder", path));
  const NodePtr node = node_at(path);
  if (!node) return failure("sync the folder", path, ENOENT);
  node->sync_names();
  return {};
}

Result<FileSystem::Entry> CrashFileSystem::stat(const std::string& path) {
  const base::MutexLock lock(mutex_);
  KURA_TRY(begin(Operation::kStat, "look at", path));
  const NodePtr node = node_at(path);
  if (!node) return failure("look at", path, ENOENT);
  return Entry{.name = {}, .type = node->type, .size = node->bytes.size(), .modified = node->modified};
}

Result<std::vector<FileSystem::Entry>> CrashFileSystem::list(const std::string& path) {
  const base::MutexLock lock(mutex_);
  KURA_TRY(begin(Operation::kList, "list the folder", path));
  const NodePtr folder = node_at(path);
  if (!folder) return failure("list the folder", path, ENOENT);
  if (folder->type != Type::kFolder) return failure("list the folder", path, ENOTDIR);
  std::vector<Entry> entries;
  for (const auto& [name, node] : folder->names) {
    entries.push_back({.name = name, .type = node->type, .size = node->bytes.size(), .modified = node->modified});
  }
  return entries;
}

Status CrashFileSystem::read_at(const std::string& path, std::uint64_t offset, base::MutableByteSpan out) {
  const base::MutexLock lock(mutex_);
  KURA_TRY(begin(Operation::kRead, "read", path));
  const NodePtr node = KURA_TRY(file_at(path));
  if (offset > node->bytes.size() || out.size() > node->bytes.size() - offset) {
    return base::fail(ErrorCode::kDamaged, fmt::format("{} ends at byte {}", path, node->bytes.size()));
  }
  std::ranges::copy_n(node->bytes.begin() + static_cast<std::ptrdiff_t>(offset),
                      static_cast<std::ptrdiff_t>(out.size()), out.begin());
  return {};
}

Result<base::Bytes> CrashFileSystem::read_all(const std::string& path, std::uint64_t limit) {
  const base::MutexLock lock(mutex_);
  KURA_TRY(begin(Operation::kRead, "read", path));
  const NodePtr node = KURA_TRY(file_at(path));
  if (node->bytes.size() > limit) {
    return base::fail(ErrorCode::kDamaged, fmt::format("{} has {} bytes", path, node->bytes.size()));
  }
  return node->bytes;
}

CrashFileSystem::NodePtr CrashFileSystem::after_crash(const Node& node, std::mt19937_64& random) {
  auto after = std::make_shared<Node>();
  after->type = node.type;
  after->modified = node.modified;
  after->bytes = node.bytes;
  const std::size_t at_risk = node.bytes.size() - node.synced_size;
  if (at_risk > 0) {
    const auto kept = static_cast<std::ptrdiff_t>(node.synced_size + below(random, at_risk + 1));
    switch (below(random, 3)) {
      case 0:
        after->bytes.resize(static_cast<std::size_t>(kept));
        break;
      case 1:
        std::fill(after->bytes.begin() + kept, after->bytes.end(), std::uint8_t{0});
        break;
      default:
        break;  // all of it was written in time
    }
  }
  after->synced_size = after->bytes.size();
  for (const auto& [name, history] : node.histories) {
    const NodePtr& survivor = history[below(random, history.size())];
    if (survivor) after->names[name] = after_crash(*survivor, random);
  }
  after->sync_names();
  return after;
}

std::unique_ptr<CrashFileSystem> CrashFileSystem::crash(std::uint64_t seed) const {
  const base::MutexLock lock(mutex_);
  auto after = std::make_unique<CrashFileSystem>(seed);
  std::mt19937_64 random(seed);
  {
    const base::MutexLock lock_after(after->mutex_);
    after->root_ = after_crash(*root_, random);
    after->clock_ = clock_ + 1'000'000'000;
  }
  return after;
}

void CrashFileSystem::plant(const std::string& path, base::ByteSpan bytes) {
  const base::MutexLock lock(mutex_);
  auto node = std::make_shared<Node>();
  node->bytes.assign(bytes.begin(), bytes.end());
  node->synced_size = bytes.size();
  node->modified = clock_;
  NodePtr folder = root_;
  std::vector<std::string> components = components_of(path);
  const std::string name = components.back();
  components.pop_back();
  for (const std::string& component : components) {
    NodePtr next = folder->at(component);
    if (!next) {
      next = std::make_shared<Node>();
      next->type = Type::kFolder;
      folder->names[component] = next;
      folder->histories[component] = {next};
    }
    folder = next;
  }
  folder->names[name] = node;
  folder->histories[name] = {node};
}

std::vector<std::string> CrashFileSystem::files() const {
  const base::MutexLock lock(mutex_);
  std::vector<std::string> found;
  const std::function<void(const Node&, const std::string&)> visit = [&](const Node& node, const std::string& path) {
    if (node.type == Type::kFile) found.push_back(path);
    for (const auto& [name, child] : node.names) visit(*child, path + "/" + name);
  };
  visit(*root_, "");
  return found;
}

}  // namespace kura::store
