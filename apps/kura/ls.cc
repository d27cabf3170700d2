// kura ls
#include <memory>

#include <fmt/format.h>

#include "archive/repo/tree.h"
#include "command.h"
#include "entry_text.h"
#include "selection.h"

namespace kura::app {

namespace {

struct LsOptions {
  std::string what;
  bool recursive = false, long_form = false;
};

base::Result<ExitCode> run_ls(const Context& context, const LsOptions& options) {
  const auto repository = KURA_TRY(context.open_unlocked());
  const auto selection = KURA_TRY(OpenedSelection::open(context, repository, options.what));
  archive::PackReader reader(repository, selection.index);
  const auto entry = KURA_TRY(archive::find_entry(reader, selection.root(), selection.path));

  context.output.gather_results();
  std::uint64_t entries = 0;
  const auto show = [&](const std::string& path, const archive::Entry& found) {
    ++entries;
    context.output.result([&] { return options.long_form ? long_line(path, found) : short_line(path, found); },
                          [&] { return entry_json(path, found); });
  };
  bool damage = false;
  if (entry.type != archive::EntryType::kFolder) {
    show(selection.path, entry);
  } else {
    KURA_TRY(archive::walk_tree(
        reader, entry, selection.path,
        [&](const std::string& path, const archive::Entry& found) -> base::Result<archive::Visit> {
          KURA_TRY(base::not_stopped(context.stop));
          show(path, found);
          return options.recursive ? archive::Visit::kContinue : archive::Visit::kSkipFolder;
        },
        [&](const std::string& path, const base::Error& error) {
          damage = true;
          context.output.problem(path, error);
        }));
  }
  context.output.object({{"type", "summary"}, {"snapshot_id", selection.snapshot.id.hex()}, {"entries", entries}});
  return damage ? kDamage : kDone;
}

}  // namespace

void add_ls(CommandTable& table) {
  auto options = std::make_shared<LsOptions>();
  CLI::App* command = table.add("ls", "List what is in a folder of a snapshot",
                                "Examples:\n"
                                "  kura ls latest:/home\n"
                                "  kura ls -lR 3f2a9c1d:/etc",
                                [options](const Context& context) { return run_ls(context, *options); });
  command->add_option("snapshot", options->what, kSelectionHelp)->required()->type_name("SNAPSHOT[:PATH]");
  command->add_flag("-R,--recursive", options->recursive, "And all below");
  command->add_flag("-l,--long", options->long_form, "With mode, owner, size and time");
}

}  // namespace kura::app
