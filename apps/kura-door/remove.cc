// kura-door remove
#include "command.h"
#include "door/firewall.h"
#include "door/rules.h"

namespace kura::app {

namespace {

base::Result<ExitCode> run_remove(const Context& context) {
  door::Firewall firewall;
  KURA_TRY(firewall.run(door::removal()));
  context.output.object({{"type", "summary"}, {"removed", std::string(door::kTable)}});
  context.output.line("the door is gone: whatever listens on this machine can be reached again");
  return kDone;
}

}  // namespace

void add_remove(CommandTable& table) {
  table.add("remove", "Take the door away: everything on this machine can be reached again",
            "Example:\n  systemctl stop kura-door && kura-door remove\n\n"
            "A helper that still runs puts it back.",
            run_remove);
}

}  // namespace kura::app
