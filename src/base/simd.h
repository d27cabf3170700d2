// Whether code for particular processors is wanted.
#pragma once

namespace kura::base {

// False with KURA_SIMD=off in the environment: then the plain code runs everywhere, to the same results, slower. For
// tests, and for finding out whether a processor is to blame.
bool simd_wanted();

}  // namespace kura::base
