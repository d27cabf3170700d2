#include "archive/backup/file_judge.h"

#include <algorithm>
#include <utility>

#include "detect/judge/pair.h"

namespace kura::archive {
namespace {

using FileVerdict = detect::Verdict;

constexpr std::size_t kMostRuns = 16U << 10;
constexpr std::uint64_t kMostBlocks = 1ULL << 40;
// A sparse file is mostly holes, which cost as much to look at as data.
constexpr std::uint64_t kMostHoles = 1ULL << 30;
// Bytes that an attack puts behind contents: keys, marks.
constexpr std::uint64_t kMostAdded = 64U << 10;

detect::Version to_version(const JudgedVersion& version) {
  return {.judgement = {.verdict = version.judged.verdict, .kind = version.judged.kind, .reasons = {}},
          .size = version.size,
          .texture = version.texture};
}

// Whether a version that is broken or encrypted came after one that was not.
bool has_turned(const JudgedVersion* before, FileVerdict now) {
  if (before == nullptr) return false;
  const FileVerdict was = before->judged.verdict;
  if (now == FileVerdict::kOpaque) return was == FileVerdict::kValid;
  return now == FileVerdict::kBroken && (was != FileVerdict::kBroken || before->judged.turned);
}

// Whether an attack may have made this of what the same inode, or one of its size, was: broken, wiped, or of no kind
// and random at its beginning; and about as long.
bool may_be_left_of(const JudgedVersion* moved, const detect::Version& now) {
  if (moved == nullptr || now.size > moved->size + kMostAdded || moved->size > now.size + kMostAdded) return false;
  const bool is_wiped = now.texture.complete && now.texture.is_uniform();
  return is_wiped || now.begins_randomly || now.judgement.verdict == FileVerdict::kBroken;
}

detect::Version judge_whole(detect::ContentsJudge& judge, const detect::Contents& contents, std::uint64_t data,
                            std::string_view name) {
  if (contents.bytes || contents.size <= data || contents.size - data <= kMostHoles) return judge.judge(contents, name);
  detect::Version version;
  version.size = contents.size;
  version.judgement.reasons.emplace_back("it is mostly holes, and was not judged");
  return version;
}

}  // namespace

JudgedVersion judge_contents(detect::ContentsJudge& judge, const detect::Contents& contents, std::uint64_t data,
                             std::string_view name, const Before& before) {
  return conclude(judge_whole(judge, contents, data, name), name, before);
}

JudgedVersion conclude(detect::Version now, std::string_view name, const Before& given) {
  const FileVerdict alone = now.judgement.verdict;
  const JudgedVersion* const before =
      given.known == nullptr && may_be_left_of(given.moved, now) ? given.moved : given.known;
  if (before != nullptr) now.judgement = detect::judge_change(to_version(*before), now, name);
  JudgedVersion result;
  // What an attack has left stays what it is when it is written again.
  if (before != nullptr && before->judged.turned && alone == FileVerdict::kBroken)
    now.judgement.verdict = FileVerdict::kBroken;
  result.judged.verdict = now.judgement.verdict;
  result.judged.turned = has_turned(before, now.judgement.verdict);
  result.judged.kind = std::move(now.judgement.kind);
  if (result.judged.verdict == FileVerdict::kBroken) result.judged.evidence = evidence_of(now.judgement);
  result.is_note = now.is_note;
  result.size = now.size;
  result.texture = std::move(now.texture);
  return result;
}

void encode_judged_version(const JudgedVersion& version, base::Encoder& out) {
  base::Encoder judged;
  version.judged.encode(judged);
  out.string(judged.bytes()).varint(version.size);
  // Runs of blocks, in turn not random and random.
  std::vector<std::uint64_t> runs;
  const detect::Texture& texture = version.texture;
  bool random = false;
  std::uint64_t begin = 0;
  for (std::uint64_t block = 0; block < texture.blocks && runs.size() <= kMostRuns; ++block) {
    if (texture.random.has(block) == random) continue;
    runs.push_back(block - begin);
    begin = block;
    random = !random;
  }
  if (!texture.complete || runs.size() > kMostRuns) {
    out.u8(0);
    return;
  }
  out.u8(1).varint(texture.blocks).varint(texture.uniform).varint(runs.size());
  for (const std::uint64_t run : runs) out.varint(run);
}

JudgedVersion decode_judged_version(base::Decoder& in) {
  JudgedVersion version;
  base::Decoder judged(in.string(Judged::kEvidenceLimit + Judged::kKindLimit + 16));
  version.judged = Judged::decode(judged);
  if (!judged.ok() || !judged.at_end()) in.fail("a judgement is malformed");
  version.size = in.varint();
  if (in.u8() == 0) return version;
  version.texture.complete = true;
  version.texture.blocks = in.varint();
  version.texture.uniform = in.varint();
  if (version.texture.blocks > version.size / detect::kBlock + 1 || version.texture.blocks > kMostBlocks) {
    in.fail("a texture has more blocks than its file");
  }
  const std::size_t runs = in.count(1);
  bool random = false;
  std::uint64_t block = 0;
  for (std::size_t i = 0; i <= runs && in.ok(); ++i) {
    const std::uint64_t left = version.texture.blocks - block;
    const std::uint64_t run = i < runs ? in.varint() : left;
    if (run > left) in.fail("a texture is longer than its file");
    if (!in.ok()) break;
    if (random) version.texture.random.add(block, run);
    block += run;
    random = !random;
  }
  return version;
}

}  // namespace kura::archive
