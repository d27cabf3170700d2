#include "vault/derived/connection.h"

namespace kura::vault {

base::Status Connection::transaction(const std::function<base::Status()>& work) {
  KURA_TRY(run("begin"));
  if (base::Status done = work(); !done) {
    (void)run("rollback");
    return done;
  }
  return run("commit");
}

}  // namespace kura::vault
