#include "rights/approvals.h"

#include <algorithm>
#include <charconv>

#include "base/civil_time.h"
#include "base/text.h"

namespace callvault::rights {
namespace {

constexpr std::size_t kMaxWaiting = 1000;
constexpr std::size_t kMaxWhatBytes = 1024;

std::string approval_id(int year, std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return "A-" + std::to_string(year) + "-" + digits;
}

bool is_open(const Approval& a, Time now) { return a.state != ApprovalState::used && now < a.stands_until; }

}  // namespace

void settle_approval(ApprovalRecord& record, ApprovalState state) {
  record.approval.state = state;
  record.approval.what.clear();
}

Result<Approvals> Approvals::load(context::Context& context) {
  const std::string name(kApprovalsRegister);
  CALLVAULT_TRY_ASSIGN(const crypto::Key* index_key, context.state.register_index_key(name));
  CALLVAULT_TRY_ASSIGN(auto key, index_key->clone());
  Approvals out(std::move(key));
  CALLVAULT_TRY_ASSIGN(const auto plain, context.state.read_register(name));
  if (!plain) return out;
  CALLVAULT_TRY_ASSIGN(out.content_, decode_approvals(base::as_text(*plain)));
  return out;
}

crypto::Digest Approvals::digest_of(DualAction action, std::string_view who,
                                    std::span<const std::string> parameters) const {
  crypto::Hasher hasher(key_);
  const auto add = [&](std::string_view text) {  // with its length: no two lists run together
    hasher.add(base::as_bytes(std::to_string(text.size()) + ":"));
    hasher.add(base::as_bytes(text));
  };
  add(to_word(action));
  add(who);
  for (const auto& parameter : parameters) add(parameter);
  return hasher.finish();
}

ApprovalRecord* Approvals::standing(const crypto::Digest& digest, Time now) {
  const auto it = std::find_if(content_.records.rbegin(), content_.records.rend(),
                               [&](const ApprovalRecord& r) { return r.digest == digest && is_open(r.approval, now); });
  return it == content_.records.rend() ? nullptr : &*it;
}

Result<ApprovalRecord*> Approvals::ask(const context::Context& context, DualAction action, const crypto::Digest& digest,
                                       std::string what) {
  CALLVAULT_TRY(prune(context));
  if (content_.records.size() >= kMaxWaiting)
    return fail(Errc::refused, "1,000 approvals are registered already; some have to run out first");
  int year = 0;
  const std::string day = base::day_text(context.zone.civil_day(context.now));
  std::from_chars(day.data(), day.data() + 4, year);
  if (year != content_.year) content_.last_number = 0;
  content_.year = year;
  if (what.size() > kMaxWhatBytes) what.resize(kMaxWhatBytes);
  ApprovalRecord record;
  record.digest = digest;
  record.approval.id = approval_id(year, ++content_.last_number);
  record.approval.action = action;
  record.approval.what = std::move(what);
  record.approval.asked_by = context.log.actor();
  record.approval.asked_at = context.now;
  record.approval.stands_until = context.now + context.config.people.approval_stands;
  content_.records.push_back(std::move(record));
  return &content_.records.back();
}

Result<ApprovalRecord*> Approvals::find(std::string_view id) {
  const auto it = std::find_if(content_.records.begin(), content_.records.end(),
                               [&](const ApprovalRecord& r) { return r.approval.id == id; });
  if (it == content_.records.end()) return fail(Errc::not_found, "no approval " + std::string(id.substr(0, 32)));
  return &*it;
}

std::vector<Approval> Approvals::list(Time now) const {
  std::vector<Approval> out;
  for (const auto& record : content_.records) {
    out.push_back(record.approval);
    const bool waits =
        record.approval.state == ApprovalState::asked || record.approval.state == ApprovalState::approved;
    if (!waits || is_open(record.approval, now)) continue;
    out.back().state = ApprovalState::expired;
    out.back().what.clear();
  }
  return out;
}

Result<std::size_t> Approvals::prune(const context::Context& context) {
  return std::erase_if(content_.records,
                       [&](const ApprovalRecord& r) { return context.now >= r.approval.stands_until; });
}

Result<void> Approvals::stage(context::Context& context) const {
  return context.state.stage_register(std::string(kApprovalsRegister), base::as_bytes(encode_approvals(content_)));
}

}  // namespace callvault::rights
