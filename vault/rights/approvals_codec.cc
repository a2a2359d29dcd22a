#include "rights/approvals_codec.h"

#include <algorithm>

#include "base/text.h"
#include "context/json_fields.h"

namespace callvault::rights {
namespace {

constexpr int kApprovalsVersion = 1;
constexpr std::uint64_t kLastNumberedYear = 9999;

Error damaged_approvals() { return fail(Errc::corrupt, "the register of approvals is damaged"); }

nlohmann::json json_of(const ApprovalRecord& record) {
  const Approval& a = record.approval;
  return {{"id", a.id},
          {"action", to_word(a.action)},
          {"state", to_word(a.state)},
          {"what", a.what},
          {"asked_by", a.asked_by},
          {"decided_by", a.decided_by},
          {"asked_at", base::utc_text(a.asked_at)},
          {"stands_until", base::utc_text(a.stands_until)},
          {"digest", base::to_hex(record.digest)}};
}

Result<ApprovalRecord> approval_of(const nlohmann::json& json) {
  context::JsonFields f(json);
  ApprovalRecord out;
  out.approval.id = f.text("id");
  out.approval.action = f.word("action", parse_dual_action);
  out.approval.state = f.word("state", parse_approval_state);
  out.approval.what = f.text("what");
  out.approval.asked_by = f.text("asked_by");
  out.approval.decided_by = f.text("decided_by");
  out.approval.asked_at = f.time("asked_at");
  out.approval.stands_until = f.time("stands_until");
  const auto digest = base::from_hex(f.text("digest"));
  if (!f.ok() || !digest || digest->size() != out.digest.size()) return damaged_approvals();
  std::copy(digest->begin(), digest->end(), out.digest.begin());
  return out;
}

}  // namespace

std::string encode_approvals(const ApprovalsContent& content) {
  auto list = nlohmann::json::array();
  for (const auto& record : content.records) list.push_back(json_of(record));
  return nlohmann::json{{"version", kApprovalsVersion},
                        {"year", content.year},
                        {"last_number", content.last_number},
                        {"approvals", std::move(list)}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<ApprovalsContent> decode_approvals(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("version") || !json["version"].is_number_unsigned())
    return damaged_approvals();
  if (json["version"].get<std::uint64_t>() > kApprovalsVersion)
    return fail(Errc::newer_version, "the register of approvals is of a newer version");
  context::JsonFields f(json);
  ApprovalsContent out;
  const std::uint64_t year = f.number("year");
  out.last_number = f.number("last_number");
  if (!f.ok() || year > kLastNumberedYear || !json.contains("approvals") || !json["approvals"].is_array())
    return damaged_approvals();
  out.year = static_cast<int>(year);
  for (const auto& item : json["approvals"]) {
    CALLVAULT_TRY_ASSIGN(auto record, approval_of(item));
    out.records.push_back(std::move(record));
  }
  return out;
}

}  // namespace callvault::rights
