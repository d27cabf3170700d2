// kura key list | add | remove | passphrase
#include <memory>

#include <fmt/format.h>

#include "archive/upkeep/key_change.h"
#include "base/escape.h"
#include "base/host.h"
#include "base/time.h"
#include "command.h"
#include "key_file.h"
#include "passphrase.h"

namespace kura::app {

namespace {

struct KeyOptions {
  std::string label;
  std::string out;
  std::string new_passphrase_file;
  std::string id;
  bool machine = false;
  bool force = false;
};

void show(Output& output, const store::ObjectId& id, std::string_view kind, std::int64_t created,
          const std::string& label, bool here) {
  output.object({{"type", "key"},
                 {"id", id.hex()},
                 {"kind", kind},
                 {"created", base::format_rfc3339(created)},
                 {"label", json_text(label)},
                 {"this_machine", here}});
  output.line(fmt::format("{:<8}  {:<10}  {}  {}{}", id.hex().substr(0, 8), kind, base::format_rfc3339(created),
                          base::printable(label), here ? "  (this machine)" : ""));
}

base::Result<ExitCode> run_list(const Context& context) {
  const auto repository = KURA_TRY(context.open_repository());
  const auto keys = KURA_TRY(repository.keys());
  context.output.note(fmt::format("{:<8}  {:<10}  {:<20}  {}", "ID", "KIND", "CREATED (UTC)", "LABEL"));
  for (const auto& [id, slot] : keys.slots) show(context.output, id, "recovery", slot.created, slot.label, false);
  for (const auto& [id, certificate] : keys.machines) {
    const bool here = repository.machine() && repository.machine()->public_key() == certificate.machine;
    show(context.output, id, "machine", certificate.created, certificate.label, here);
  }
  for (const auto& damaged : keys.damaged) context.output.problem("keys/" + damaged.id.hex(), damaged.error);
  if (keys.none()) {
    context.output.note(std::string("There are no keys: ") + archive::kUnfinishedCopy + ".");
  } else if (keys.slots.empty()) {
    context.output.note("No recovery key is in the repository: only an off-line key file opens it.");
  }
  context.output.object({{"type", "summary"}, {"recovery", keys.slots.size()}, {"machines", keys.machines.size()}});
  return keys.damaged.empty() ? kDone : kDamage;
}

void done(Output& output, std::string_view what, const store::ObjectId& id) {
  output.object({{"type", "summary"}, {"key_id", id.hex()}});
  output.line(fmt::format("{} {}", what, id.hex().substr(0, 8)));
}

base::Result<Passphrase> new_passphrase(const Context& context, const KeyOptions& options) {
  return find_new_passphrase(options.new_passphrase_file, "KURA_NEW_PASSPHRASE_FILE", "KURA_NEW_PASSPHRASE",
                             "New passphrase: ", context.stop);
}

base::Result<ExitCode> write_key_file(const Context& context, const archive::Repository& repository,
                                      const std::string& path) {
  auto file = KURA_TRY(KeyFile::create(path));
  KURA_TRY(file.write(KURA_TRY(archive::export_recovery_key(repository))));
  context.output.object({{"type", "summary"}, {"recovery_key", "file"}});
  context.output.line("the recovery key is in " + path + "; keep it off line");
  return kDone;
}

base::Result<ExitCode> run_add(const Context& context, const KeyOptions& options) {
  const auto repository = KURA_TRY(context.open_unlocked());
  if (!options.out.empty()) return write_key_file(context, repository, options.out);
  if (options.machine) {
    const std::string label = options.label.empty() ? base::host_name() : options.label;
    done(context.output,
         "machine key added:", KURA_TRY(archive::add_machine(repository, context.state_folder(), label)));
    return kDone;
  }
  const auto passphrase = KURA_TRY(new_passphrase(context, options));
  done(context.output,
       "recovery key added:", KURA_TRY(archive::add_recovery_slot(repository, options.label, passphrase.text())));
  return kDone;
}

base::Result<ExitCode> run_remove(const Context& context, const KeyOptions& options) {
  const auto repository = KURA_TRY(context.open_unlocked());
  done(context.output, "removed", KURA_TRY(archive::remove_key(repository, options.id, options.force)));
  return kDone;
}

base::Result<ExitCode> run_passphrase(const Context& context, const KeyOptions& options) {
  auto repository = KURA_TRY(context.open_repository());
  const auto old_one = KURA_TRY(find_passphrase(context.options.passphrase_file, "Present passphrase: ", context.stop));
  KURA_TRY(repository.unlock_with_passphrase(old_one.text()));
  const auto new_one = KURA_TRY(new_passphrase(context, options));
  done(context.output, "passphrase changed; the recovery key is now",
       KURA_TRY(archive::change_passphrase(repository, old_one.text(), new_one.text())));
  return kDone;
}

void add_new_passphrase_option(CLI::App* command, KeyOptions& options) {
  command
      ->add_option("--new-passphrase-file", options.new_passphrase_file,
                   "File whose first line is the new passphrase (or KURA_NEW_PASSPHRASE_FILE, KURA_NEW_PASSPHRASE)")
      ->type_name("FILE");
}

}  // namespace

void add_key(CommandTable& table) {
  auto options = std::make_shared<KeyOptions>();
  CLI::App* key =
      table.add("key", "List, add and remove keys; change a passphrase",
                "Examples:\n"
                "  kura key list\n"
                "  kura key add --label 'head office'       another passphrase that opens everything\n"
                "  kura key add --out /media/usb/office.key an off-line key file\n"
                "  kura key add --machine                   a new key for a machine whose old one is lost or removed\n"
                "  kura key passphrase                      change a passphrase; no data are rewritten",
                nullptr);
  key->require_subcommand(1);
  table.add_below(key, "list", "List recovery keys and machines; needs no passphrase",
                  "Example:\n  kura key list --json", run_list);

  CLI::App* add =
      table.add_below(key, "add", "Add a recovery passphrase, a key file or a machine key",
                      "Examples:\n  kura key add --label 'head office'\n  kura key add --out /media/usb/office.key\n"
                      "  kura key add --machine",
                      [options](const Context& context) { return run_add(context, *options); });
  add->add_option("--label", options->label, "What the key is called in the list")->type_name("TEXT");
  CLI::Option* out =
      add->add_option("--out", options->out, "Write the recovery key to a new FILE instead")->type_name("FILE");
  add->add_flag("--machine", options->machine, "Give this machine a new key, when its old one is lost or was removed")
      ->excludes(out);
  add_new_passphrase_option(add, *options);

  CLI::App* remove =
      table.add_below(key, "remove", "Remove a key from the repository", "Example:\n  kura key remove 3f2a9c1d",
                      [options](const Context& context) { return run_remove(context, *options); });
  remove->add_option("id", options->id, "Its id (4 or more digits)")->required()->type_name("ID");
  remove->add_flag(
      "--force", options->force,
      "Also the last recovery key (then only a key file opens the repository), and a machine's whose snapshots "
      "then count no more");

  CLI::App* passphrase =
      table.add_below(key, "passphrase", "Change a passphrase",
                      "Example:\n  kura key passphrase --passphrase-file old --new-passphrase-file new",
                      [options](const Context& context) { return run_passphrase(context, *options); });
  add_new_passphrase_option(passphrase, *options);
}

}  // namespace kura::app
