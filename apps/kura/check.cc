// kura check
#include "archive/upkeep/check.h"

#include <charconv>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "base/human.h"
#include "command.h"

namespace kura::app {

namespace {

struct CheckOptions {
  std::string read_data;
  unsigned threads = 0;
};

// "" all, "10%" a share by chance, "0" nothing but the small objects.
base::Result<double> parse_share(std::string_view text) {
  if (text.empty()) return 1.0;
  const bool percent = text.ends_with('%');
  const std::string_view number = percent ? text.substr(0, text.size() - 1) : text;
  double value = 0;
  const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), value);
  const double share = percent ? value / 100 : value;
  if (problem != std::errc() || end != number.data() + number.size() || std::isnan(share) || share < 0 || share > 1) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("--read-data={} is no share of the data", text),
                      "Write a percentage such as --read-data=10%, or a number from 0 to 1");
  }
  return share;
}

boost::json::object to_json(const archive::CheckFinding& finding) {
  boost::json::array snapshots;
  for (const auto& id : finding.snapshots) snapshots.emplace_back(id.hex());
  return {{"type", "error"},
          {"path", json_text(fmt::format("{}/{}", store::folder_of(finding.kind), finding.id.hex()))},
          {"message", json_text(finding.error.message())},
          {"code", base::name_of(finding.error.code())},
          {"snapshots", std::move(snapshots)}};
}

boost::json::object to_json(const archive::CheckSummary& summary) {
  return {{"type", "summary"},
          {"objects", summary.objects},
          {"bytes_read", summary.bytes_read},
          {"snapshots", summary.snapshots},
          {"packs", summary.packs},
          {"indexes", summary.indexes},
          {"keys", summary.keys},
          {"chunks_opened", summary.chunks_opened},
          {"orphan_packs", summary.orphan_packs},
          {"packs_replaced", summary.packs_replaced},
          {"errors", summary.findings},
          {"opened", summary.opened},
          {"seconds", summary.seconds}};
}

void report(Output& output, const archive::CheckFinding& finding) {
  if (output.json()) return output.object(to_json(finding));
  std::string suffering;
  for (const auto& id : finding.snapshots) suffering += (suffering.empty() ? "" : ", ") + id.hex().substr(0, 8);
  if (!suffering.empty()) suffering = "; snapshots that need it: " + suffering;
  output.line(fmt::format("DAMAGED {}{}", finding.error.text(), suffering));
}

base::Result<ExitCode> run_check(const Context& context, const CheckOptions& options) {
  const archive::CheckOptions job{.read_data = KURA_TRY(parse_share(options.read_data)), .threads = options.threads};
  auto repository = KURA_TRY(context.open_repository());
  KURA_TRY(context.unlock_if_given(repository));
  base::Progress progress;
  auto summary = [&] {
    ProgressLine line(context.output, progress, "checking");
    return archive::run_check(
        repository, job, progress, [&](const archive::CheckFinding& finding) { report(context.output, finding); },
        context.stop);
  }();
  if (!summary) return base::fail(std::move(summary).error());
  if (summary->packs_replaced > 0) {
    context.output.warning(fmt::format(
        "missing: {} that snapshots name, but what the snapshots need of them is stored again in other packs: "
        "nothing is lost of it",
        base::human_count(summary->packs_replaced, "pack")));
  }
  context.output.object(to_json(*summary));
  context.output.note(
      fmt::format("  {}, {}, {}, {}; {} read in {}{}", base::human_count(summary->snapshots, "snapshot"),
                  base::human_count(summary->packs, "pack"), base::human_count(summary->indexes, "index"),
                  base::human_count(summary->keys, "key"), base::human_size(summary->bytes_read),
                  base::human_duration(summary->seconds),
                  summary->opened ? fmt::format("; {} opened", base::human_count(summary->chunks_opened, "chunk"))
                                  : "; without the recovery key: nothing was opened"));
  context.output.line(summary->findings == 0 ? std::string("no errors were found")
                                             : fmt::format("{} found", base::human_count(summary->findings, "ERROR")));
  return summary->findings == 0 ? kDone : kDamage;
}

}  // namespace

void add_check(CommandTable& table) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command =
      table.add("check", "Prove the repository whole; with the recovery key also open everything",
                "Examples:\n"
                "  kura check                       every stored byte against its name, no passphrase needed\n"
                "  kura check --passphrase-file p   and every chunk opened and compared\n"
                "  kura check --read-data=5%        of the packs only a share, chosen by chance\n"
                "\n"
                "The recovery key is used when it is given by a file or the environment; it is not asked for.",
                [options](const Context& context) { return run_check(context, *options); });
  command->add_option("--read-data", options->read_data, "Share of the packs to read: 0 to 1, or a percentage (all)")
      ->expected(0, 1)
      ->type_name("SUBSET");
  add_threads(command, options->threads);
}

}  // namespace kura::app
