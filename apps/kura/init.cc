// kura init
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include <fmt/format.h>

#include "archive/upkeep/key_change.h"
#include "base/host.h"
#include "command.h"
#include "key_file.h"
#include "passphrase.h"
#include "store/store.h"

namespace kura::app {

namespace {

struct InitOptions {
  std::string recovery_key_out;
  std::string host;
};

base::Result<archive::Repository> create(const Context& context, const InitOptions& options) {
  archive::Repository::NewRepository how{
      .state_folder = context.state_folder(),
      .machine_label = options.host.empty() ? base::host_name() : options.host,
      .passphrase = std::nullopt,
  };
  if (options.recovery_key_out.empty()) {
    const auto passphrase =
        KURA_TRY(find_new_passphrase(context.options.passphrase_file, "KURA_PASSPHRASE_FILE", "KURA_PASSPHRASE",
                                     "New passphrase for the recovery key: ", context.stop));
    how.passphrase = std::string(passphrase.text());
  }
  std::shared_ptr<store::Store> store = KURA_TRY(store::create_store(context.options.repository, context.stop));
  return archive::Repository::create(std::move(store), how);
}

base::Result<ExitCode> run_init(const Context& context, const InitOptions& options) {
  KURA_TRY(context.need_repository_name());
  // Made before the repository, so that no repository is ever left without a key that opens it.
  std::optional<KeyFile> key_file;
  if (!options.recovery_key_out.empty()) key_file = KURA_TRY(KeyFile::create(options.recovery_key_out));
  const auto repository = KURA_TRY(create(context, options));
  if (key_file) {
    const std::string text = KURA_TRY(archive::export_recovery_key(repository));
    if (auto written = key_file->write(text); !written) {
      // Nothing is in it yet, and nobody could ever read what came in.
      KURA_TRY(repository.store().remove(store::Kind::kConfig, repository.config_id()));
      return base::fail(std::move(written).error());
    }
  }
  context.output.object({{"type", "summary"},
                         {"repository", json_text(repository.store().describe())},
                         {"config_id", repository.config_id().hex()},
                         {"recovery_key", key_file ? "file" : "passphrase"}});
  context.output.line(fmt::format("repository {} made at {}", repository.config_id().hex().substr(0, 8),
                                  repository.store().describe()));
  context.output.note(
      key_file ? fmt::format("The recovery key is in {} and nowhere else. Move it off this machine and keep a "
                             "copy: without it nothing can be read back.",
                             options.recovery_key_out)
               : "Keep the passphrase safe and away from this machine: without it nothing can be read "
                 "back, and nobody can reset it.");
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
                                "  kura -r /mnt/backup/office init --recovery-key-out /media/usb/office.key",
                                [options](const Context& context) { return run_init(context, *options); });
  command
      ->add_option("--recovery-key-out", options->recovery_key_out,
                   "Write the recovery key to FILE only, and seal none into the repository")
      ->type_name("FILE");
  command->add_option("--host", options->host, "Name of this machine, if not its host name")->type_name("NAME");
}

}  // namespace kura::app
