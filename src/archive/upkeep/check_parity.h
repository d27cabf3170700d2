// The part of a check that reads parity, without any key: that each shard is whole, and how well packs are covered. For
// check.cc.
#pragma once

#include <stop_token>
#include <vector>

#include "archive/upkeep/check_findings.h"

namespace kura::archive {

struct ParityCheck {
  const Repository& repository;
  const CheckOptions& options;
  std::vector<store::ObjectInfo> packs;    // that are there
  std::vector<store::ObjectId> bad_packs;  // among them, or missing
};

// Counts into `summary`. An error only when the store does not answer, or kInterrupted.
base::Status check_parity(const ParityCheck& check, CheckFindings& findings, CheckSummary& summary,
                          const std::stop_token& stop);

}  // namespace kura::archive
