#include "command.h"

namespace kura::app {

void add_threads(CLI::App* command, unsigned& threads) {
  command->add_option("--threads", threads, "Threads (0: one a core)")
      ->check(CLI::Range(0U, 256U).description(""))  // help says N, not how N is checked
      ->type_name("N");
}

}  // namespace kura::app
