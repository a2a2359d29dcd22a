// May this call be recorded, and as what?
#pragma once

#include <vector>

#include "callvault/options.h"
#include "callvault/reports.h"
#include "keys/config.h"
#include "sealed/metadata.h"

namespace callvault::capture {

inline constexpr std::chrono::minutes kMaxStartAhead{5};

// What the header will say: implied consent after a notice that was not played to its end is no consent (unknown);
// tracks and sample rate are for the caller to fill in when the input is known. Numbers are
// in their normal form. Errors: usage; refused when consent is refused, the start lies ahead or the period is over.
Result<sealed::CallMetadata> admit(const keys::Config& config, const IngestOptions& options, Time now);

// The start as the vault's zone reads started_at_text; and what a summary says in that zone.
Result<void> read_start(const keys::Config& config, IngestOptions& options);
Result<void> write_times(const keys::Config& config, IngestSummary& summary);

// Which tracks an input of `channels` channels gives. Errors: usage when the map does not fit the input.
Result<ChannelMap> map_channels(const std::optional<ChannelMap>& wanted, unsigned channels);
std::vector<TrackName> tracks_of(ChannelMap map);

}  // namespace callvault::capture
