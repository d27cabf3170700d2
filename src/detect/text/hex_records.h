// Intel HEX and Motorola S-records: firmware as lines of hexadecimal digits, each with a checksum.
#pragma once

#include "detect/grammar/report.h"

namespace kura::detect::text {

bool is_hex_records(Window& in);
Report check_hex_records(Window& in, Budget& budget);

}  // namespace kura::detect::text
