// kura find
#include "archive/restore/find.h"

#include <memory>

#include <fmt/format.h>

#include "command.h"
#include "entry_text.h"
#include "selection.h"

namespace kura::app {

namespace {

struct FindOptions {
  std::string pattern;
  std::string snapshot;
  bool long_form = false;
};

base::Result<std::vector<archive::StoredSnapshot>> wanted_snapshots(const Context& context,
                                                                    const archive::Repository& repository,
                                                                    const FindOptions& options) {
  auto all = KURA_TRY(list_snapshots(context, repository));
  if (options.snapshot.empty()) return all;
  const archive::SnapshotList list{.snapshots = std::move(all), .damaged = {}};
  return std::vector{KURA_TRY(archive::find_snapshot(list, options.snapshot))};
}

base::Result<ExitCode> run_find(const Context& context, const FindOptions& options) {
  archive::Finder finder(KURA_TRY(base::Glob::create(options.pattern)));
  const auto repository = KURA_TRY(context.open_unlocked());
  const auto snapshots = KURA_TRY(wanted_snapshots(context, repository, options));
  context.output.gather_results();
  std::uint64_t entries = 0;
  bool damage = false;
  for (const auto& stored : snapshots) {
    const auto selection = KURA_TRY(OpenedSelection::open(context, repository, stored, "/"));
    archive::PackReader reader(repository, selection.index);
    const auto show = [&](const std::string& path, const archive::Entry& entry) -> base::Status {
      KURA_TRY(base::not_stopped(context.stop));
      ++entries;
      context.output.result(
          [&] {
            return fmt::format("{}:{}", stored.id.hex().substr(0, 8),
                               options.long_form ? long_line(path, entry) : short_line(path, entry));
          },
          [&] {
            boost::json::object value = entry_json(path, entry);
            value["snapshot_id"] = stored.id.hex();
            return value;
          });
      return {};
    };
    KURA_TRY(finder.search(reader, selection.root(), show, [&](const std::string& path, const base::Error& error) {
      damage = true;
      context.output.problem(path, error);
    }));
  }
  context.output.object({{"type", "summary"}, {"snapshots", snapshots.size()}, {"entries", entries}});
  if (entries == 0) context.output.note("nothing found");
  return damage ? kDamage : kDone;
}

}  // namespace

void add_find(CommandTable& table) {
  auto options = std::make_shared<FindOptions>();
  CLI::App* command =
      table.add("find", "Find names or paths in all snapshots, or in one",
                "Examples:\n"
                "  kura find '*.docx'\n"
                "  kura find -l '/srv/**/report*' --snapshot latest\n"
                "\n"
                "Each line is SNAPSHOT:PATH, as restore and dump take it. Patterns as in `kura backup --help`.",
                [options](const Context& context) { return run_find(context, *options); });
  command->add_option("pattern", options->pattern, "What to look for")->required()->type_name("PATTERN");
  command->add_option("--snapshot", options->snapshot, "Only in this one: id, latest or clean")->type_name("SNAPSHOT");
  command->add_flag("-l,--long", options->long_form, "With mode, owner, size and time");
}

}  // namespace kura::app
