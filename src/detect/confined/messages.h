// What goes between a judge's process and those who ask it: a request with open files, and an answer.
//
//   frame    := u32 length of what follows, little-endian; the request's open files go beside its first byte
//   hello    := nothing, when it is confined; else why it is not
//   request  := u8 kJudge, varint count, (name contents) each
//             | u8 kChange name contents contents version version
//   contents := varint size, varint (1 + where they begin in the shared memory; 0: they are the next open file)
//   answer   := version each | judgement
//
// Both ends are of the same program. The process reads the bytes of others, so its answers are read like theirs: every
// length is bounded by what was asked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/codec.h"
#include "detect/judge/judgement.h"

namespace kura::detect {

inline constexpr std::size_t kSharedBytes = 1U << 20;  // contents that are in memory go by it as far as they fit
inline constexpr std::size_t kMostAtOnce = 64;         // files of one request
inline constexpr std::size_t kFrameHeader = 4;

struct Place {
  std::uint64_t size = 0;
  std::optional<std::uint64_t> shared_at;  // else the next open file
};

struct AskedFile {
  std::string name;
  Place contents;
};

struct Request {
  struct Change {
    Place old_contents;
    Version before, after;
  };

  std::vector<AskedFile> files;
  std::optional<Change> change;  // of the one file; nothing: each is judged by itself
};

void encode(const Request& request, base::Encoder& out);
Request decode_request(base::Decoder& in);

void encode(const Judgement& judgement, base::Encoder& out);
Judgement decode_judgement(base::Decoder& in);

void encode(const Version& version, base::Encoder& out);
// Of a file of at most `size` bytes.
Version decode_version(base::Decoder& in, std::uint64_t size);

// Bytes of the longest answer about `files` files of `size` bytes in all.
std::size_t longest_answer(std::uint64_t size, std::size_t files);

}  // namespace kura::detect
