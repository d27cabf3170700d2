// Who decides, for the journal: by name, and where that is asked for, by a key of his own.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/bytes.h"
#include "base/error.h"
#include "command.h"

namespace kura::app {

// --who, or the user.
std::string decider(const std::string& who);

struct PersonOptions {
  std::string who;
  std::string key_file;
};
void add_person_options(CLI::App& command, PersonOptions& options);

// {"who", "signature"} over `text`. kNotFound, kDenied when others may read the key.
base::Result<boost::json::object> signed_by(const PersonOptions& options, base::ByteSpan text);

}  // namespace kura::app
