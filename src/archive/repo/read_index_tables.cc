#include "archive/repo/read_index_tables.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "archive/repo/cache_file.h"
#include "base/parallel.h"

namespace kura::archive {
namespace {

using base::Result;
using store::ObjectInfo;

class TableFolder {
 public:
  explicit TableFolder(const Repository& repository) : repository_(repository) {
    if (repository.machine_state() && repository.write_secrets() != nullptr) {
      folder_ = repository.machine_state()->folder() + "/index";
    }
  }

  IndexTableResult table(const ObjectInfo& info) {
    const TableName name = name_of(info);
    // One that the store does not list has no size here: whether it is there, only reading it tells.
    const bool is_listed = info.size != 0;
    if (auto table = is_listed ? open(name) : nullptr) return table;
    const Index index = KURA_TRY(repository_.index(info.id));
    base::RawBuffer bytes = IndexTable::encode(name, index.packs);
    if (is_listed && write(name, bytes.span())) {
      has_written_.store(true, std::memory_order_relaxed);
      if (auto table = open(name)) return table;
    }
    return IndexTable::open(std::make_unique<PageFile>(std::move(bytes)), name);
  }

  void keep(const ObjectInfo& written, std::span<const IndexedPack> packs) const {
    if (folder_.empty()) return;
    const TableName name = name_of(written);
    write(name, IndexTable::encode(name, packs).span());
  }

  // Only after a new one came, which is when old ones go, or when backups have left many: a twin, which has the same
  // state, may be behind, and its reader is not to take away what the next backup needs.
  void tidy(std::span<const ObjectInfo> listed) const {
    if (folder_.empty()) return;
    if (!has_written_.load(std::memory_order_relaxed) && file_count() <= 2 * listed.size() + kFew) return;
    std::unordered_set<std::string> names;
    for (const ObjectInfo& info : listed) names.insert(info.id.hex());
    tidy_cache_folder(folder_, [&](std::string_view name) { return names.contains(std::string(name)); });
  }

 private:
  TableName name_of(const ObjectInfo& info) const {
    return {.config = repository_.config_id(), .index = info.id, .size = info.size};
  }
  std::size_t file_count() const {
    std::error_code error;
    std::size_t count = 0;
    for (std::filesystem::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) ++count;
    return count;
  }
  std::string path_of(const TableName& name) const { return folder_ + "/" + name.index.hex(); }

  std::shared_ptr<IndexTable> open(const TableName& name) const {
    if (folder_.empty()) return nullptr;
    const auto make_again = [&repository = repository_, name]() -> std::optional<base::RawBuffer> {
      const Result<Index> index = repository.index(name.index);
      if (!index) return std::nullopt;  // what is not to be had shows when its chunks are asked for
      return IndexTable::encode(name, index->packs);
    };
    return IndexTable::open(PageFile::open(path_of(name), make_again), name);
  }

  bool write(const TableName& name, base::ByteSpan bytes) const {
    if (folder_.empty()) return false;
    ::mkdir(folder_.c_str(), 0700);  // if it is not there, writing fails
    const base::ByteSpan parts[] = {bytes};
    return write_cache_file(path_of(name), parts);
  }

  static constexpr std::size_t kFew = 16;

  const Repository& repository_;
  std::string folder_;  // empty: tables are not kept
  std::atomic<bool> has_written_ = false;
};

}  // namespace

Result<std::vector<IndexTableResult>> read_index_tables(const Repository& repository,
                                                        std::span<const ObjectInfo> wanted,
                                                        std::span<const ObjectInfo> listed,
                                                        const std::stop_token& stop) {
  TableFolder folder(repository);
  std::vector<IndexTableResult> tables(wanted.size());
  const unsigned threads = std::max(base::thread_count(0), repository.store().requests_at_once());
  KURA_TRY(base::each_on_threads(wanted.size(), threads, [&](std::size_t i) -> base::Status {
    KURA_TRY(base::not_stopped(stop));
    tables[i] = folder.table(wanted[i]);
    return {};
  }));
  folder.tidy(listed);
  return tables;
}

void keep_index_table(const Repository& repository, const ObjectInfo& written, std::span<const IndexedPack> packs) {
  TableFolder(repository).keep(written, packs);
}

}  // namespace kura::archive
