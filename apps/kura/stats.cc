// kura stats
#include "archive/upkeep/stats.h"

#include <fmt/format.h>

#include "base/human.h"
#include "command.h"

namespace kura::app {

namespace {

boost::json::value or_null(const std::optional<std::uint64_t>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

base::Result<ExitCode> run_stats(const Context& context) {
  auto repository = KURA_TRY(context.open_repository());
  if (repository.write_secrets() == nullptr) KURA_TRY(context.unlock_if_given(repository));
  const auto stats = KURA_TRY(archive::collect_stats(repository));
  context.output.object({{"type", "summary"},
                         {"snapshots", stats.snapshots},
                         {"packs", stats.packs},
                         {"indexes", stats.indexes},
                         {"pack_bytes", stats.pack_bytes},
                         {"index_bytes", stats.index_bytes},
                         {"snapshot_bytes", stats.snapshot_bytes},
                         {"parity_shards", stats.parity},
                         {"parity_bytes", stats.parity_bytes},
                         {"packs_unused", stats.packs_unused},
                         {"bytes_unused", stats.bytes_unused},
                         {"chunks", or_null(stats.chunks)},
                         {"chunk_bytes", or_null(stats.chunk_bytes)},
                         {"logical_bytes", or_null(stats.logical_bytes)}});
  using base::human_count;
  using base::human_size;
  context.output.line(fmt::format("snapshots  {}", human_count(stats.snapshots)));
  if (stats.logical_bytes)
    context.output.line(fmt::format("files      {} in all snapshots together", human_size(*stats.logical_bytes)));
  if (stats.chunks) {
    context.output.line(fmt::format("chunks     {}, {} before compression", human_count(*stats.chunks),
                                    human_size(*stats.chunk_bytes)));
  }
  context.output.line(fmt::format("packs      {}, {}; in no snapshot: {}, {}", human_count(stats.packs),
                                  human_size(stats.pack_bytes), human_count(stats.packs_unused),
                                  human_size(stats.bytes_unused)));
  context.output.line(fmt::format("indexes    {}, {}", human_count(stats.indexes), human_size(stats.index_bytes)));
  if (stats.parity > 0) {
    context.output.line(
        fmt::format("parity     {}, {}", human_count(stats.parity, "shard"), human_size(stats.parity_bytes)));
  }
  return kDone;
}

}  // namespace

void add_stats(CommandTable& table) {
  table.add("stats", "Show sizes: files, chunks, what is stored, what no snapshot needs",
            "Example:\n  kura stats --json", run_stats);
}

}  // namespace kura::app
