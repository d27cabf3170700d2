#include "vault/server/metrics.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/human.h"

namespace kura::vault {
namespace {

struct Family {
  const char* name;
  const char* type;
  const char* unit;  // may be empty; then it is the end of the name too
  const char* help;
  // Nothing: the repository has no such value.
  std::optional<double> (*value)(Site& site, const Holding& holding);
};

std::optional<double> seconds(std::int64_t ns) {
  return ns == 0 ? std::nullopt : std::optional(static_cast<double>(ns) / static_cast<double>(base::kSecond));
}

std::int64_t newest(const Holding& holding) {
  const std::vector<HeldSnapshot> snapshots = holding.snapshots();
  return snapshots.empty() ? 0 : snapshots.back().received;
}

double suspect(const Holding& holding) {
  const std::vector<HeldSnapshot> all = holding.snapshots();
  return static_cast<double>(std::ranges::count_if(all, [](const auto& held) { return !held.suspicion.empty(); }));
}

using Value = std::optional<double>;
constexpr Family kFamilies[] = {
    {"kura_vault_snapshots", "gauge", "", "Snapshots of the repository",
     [](Site&, const Holding& of) { return Value(of.snapshots().size()); }},
    {"kura_vault_suspect_snapshots", "gauge", "", "Snapshots that were a surprise",
     [](Site&, const Holding& of) { return Value(suspect(of)); }},
    {"kura_vault_newest_snapshot_timestamp_seconds", "gauge", "seconds", "When the newest snapshot was received",
     [](Site&, const Holding& of) { return seconds(newest(of)); }},
    {"kura_vault_used_bytes", "gauge", "bytes", "What the repository takes",
     [](Site& site, const Holding& of) { return Value(site.used(of.name())); }},
    {"kura_vault_quota_bytes", "gauge", "bytes", "What it may take",
     [](Site&, const Holding& of) {
       const std::uint64_t quota = of.policy().quota;
       return quota == 0 ? std::nullopt : Value(quota);
     }},
    {"kura_vault_frozen", "gauge", "", "1 while nothing goes from the repository",
     [](Site&, const Holding& of) { return Value(of.is_frozen() ? 1 : 0); }},
    {"kura_vault_open_requests", "gauge", "", "Requests for what is to go before its time",
     [](Site&, const Holding& of) { return Value(of.requests().size()); }},
    {"kura_vault_damaged_objects", "gauge", "", "Objects that are not whole",
     [](Site&, const Holding& of) { return Value(of.damage().size()); }},
    {"kura_vault_repaired_objects", "counter", "", "Damaged objects that another vault's bytes put right",
     [](Site&, const Holding& of) { return Value(of.repaired()); }},
    {"kura_vault_last_scrub_timestamp_seconds", "gauge", "seconds", "When all objects had been read again",
     [](Site&, const Holding& of) { return seconds(of.last_scrubbed()); }},
    {"kura_vault_journal_entries", "counter", "", "Entries of the repository's journal",
     [](Site&, const Holding& of) { return Value(of.journal().head().sequence); }},
};

void describe(std::string& text, const char* name, const char* type, const char* unit, const char* help) {
  text += fmt::format("# TYPE {} {}\n", name, type);
  if (*unit != '\0') text += fmt::format("# UNIT {} {}\n", name, unit);
  text += fmt::format("# HELP {} {}\n", name, help);
}

}  // namespace

// Names of repositories have no character that would have to be escaped (registry.h).
std::string metrics_of(Site& site) {
  const std::vector<Holding*> holdings = site.holdings();
  std::string text;
  for (const Family& family : kFamilies) {
    describe(text, family.name, family.type, family.unit, family.help);
    const bool counts = std::string_view(family.type) == "counter";
    for (const Holding* holding : holdings) {
      if (const auto value = family.value(site, *holding)) {
        text +=
            fmt::format("{}{}{{repository=\"{}\"}} {}\n", family.name, counts ? "_total" : "", holding->name(), *value);
      }
    }
  }
  describe(text, "kura_vault_clock_in_doubt", "gauge", "", "1 while the vault's clock cannot be right");
  text += fmt::format("kura_vault_clock_in_doubt {}\n", site.clock_doubt() ? 1 : 0);
  describe(text, "kura_vault_closed_repositories", "gauge", "", "Repositories that could not be opened");
  text += fmt::format("kura_vault_closed_repositories {}\n", site.closed().size());
  describe(text, "kura_vault_database_down", "gauge", "", "1 while the database of derived data cannot be used");
  text += fmt::format("kura_vault_database_down {}\n", site.database().trouble() ? 1 : 0);
  return text + "# EOF\n";
}

std::vector<std::string> troubles_of(Site& site) {
  std::vector<std::string> troubles;
  if (const auto doubt = site.clock_doubt()) troubles.push_back("the clock is in doubt: " + *doubt);
  for (const auto& [name, error] : site.closed()) troubles.push_back(fmt::format("{}: {}", name, error.message()));
  for (const Holding* holding : site.holdings()) {
    if (holding->is_frozen()) troubles.push_back(holding->name() + ": frozen, nothing expires until a person thaws it");
    if (const std::size_t damaged = holding->damage().size(); damaged != 0) {
      troubles.push_back(fmt::format("{}: {} not whole", holding->name(), base::human_count(damaged, "object")));
    }
  }
  return troubles;
}

}  // namespace kura::vault
