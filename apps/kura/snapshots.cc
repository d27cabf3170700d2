// kura snapshots
#include <memory>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/human.h"
#include "base/time.h"
#include "command.h"
#include "selection.h"

namespace kura::app {

namespace {

struct SnapshotsOptions {
  std::string host, tag;
};

boost::json::array json_texts(const std::vector<std::string>& texts) {
  boost::json::array array;
  for (const auto& text : texts) array.emplace_back(json_text(text));
  return array;
}

boost::json::object to_json(const archive::StoredSnapshot& stored) {
  const auto& snapshot = stored.snapshot;
  boost::json::object value{{"type", "snapshot"}, {"id", stored.id.hex()}};
  value["parent"] = snapshot.before.is_zero() ? boost::json::value(nullptr) : boost::json::value(snapshot.before.hex());
  value["number"] = snapshot.number;
  value["machine"] = base::to_hex(snapshot.machine);
  value["time"] = base::format_rfc3339(snapshot.started);
  value["received"] = base::format_rfc3339(stored.received);
  // What only the label tells is null when it could not be opened.
  const auto& label = snapshot.label;
  value["host"] = label ? boost::json::value(json_text(label->host)) : nullptr;
  value["paths"] = label ? boost::json::value(json_texts(label->paths)) : nullptr;
  value["tags"] = label ? boost::json::value(json_texts(label->tags)) : nullptr;
  value["files"] = label ? boost::json::value(label->counts.files) : nullptr;
  value["bytes"] = label ? boost::json::value(label->counts.bytes) : nullptr;
  value["verdict"] = label ? boost::json::value(archive::name_of(label->verdict)) : nullptr;
  value["locked_until"] = nullptr;  // locks are a vault's; a folder has none
  return value;
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : std::string(separator)) + base::printable(text);
  return all;
}

void print(Output& output, const std::vector<archive::StoredSnapshot>& snapshots) {
  output.line(fmt::format("{:<8}  {:<20}  {:<12} {:>9} {:>11}  {:<8}  {}", "ID", "TIME (UTC)", "HOST", "FILES", "SIZE",
                          "VERDICT", "PATHS"));
  for (const auto& stored : snapshots) {
    const auto& label = stored.snapshot.label;
    const std::string tags = label && !label->tags.empty() ? fmt::format("  [{}]", joined(label->tags, ", ")) : "";
    output.line(fmt::format("{:<8}  {:<20}  {:<12} {:>9} {:>11}  {:<8}  {}{}", stored.id.hex().substr(0, 8),
                            base::format_rfc3339(stored.snapshot.started), label ? base::printable(label->host) : "-",
                            label ? base::human_count(label->counts.files) : "-",
                            label ? base::human_size(label->counts.bytes) : "-",
                            label ? archive::name_of(label->verdict) : "-",
                            label ? joined(label->paths, " ") : "(no key here to read the label)", tags));
  }
}

bool wanted(const archive::StoredSnapshot& stored, const SnapshotsOptions& options) {
  const auto& label = stored.snapshot.label;
  if (!options.host.empty() && (!label || label->host != options.host)) return false;
  if (options.tag.empty()) return true;
  return label && std::find(label->tags.begin(), label->tags.end(), options.tag) != label->tags.end();
}

base::Result<ExitCode> run_snapshots(const Context& context, const SnapshotsOptions& options) {
  auto repository = KURA_TRY(context.open_repository());
  if (repository.write_secrets() == nullptr) KURA_TRY(context.unlock_if_given(repository));
  auto snapshots = KURA_TRY(list_snapshots(context, repository));
  std::erase_if(snapshots, [&](const auto& stored) { return !wanted(stored, options); });
  context.output.gather_results();
  if (context.output.json()) {
    for (const auto& stored : snapshots) context.output.object(to_json(stored));
    context.output.object({{"type", "summary"}, {"snapshots", snapshots.size()}});
  } else if (snapshots.empty()) {
    context.output.note("no snapshots");
  } else {
    print(context.output, snapshots);
  }
  return kDone;
}

}  // namespace

void add_snapshots(CommandTable& table) {
  auto options = std::make_shared<SnapshotsOptions>();
  CLI::App* command = table.add("snapshots", "List snapshots, oldest first, with verdicts",
                                "Examples:\n"
                                "  kura snapshots\n"
                                "  kura snapshots --tag before-update --json",
                                [options](const Context& context) { return run_snapshots(context, *options); });
  command->add_option("--host", options->host, "Only of this host")->type_name("NAME");
  command->add_option("--tag", options->tag, "Only with this tag")->type_name("TAG");
}

}  // namespace kura::app
