// Puts the old contents of the files of an incident back from what was saved.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "guard/contain/incident.h"

namespace kura::guard {

struct PutBackCounts {
  std::uint64_t restored = 0, unsaved = 0, failed = 0;
};

// Told of each file: "restored", "unsaved" (nothing was saved of it; a backup has it), "failed" with the error.
using OnPutBack = std::function<void(const std::string& path, std::string_view outcome, const base::Error* error)>;

// Into the folder `target`, which is the share itself to put them in place: over what is there, by a rename of a file
// that was compared with the saved one; what was only renamed is renamed back. What was encrypted under another name
// stays.
base::Result<PutBackCounts> put_back(const Incident& incident, const std::string& saved_folder,
                                     const std::string& target, const OnPutBack& on_file, const std::stop_token& stop);

}  // namespace kura::guard
