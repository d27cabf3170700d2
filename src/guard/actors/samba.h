// Which client each of smbd's processes serves, as `smbstatus --json` tells.
#pragma once

#include <sys/types.h>

#include <map>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kura::guard {

struct SambaClient {
  std::string address, account, share;
};
using SambaClients = std::map<pid_t, SambaClient>;

// Of smbstatus' output. kDamaged when it is no such JSON; sessions without an address are left out.
base::Result<SambaClients> parse_samba_clients(std::string_view json);

// Asks Samba; `config` is its smb.conf where it is not the usual one. Takes a tenth of a second or so. kNotFound when
// there is no smbstatus.
base::Result<SambaClients> ask_samba(const std::string& config, const std::stop_token& stop);

}  // namespace kura::guard
