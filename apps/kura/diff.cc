// kura diff
#include "archive/restore/diff.h"

#include <memory>

#include <fmt/format.h>

#include "command.h"
#include "entry_text.h"
#include "selection.h"

namespace kura::app {

namespace {

struct DiffOptions {
  std::string before, after;
  bool metadata = false;
};

char sign(archive::Change change) {
  switch (change) {
    case archive::Change::kAdded:
      return '+';
    case archive::Change::kRemoved:
      return '-';
    case archive::Change::kContent:
      return 'M';
    case archive::Change::kMetadata:
      return 'm';
    case archive::Change::kType:
      return 'T';
  }
  return '?';
}

base::Result<archive::ContentRef> folder_content(archive::PackReader& reader, const OpenedSelection& side) {
  const auto entry = KURA_TRY(archive::find_entry(reader, side.root(), side.path));
  if (entry.type == archive::EntryType::kFolder) return entry.content;
  return base::fail(base::ErrorCode::kUsage, side.path + " is not a folder in that snapshot",
                    "diff compares folders; for one file compare what `kura dump` gives");
}

base::Result<ExitCode> run_diff(const Context& context, const DiffOptions& options) {
  const auto repository = KURA_TRY(context.open_unlocked());
  const auto before = KURA_TRY(OpenedSelection::open(context, repository, options.before));
  const auto after = KURA_TRY(OpenedSelection::open(context, repository, options.after));
  archive::PackReader before_reader(repository, before.index);
  archive::PackReader after_reader(repository, after.index);
  const auto before_root = KURA_TRY(folder_content(before_reader, before));
  const auto after_root = KURA_TRY(folder_content(after_reader, after));

  context.output.gather_results();
  std::map<archive::Change, std::uint64_t> counts;
  const auto show = [&](const archive::Difference& difference) -> base::Status {
    KURA_TRY(base::not_stopped(context.stop));
    if (difference.change == archive::Change::kMetadata && !options.metadata) return {};
    ++counts[difference.change];
    const archive::Entry& entry = difference.after ? *difference.after : *difference.before;
    context.output.result(
        [&] { return fmt::format("{} {}", sign(difference.change), short_line(difference.path, entry)); },
        [&] {
          boost::json::object value = entry_json(difference.path, entry);
          value["type"] = "difference";
          value["change"] = archive::name_of(difference.change);
          return value;
        });
    return {};
  };
  KURA_TRY(archive::diff_trees(before_reader, before_root, after_reader, after_root, after.path, show));
  using archive::Change;
  context.output.object({{"type", "summary"},
                         {"added", counts[Change::kAdded]},
                         {"removed", counts[Change::kRemoved]},
                         {"modified", counts[Change::kContent]},
                         {"metadata", counts[Change::kMetadata]},
                         {"type_changed", counts[Change::kType]}});
  context.output.note(fmt::format("{} added, {} removed, {} modified", counts[Change::kAdded], counts[Change::kRemoved],
                                  counts[Change::kContent] + counts[Change::kType]));
  return kDone;
}

}  // namespace

void add_diff(CommandTable& table) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* command =
      table.add("diff", "Show what differs between two snapshots",
                "Examples:\n"
                "  kura diff 3f2a9c1d latest\n"
                "  kura diff --metadata 3f2a9c1d:/etc latest:/etc\n"
                "\n"
                "+ added, - removed, M contents differ, T type differs, m only mode, owner or time differ",
                [options](const Context& context) { return run_diff(context, *options); });
  command->add_option("before", options->before, kSelectionHelp)->required()->type_name("SNAPSHOT[:PATH]");
  command->add_option("after", options->after, "The same, for the later one")->required()->type_name("SNAPSHOT[:PATH]");
  command->add_flag("--metadata", options->metadata, "Also where only mode, owner, time or attributes differ");
}

}  // namespace kura::app
