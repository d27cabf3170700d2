// kura-door show
#include <fmt/format.h>

#include "base/human.h"
#include "command.h"
#include "door/firewall.h"

namespace kura::app {

namespace {

// The port is only in the rules; a door without one has no sets.
base::Result<std::vector<door::Opened>> opened_in(door::Firewall& firewall, const std::string& chains) {
  if (!chains.contains("@open4")) return std::vector<door::Opened>();
  return firewall.opened();
}

base::Result<ExitCode> run_show(const Context& context) {
  door::Firewall firewall;
  const std::string chains = KURA_TRY(firewall.chains());
  const auto opened = KURA_TRY(opened_in(firewall, chains));
  for (const door::Opened& one : opened) {
    context.output.object(
        {{"type", "open"}, {"address", one.address.text()}, {"seconds", static_cast<std::int64_t>(one.left.count())}});
    context.output.line(fmt::format("open to {} for {} more", one.address.text(),
                                    base::human_duration(static_cast<double>(one.left.count()))));
  }
  context.output.object({{"type", "summary"}, {"open", opened.size()}, {"rules", json_text(chains)}});
  if (opened.empty()) context.output.line("shut to everybody");
  context.output.note(chains);
  return kDone;
}

}  // namespace

void add_show(CommandTable& table) {
  table.add("show", "Show whom the door is open to, and its rules, as the kernel has them",
            "Example:\n  kura-door show --json", run_show);
}

}  // namespace kura::app
