#include "vault/holding/scrub.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/number.h"
#include "store/atomic_file.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;

// What all others lean on comes first.
constexpr std::array kOrder = {Kind::kConfig, Kind::kKey, Kind::kSnapshot, Kind::kIndex, Kind::kPack, Kind::kParity};
constexpr std::uint64_t kRememberEvery = 1ULL << 30;  // bytes
constexpr int kSearchSteps = 100;                     // in a step of scrubbing, of the search for what is lost
constexpr std::uint64_t kSearchPiece = 4ULL << 20;    // bytes, of the same
constexpr std::uint64_t kMemoryLimit = 256;           // bytes of FOLDER/scrub

// Up to the next space or the end of the line, which it is taken from.
std::string_view next_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find_first_of(" \n"));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

}  // namespace

Scrub::Scrub(Holding& holding) : holding_(holding), path_(holding.folder() + "/scrub"), search_(holding) {
  const auto read = store::posix_file_system().read_all(path_, kMemoryLimit);
  if (!read) return;
  std::string_view text = base::as_text(*read);
  const auto kind = base::parse_number<std::size_t>(next_word(text));
  const auto after = ObjectId::from_hex(next_word(text));
  const auto last = base::parse_number<std::int64_t>(next_word(text));
  if (!kind || *kind >= kOrder.size() || !after || !last) return;
  holding_.scrubbed(*last);
  kind_ = *kind;
  after_ = *after;
}

Scrub::~Scrub() { remember(); }

// A disk that is full costs a round that begins where the one before did.
void Scrub::remember() {
  unremembered_ = 0;
  const std::string text = fmt::format("{} {} {}\n", kind_, after_.hex(), holding_.last_scrubbed());
  [[maybe_unused]] const Status kept = store::write_small_file(path_, base::as_bytes(text));
}

// Lists what is left of a kind; false when no kind is left.
Result<bool> Scrub::fill() {
  while (left_.empty()) {
    if (kind_ == kOrder.size()) return false;
    left_ = KURA_TRY(holding_.list(kOrder[kind_]));
    std::erase_if(left_, [&](const ObjectInfo& info) { return info.id <= after_ && !after_.is_zero(); });
    std::ranges::sort(left_, std::greater(), &ObjectInfo::id);
    if (left_.empty()) {
      ++kind_;
      after_ = {};
    }
  }
  return true;
}

// A piece of the search for what is lost, if it is under way. Bytes read.
Result<std::uint64_t> Scrub::search() {
  std::uint64_t all = 0;
  for (int steps = 0; search_ && steps < kSearchSteps && all < kSearchPiece; ++steps) {
    const std::optional<std::uint64_t> bytes = KURA_TRY(search_->next());
    if (!bytes) search_.reset();
    all += bytes.value_or(0);
  }
  return all;
}

Result<Scrub::Step> Scrub::next() {
  const std::uint64_t searched = KURA_TRY(search());
  if (!KURA_TRY(fill())) {
    if (!search_) search_.emplace(holding_);
    kind_ = 0;
    after_ = {};
    holding_.scrubbed(holding_.now());
    remember();
    return Step{.bytes = searched, .ends_round = true};
  }
  const ObjectInfo object = left_.back();
  const Kind kind = kOrder[kind_];
  KURA_TRY(look_at(kind, object.id, object.size));
  left_.pop_back();
  after_ = object.id;
  if (left_.empty()) {
    ++kind_;
    after_ = {};
  }
  unremembered_ += object.size;
  if (unremembered_ >= kRememberEvery) remember();
  return Step{.bytes = object.size + searched};
}

Status Scrub::look_at(Kind kind, const ObjectId& id, std::uint64_t size) {
  const Status whole = holding_.verify(kind, id, size);
  if (whole) return holding_.found_whole(kind, id);
  if (!holding_.stat(kind, id) && whole.error().code() == ErrorCode::kNotFound) return {};  // it went meanwhile
  return holding_.found_damaged(kind, id, whole.error().message());
}

}  // namespace kura::vault
