#include "detect/confined/messages.h"

#include <algorithm>

namespace kura::detect {
namespace {

enum class Operation : std::uint8_t { kJudge = 1, kChange = 2 };

constexpr std::size_t kMostName = 64U << 10;  // a path is at most 4 KiB
constexpr std::size_t kMostKind = 64;
constexpr std::size_t kMostReasons = 32;
constexpr std::size_t kMostReason = 2048;

void encode(const Place& place, base::Encoder& out) {
  out.varint(place.size).varint(place.shared_at ? *place.shared_at + 1 : 0);
}

Place decode_place(base::Decoder& in) {
  Place place{.size = in.varint(), .shared_at = {}};
  if (const std::uint64_t at = in.varint(); at != 0) place.shared_at = at - 1;
  return place;
}

void encode(const AskedFile& file, base::Encoder& out) {
  out.string(file.name);
  encode(file.contents, out);
}

AskedFile decode_file(base::Decoder& in) {
  AskedFile file{.name = in.text(kMostName), .contents = {}};
  file.contents = decode_place(in);
  return file;
}

void encode(const Texture& texture, base::Encoder& out) {
  const std::vector<std::uint64_t>& words = texture.random.words();
  out.u8(texture.complete ? 1 : 0).varint(texture.blocks).varint(texture.uniform).varint(words.size());
  for (const std::uint64_t word : words) out.u64(word);
}

Texture decode_texture(base::Decoder& in, std::uint64_t size) {
  Texture texture;
  texture.complete = in.u8() == 1;
  texture.blocks = in.varint();
  texture.uniform = in.varint();
  std::vector<std::uint64_t> words(in.count(sizeof(std::uint64_t)));
  for (std::uint64_t& word : words) word = in.u64();
  const std::uint64_t most = size / kBlock + 1;
  if (texture.blocks > most || texture.uniform > texture.blocks || words.size() > most / 64 + 1) {
    in.fail("a texture is longer than its file");
  }
  texture.random = BlockSet::of_words(std::move(words));
  return texture;
}

}  // namespace

void encode(const Judgement& judgement, base::Encoder& out) {
  const std::size_t count = std::min(judgement.reasons.size(), kMostReasons);
  out.u8(static_cast<std::uint8_t>(judgement.verdict)).string(judgement.kind).varint(count);
  for (std::size_t i = 0; i < count; ++i) out.string(std::string_view(judgement.reasons[i]).substr(0, kMostReason));
}

Judgement decode_judgement(base::Decoder& in) {
  Judgement judgement;
  const std::uint8_t verdict = in.u8();
  if (verdict > static_cast<std::uint8_t>(Verdict::kBroken)) in.fail("a verdict is unknown");
  judgement.verdict = in.ok() ? static_cast<Verdict>(verdict) : Verdict::kUnknown;
  judgement.kind = in.text(kMostKind);
  const std::size_t count = in.count(1);
  if (count > kMostReasons) in.fail("there are too many reasons");
  for (std::size_t i = 0; i < count && in.ok(); ++i) judgement.reasons.push_back(in.text(kMostReason));
  return judgement;
}

void encode(const Version& version, base::Encoder& out) {
  encode(version.judgement, out);
  out.varint(version.size);
  out.u8(version.is_note ? 1 : 0).u8(version.begins_randomly ? 1 : 0).u8(version.ends_early ? 1 : 0);
  out.varint(version.coded_size);
  encode(version.texture, out);
}

Version decode_version(base::Decoder& in, std::uint64_t size) {
  Version version;
  version.judgement = decode_judgement(in);
  version.size = in.varint();
  version.is_note = in.u8() == 1;
  version.begins_randomly = in.u8() == 1;
  version.ends_early = in.u8() == 1;
  version.coded_size = in.varint();
  if (version.size > size) in.fail("a version is larger than its file");
  version.texture = decode_texture(in, size);
  return version;
}

void encode(const Request& request, base::Encoder& out) {
  out.u8(static_cast<std::uint8_t>(request.change ? Operation::kChange : Operation::kJudge));
  if (!request.change) {
    out.varint(request.files.size());
    for (const AskedFile& file : request.files) encode(file, out);
    return;
  }
  encode(request.files.front(), out);
  encode(request.change->old_contents, out);
  encode(request.change->before, out);
  encode(request.change->after, out);
}

Request decode_request(base::Decoder& in) {
  const auto operation = static_cast<Operation>(in.u8());
  Request request;
  if (operation == Operation::kJudge) {
    const std::size_t count = in.count(3);
    for (std::size_t i = 0; i < count && in.ok(); ++i) request.files.push_back(decode_file(in));
    return request;
  }
  request.files.push_back(decode_file(in));
  if (operation != Operation::kChange) in.fail("a request is unknown");
  Request::Change& change = request.change.emplace();
  change.old_contents = decode_place(in);
  change.before = decode_version(in, UINT64_MAX);
  change.after = decode_version(in, UINT64_MAX);
  return request;
}

std::size_t longest_answer(std::uint64_t size, std::size_t files) {
  return static_cast<std::size_t>(size / kBlock / 8) + files * (kMostReasons * (kMostReason + 8) + 4096);
}

}  // namespace kura::detect
