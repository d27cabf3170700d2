// kura dump
#include "archive/restore/dump.h"

#include <unistd.h>

#include <cerrno>
#include <memory>

#include "archive/repo/tree.h"
#include "command.h"
#include "selection.h"

namespace kura::app {

namespace {

struct DumpOptions {
  std::string what;
};

base::Status write_standard_output(base::ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(base::Error::from_errno("cannot write to standard output", errno));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

base::Result<ExitCode> run_dump(const Context& context, const DumpOptions& options) {
  if (context.options.json) {
    return base::fail(base::ErrorCode::kUsage, "dump writes a file's bytes, so there is no --json for it");
  }
  const auto repository = KURA_TRY(context.open_unlocked());
  const auto selection = KURA_TRY(OpenedSelection::open(context, repository, options.what));
  archive::PackReader reader(repository, selection.index);
  const auto entry = KURA_TRY(archive::find_entry(reader, selection.root(), selection.path));
  if (entry.type != archive::EntryType::kFile) {
    return base::fail(base::ErrorCode::kUsage, selection.path + " is not a file in that snapshot",
                      "List what is there with `kura ls`, or write a folder back with `kura restore`");
  }
  KURA_TRY(archive::dump_file(reader, entry, [&](base::ByteSpan bytes) -> base::Status {
    KURA_TRY(base::not_stopped(context.stop));
    return write_standard_output(bytes);
  }));
  return kDone;
}

}  // namespace

void add_dump(CommandTable& table) {
  auto options = std::make_shared<DumpOptions>();
  CLI::App* command = table.add("dump", "Write a file of a snapshot to standard output",
                                "Examples:\n"
                                "  kura dump latest:/etc/fstab\n"
                                "  kura dump 3f2a9c1d:/srv/db.sql | psql office",
                                [options](const Context& context) { return run_dump(context, *options); });
  command->add_option("snapshot", options->what, kSelectionHelp)->required()->type_name("SNAPSHOT:PATH");
}

}  // namespace kura::app
