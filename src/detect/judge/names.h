// What the name of a file says of the one it was.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kura::detect {

// The names that a file may have had before somebody put something behind it, the likeliest first: "report.docx.locked"
// and "report.docx.[id-7F3A].evil" were "report.docx". At most four. Whether such a file was there, and is gone, is the
// caller's question.
std::vector<std::string> names_before(std::string_view name);

// Whether its extension is one that files of a known kind have.
bool says_its_kind(std::string_view name);

// A name without a folder up to its first dot that is not at its beginning: "report" of "report.docx".
std::string_view stem_of(std::string_view name);

}  // namespace kura::detect
