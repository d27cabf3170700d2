// What goes between a judge's process and those who ask it: a request with open files, and an answer.
//
//   frame    := u32 length of what follows, little-endian; the request's open files go beside its first byte
//   hello    := nothing, when it is confined; else why it is not
//   request  := u8 kJudge  name contents            contents := varint size, u8 (1: in the shared memory, 0: a file)
//             | u8 kChange name contents contents version version
//   answer   := version | judgement
//
// Both ends are of the same program. The process reads the bytes of others, so its answers are read like theirs: every
// length is bounded by what was asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/codec.h"
#include "detect/judge/judgement.h"

namespace kura::detect {

inline constexpr std::size_t kSharedBytes = 1U << 20;  // contents that are in memory and no larger go by it
inline constexpr std::size_t kFrameHeader = 4;

struct Place {
  std::uint64_t size = 0;
  bool shared = false;  // else the next open file
};

struct Request {
  struct Change {
    Place old_contents;
    Version before, after;
  };

  std::string name;
  Place contents;
  std::optional<Change> change;  // nothing: one version is judged by itself
};

void encode(const Request& request, base::Encoder& out);
Request decode_request(base::Decoder& in);

void encode(const Judgement& judgement, base::Encoder& out);
Judgement decode_judgement(base::Decoder& in);

void encode(const Version& version, base::Encoder& out);
// Of a file of at most `size` bytes.
Version decode_version(base::Decoder& in, std::uint64_t size);

// Bytes of the longest answer about a file of `size` bytes.
std::size_t longest_answer(std::uint64_t size);

}  // namespace kura::detect
