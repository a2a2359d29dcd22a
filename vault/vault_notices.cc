// The privacy notice in its versions, and which one a call was told of.
#include "callvault/notices.h"
#include "context/commit.h"
#include "context/rows.h"
#include "over_socket.h"
#include "rights/notices.h"
#include "subject.h"

namespace callvault {
namespace {

constexpr std::initializer_list<Role> kNoticeReaders{Role::officer, Role::auditor, Role::reviewer};

}  // namespace

Result<NoticeAdded> notice_add(Vault& vault, const Person& person, const NoticeOptions& options) {
  if (vault.impl().remote) return signed_call<NoticeAdded>(vault.impl(), "notice_add", person, options);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "notice"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(auto notices, rights::Notices::load(context));
  auto added = notices.add(context, options);
  if (!added) {
    if (added.error().code == Errc::refused)
      CALLVAULT_TRY(context.log.append("refused", {{"verb", "notice_add"}, {"notice", options.version}}));
    return added;
  }
  CALLVAULT_TRY(notices.stage(context));
  std::map<std::string, std::string> facts{{"notice", added->notice.version}, {"hash", added->notice.sha256}};
  if (!added->ended.empty()) facts.emplace("ended", added->ended);
  CALLVAULT_TRY(context::commit_journalled(context, "notice_added", std::move(facts)));
  return added;
}

Result<std::vector<Notice>> notice_list(Vault& vault, const Person& person) {
  if (vault.impl().remote) return signed_call<std::vector<Notice>>(vault.impl(), "notice_list", person);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, person.name()));
  CALLVAULT_TRY(session->require(person, kNoticeReaders, "notice"));
  CALLVAULT_TRY_ASSIGN(const auto notices, rights::Notices::load(session->context()));
  std::vector<Notice> out = notices.all();
  for (auto& notice : out) notice.text.clear();
  return out;
}

Result<Notice> notice_show(Vault& vault, const Person& person, std::string_view version) {
  if (vault.impl().remote) return signed_call<Notice>(vault.impl(), "notice_show", person, version);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, person.name()));
  CALLVAULT_TRY(session->require(person, kNoticeReaders, "notice"));
  CALLVAULT_TRY_ASSIGN(const auto notices, rights::Notices::load(session->context()));
  const Notice* notice = notices.find(version);
  if (notice == nullptr) return fail(Errc::not_found, "no notice version " + std::string(version.substr(0, 64)));
  return *notice;
}

Result<NoticeReport> notice_report(Vault& vault, const Person& person, const RecordingId& id) {
  if (vault.impl().remote) return signed_call<NoticeReport>(vault.impl(), "notice_report", person, id);
  CALLVAULT_TRY(settle_if_free(vault.impl()));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look, person.name()));
  CALLVAULT_TRY(session->require(person, kNoticeReaders, "report_notice"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(const auto found, attempted(context, "report_notice", id, locate(context, id)));
  CALLVAULT_TRY_ASSIGN(const auto notices, rights::Notices::load(context));
  CALLVAULT_TRY(context.log.append("notice_reported", {{"id", id.text()}}));
  const keys::Bucket& bucket = context.state.directory().buckets.at(found.bucket);
  CALLVAULT_TRY_ASSIGN(const auto details, context::row_of(context, bucket, found.row));
  NoticeReport out{id, found.row.started_at, details.notice, details.notice_played, std::nullopt, std::nullopt};
  out.state = notices.state_of(details.notice, found.row.started_at);
  if (const Notice* notice = notices.find(details.notice)) out.notice = *notice;
  return out;
}

}  // namespace callvault
