// Whether a text is text to its end.
#pragma once

#include "detect/grammar/report.h"
#include "detect/text/encoding.h"

namespace kura::detect::text {

// Finds random bytes strewn in from about 1 KiB on (in a file that is smaller: from 64 bytes on), binary data that no
// text has, and texts that are nothing but a code of random bytes. Does not ask whether the text is right in its
// language: people's texts often are not. Cut texts cannot be told from whole ones.
Report check_text(Window& in, Budget& budget, Encoding encoding);

}  // namespace kura::detect::text
