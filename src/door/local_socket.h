// Lines over a socket in the file system, each way bounded in bytes and time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kura::door {

// Listens at `path`, in the place of what an earlier run left there. Everybody may connect: who it is, the kernel
// tells (peer_user). kDenied.
base::Result<base::UniqueFd> listen_at(const std::string& path);
// kNotFound when nobody listens there.
base::Result<base::UniqueFd> connect_to(const std::string& path);
// Reading and writing give up after that time.
void set_patience(int socket, std::chrono::seconds time);
// The user of the process that connected; nothing when the kernel does not say.
base::Result<uid_t> peer_user(int socket);

// Up to the end of the line, without it; kUsage when there is none within `limit` bytes, kIo when it ends before.
base::Result<std::string> read_line(int socket, std::size_t limit);
// With the end of the line.
base::Status write_line(int socket, std::string_view line);

}  // namespace kura::door
