#include "capture/admission.h"

#include "base/civil_time.h"
#include "base/phone.h"

namespace callvault::capture {
namespace {

// Going on after a notice implies consent only when the notice was heard to its end (S04).
bool is_implied(const keys::Config& config, const IngestOptions& options) {
  if (config.implied_consent == keys::ImpliedConsent::heard)
    return !options.notice.empty() && options.notice_played == true;
  return options.notice_played != false;
}

}  // namespace

Result<sealed::CallMetadata> admit(const keys::Config& config, const IngestOptions& options, Time now) {
  if (options.consent == Consent::refused) return fail(Errc::refused, "consent was refused: nothing is stored");
  if (options.agent_consent == Consent::refused)
    return fail(Errc::refused, "the agent's consent was refused: nothing is stored");
  if (options.consent == Consent::withdrawn || options.agent_consent == Consent::withdrawn)
    return fail(Errc::usage, "a call cannot start with consent withdrawn: it is granted, implied, pending or refused");
  sealed::CallMetadata out;
  out.started_at = options.started_at.value_or(now);
  out.direction = options.direction;
  CALLVAULT_TRY_ASSIGN(out.caller, base::normalise_number(options.caller, config.country_code));
  CALLVAULT_TRY_ASSIGN(out.called, base::normalise_number(options.called, config.country_code));
  out.agent = options.agent;
  out.call_id = options.call_id;
  out.retention_class = options.retention_class;
  out.notice = options.notice;
  out.notice_played = options.notice_played;
  out.consent =
      options.consent == Consent::implied && !is_implied(config, options) ? Consent::unknown : options.consent;
  out.agent_consent = options.agent_consent;
  const bool is_given = options.consent == Consent::granted || options.consent == Consent::implied;
  if (!is_given && (options.consent_offset || !options.consent_method.empty()))
    return fail(Errc::usage, "where and how consent was given belongs to consent granted or implied");
  if (options.consent_offset && options.consent_offset->count() < 0)
    return fail(Errc::usage, "consent was not given before the call");
  if (options.consent_offset) out.consent_offset_ms = static_cast<std::uint64_t>(options.consent_offset->count());
  out.consent_method = options.consent_method;
  out.basis = options.basis;
  out.tracks = {TrackName::mixed};
  CALLVAULT_TRY(sealed::validate_metadata(out));

  if (out.started_at > now + kMaxStartAhead)
    return fail(Errc::refused, "the start of the call lies more than 5 minutes ahead: nothing is stored");
  CALLVAULT_TRY_ASSIGN(const Period period, config.period_of(out.retention_class));
  CALLVAULT_TRY_ASSIGN(const base::Zone zone, base::Zone::find(config.time_zone));
  CALLVAULT_TRY_ASSIGN(const Time expires_at, zone.add(out.started_at, period));
  if (expires_at <= now)
    return fail(Errc::refused, "the retention period of the call (" + period.text() + " in class " +
                                   out.retention_class + ") is already over: nothing is stored");
  return out;
}

Result<void> read_start(const keys::Config& config, IngestOptions& options) {
  if (options.started_at || options.started_at_text.empty()) return {};
  CALLVAULT_TRY_ASSIGN(const base::Zone zone, base::Zone::find(config.time_zone));
  CALLVAULT_TRY_ASSIGN(options.started_at, zone.parse(options.started_at_text));
  return {};
}

Result<void> write_times(const keys::Config& config, IngestSummary& summary) {
  CALLVAULT_TRY_ASSIGN(const base::Zone zone, base::Zone::find(config.time_zone));
  summary.started_at_text = zone.rfc3339(summary.started_at);
  summary.ended_at_text = zone.rfc3339(summary.ended_at);
  return {};
}

Result<ChannelMap> map_channels(const std::optional<ChannelMap>& wanted, unsigned channels) {
  const ChannelMap map = wanted.value_or(channels == 2 ? ChannelMap::caller_agent : ChannelMap::mixed);
  const std::size_t parties = tracks_of(map).size();
  if (parties == 2 && channels != 2) return fail(Errc::usage, "two parties were named, but the input has one channel");
  if (map != ChannelMap::mixed && parties == 1 && channels != 1)
    return fail(Errc::usage, "one party was named, but the input has two channels");
  return map;
}

std::vector<TrackName> tracks_of(ChannelMap map) {
  switch (map) {
    case ChannelMap::caller:
      return {TrackName::caller};
    case ChannelMap::agent:
      return {TrackName::agent};
    case ChannelMap::caller_agent:
      return {TrackName::caller, TrackName::agent};
    case ChannelMap::agent_caller:
      return {TrackName::agent, TrackName::caller};
    case ChannelMap::mixed:
      break;
  }
  return {TrackName::mixed};
}

}  // namespace callvault::capture
