#include "detect/databases/databases_kinds.h"

#include <array>

#include "detect/databases/dbf.h"
#include "detect/databases/ese.h"
#include "detect/databases/evtx.h"
#include "detect/databases/jet.h"
#include "detect/databases/pst.h"
#include "detect/databases/registry_hive.h"
#include "detect/databases/shell_link.h"
#include "detect/databases/sqlite.h"

namespace kura::detect {

std::span<const Kind> databases_kinds() {
  static constexpr std::array kKinds = {
      Kind{"sqlite", "sqlite sqlite3 db db3 gpkg mbtiles", sqlite::recognise, sqlite::check},
      Kind{"sqlite log", "sqlite-wal db-wal", sqlite::recognise_wal, sqlite::check_wal},
      Kind{"registry hive", "hiv hve", hive::recognise, hive::check},
      Kind{"pst", "pst ost pab", pst::recognise, pst::check},
      Kind{"mdb", "mdb mde mny", jet::recognise, jet::check},
      Kind{"accdb", "accdb accde accdr", jet::recognise_accdb, jet::check},
      Kind{"evtx", "evtx", evtx::recognise, evtx::check},
      Kind{"edb", "edb", ese::recognise, ese::check},
      Kind{"lnk", "lnk", lnk::recognise, lnk::check},
      Kind{"dbf", "dbf", dbf::recognise, dbf::check},
      Kind{"dbf memo", "fpt dbt", dbf::recognise_memo, dbf::check_memo},
  };
  return kKinds;
}

}  // namespace kura::detect
