// kura init
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <memory>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/upkeep/key_change.h"
#include "base/host.h"
#include "base/human.h"
#include "command.h"
#include "key_file.h"
#include "passphrase.h"
#include "store/store.h"

namespace kura::app {

namespace {

struct InitOptions {
  std::string recovery_key_out;
  std::string host;
  const CLI::Option* parity = nullptr;
  std::string parity_policy;
};

// "" the default, or "K+M".
base::Result<archive::ParityPolicy> parse_parity(std::string_view text) {
  if (text.empty()) return archive::ParityPolicy{};
  unsigned packs = 0, shards = 0;
  const char* const end = text.data() + text.size();
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): `end` is its size
  const auto [plus, bad_packs] = std::from_chars(text.data(), end, packs);
  const bool has_plus = bad_packs == std::errc() && plus != end && *plus == '+';
  const auto [rest, bad_shards] = has_plus ? std::from_chars(plus + 1, end, shards) : std::from_chars_result{end, {}};
  const bool in_bounds =
      packs >= 1 && packs <= archive::kParityColumnLimit && shards >= 1 && shards <= archive::kParityShardLimit;
  if (has_plus && bad_shards == std::errc() && rest == end && in_bounds) {
    return archive::ParityPolicy{.columns = static_cast<std::uint8_t>(packs),
                                 .shards = static_cast<std::uint8_t>(shards)};
  }
  return base::fail(base::ErrorCode::kUsage, fmt::format("--parity={} is not how much parity there can be", text),
                    fmt::format("Write K+M: any M of K packs can be lost; K from 1 to {}, M from 1 to {}, such as 16+2",
                                archive::kParityColumnLimit, archive::kParityShardLimit));
}

base::Result<archive::Repository> create(const Context& context, const InitOptions& options,
                                         const std::optional<archive::ParityPolicy>& parity) {
  archive::Repository::NewRepository how{
      .state_folder = context.state_folder(),
      .machine_label = options.host.empty() ? base::host_name() : options.host,
      .passphrase = std::nullopt,
      .parity = parity,
  };
  if (options.recovery_key_out.empty()) {
    const auto passphrase =
        KURA_TRY(find_new_passphrase(context.options.passphrase_file, "KURA_PASSPHRASE_FILE", "KURA_PASSPHRASE",
                                     "New passphrase for the recovery key: ", context.stop));
    how.passphrase = std::string(passphrase.text());
  }
  std::shared_ptr<store::Store> store =
      KURA_TRY(store::create_store(context.options.repository, context.store_options()));
  return archive::Repository::create(std::move(store), how);
}

std::string policy_text(const archive::ParityPolicy& parity) {
  return fmt::format("{}+{}", parity.columns, parity.shards);
}

base::Result<ExitCode> run_init(const Context& context, const InitOptions& options) {
  KURA_TRY(context.need_repository_name());
  std::optional<archive::ParityPolicy> wanted_parity;
  if (options.parity->count() > 0) wanted_parity = KURA_TRY(parse_parity(options.parity_policy));
  // Made before the repository, so that no repository is ever left without a key that opens it.
  std::optional<KeyFile> key_file;
  if (!options.recovery_key_out.empty()) key_file = KURA_TRY(KeyFile::create(options.recovery_key_out));
  const auto repository = KURA_TRY(create(context, options, wanted_parity));
  if (key_file) {
    const std::string text = KURA_TRY(archive::export_recovery_key(repository));
    if (auto written = key_file->write(text); !written) {
      // Nothing is in it yet, and nobody could ever read what came in.
      KURA_TRY(repository.store().remove(store::Kind::kConfig, repository.config_id()));
      return base::fail(std::move(written).error());
    }
  }
  const auto& parity = repository.config().parity;
  context.output.object({{"type", "summary"},
                         {"repository", json_text(repository.store().describe())},
                         {"config_id", repository.config_id().hex()},
                         {"recovery_key", key_file ? "file" : "passphrase"},
                         {"parity", parity ? boost::json::value(policy_text(*parity)) : nullptr}});
  context.output.line(fmt::format("repository {} made at {}", repository.config_id().hex().substr(0, 8),
                                  repository.store().describe()));
  context.output.note(
      key_file ? fmt::format("The recovery key is in {} and nowhere else. Move it off this machine and keep a "
                             "copy: without it nothing can be read back.",
                             options.recovery_key_out)
               : "Keep the passphrase safe and away from this machine: without it nothing can be read "
                 "back, and nobody can reset it.");
  if (parity) {
    context.output.note(fmt::format("Parity is kept, {} for every {}: any {} of these can be lost.",
                                    base::human_count(parity->shards, "shard"),
                                    base::human_count(parity->columns, "pack"), parity->shards));
  }
  context.output.note("Next: kura backup PATH...");
  return kDone;
}

}  // namespace

void add_init(CommandTable& table) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* command = table.add("init", "Make a repository, this machine's key and a recovery key",
                                "Examples:\n"
                                "  kura -r /mnt/backup/office init\n"
                                "  kura -r 's3://s3.example.com/office/server1?object-lock=1y' init\n"
                                "  kura -r /mnt/backup/office init --recovery-key-out /media/usb/office.key\n"
                                "  kura -r /mnt/backup/office init --parity       2 shards for each 16 packs (16+2)\n"
                                "  kura -r /mnt/backup/office init --parity=8+3   8 packs, any 3 of which may be lost\n"
                                "\n"
                                "Parity costs M/K more space; `kura check --repair` then repairs bit rot, bad sectors\n"
                                "and up to M lost packs of K, without any key. It is chosen here, once and for all.",
                                [options](const Context& context) { return run_init(context, *options); });
  command
      ->add_option("--recovery-key-out", options->recovery_key_out,
                   "Write the recovery key to FILE only, and seal none into the repository")
      ->type_name("FILE");
  options->parity = command
                        ->add_option("--parity", options->parity_policy,
                                     "Keep parity: M shards for each K packs, repaired by `kura check --repair` (16+2)")
                        ->expected(0, 1)
                        ->type_name("K+M");
  command->add_option("--host", options->host, "Name of this machine, if not its host name")->type_name("NAME");
}

}  // namespace kura::app
