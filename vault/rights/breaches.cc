#include "rights/breaches.h"

#include <algorithm>

#include "rights/breach_codec.h"
#include "rights/numbering.h"

namespace callvault::rights {
namespace {

constexpr std::string_view kBreachRegister = "breaches";
constexpr std::size_t kMaxBreachText = 4096;

Result<void> check_breach_text(const std::string& text, bool needed) {
  if (needed && text.empty()) return fail(Errc::usage, "a reason is needed");
  if (text.size() > kMaxBreachText) return fail(Errc::usage, "a text has at most 4,096 bytes");
  return {};
}

Result<void> require_open(const Breach& breach) {
  if (breach.closed) return fail(Errc::refused, "breach " + breach.id + " is closed");
  return {};
}

}  // namespace

bool is_overdue(const Breach& breach, Time now) {
  return !breach.closed && breach.risk != BreachRisk::none && !breach.authority_notified && now >= breach.due;
}

Result<Breaches> Breaches::load(const context::Context& context) {
  Breaches out;
  CALLVAULT_TRY_ASSIGN(const auto plain, context.state.read_register(std::string(kBreachRegister)));
  if (!plain) return out;
  CALLVAULT_TRY_ASSIGN(auto content, decode_breaches(base::as_text(*plain)));
  out.breaches_ = std::move(content.breaches);
  out.year_ = content.year;
  out.last_number_ = content.last_number;
  for (auto& breach : out.breaches_) breach.overdue = is_overdue(breach, context.now);
  return out;
}

Result<Breach*> Breaches::open(const context::Context& context, const BreachOptions& options) {
  CALLVAULT_TRY(check_breach_text(options.summary, false));
  if (options.summary.empty()) return fail(Errc::usage, "a breach needs a summary of what happened");
  if (options.from && options.to && *options.from > *options.to)
    return fail(Errc::usage, "the breach would have ended before it began");
  Breach made;
  made.discovered = options.discovered.value_or(context.now);
  for (const auto& time : {std::optional(made.discovered), options.from, options.to})
    if (time && *time > context.now) return fail(Errc::refused, "the breach would lie in the future");
  made.due = made.discovered + context.config.breach_notice;
  made.id = next_id(context, 'B', year_, last_number_);
  made.nature = options.nature;
  made.from = options.from;
  made.to = options.to;
  made.history.push_back({context.now, context.log.actor(), "opened", options.summary});
  made.overdue = is_overdue(made, context.now);
  breaches_.push_back(std::move(made));
  return &breaches_.back();
}

Result<Breach*> Breaches::find(std::string_view id) {
  const auto it = std::find_if(breaches_.begin(), breaches_.end(), [&](const Breach& b) { return b.id == id; });
  if (it == breaches_.end()) return fail(Errc::not_found, "no breach " + std::string(id.substr(0, 32)));
  return &*it;
}

Result<std::size_t> Breaches::prune(const context::Context& context) {
  const std::size_t before = breaches_.size();
  std::vector<Breach> kept;
  for (auto& breach : breaches_) {
    bool over = false;
    if (breach.closed_at) {
      CALLVAULT_TRY_ASSIGN(const Time end, context.zone.add(*breach.closed_at, context.config.breach_retention));
      over = context.now >= end;
    }
    if (!over) kept.push_back(std::move(breach));
  }
  breaches_ = std::move(kept);
  return before - breaches_.size();
}

Result<void> Breaches::stage(context::Context& context) const {
  return context.state.stage_register(std::string(kBreachRegister),
                                      base::as_bytes(encode_breaches({breaches_, year_, last_number_})));
}

Result<void> assess(Breach& breach, BreachRisk risk, const std::string& reason) {
  CALLVAULT_TRY(check_breach_text(reason, true));
  if (risk == BreachRisk::not_assessed) return fail(Errc::usage, "the risk is none, some or high");
  CALLVAULT_TRY(require_open(breach));
  breach.risk = risk;
  return {};
}

Result<void> notify(Breach& breach, const BreachNotice& notice, Time now) {
  CALLVAULT_TRY(check_breach_text(notice.reference, false));
  CALLVAULT_TRY(check_breach_text(notice.reason, false));
  CALLVAULT_TRY(require_open(breach));
  const Time at = notice.at.value_or(now);
  if (at > now) return fail(Errc::refused, "the notice of breach " + breach.id + " would lie in the future");
  if (at < breach.discovered)
    return fail(Errc::refused, "the notice of breach " + breach.id + " would lie before its discovery");
  const bool authority = notice.audience == BreachAudience::authority;
  auto& told = authority ? breach.authority_notified : breach.people_notified;
  if (told) return fail(Errc::refused, "breach " + breach.id + " was notified before");
  if (authority && at >= breach.due && notice.reason.empty())
    return fail(Errc::refused, "the time to notify breach " + breach.id + " is over: say the reason of the delay");
  told = at;
  return {};
}

Result<void> note(const Breach& breach, const std::string& text) {
  if (text.empty()) return fail(Errc::usage, "the text of the note is needed");
  CALLVAULT_TRY(check_breach_text(text, false));
  return require_open(breach);
}

Result<void> close(Breach& breach, const std::string& note, Time now) {
  CALLVAULT_TRY(check_breach_text(note, false));
  CALLVAULT_TRY(require_open(breach));
  if (breach.risk == BreachRisk::not_assessed)
    return fail(Errc::refused, "the risk of breach " + breach.id + " is not assessed yet");
  if (breach.risk != BreachRisk::none && !breach.authority_notified)
    return fail(Errc::refused, "the authority was not told of breach " + breach.id + " yet");
  // Art. 34(3) knows reasons not to tell them one by one: then they are the note.
  if (breach.risk == BreachRisk::high && !breach.people_notified && note.empty())
    return fail(Errc::refused, "the people were not told of breach " + breach.id + ": tell them, or say why not");
  breach.closed = true;
  breach.closed_at = now;
  return {};
}

}  // namespace callvault::rights
