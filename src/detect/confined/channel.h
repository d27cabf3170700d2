// Frames and open files over a stream socket of this machine (unix(7)): messages.h says what they hold.
#pragma once

#include <chrono>
#include <span>
#include <stop_token>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace kura::detect {

inline constexpr std::size_t kMostFiles = 64;  // beside one frame; the kernel takes 253

// Until when to wait for the other end.
struct Patience {
  std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
  std::stop_token stop;
};

struct Frame {
  base::Bytes bytes;
  std::vector<base::UniqueFd> files;
};

// One end. Not for several threads at a time; after an error it is of no use any more.
class Channel {
 public:
  // `socket` is connected, a stream and non-blocking.
  explicit Channel(base::UniqueFd socket) : socket_(std::move(socket)) {}

  // Errors: kConflict when the other end is gone, kInterrupted when `patience` is stopped, kIo when it ran out.
  base::Status send(base::ByteSpan bytes, std::span<const int> files, const Patience& patience) const;
  // A frame of at most `limit` bytes; of more, it is kDamaged.
  base::Result<Frame> receive(std::size_t limit, const Patience& patience) const;

 private:
  base::Status wait_for(short events, const Patience& patience) const;
  // Up to into.size() bytes.
  base::Result<std::size_t> receive_some(base::MutableByteSpan into, std::vector<base::UniqueFd>& files,
                                         const Patience& patience) const;

  base::UniqueFd socket_;
};

}  // namespace kura::detect
