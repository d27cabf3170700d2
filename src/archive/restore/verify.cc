#include "archive/restore/verify.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "archive/repo/tree.h"
#include "archive/restore/file_contents.h"
#include "archive/restore/report.h"
#include "archive/restore/selection.h"
#include "base/bounded_queue.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::size_t kFilesUnderWay = 64;

struct WrittenFile {
  base::UniqueFd fd;
  std::string source;  // path in the snapshot
  std::string target;
  FileContents contents;
};

bool read_all(int fd, std::uint64_t offset, base::MutableByteSpan out) {
  while (!out.empty()) {
    const ssize_t count = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return true;
}

class Verifier {
 public:
  Verifier(PackReader& reader, const RestoreOptions& options, TargetTree& tree, RestoreReport& report)
      : reader_(reader), selection_(options), tree_(tree), report_(report), files_(kFilesUnderWay) {}

  Status run(const Entry& start, const std::string& path, unsigned threads);

 private:
  Visit visit(const std::string& path, const Entry& entry);
  Status open(const TargetFolder& folder, const Entry& entry, const std::string& path);
  void work();
  Status compare(const WrittenFile& file);

  PackReader& reader_;
  const Selection selection_;
  TargetTree& tree_;
  RestoreReport& report_;
  base::BoundedQueue<WrittenFile> files_;
  struct Level {
    std::size_t path_size;
    FolderRef folder;
  };
  std::vector<Level> levels_;
};

Status Verifier::run(const Entry& start, const std::string& path, unsigned threads) {
  // Written pages go to the disk first: only then can they be dropped and read back from there.
  const SharedFd root = KURA_TRY(tree_.fd(*tree_.root()));
  if (::syncfs(root->get()) != 0) {
    return base::fail(Error::from_errno(fmt::format("cannot sync {}", tree_.target_path(*tree_.root(), "")), errno));
  }
  std::vector<std::jthread> workers;
  workers.reserve(threads);
  for (unsigned number = 0; number < threads; ++number) workers.emplace_back([this] { work(); });
  levels_.push_back({path == "/" ? 0 : path.size(), tree_.root()});
  Status status;
  if (start.type == EntryType::kFolder) {
    status = walk_tree(
        reader_, start, path,
        [this](const std::string& at, const Entry& entry) -> Result<Visit> { return visit(at, entry); },
        [](const std::string&, const Error&) {});  // told already
  } else if (start.type == EntryType::kFile && !report_.has_failed(path)) {
    if (const Status opened = open(*tree_.root(), start, path); !opened) report_.failed(path, opened.error());
  }
  files_.close();
  return status;
}

Visit Verifier::visit(const std::string& path, const Entry& entry) {
  if (report_.stopped()) return Visit::kStop;
  while (levels_.back().path_size != parent_size(path, entry)) levels_.pop_back();
  const bool is_folder = entry.type == EntryType::kFolder;
  if (selection_.excludes(path, is_folder) || report_.has_failed(path)) return Visit::kSkipFolder;
  if (is_folder) {
    Result<FolderRef> folder = tree_.find_folder(levels_.back().folder, entry.name);
    if (!folder && !selection_.includes(path, true)) return Visit::kSkipFolder;  // nothing in it was wanted
    if (!folder) {
      report_.failed(path, folder.error());
      return Visit::kSkipFolder;
    }
    levels_.push_back({path.size(), *std::move(folder)});
    return Visit::kContinue;
  }
  if (entry.type != EntryType::kFile || !selection_.includes(path, false)) return Visit::kContinue;
  if (const Status status = open(*levels_.back().folder, entry, path); !status) report_.failed(path, status.error());
  return Visit::kContinue;
}

Status Verifier::open(const TargetFolder& folder, const Entry& entry, const std::string& path) {
  WrittenFile file{.fd = {}, .source = path, .target = tree_.target_path(folder, entry.name), .contents = {}};
  file.contents = KURA_TRY(FileContents::of(reader_, entry));
  const SharedFd at = KURA_TRY(tree_.fd(folder));
  file.fd.reset(::openat(at->get(), entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.fd) return base::fail(tree_.error("read back", folder, entry.name, errno));
  static_cast<void>(files_.push(std::move(file)));
  return {};
}

void Verifier::work() {
  while (const std::optional<WrittenFile> file = files_.pop()) {
    if (report_.stopped()) continue;
    if (const Status status = compare(*file); !status) report_.failed(file->source, status.error());
  }
}

Status Verifier::compare(const WrittenFile& file) {
  const auto differs = [&] {
    return base::fail(ErrorCode::kDamaged, fmt::format("{} does not hold what the snapshot says", file.target),
                      "restore it again with --overwrite always; if that does not help, test the target's disk");
  };
  struct stat status{};
  const int fd = file.fd.get();
  if (::fstat(fd, &status) != 0) return base::fail(Error::from_errno("cannot look at " + file.target, errno));
  if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) != file.contents.size) return differs();
  static_cast<void>(::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
  static_cast<void>(::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
  base::Bytes buffer;
  std::uint64_t data_offset = 0;
  for (std::size_t number = 0; number < file.contents.ids.size(); ++number) {
    if (report_.stopped()) return {};
    buffer.resize(file.contents.sizes[number]);
    const bool read = file.contents.place(
        data_offset, base::MutableByteSpan(buffer),
        [&](std::uint64_t offset, base::MutableByteSpan part) { return read_all(fd, offset, part); });
    if (!read) return base::fail(Error::from_errno("cannot read back " + file.target, errno));
    if (!reader_.verify(file.contents.ids[number], Content::kFile, buffer)) return differs();
    data_offset += buffer.size();
    report_.bytes_verified.fetch_add(buffer.size(), std::memory_order_relaxed);
  }
  return {};
}

}  // namespace

Status verify_restored(PackReader& reader, const RestoreOptions& options, const Entry& start, const std::string& path,
                       TargetTree& tree, RestoreReport& report, unsigned threads) {
  return Verifier(reader, options, tree, report).run(start, path, threads);
}

}  // namespace kura::archive
