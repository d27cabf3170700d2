// The streams of Office's binary documents that are chains of records: Excel's ([MS-XLS] 2.1.4), PowerPoint's and
// drawings' ([MS-PPT] 2.3.1, [MS-ODRAW] 2.2.1), Word's text ([MS-DOC] 2.4.1).
#pragma once

#include <string>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::office {

struct Verdict {
  bool broken = false;
  bool cipher = false;   // encrypted by a password
  std::uint64_t at = 0;  // in the stream
  std::string what;      // for broken: "the record at 512 is longer than its stream"
};

inline Verdict holds() { return {}; }
inline Verdict breaks(std::uint64_t at, std::string what) { return {true, false, at, std::move(what)}; }

Verdict check_workbook(Window& stream, Budget& budget);
// Of a presentation, of its pictures, of a drawing: one grammar.
Verdict check_records(Window& stream, Range range, Budget& budget);
// Of the pictures of a document of Word; false when it holds other things too.
bool check_data(Window& stream, Budget& budget, Verdict& verdict);
Verdict check_word(Window& document, Window& table, Budget& budget);
// A property set ([MS-OLEPS] 2.21).
Verdict check_properties(Window& stream);
// A compressed container of VBA ([MS-OVBA] 2.4.1).
Verdict check_vba(Window& stream, Budget& budget);
inline constexpr std::uint32_t kMostOfBlock = 6;  // pieces in a row that any 4 KiB hold
// No piece of it looks random, or no `least` pieces in a row.
Verdict check_plain(Window& stream, Range range, Budget& budget, std::uint32_t least = 1);

}  // namespace kura::detect::office
