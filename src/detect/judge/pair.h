// Judges a new version of a file by the one before it: did it become what encryption leaves?
#pragma once

#include <string_view>

#include "detect/input/input.h"
#include "detect/judge/judgement.h"

namespace kura::detect {

// By what is remembered of the versions alone: for a machine that no longer has the old contents. `name` is the new
// one's.
Judgement judge_change(const Version& before, const Version& after, std::string_view name);

// The same with both contents at hand: also sees which blocks were replaced. Reads both once.
Judgement judge_change(const Version& before, Input& old_contents, const Version& after, Input& new_contents,
                       std::string_view name);

}  // namespace kura::detect
