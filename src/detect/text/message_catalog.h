// Translated messages as gettext keeps them (.mo): two tables of places of texts, and the texts, each with a zero
// behind it.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect {

bool is_message_catalog(Window& in);
// Asks for the zero behind every text; costs a look at each.
Report check_message_catalog(Window& in, Budget& budget);

}  // namespace kura::detect
