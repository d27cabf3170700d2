// What a vault answers (docs/vault-api.md), read without believing any of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "store/http/client.h"

namespace kura::store::vault {

// The error that the vault tells, with its code; for a body that is not one, by the status alone.
base::Error error_of(const http::Response& response);

// A number in a header, nothing when it is not there or is none.
std::optional<std::uint64_t> number_in(const http::Response& response, std::string_view header);

}  // namespace kura::store::vault
