// The text of a machine.key file.
#pragma once

#include <string>
#include <string_view>

#include "archive/repo/machine.h"

namespace kura::archive {

// The caller wipes it: it is as secret as the key.
std::string encode_machine_key(const MachineKey& key);
// kDamaged when a line or the check is wrong, kUnsupported for another version.
base::Result<MachineKey> decode_machine_key(std::string_view text);

}  // namespace kura::archive
