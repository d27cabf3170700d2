// Sees without any key that a backup is not like those before it: far more new bytes, far less of what was there used
// again, or far more bytes in all, as when files became such as do not compress.
//
// It looks only at packs that lie in the vault, at their sizes as stored and at which of them a snapshot needs. A
// client that lies about anything else changes nothing here; one that keeps bytes back has made no backup of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace kura::vault {

// What a snapshot changed against the one before it of its series; bytes of packs.
struct Change {
  std::uint64_t before = 0;   // that the one before needed
  std::uint64_t added = 0;    // needed now, and not before
  std::uint64_t dropped = 0;  // needed before, and not now

  std::uint64_t after() const { return before - dropped + added; }
};

// How a series changes, in the order received; the tripwire learns from what was not suspect itself.
inline constexpr std::size_t kTripwireHistory = 30;  // changes that are looked at, the latest
inline constexpr std::size_t kTripwireLearns = 3;    // with fewer before it, only half of all bytes is a surprise

// In words, why the change is a surprise after `history`; nothing when it is none. The first snapshot of a series never
// is (`before` is 0). Pure.
std::optional<std::string> surprise(const Change& change, std::span<const Change> history);

}  // namespace kura::vault
