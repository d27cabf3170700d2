#include "detect/databases/databases_kinds.h"

#include <array>

#include "detect/databases/registry_hive.h"
#include "detect/databases/sqlite.h"

namespace kura::detect {

std::span<const Kind> databases_kinds() {
  static constexpr std::array kKinds = {
      Kind{"sqlite", "sqlite sqlite3 db db3 gpkg mbtiles", sqlite::recognise, sqlite::check},
      Kind{"sqlite log", "sqlite-wal db-wal", sqlite::recognise_wal, sqlite::check_wal},
      Kind{"registry hive", "hiv hve", hive::recognise, hive::check},
  };
  return kKinds;
}

}  // namespace kura::detect
