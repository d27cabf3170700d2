// SQLite's files (sqlite.org/fileformat2.html): databases, page by page, and write-ahead logs by their checksums.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::sqlite {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

bool recognise_wal(Window& in);
Report check_wal(Window& in, Budget& budget);

}  // namespace kura::detect::sqlite
