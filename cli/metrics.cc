#include "cli/metrics.h"

#include <fmt/format.h>

namespace callvault::cli {
namespace {

void add(std::string& text, std::string_view name, std::string_view type, std::string_view help,
         const std::string& value) {
  text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}

}  // namespace

std::string metrics_text(const PurgeReport* purge, const StatusReport& status) {
  std::string text;
  const auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    add(text, name, "gauge", help, std::to_string(value));
  };
  gauge("callvault_recordings", "Recordings that are stored.", status.recordings);
  gauge("callvault_held", "Recordings under a legal hold.", status.held);
  gauge("callvault_unsettled", "Finished recordings that are not settled yet.", status.unsettled);
  gauge("callvault_overdue", "Recordings past their expiry and not held.", status.overdue);
  gauge("callvault_outstanding", "Shreds asked for and not yet final.", status.outstanding);
  gauge("callvault_mirrors_behind", "Keepers without which shreds are not final.", status.mirrors_behind.size());
  // What a damaged register would say is absent, not 0.
  const auto known = [&](std::string_view name, std::string_view help, const std::optional<std::uint64_t>& value) {
    if (value) gauge(name, help, *value);
  };
  known("callvault_requests_open", "Requests of people that are not closed.", status.requests_open);
  known("callvault_requests_overdue", "Of those, past their deadline.", status.requests_overdue);
  known("callvault_breaches_open", "Breaches of personal data that are not closed.", status.breaches_open);
  known("callvault_breaches_overdue", "Of those, not told to the authority in time.", status.breaches_overdue);
  gauge("callvault_registers_damaged", "Registers that are damaged, or incomplete since one was given up.",
        status.damaged.size());
  gauge("callvault_epoch", "Number of the present root key.", status.epoch);
  add(text, "callvault_shredded_total", "counter", "Recordings shredded over the vault's life.",
      std::to_string(status.shredded));
  gauge("callvault_last_purge_success", "1 when the last run of purge left nothing outstanding or unsettled.",
        purge != nullptr && purge->outstanding == 0 && purge->unsettled == 0 ? 1 : 0);
  if (purge != nullptr) {
    gauge("callvault_last_purge_shredded", "Recordings the last run of purge shredded.", purge->shredded);
    gauge("callvault_last_purge_refused", "Recordings the last run of purge may not shred.", purge->refused);
    add(text, "callvault_last_purge_irrecoverable_seconds", "gauge",
        "From the start of the last rotation to the wipe of the old root key.",
        fmt::format("{:.6f}", purge->irrecoverable_ms / 1000));
  }
  if (status.last_purge)
    add(text, "callvault_last_purge_timestamp_seconds", "gauge", "When the last completed purge ran.",
        fmt::format("{:.3f}", static_cast<double>(status.last_purge->time_since_epoch().count()) / 1000));
  if (status.next_expiry)
    add(text, "callvault_next_expiry_timestamp_seconds", "gauge", "When the next recording expires.",
        fmt::format("{:.3f}", static_cast<double>(status.next_expiry->time_since_epoch().count()) / 1000));
  return text;
}

}  // namespace callvault::cli
