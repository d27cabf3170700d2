#pragma once

// Which build this is. Programs print it (`kura version`) and repositories record it, so that a report from the field
// says what ran there. The versions of outside libraries are reported by whoever links them.

#include <string_view>

namespace kura::base {

// The released version, "MAJOR.MINOR.PATCH".
[[nodiscard]] std::string_view version() noexcept;

// How this build was made: "release", "debug", "address,undefined" or "thread".
[[nodiscard]] std::string_view build_type() noexcept;

}  // namespace kura::base
