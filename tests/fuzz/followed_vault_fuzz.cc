// What a vault that is followed answers, and what a vault that follows says of its copies.
#include "support/fuzz_support.h"
#include "vault/holding/copies.h"
#include "vault/pull/answers.h"
#include "vault/pull/wanted.h"
#include "vault/server/route.h"

namespace kura {
namespace {

// The paths of an API are read before anybody is let in.
void try_route(std::string_view path) {
  const vault::Route route = vault::route_of(path);
  if (!route.has_more) fuzz::require(route.detail.empty() || route.id, "only an object has details");
}

void try_entries(base::ByteSpan input) {
  const auto entries = vault::split_entries(input);
  if (!entries) return;
  vault::WantedScan scan([](store::Kind, const store::ObjectId&) { return false; }, 100);
  std::size_t size = 0;
  for (const base::ByteSpan whole : *entries) {
    size += whole.size();
    if (const auto entry = vault::Entry::decode(whole)) scan.take(*entry);
  }
  fuzz::require(size == input.size(), "entries fill what they came in");
  const vault::Wanted wanted = std::move(scan).finish();
  fuzz::require(wanted.commits.size() <= 100, "only so much is wanted at a time");
}

}  // namespace

void fuzz::followed_vault(base::ByteSpan input) {
  const FuzzInput chosen(input, 4);
  const std::string_view text = base::as_text(chosen.bytes);
  if (chosen.choice == 0) {
    const auto card = vault::parse_vault_card(text);
    if (card) require(card->repositories.size() <= vault::kMostRepositories, "only so many repositories are followed");
  }
  if (chosen.choice == 1) try_entries(chosen.bytes);
  if (chosen.choice == 2) {
    const auto claim = vault::read_copy_claim(chosen.bytes);
    if (claim) require(claim->snapshots.size() <= vault::kCopiesInClaim, "a claim has only so many copies");
  }
  if (chosen.choice == 3) try_route(text);
}

}  // namespace kura
