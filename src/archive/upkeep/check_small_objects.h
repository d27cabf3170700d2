// The first part of a check: configs, keys, leases and lists of condemned packs. For check.cc.
#pragma once

#include "archive/upkeep/check_findings.h"

namespace kura::archive {

// Counts them into `summary`. An error only when the store does not answer.
base::Status check_small_objects(const Repository& repository, CheckFindings& findings, CheckSummary& summary);

}  // namespace kura::archive
