#include "selection.h"

#include <fmt/format.h>

namespace kura::app {

namespace {

base::Result<archive::SnapshotList> read_list(const Context& context, const archive::Repository& repository) {
  auto list = KURA_TRY(repository.snapshots());
  warn_of(context, list.damaged, " is left out");
  return list;
}

}  // namespace

base::Result<Selection> Selection::parse(std::string_view text) {
  Selection selection;
  const auto colon = text.find(':');
  selection.snapshot = std::string(text.substr(0, colon));
  if (selection.snapshot.empty()) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("'{}' names no snapshot", text),
                      "Write SNAPSHOT or SNAPSHOT:/path, for example latest:/etc");
  }
  if (colon == std::string_view::npos) return selection;
  selection.path = std::string(text.substr(colon + 1));
  if (!selection.path.starts_with('/')) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("the path in '{}' is not absolute", text),
                      "Paths in a snapshot begin with '/', for example latest:/etc");
  }
  while (selection.path.size() > 1 && selection.path.ends_with('/')) selection.path.pop_back();
  return selection;
}

base::Result<archive::StoredSnapshot> Selection::find(const Context& context,
                                                      const archive::Repository& repository) const {
  return archive::find_snapshot(KURA_TRY(read_list(context, repository)), snapshot);
}

void warn_of(const Context& context, const std::vector<archive::DamagedObject>& damaged, std::string_view consequence) {
  for (const auto& object : damaged) {
    context.output.warning(fmt::format("{} {}{}: {}", store::name_of(object.kind), object.id.hex().substr(0, 8),
                                       consequence, object.error.text()));
  }
}

base::Result<OpenedSelection> OpenedSelection::open(const Context& context, const archive::Repository& repository,
                                                    std::string_view what) {
  const auto selection = KURA_TRY(Selection::parse(what));
  return open(context, repository, KURA_TRY(selection.find(context, repository)), selection.path);
}

base::Result<OpenedSelection> OpenedSelection::open(const Context& context, const archive::Repository& repository,
                                                    archive::StoredSnapshot snapshot, std::string path) {
  std::vector<archive::DamagedObject> damaged;
  auto index = KURA_TRY(archive::load_index(repository, snapshot, damaged));
  warn_of(context, damaged);
  return OpenedSelection{std::move(snapshot), std::move(index), std::move(path)};
}

base::Result<std::vector<archive::StoredSnapshot>> list_snapshots(const Context& context,
                                                                  const archive::Repository& repository) {
  return KURA_TRY(read_list(context, repository)).snapshots;
}

}  // namespace kura::app
