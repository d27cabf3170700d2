// What is said at the helper's socket: one request, one answer, each a line of JSON of at most kLongestLine bytes.
//
//   {"do":"open","address":"203.0.113.5","seconds":7200}     {"done":true}
//   {"do":"shut","address":"203.0.113.5"}                    {"done":false,"code":"usage","message":"...","hint":"..."}
//   {"do":"shut_all"}
//   {"do":"status"}                                          {"done":true,"port":7443,"open":[{"address","seconds"}]}
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "door/firewall.h"

namespace kura::door {

inline constexpr std::size_t kLongestLine = 512;           // bytes of a request, without its end
inline constexpr std::size_t kLongestAnswer = 256U << 10;  // bytes

struct Request {
  enum class What : std::uint8_t { kOpen, kShut, kShutAll, kStatus };
  What what = What::kStatus;
  std::optional<Address> address = {};  // open, shut
  std::chrono::seconds time{0};         // open: from 1 s to kLongest

  std::string encode() const;
  // kUsage for what is none of these.
  static base::Result<Request> parse(std::string_view line);
};

struct Standing {
  std::optional<std::uint16_t> port;  // nothing: a helper without a port
  std::vector<Opened> open;
};

std::string done();
std::string refusal(const base::Error& error);
std::string encode(const Standing& standing);
// What the answer to "status" says, or the error that any answer tells.
base::Result<Standing> parse_answer(std::string_view line);

}  // namespace kura::door
