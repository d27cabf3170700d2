#include "vault/pull/followings.h"

#include <utility>

#include <fmt/format.h>

#include "base/escape.h"
#include "vault/registry/registry.h"

namespace kura::vault {

using base::ErrorCode;
using base::Result;
using base::Status;

Result<std::unique_ptr<Followings>> Followings::open(Journal& journal) {
  std::unique_ptr<Followings> followings(new Followings(journal));
  const base::MutexLock lock(followings->mutex_);
  KURA_TRY(journal.for_each([&](const Entry& entry, base::ByteSpan)
                                KURA_REQUIRES(followings->mutex_) { followings->take(entry); }));
  return followings;
}

void Followings::take(const Entry& entry) {
  const Event& event = entry.event;
  if (event.type == EventType::kUnfollow) known_.erase(event.who);
  if (event.type == EventType::kAlarm) alarms_.insert(event.text);
  if (event.type != EventType::kFollow) return;
  const auto address = store::vault::parse_address(event.text, /*needs_name=*/false);
  if (!address) return;
  known_[event.who] = {.name = event.who, .address = *address, .key = event.key};
  keys_[event.who] = event.key;
}

Status Followings::write(Event event, std::int64_t now) {
  const Receipt receipt = KURA_TRY(journal_.append(std::move(event), now));
  take(KURA_TRY(Entry::decode(receipt.entry)));
  return {};
}

Status Followings::add(const Following& following, std::int64_t now) {
  KURA_TRY(check_name(following.name, "a vault"));
  const base::MutexLock lock(mutex_);
  if (const auto at = keys_.find(following.name); at != keys_.end() && at->second != following.key) {
    return base::fail(ErrorCode::kConflict, fmt::format("the vault {} signed with another key before", following.name),
                      "if it was made anew, follow it under another name (--name); else it is another vault");
  }
  return write(
      {.type = EventType::kFollow, .who = following.name, .text = following.address.server(), .key = following.key},
      now);
}

Status Followings::remove(const std::string& name, std::string_view why, std::int64_t now) {
  const base::MutexLock lock(mutex_);
  if (!known_.contains(name)) {
    return base::fail(ErrorCode::kNotFound, fmt::format("no vault {} is followed", base::printable(name)),
                      "`kura-vault status` lists them");
  }
  return write({.type = EventType::kUnfollow, .who = name, .text = std::string(why)}, now);
}

Status Followings::alarm(const std::string& text, std::int64_t now) {
  const base::MutexLock lock(mutex_);
  if (alarms_.contains(text)) return {};
  return write({.type = EventType::kAlarm, .text = text}, now);
}

std::optional<Following> Followings::find(const std::string& name) const {
  const base::MutexLock lock(mutex_);
  const auto at = known_.find(name);
  return at == known_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<Following> Followings::all() const {
  const base::MutexLock lock(mutex_);
  std::vector<Following> all;
  for (const auto& [name, following] : known_) all.push_back(following);
  return all;
}

}  // namespace kura::vault
