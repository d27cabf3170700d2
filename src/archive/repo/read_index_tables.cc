#include "archive/repo/read_index_tables.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
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
    const TableName name{.config = repository_.config_id(), .index = info.id, .size = info.size};
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

  // Only after a new one came, which is when old ones go.
  void tidy(std::span<const ObjectInfo> listed) const {
    if (!has_written_.load(std::memory_order_relaxed)) return;
    std::unordered_set<std::string> names;
    for (const ObjectInfo& info : listed) names.insert(info.id.hex());
    tidy_cache_folder(folder_, [&](std::string_view name) { return names.contains(std::string(name)); });
  }

 private:
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

}  // namespace kura::archive
