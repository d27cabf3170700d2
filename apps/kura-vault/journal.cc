// kura-vault journal verify | show
#include "vault/journal/journal.h"

#include <fcntl.h>

#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "command.h"
#include "crypto/key_text.h"
#include "vault/journal/entry_reader.h"

namespace kura::app {

namespace {

constexpr std::uint64_t kMostReceipts = 1ULL << 30;  // bytes

struct JournalOptions {
  std::string path;
  std::string key;
  std::string receipts;
};

base::Result<std::optional<crypto::PublicKey>> given_key(const std::string& hex) {
  if (hex.empty()) return std::optional<crypto::PublicKey>();
  const auto key = crypto::public_key_from_hex(hex);
  if (key) return key;
  return base::fail(base::ErrorCode::kUsage, "a vault's key has 64 hex digits", "`kura-vault init` showed it");
}

// The SHA-256 of each receipt in a file that a machine kept.
base::Result<std::set<base::Digest>> receipts_in(const std::string& path) {
  std::set<base::Digest> receipts;
  if (path.empty()) return receipts;
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return base::fail(base::Error::from_errno("cannot open the receipts " + path, errno));
  vault::EntryReader reader(file.get(), path);
  while (true) {
    const base::ByteSpan whole = KURA_TRY(reader.next());
    if (whole.empty()) break;
    if (reader.position() > kMostReceipts) return base::fail(base::ErrorCode::kDamaged, path + " is too large");
    receipts.insert(vault::hash_of(whole));
  }
  return receipts;
}

base::Result<ExitCode> run_verify(const Context& context, const JournalOptions& options) {
  const auto key = KURA_TRY(given_key(options.key));
  std::set<base::Digest> receipts = KURA_TRY(receipts_in(options.receipts));
  const std::size_t shown = receipts.size();
  const vault::JournalHead head = KURA_TRY(vault::verify_journal(
      options.path, key, [&](const vault::Entry&, base::ByteSpan whole) { receipts.erase(vault::hash_of(whole)); }));
  if (!receipts.empty()) {
    return base::fail(base::ErrorCode::kDamaged,
                      fmt::format("the journal {} lacks {} of {} receipts: it was rolled back, or is another history",
                                  options.path, receipts.size(), shown),
                      "stop the vault, keep its disk as evidence, and go on from the other vault");
  }
  context.output.object(
      {{"type", "summary"}, {"entries", head.sequence}, {"hash", head.hash.hex()}, {"receipts", shown}});
  context.output.line(fmt::format("{} entries, all whole and signed; receipts found: {}", head.sequence, shown));
  return kDone;
}

base::Result<ExitCode> run_show(const Context& context, const JournalOptions& options) {
  context.output.gather_results();
  KURA_TRY(vault::verify_journal(options.path, std::nullopt, [&](const vault::Entry& entry, base::ByteSpan) {
    const vault::Event& event = entry.event;
    context.output.result(
        [&] {
          return fmt::format("{:>6} {} {:<15} {:<16} {} {}", entry.sequence, base::format_rfc3339(entry.time),
                             name_of(event.type), base::printable(event.who),
                             event.objects.empty() ? "" : event.objects[0].hex().substr(0, 8),
                             base::printable(event.text));
        },
        [&] {
          boost::json::array objects;
          for (const store::ObjectId& id : event.objects) objects.emplace_back(id.hex());
          return boost::json::object{{"sequence", entry.sequence},    {"time", base::format_rfc3339(entry.time)},
                                     {"event", name_of(event.type)},  {"who", json_text(event.who)},
                                     {"text", json_text(event.text)}, {"objects", std::move(objects)}};
        });
  }));
  return kDone;
}

CLI::App* add_one(CommandTable& table, CLI::App* parent, const char* name, const char* description, const char* footer,
                  base::Result<ExitCode> (*run)(const Context&, const JournalOptions&),
                  const std::shared_ptr<JournalOptions>& options) {
  CLI::App* command = table.add_below(parent, name, description, footer,
                                      [options, run](const Context& context) { return run(context, *options); });
  command->add_option("journal", options->path, "The file, of a running vault too")->required()->type_name("FILE");
  return command;
}

}  // namespace

void add_journal(CommandTable& table) {
  auto options = std::make_shared<JournalOptions>();
  CLI::App* journal = table.add("journal", "Read and prove a vault's journal", "", {});
  journal->require_subcommand(1);
  CLI::App* verify = add_one(table, journal, "verify", "Prove that a journal is whole, signed, and has these receipts",
                             "Example:\n  kura-vault journal verify /srv/vault/repositories/office/journal --key KEY",
                             run_verify, options);
  verify->add_option("--key", options->key, "The vault's key, that `kura-vault init` showed")->type_name("HEX");
  verify->add_option("--receipts", options->receipts, "Receipts that a machine kept")->type_name("FILE");
  add_one(table, journal, "show", "Print a journal, a line an entry",
          "Example:\n  kura-vault journal show /srv/vault/journal --json", run_show, options);
}

}  // namespace kura::app
