// Judges one version of a file by itself: is it whole in its own grammar, or does it look encrypted?
//
//   FileInput file(fd, size, name);
//   const Version version = judge(file, name);
//   if (version.judgement.verdict == Verdict::kBroken) ...
#pragma once

#include <string_view>

#include "detect/input/input.h"
#include "detect/judge/judgement.h"

namespace kura::detect {

// `name` is the file's name or path; its extension says what the file is expected to be. Never fails: what cannot be
// read or judged is kUnknown, with the reason. Reads the file once or twice, and unpacks what it holds; memory is a few
// MiB whatever the file says. Not for files that others write meanwhile: what is torn may look broken.
Version judge(Input& input, std::string_view name);

}  // namespace kura::detect
