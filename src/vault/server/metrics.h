// What a running vault shows to monitoring.
#pragma once

#include <string>
#include <vector>

#include "vault/server/site.h"

namespace kura::vault {

// In OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/): per repository, and of the vault.
inline constexpr const char* kMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";
std::string metrics_of(Site& site);

// What people must look at, a sentence each; empty: all is well.
std::vector<std::string> troubles_of(Site& site);

}  // namespace kura::vault
