// All kinds of files that are known.
#pragma once

#include <string_view>

#include "detect/grammar/kind.h"

namespace kura::detect {

// The kind that the contents say, or null.
const Kind* recognise(Window& in);

// The kind that a name promises by its extension (ASCII letters of either case), or null. Several kinds may share an
// extension; this is the first of them.
const Kind* promised_by(std::string_view name);

// Whether files named so (as above) may be of `kind`: a .doc may be a CFB, an RTF or an HTML file.
bool may_be(std::string_view name, const Kind& kind);

// By its stable name, or null.
const Kind* kind_named(std::string_view name);

}  // namespace kura::detect
