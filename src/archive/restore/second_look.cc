#include "archive/restore/second_look.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "archive/format/judged.h"
#include "archive/restore/dump.h"
#include "base/unique_fd.h"

namespace kura::archive {
namespace {

using base::Result;
using base::Status;

// A file's contents where a confined process can read them.
struct Loaded {
  base::UniqueFd fd;
  std::uint64_t size = 0;

  detect::Contents contents() const { return {.fd = fd.get(), .size = size, .bytes = {}}; }
};

Status append(int fd, base::ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return base::fail(base::Error::from_errno("cannot keep a version of a file in memory", errno));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<Loaded> load(const SecondLook::Side& side) {
  Loaded loaded{.fd = base::UniqueFd(::memfd_create("kura-version", MFD_CLOEXEC)), .size = side.file.size};
  if (!loaded.fd) return base::fail(base::Error::from_errno("cannot keep a version of a file in memory", errno));
  KURA_TRY(dump_file(side.reader, side.file, [&](base::ByteSpan part) { return append(loaded.fd.get(), part); }));
  return loaded;
}

std::string name_of_contents(const Entry& file) {
  std::string name = std::to_string(file.size) + " " + std::to_string(file.content.depth);
  for (const ChunkId& id : file.content.ids) name += id.hex();
  if (!file.extents) return name;
  for (const Extent& extent : *file.extents)
    name += " " + std::to_string(extent.gap) + "+" + std::to_string(extent.size);
  return name;
}

}  // namespace

const std::string& SecondLook::compare(const Side& before, const Side& after, const std::string& path) {
  const auto [known, is_new] = known_.try_emplace({name_of_contents(before.file), name_of_contents(after.file)});
  if (is_new) known->second = judged(before, after, path);
  return known->second;
}

std::string SecondLook::judged(const Side& before, const Side& after, const std::string& path) const {
  if (before.file.size > kLargest || after.file.size > kLargest) return {};
  const auto was = load(before);
  const auto is = load(after);
  if (!was || !is) return {};
  if (progress_ != nullptr) {
    ++progress_->files_done;
    progress_->bytes_done += was->size + is->size;
  }
  const std::array<detect::NamedContents, 2> both = {{{was->contents(), path}, {is->contents(), path}}};
  const std::vector<detect::Version> versions = judge_.judge(both);
  const detect::Judgement judgement =
      judge_.judge_change(versions[0], both[0].contents, versions[1], both[1].contents, path);
  return judgement.verdict == detect::Verdict::kBroken ? evidence_of(judgement) : std::string();
}

bool SecondLook::is_coded(const Side& file, const std::string& path) const {
  if (file.file.size > kLargest) return false;
  const auto loaded = load(file);
  return loaded && judge_.judge(loaded->contents(), path).coded_size > 0;
}

}  // namespace kura::archive
