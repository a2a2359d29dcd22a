// What a purge tells monitoring: Prometheus text format, no personal data.
#pragma once

#include <optional>
#include <string>

#include "callvault/reports.h"

namespace callvault::cli {

// `purge` is null when the purge failed.
std::string metrics_text(const PurgeReport* purge, const StatusReport& status);

}  // namespace callvault::cli
