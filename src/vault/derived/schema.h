// The tables of derived data (docs/vault-format.md, section 3), the same in SQLite and PostgreSQL.
#pragma once

#include "vault/derived/connection.h"

namespace kura::vault {

// Makes them where they are not there. kDamaged where those of another version are, or, in a file of `owner` alone,
// those of another owner.
base::Status open_tables(Connection& connection, base::ByteSpan owner, bool is_own_file);
// Removes them with all that is in them.
base::Status drop_tables(Connection& connection);

}  // namespace kura::vault
