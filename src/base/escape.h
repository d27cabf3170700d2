// File names and other foreign bytes, made fit to be shown.
#pragma once

#include <string>
#include <string_view>

namespace kura::base {

// For terminals: valid UTF-8 stays as it is; every byte of control characters (C0, DEL, C1), line separators,
// characters that turn the writing direction or are invisible, and of invalid UTF-8 becomes \xNN. A name can so neither
// drive a terminal nor pass for another one. A backslash before an x becomes \x5c: what looks like an escape is one.
std::string printable(std::string_view bytes);

// For JSON, which must be UTF-8: valid UTF-8 comes back unchanged (control characters too: JSON escapes them itself);
// otherwise the invalid bytes become \xNN.
std::string utf8_or_escaped(std::string_view bytes);

}  // namespace kura::base
