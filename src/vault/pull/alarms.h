// What is wrong with a followed vault, told once: in this vault's own journal, where the other one cannot take it back.
#pragma once

#include <string>
#include <unordered_set>

#include "base/error.h"
#include "vault/holding/holding.h"

namespace kura::vault {

// Of one repository and one followed vault. Not shared between threads.
class Alarms {
 public:
  // `holding` outlives it.
  Alarms(Holding& holding, const std::string& vault) : holding_(holding), begin_("following " + vault + ": ") {}

  // Reads which were raised since a person accepted the last.
  base::Status load();
  // A person accepts what was raised: the same would be news again.
  base::Status accept(const std::string& who, const std::string& why);
  // An alarm, and nothing expires from then on until a person thaws; neither when the same was raised before. Returns
  // whether it is new.
  base::Result<bool> raise(const std::string& why);
  std::size_t raised() const { return raised_.size(); }

 private:
  Holding& holding_;
  const std::string begin_;
  std::unordered_set<std::string> raised_;  // texts
};

}  // namespace kura::vault
