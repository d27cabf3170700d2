#include "detect/confined/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/codec.h"
#include "detect/confined/messages.h"

namespace kura::detect {
namespace {

using base::Result;
using base::Status;

constexpr std::chrono::milliseconds kLook{100};  // between two looks at the stop token
constexpr std::size_t kFirstRead = 1024;         // bytes: most frames are shorter
constexpr std::size_t kRoom = CMSG_SPACE(kMostFiles * sizeof(int));

std::unexpected<base::Error> gone() {
  return base::fail(base::ErrorCode::kConflict, "the other end of a channel is gone");
}

std::unexpected<base::Error> failed(int reason) {
  if (reason == EPIPE || reason == ECONNRESET) return gone();
  return base::fail(base::Error::from_errno("cannot use a channel", reason));
}

void put_files(msghdr& message, std::span<char> room, std::span<const int> files) {
  message.msg_control = room.data();
  message.msg_controllen = CMSG_SPACE(files.size_bytes());
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(files.size_bytes());
  std::memcpy(CMSG_DATA(header), files.data(), files.size_bytes());
}

void take_files(msghdr& message, std::vector<base::UniqueFd>& files) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int file = -1;
      std::memcpy(&file, CMSG_DATA(header) + i * sizeof(int), sizeof file);
      files.emplace_back(file);
    }
  }
}

}  // namespace

Status Channel::wait_for(short events, const Patience& patience) const {
  while (true) {
    KURA_TRY(base::not_stopped(patience.stop));
    if (std::chrono::steady_clock::now() >= patience.until) {
      return base::fail(base::ErrorCode::kIo, "there was no answer in time");
    }
    const bool forever =
        patience.until == std::chrono::steady_clock::time_point::max() && !patience.stop.stop_possible();
    pollfd ready{.fd = socket_.get(), .events = events, .revents = 0};
    const int count = ::poll(&ready, 1, forever ? -1 : static_cast<int>(kLook.count()));
    if (count > 0) return {};
    if (count < 0 && errno != EINTR) return failed(errno);
  }
}

Status Channel::send(base::ByteSpan bytes, std::span<const int> files, const Patience& patience) const {
  base::Encoder head;
  head.u32(static_cast<std::uint32_t>(bytes.size()));
  base::Bytes all = head.take();
  all.insert(all.end(), bytes.begin(), bytes.end());
  alignas(cmsghdr) std::array<char, kRoom> room{};
  for (std::size_t sent = 0; sent < all.size();) {
    iovec part{.iov_base = all.data() + sent, .iov_len = all.size() - sent};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (sent == 0 && !files.empty()) put_files(message, room, files);
    const ssize_t count = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (count > 0) sent += static_cast<std::size_t>(count);
    if (count < 0 && errno != EAGAIN && errno != EINTR) return failed(errno);
    if (count < 0 && errno == EAGAIN) KURA_TRY(wait_for(POLLOUT, patience));
  }
  return {};
}

Result<std::size_t> Channel::receive_some(base::MutableByteSpan into, std::vector<base::UniqueFd>& files,
                                          const Patience& patience) const {
  while (true) {
    alignas(cmsghdr) std::array<char, kRoom> room{};
    iovec part{.iov_base = into.data(), .iov_len = into.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    const ssize_t count = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
    if (count >= 0) take_files(message, files);
    if (count == 0) return gone();
    if (count > 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN)
      KURA_TRY(wait_for(POLLIN, patience));
    else if (errno != EINTR)
      return failed(errno);
  }
}

Result<Frame> Channel::receive(std::size_t limit, const Patience& patience) const {
  Frame frame;
  base::Bytes& bytes = frame.bytes;
  std::size_t filled = 0;
  std::size_t wanted = kFrameHeader;
  bytes.resize(kFirstRead);
  while (filled < wanted) {
    filled += KURA_TRY(receive_some(base::MutableByteSpan(bytes).subspan(filled), frame.files, patience));
    if (filled < kFrameHeader) continue;
    base::Decoder head(base::ByteSpan(bytes).first(kFrameHeader));
    const std::size_t size = head.u32();
    if (size > limit) return base::fail(base::ErrorCode::kDamaged, "an answer is longer than any can be");
    wanted = kFrameHeader + size;
    if (wanted > bytes.size()) bytes.resize(wanted);
  }
  if (filled > wanted) return base::fail(base::ErrorCode::kDamaged, "more came than an answer");
  bytes.resize(wanted);
  bytes.erase(bytes.begin(), bytes.begin() + kFrameHeader);
  return frame;
}

}  // namespace kura::detect
