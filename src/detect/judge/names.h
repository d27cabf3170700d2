// What the name of a file says of the one it was.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kura::detect {

// The names that a file may have had before somebody put something behind it, the likeliest first: "report.docx.locked"
// and "report.docx.[id-7F3A].evil" were "report.docx". At most four; none for a name with one extension only. Whether
// such a file was there is the caller's question.
std::vector<std::string> names_before(std::string_view name);

}  // namespace kura::detect
