#include "detect/judge/pair.h"

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/format.h>

#include "detect/input/window.h"
#include "detect/judge/names.h"
#include "detect/judge/replaced.h"
#include "detect/judge/small_text.h"
#include "detect/kinds/kinds.h"

namespace kura::detect {
namespace {

// At least this many blocks, or this share of those that were plain, became random.
constexpr std::uint64_t kManyBlocks = 4;

// How unlikely borders at multiples of a power of two have to be, in bits: of what became random; of what looked random
// before, of a kind that is written as a whole; and of anything else that looked random.
constexpr std::uint64_t kFewBits = 4;
constexpr std::uint64_t kManyBits = 14;
constexpr std::uint64_t kMostBits = 36;

Judgement with_reason(Judgement judgement, Verdict verdict, std::string reason) {
  judgement.verdict = verdict;
  judgement.reasons.insert(judgement.reasons.begin(), std::move(reason));
  return judgement;
}

std::string what_it_was(const Version& version) {
  return version.judgement.kind.empty() ? "a file" : fmt::format("whole as {}", version.judgement.kind);
}

bool is_random(const Version& version) {
  return version.texture.complete && version.texture.blocks > 0 &&
         version.texture.random_count() * 50 >= version.texture.blocks * 49;
}

// Blocks that were there, not random, and are random now at the same place.
std::uint64_t became_random(const Texture& before, const Texture& after) {
  if (!before.complete) return 0;
  const auto& old_words = before.random.words();
  const auto& new_words = after.random.words();
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < new_words.size(); ++i) {
    std::uint64_t word = new_words[i] & ~(i < old_words.size() ? old_words[i] : 0);
    for (; word != 0; word &= word - 1) {
      const auto block = i * 64 + static_cast<std::uint64_t>(__builtin_ctzll(word));
      if (block < before.blocks) ++count;
    }
  }
  return count;
}

bool promises(std::string_view name, std::string_view kind_name) {
  const Kind* kind = kind_named(kind_name);
  return kind != nullptr && may_be(name, *kind);
}

// The same of the name that it had before something was put behind it, too.
bool still_promises(std::string_view name, std::string_view kind_name) {
  const auto names = names_before(name);
  return promises(name, kind_name) ||
         std::ranges::any_of(names, [&](const std::string& before) { return promises(before, kind_name); });
}

// Whether files named so may be anything.
bool promises_nothing(std::string_view name) {
  if (promised_by(name) != nullptr) return false;
  const auto names = names_before(name);
  return std::ranges::none_of(names, [](const std::string& before) { return promised_by(before) != nullptr; });
}

bool is_text(const Version& version) { return version.judgement.kind.ends_with("text"); }

// It was of a kind, and is of none now, though its name has not changed what it says. Where the name says little, or it
// was a text and there is little of it, it has to look random, too: pictures become other pictures, texts other
// encodings.
bool lost_its_kind(const Version& before, const Version& after, std::string_view name) {
  constexpr std::uint64_t kLittle = 256;  // bytes
  const std::string& kind = before.judgement.kind;
  if (before.size == 0) return false;
  // A document with a password is of another kind than its name says.
  if (before.judgement.verdict == Verdict::kOpaque) return !kind.empty();
  if (before.judgement.verdict != Verdict::kValid) return false;
  if (promises(name, kind) && (after.size >= kLittle || !is_text(before))) return true;
  // What was taken out of a wrapping has a name behind the wrapping's, too, and another length.
  const bool is_as_long = after.size >= before.size && after.size - before.size <= kBlock;
  if (!is_text(before) && is_as_long && still_promises(name, kind)) return true;
  return (after.begins_randomly || after.texture.random_count() > 0) &&
         (still_promises(name, kind) || promises_nothing(name));
}

// Digits that stand for what it was, with a key or a mark of a cipher; or in place of what was no text.
bool is_coded_instead(const Version& before, const Version& after, std::string_view name) {
  if (after.coded_size == 0 || before.size == 0) return false;
  const bool was_other = !is_text(before) && before.judgement.verdict == Verdict::kValid;
  if (was_other && still_promises(name, before.judgement.kind)) return true;
  // People put a digest in the place of a text, and a word of a few letters in that of another.
  constexpr std::uint64_t kFew = 18;
  if (is_size_of_digest(after.coded_size)) return false;
  if (after.coded_size < kFew) return after.coded_size == before.size;
  // A nonce, padding and a tag; with a key that was encrypted by an RSA key of 2048 or 4096 bits.
  return std::ranges::any_of(std::array<std::uint64_t, 3>{0, 256, 512}, [&](std::uint64_t key) {
    return after.coded_size >= before.size + key && after.coded_size <= before.size + key + 64;
  });
}

// ---- Blocks replaced in place ----

// Kinds that programs write as a whole, front to back: no honest program replaces single blocks in their middle.
bool is_written_whole(const std::string& kind) {
  for (const std::string_view changes_in_place :
       {"sqlite", "dbf", "mdb",   "accdb", "pst", "vhd", "vhdx",     "vmdk", "qcow2", "vdi", "ext",
        "ntfs",   "fat", "exfat", "luks",  "gpt", "mbr", "registry", "evtx", "tar",   "cfb"}) {
    if (kind.starts_with(changes_in_place)) return false;
  }
  return true;
}

}  // namespace

Judgement judge_change(const Version& before, const Version& after, std::string_view name) {
  const Verdict was = before.judgement.verdict;
  const Verdict is = after.judgement.verdict;
  const std::uint64_t blocks = became_random(before.texture, after.texture);
  if (is == Verdict::kBroken) {
    if (was == Verdict::kValid) {
      return with_reason(after.judgement, Verdict::kBroken,
                         fmt::format("it was {}, and is no longer", what_it_was(before)));
    }
    if (blocks >= kManyBlocks || (blocks > 0 && blocks * 2 >= before.texture.blocks)) {
      return with_reason(after.judgement, Verdict::kBroken,
                         fmt::format("{} blocks of 4 KiB that were not random look random now", blocks));
    }
    // What is encrypted by design has a form of its own, too.
    const bool is_of_a_kind = !after.judgement.kind.empty();
    if (was == Verdict::kOpaque && !before.judgement.kind.empty() &&
        (is_of_a_kind || lost_its_kind(before, after, name))) {
      return with_reason(after.judgement, Verdict::kBroken,
                         fmt::format("it was {}, and is no longer", what_it_was(before)));
    }
    if (is_random(before) || was == Verdict::kOpaque) {
      return with_reason(after.judgement, Verdict::kOpaque, "it looked random before, too");
    }
    if (was == Verdict::kBroken)
      return with_reason(after.judgement, Verdict::kUnknown, "it was not whole before either");
    return after.judgement;
  }
  if (is == Verdict::kUnknown && after.judgement.kind.empty()) {
    const bool was_uniform =
        before.size == 0 || (was != Verdict::kValid && was != Verdict::kOpaque && before.texture.is_uniform());
    if (after.texture.is_uniform() && !was_uniform) {
      return with_reason(after.judgement, Verdict::kBroken,
                         fmt::format("it was {}, and was wiped", what_it_was(before)));
    }
    if (lost_its_kind(before, after, name)) {
      return with_reason(after.judgement, Verdict::kBroken,
                         fmt::format("it was {}, and is of no kind now", what_it_was(before)));
    }
    if (blocks >= kManyBlocks && blocks * 50 >= before.texture.blocks) {
      return with_reason(after.judgement, Verdict::kBroken,
                         fmt::format("{} blocks of 4 KiB that were not random look random now", blocks));
    }
  }
  if (is_coded_instead(before, after, name) && (is == Verdict::kValid || is == Verdict::kUnknown)) {
    return with_reason(
        after.judgement, Verdict::kBroken,
        fmt::format("it was {}, and is nothing but digits of base64 or hexadecimal now", what_it_was(before)));
  }
  return after.judgement;
}

namespace {

// Kinds whose checksums are over all of it: one that is whole was written by a program of its kind.
bool is_proven(const Judgement& judgement) {
  if (judgement.verdict != Verdict::kValid) return false;
  static constexpr std::array<std::string_view, 21> kKinds = {
      "zip",  "docx", "xlsx", "pptx", "odt",   "ods", "odp",  "epub",     "jar",       "apk", "png",
      "gzip", "xz",   "zstd", "flac", "bzip2", "ogg", "lzip", "git pack", "git index", "zlib"};
  return std::ranges::find(kKinds, judgement.kind) != kKinds.end();
}

std::string pieces_replaced(const Replaced& replaced) {
  return fmt::format("{} pieces of it, {} bytes in all, were replaced by what looks random, at multiples of {}",
                     (replaced.borders + 1) / 2, replaced.after.total(),
                     std::uint64_t{1} << std::countr_zero(replaced.border_bits));
}

// What is encrypted by design was, and is, and most of it is as it was: programs encrypt all of a file anew.
std::string change_of_ciphers(const Version& before, Window& old_window, Window& new_window) {
  if (before.judgement.verdict != Verdict::kOpaque || !is_written_whole(before.judgement.kind)) return {};
  const Replaced replaced = compare_contents(old_window, new_window);
  const bool in_pieces = replaced.comparable && replaced.replaced > 0 && replaced.edited == 0 && replaced.kept > 0;
  if (!in_pieces || !replaced.is_random() || replaced.alignment_bits() < kManyBits) return {};
  return pieces_replaced(replaced);
}

// What the two contents say that the versions alone do not; empty when nothing.
std::string change_of_contents(const Version& before, Window& old_window, const Version& after, Window& new_window) {
  const bool known_cipher = before.judgement.verdict == Verdict::kOpaque && !before.judgement.kind.empty();
  if (before.judgement.verdict == Verdict::kOpaque && !known_cipher) return {};
  const bool is_cipher_by_design = after.judgement.verdict == Verdict::kOpaque && !after.judgement.kind.empty();
  if (is_cipher_by_design) return change_of_ciphers(before, old_window, new_window);
  if (is_proven(after.judgement)) return {};
  if (is_printed(old_window.size(), new_window)) return "it is as long as it was in base64 or hexadecimal digits";
  if (is_no_text_any_more(old_window, new_window)) return "what was a text is as long as it was, and is none any more";
  const bool written_whole = is_written_whole(before.judgement.kind) && is_written_whole(after.judgement.kind);
  const Replaced replaced = compare_contents(old_window, new_window);
  // Encrypted containers that nobody knows change so, too.
  const bool was_random = before.judgement.kind.empty() && replaced.comparable && !replaced.became_random();
  if (replaced.runs >= 2 && replaced.random * 10 >= replaced.blocks * 9 && written_whole && !was_random) {
    return fmt::format(
        "{} blocks of 4 KiB in {} places were replaced by what looks random, and all around them is as it was",
        replaced.blocks, replaced.runs);
  }
  if (!replaced.comparable || replaced.replaced + replaced.edited == 0) return {};
  const bool has_no_kind = after.judgement.kind.empty();
  if (has_no_kind && after.texture.is_uniform() && replaced.before.distinct() > 1) return "all its bytes are one now";
  if (replaced.edited > 0) return {};
  if (replaced.kept == 0) {
    const bool fits = old_window.size() == new_window.size() || has_no_kind;
    const bool had_kind = !before.judgement.kind.empty();
    const bool found = fits && (replaced.became_random() || (had_kind && has_no_kind && replaced.is_random()));
    return found ? "all of it looks random now, and it is as long as before, or little longer" : std::string();
  }
  const std::uint64_t bits = replaced.alignment_bits();
  // Containers and databases that nobody knows are written in sectors; a tar has headers, which an update edits, too.
  const bool finer = (replaced.border_bits & 511) != 0 && bits >= kMostBits;
  const std::string& kind = before.judgement.kind;
  const bool known = (written_whole && !kind.empty()) || kind == "tar" || finer;
  const bool found =
      (replaced.became_random() && bits >= kFewBits) || (replaced.is_random() && known && bits >= kManyBits);
  return found ? pieces_replaced(replaced) : std::string();
}

}  // namespace

Judgement judge_change(const Version& before, Input& old_contents, const Version& after, Input& new_contents,
                       std::string_view name) {
  Judgement judgement = judge_change(before, after, name);
  if (judgement.verdict == Verdict::kBroken) return judgement;
  Window old_window(old_contents);
  Window new_window(new_contents);
  std::string change = change_of_contents(before, old_window, after, new_window);
  return change.empty() ? judgement : with_reason(judgement, Verdict::kBroken, std::move(change));
}

}  // namespace kura::detect
