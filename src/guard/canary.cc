#include "guard/canary.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "detect/inspect/folder_walk.h"

namespace kura::guard {
namespace {

constexpr std::uint64_t kMostBytes = 1U << 20;
constexpr std::uint64_t kLeastBytes = 64;

struct Model {
  std::string name;
  std::string contents;
  detect::Version version;
};

std::optional<std::string> contents_of(const Share& share, const std::string& path, std::uint64_t size) {
  const auto fd = share.open_file(path);
  if (!fd) return std::nullopt;
  std::string contents(size, '\0');
  const ssize_t got = ::pread(fd->get(), contents.data(), contents.size(), 0);
  if (got < 0 || static_cast<std::uint64_t>(got) != size) return std::nullopt;
  return contents;
}

detect::Version version_of(detect::ContentsJudge& judge, const std::string& contents, const std::string& name) {
  return judge.judge({.fd = -1, .size = contents.size(), .bytes = base::as_bytes(contents)}, name);
}

// The folder's first file that is whole.
std::optional<Model> model_in(detect::ContentsJudge& judge, const Share& share, const std::string& folder,
                              const std::vector<detect::FoundFile>& files) {
  for (const detect::FoundFile& file : files) {
    if (file.size < kLeastBytes || file.size > kMostBytes) continue;
    auto contents = contents_of(share, detect::joined(folder, file.name), file.size);
    if (!contents) continue;
    detect::Version version = version_of(judge, *contents, file.name);
    if (version.judgement.verdict != detect::Verdict::kValid || version.judgement.kind.empty()) continue;
    return Model{file.name, *std::move(contents), std::move(version)};
  }
  return std::nullopt;
}

bool is_text(const std::string& kind) { return kind.contains("text") || kind == "csv"; }

base::Status write_canary(detect::ContentsJudge& judge, const Share& share, Memory& memory, const std::string& path,
                          const std::string& like, const std::string& contents) {
  const base::UniqueFd fd = KURA_TRY(share.open_file(path, O_RDWR | O_CREAT | O_EXCL));
  if (const auto facts = share.look_at(like)) {
    [[maybe_unused]] const int owned = ::fchown(fd.get(), facts->st_uid, facts->st_gid);
    ::fchmod(fd.get(), facts->st_mode & 0777);
  }
  // Marked before it has contents: one that a crash left can be told from somebody's own.
  if (::fsetxattr(fd.get(), kCanaryMark, "1", 1, 0) != 0) {
    const int number = errno;
    ::unlinkat(share.root(), path.c_str(), 0);
    return base::fail(base::Error::from_errno("cannot mark the canary " + path, number)
                          .with_hint("canaries need a file system with extended attributes"));
  }
  ::fsetxattr(fd.get(), "user.DOSATTRIB", "0x2", 4, 0);  // hidden, as Samba keeps it
  if (::write(fd.get(), contents.data(), contents.size()) != static_cast<ssize_t>(contents.size())) {
    return base::fail(base::Error::from_errno("cannot write the canary " + path, errno));
  }
  memory.set_canary(path, true);
  struct stat facts{};
  if (::fstat(fd.get(), &facts) == 0) {
    Remembered remembered{
        .version = version_of(judge, contents, path), .inode = facts.st_ino, .modified = modified_ns(facts), .gone = 0};
    memory.remember(path, remembered);
  }
  return {};
}

}  // namespace

std::vector<std::string> canary_names(const std::string& name) { return {"00 " + name, "zz " + name}; }

std::string changed_copy(detect::ContentsJudge& judge, const std::string& contents, bool text) {
  if (!text) return contents;
  std::vector<std::string_view> lines;
  for (std::string_view rest = contents; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    lines.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  if (lines.size() < 2 || !contents.ends_with('\n')) return contents;
  std::ranges::rotate(lines, lines.begin() + static_cast<std::ptrdiff_t>(lines.size() / 2));
  std::string changed;
  for (const std::string_view line : lines) changed += line;
  return version_of(judge, changed, "x.txt").judgement.verdict == detect::Verdict::kValid ? changed : contents;
}

base::Result<CanaryCounts> place_canaries(detect::ContentsJudge& judge, const Share& share, Memory& memory,
                                          const std::stop_token& stop) {
  CanaryCounts counts;
  const std::set<std::string> known = memory.canaries();
  const auto in_folder = [&](const std::string& folder, const std::vector<detect::FoundFile>& files) -> base::Status {
    KURA_TRY(base::not_stopped(stop));
    std::vector<detect::FoundFile> own;
    for (const detect::FoundFile& file : files) {
      known.contains(detect::joined(folder, file.name)) ? static_cast<void>(++counts.kept) : own.push_back(file);
    }
    if (own.size() != files.size()) return {};
    const auto model = model_in(judge, share, folder, own);
    if (!model) return {};
    ++counts.folders;
    const std::string contents = changed_copy(judge, model->contents, is_text(model->version.judgement.kind));
    for (const std::string& name : canary_names(model->name)) {
      const auto written = write_canary(judge, share, memory, detect::joined(folder, name),
                                        detect::joined(folder, model->name), contents);
      if (written) {
        ++counts.placed;
      } else if (written.error().code() != base::ErrorCode::kExists) {
        return base::fail(written.error());
      }
    }
    return {};
  };
  KURA_TRY(detect::walk_folders(share.unseen(), in_folder, [](const std::string&, const base::Error&) {}));
  memory.flush();
  return counts;
}

std::uint64_t remove_canaries(const Share& share, Memory& memory) {
  std::uint64_t count = 0;
  for (const std::string& path : memory.canaries()) {
    memory.set_canary(path, false);
    const auto fd = share.open_file(path);
    if (!fd || ::fgetxattr(fd->get(), kCanaryMark, nullptr, 0) < 0) continue;
    if (::unlinkat(share.root(), path.c_str(), 0) != 0) continue;
    memory.bury(path, 1);
    ++count;
  }
  memory.flush();
  return count;
}

}  // namespace kura::guard
