// Code for particular processors or kernels, which the environment can switch off.
#pragma once

namespace kura::base {

// False with NAME=off in the environment: then the plain code runs, to the same results, slower. For tests, and for
// finding out whether a processor or a kernel is to blame.
bool is_wanted(const char* name);

// KURA_SIMD
inline bool simd_wanted() { return is_wanted("KURA_SIMD"); }

}  // namespace kura::base
