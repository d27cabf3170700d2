// Which of several configs is in force, told by a passphrase.
#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "archive/repo/repository.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;

struct Candidate {
  std::size_t config;  // number of
  KeyList::Slot at;
};

}  // namespace

Result<Repository> Repository::open_with_passphrase(const std::shared_ptr<store::Store>& store,
                                                    const std::string& state_folder, std::string_view passphrase) {
  std::vector<Repository> opened;
  std::vector<Candidate> candidates;
  for (const store::ObjectId& id : KURA_TRY(whole_configs(*store))) {
    opened.push_back(KURA_TRY(open(store, state_folder, id)));
    for (KeyList::Slot& at : KURA_TRY(opened.back().keys()).slots) {
      candidates.push_back({.config = opened.size() - 1, .at = std::move(at)});
    }
  }
  // The cheap ones first, of whichever config: what somebody has planted must not keep the right one waiting.
  std::ranges::sort(candidates, {}, [](const Candidate& candidate) {
    const crypto::PassphraseCost& cost = candidate.at.slot.cost;
    return std::tuple(std::uint64_t{cost.passes} * cost.memory_kib, candidate.at.id);
  });
  for (const Candidate& candidate : candidates) {
    const Result<base::Key> recovery = candidate.at.slot.open(passphrase);
    if (recovery && opened[candidate.config].unlock(*recovery)) return std::move(opened[candidate.config]);
  }
  return base::fail(ErrorCode::kWrongKey,
                    fmt::format("{} has {} configs, and the passphrase opens a recovery key of none of them",
                                store->describe(), opened.size()),
                    "give the right passphrase, or the recovery key file");
}

}  // namespace kura::archive
