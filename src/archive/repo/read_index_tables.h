// The tables of index objects, kept as files in the machine's state: what was once fetched, proven by its name, opened
// and sorted is not again. Index objects never change, so a table holds for ever; it is used only while the store lists
// its index, with the size that it had. That the object's bytes are still what they were is `kura check`'s question.
//
//   STATE/<config id>/index/<index id>: index_table.h
//
// The names of files, and their sizes, are what everybody sees in the repository; chunk ids and sizes are what the
// machine's key opens, which lies beside them.
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "archive/repo/index_table.h"
#include "archive/repo/repository.h"

namespace kura::archive {

using IndexTableResult = base::Result<std::shared_ptr<IndexTable>>;

// Of each of `wanted`, in their order, on all cores; errors as of Repository::index(). Where there is no table yet one
// is written, if it can be. Then, and when many have gathered, those of indexes that are not among `listed`,
// which is all that the store has, are removed. Without a state folder, or the catalog key, tables are in memory. The
// whole fails when it is stopped. `repository` outlives the tables. Costs about 0.1 ms and 25 bytes a pack for a table
// that is there, else about 0.6 us a chunk.
base::Result<std::vector<IndexTableResult>> read_index_tables(const Repository& repository,
                                                              std::span<const store::ObjectInfo> wanted,
                                                              std::span<const store::ObjectInfo> listed,
                                                              const std::stop_token& stop = {});

// Keeps the table of an index object of `packs` that was just written, so that nobody has to fetch, open and sort it
// again: most of what the first look into a new snapshot would cost. Nothing where tables are not kept.
void keep_index_table(const Repository& repository, const store::ObjectInfo& written,
                      std::span<const IndexedPack> packs);

}  // namespace kura::archive
