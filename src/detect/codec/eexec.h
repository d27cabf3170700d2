// What Adobe calls encryption in its Type 1 fonts ("Adobe Type 1 Font Format", chapter 7.1): the key is the same for
// all fonts, so this hides nothing.
#pragma once

#include <string>
#include <string_view>

namespace kura::detect {

// The private part in clear, with four bytes of junk before it. Each byte depends on all before it, so what is wrong
// anywhere makes noise of all that follows. Costs about two nanoseconds a byte.
std::string eexec_decrypted(std::string_view bytes);

}  // namespace kura::detect
