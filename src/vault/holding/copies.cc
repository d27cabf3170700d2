#include "vault/holding/copies.h"

#include <algorithm>
#include <utility>

#include "vault/holding/holding.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;
using store::Kind;
using store::ObjectId;

std::unexpected<base::Error> no_claim() {
  return base::fail(ErrorCode::kUsage, "what was sent is not what a vault says of its copies");
}

}  // namespace

Result<CopyClaim> read_copy_claim(base::ByteSpan entries) {
  CopyClaim claim;
  for (bool first = true; first || !entries.empty(); first = false) {
    const auto size = entry_size(entries.first(std::min(entries.size(), kEntryPrefix)));
    if (!size || *size > entries.size() || claim.snapshots.size() >= kCopiesInClaim) return no_claim();
    const base::ByteSpan whole = entries.first(*size);
    entries = entries.subspan(*size);
    const auto entry = Entry::decode(whole);
    if (!entry) return no_claim();
    const Event& event = entry->event;
    if (first) claim.vault = event.key;
    const bool is_begin = event.type == EventType::kBegin && entry->sequence == 1;
    const bool is_commit =
        event.type == EventType::kCommit && event.kind == Kind::kSnapshot && event.objects.size() == 1;
    if (first ? !is_begin : !is_commit) return no_claim();
    if (!is_signed_by(whole, claim.vault)) return no_claim();
    if (is_commit) claim.snapshots.push_back(event.objects[0]);
  }
  return claim;
}

void CopyLedger::take(const Event& copy) {
  keys_.try_emplace(copy.who, copy.key);
  for (const ObjectId& id : copy.objects) {
    if (!has(copy.who, id)) vaults_[id].push_back(copy.who);
  }
}

void CopyLedger::forget(const ObjectId& snapshot) { vaults_.erase(snapshot); }

std::optional<crypto::PublicKey> CopyLedger::key_of(const std::string& who) const {
  const auto at = keys_.find(who);
  return at == keys_.end() ? std::nullopt : std::optional(at->second);
}

bool CopyLedger::has(const std::string& who, const ObjectId& snapshot) const {
  const auto at = vaults_.find(snapshot);
  return at != vaults_.end() && std::ranges::find(at->second, who) != at->second.end();
}

std::vector<std::string> CopyLedger::of(const ObjectId& snapshot) const {
  const auto at = vaults_.find(snapshot);
  std::vector<std::string> names = at == vaults_.end() ? std::vector<std::string>() : at->second;
  std::ranges::sort(names);
  return names;
}

Result<std::size_t> Holding::take_copies(const CopyClaim& claim, const std::string& who) {
  const base::MutexLock one_at_a_time(committing_);
  std::vector<ObjectId> news;
  {
    const base::MutexLock lock(mutex_);
    if (copies_.key_of(who).value_or(claim.vault) != claim.vault) {
      return base::fail(ErrorCode::kDenied, "the vault " + who + " signed its journal with another key before",
                        "a vault that was made anew follows under another name");
    }
    for (const ObjectId& id : claim.snapshots) {
      const bool is_new = snapshots_.contains(id) && !copies_.has(who, id);
      if (is_new && std::ranges::find(news, id) == news.end()) news.push_back(id);
    }
  }
  if (news.empty()) return std::size_t{0};
  const std::size_t count = news.size();
  KURA_TRY(write(
      {.type = EventType::kCopy, .who = who, .kind = Kind::kSnapshot, .objects = std::move(news), .key = claim.vault}));
  return count;
}

Result<std::vector<std::string>> Holding::copies_of(const ObjectId& snapshot) const {
  const base::MutexLock lock(mutex_);
  if (snapshots_.contains(snapshot)) return copies_.of(snapshot);
  return base::fail(ErrorCode::kNotFound, "snapshot " + snapshot.hex() + " is not in the repository " + name());
}

std::vector<HeldSnapshot> Holding::copied() const {
  std::vector<HeldSnapshot> all = snapshots();
  const base::MutexLock lock(mutex_);
  std::erase_if(all, [this](const HeldSnapshot& held) KURA_REQUIRES(mutex_) { return copies_.of(held.id).empty(); });
  return all;
}

}  // namespace kura::vault
