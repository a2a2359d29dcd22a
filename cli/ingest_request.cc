#include "cli/ingest_request.h"

#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

constexpr std::uint64_t kLowestRate = 2000, kHighestRate = 384000;  // what the encoder takes

// The words that a call may begin with: consent is withdrawn later, if at all.
Result<Consent> parse_first_consent(std::string_view word, const std::string& whose) {
  auto consent = parse_consent(word);
  if (consent && *consent != Consent::withdrawn) return consent;
  return fail(Errc::usage, whose + " must be one of implied, granted, pending, refused, unknown");
}

Result<InputFormat> parse_format(std::string_view word) {
  if (word == "auto") return InputFormat::automatic;
  if (word == "wav") return InputFormat::wav;
  if (word == "s16le") return InputFormat::s16le;
  if (word == "ulaw") return InputFormat::ulaw;
  if (word == "alaw") return InputFormat::alaw;
  return fail(Errc::usage, "--format must be one of auto, wav, s16le, ulaw, alaw");
}

Result<ChannelMap> parse_channels(std::string_view word) {
  if (word == "mixed") return ChannelMap::mixed;
  if (word == "caller") return ChannelMap::caller;
  if (word == "agent") return ChannelMap::agent;
  if (word == "caller,agent") return ChannelMap::caller_agent;
  if (word == "agent,caller") return ChannelMap::agent_caller;
  return fail(Errc::usage, "--channels must be one of mixed, caller, agent, caller,agent, agent,caller");
}

}  // namespace

std::string IngestRequest::text(const std::string& name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? std::string() : it->second.value_or("");
}

bool IngestRequest::given(const std::string& name) const {
  const auto it = values_.find(name);
  return it != values_.end() && it->second.has_value();
}

void IngestRequest::add(const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values)
    if (auto& option = values_[name]; !option) option = value;
}

Result<void> IngestRequest::fill(IngestOptions& options) const {
  if (!given("direction")) return fail(Errc::usage, "--direction in or out is required");
  CALLVAULT_TRY_ASSIGN(options.direction, parse_direction(text("direction")));
  if (given("consent")) {
    CALLVAULT_TRY_ASSIGN(options.consent, parse_first_consent(text("consent"), "consent"));
  }
  if (given("agent_consent")) {
    CALLVAULT_TRY_ASSIGN(options.agent_consent, parse_first_consent(text("agent_consent"), "the agent's consent"));
  }
  if (given("consent_offset")) {
    CALLVAULT_TRY_ASSIGN(options.consent_offset, parse_position(text("consent_offset"), "--consent-offset"));
  }
  if (given("consent_method") && text("consent_method").empty())
    return fail(Errc::usage, "--consent-method names no method");
  options.consent_method = text("consent_method");
  if (given("basis")) {
    CALLVAULT_TRY_ASSIGN(options.basis, parse_basis(text("basis")));
  }
  if (given("notice_played")) {
    CALLVAULT_TRY_ASSIGN(options.notice_played, parse_yes_no(text("notice_played"), "--notice-played"));
  }
  if (given("class")) options.retention_class = text("class");
  options.caller = text("caller");
  options.called = text("called");
  options.agent = text("agent");
  options.call_id = text("call_id");
  options.notice = text("notice");
  options.started_at_text = text("started_at");
  return fill_audio(options);
}

Result<void> IngestRequest::fill_audio(IngestOptions& options) const {
  if (given("format")) {
    CALLVAULT_TRY_ASSIGN(options.audio.format, parse_format(text("format")));
  }
  if (given("channels")) {
    CALLVAULT_TRY_ASSIGN(options.audio.channels, parse_channels(text("channels")));
  }
  if (given("rate")) {
    CALLVAULT_TRY_ASSIGN(const auto rate, parse_number(text("rate"), "--rate", kLowestRate, kHighestRate));
    options.audio.rate_hz = static_cast<std::uint32_t>(rate);
  }
  if (given("bitrate")) {
    CALLVAULT_TRY_ASSIGN(const auto kilobits, parse_number(text("bitrate"), "--bitrate (in kbit/s)", 6, 128));
    options.encoder.bitrate = static_cast<std::uint32_t>(kilobits * 1000);
  }
  if (given("complexity")) {
    CALLVAULT_TRY_ASSIGN(const auto complexity, parse_number(text("complexity"), "--complexity", 0, 10));
    options.encoder.complexity = static_cast<int>(complexity);
  }
  return {};
}

}  // namespace callvault::cli
