// Reads again, one after the other and round after round, all objects that a repository in a vault has, and compares
// each with its name: no key is needed for that. Where a round is remembered over restarts in FOLDER/scrub. Beside it,
// once a round and after each start, what is in no list of the store any more is searched for.
//
//   Scrub scrub(holding);
//   Scrub::Step step = KURA_TRY(scrub.next());      // one object, or the end of a round
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "vault/holding/holding.h"
#include "vault/holding/lost.h"

namespace kura::vault {

// Not shared between threads. Memory: the largest object, 40 bytes for each of a kind, and what lost.h says.
class Scrub {
 public:
  // `holding` outlives it. What an earlier run remembered is taken up; what cannot be read of it begins a new round.
  explicit Scrub(Holding& holding);
  ~Scrub();  // remembers where it is
  Scrub(const Scrub&) = delete;
  Scrub& operator=(const Scrub&) = delete;

  struct Step {
    std::uint64_t bytes = 0;  // read
    bool ends_round = false;
  };
  // Reads the next object, and a few snapshots more while it searches. One that is damaged or missing is told to the
  // holding, which writes it into the journal. An error is one of the vault's own, such as a journal that takes no
  // more.
  base::Result<Step> next();

 private:
  void remember();
  base::Result<bool> fill();
  base::Result<std::uint64_t> search();
  base::Status look_at(store::Kind kind, const store::ObjectId& id, std::uint64_t size);

  Holding& holding_;
  const std::string path_;
  std::optional<LostSearch> search_;     // nothing: it is through in this round
  std::size_t kind_ = 0;                 // in the order in which they are read
  std::vector<store::ObjectInfo> left_;  // of this kind, the next one last
  store::ObjectId after_;                // the last one that was read
  std::uint64_t unremembered_ = 0;       // bytes read since
};

}  // namespace kura::vault
