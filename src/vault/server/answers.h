// How the vault's API says things: errors as JSON with the code that base::Error has, so that the other side can make
// the same error of it.
#pragma once

#include <string>

#include "base/error.h"
#include "net/server.h"

namespace kura::vault {

// {"code":"not_found","message":"...","hint":"..."} with the status that fits.
net::Answer answer_of(const base::Error& error);
unsigned status_of(base::ErrorCode code);
// For a path that leads nowhere.
net::Answer no_such_thing();

}  // namespace kura::vault
