#include "rights/notices.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "rights/notice_codec.h"

namespace callvault::rights {
namespace {

constexpr std::string_view kNoticesRegister = "notices";
constexpr std::size_t kMaxNoticeBytes = 64 * 1024;
constexpr std::size_t kMaxVersionBytes = 64;
constexpr std::size_t kMaxNotices = 128;  // of the longest texts, all fit the register

bool is_version(std::string_view text) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() <= kMaxVersionBytes && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

Result<void> check_notice(const NoticeOptions& options) {
  if (!is_version(options.version))
    return fail(Errc::usage, "a notice's version is a code of 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'");
  if (options.text.empty()) return fail(Errc::usage, "the notice's text is empty");
  if (options.text.size() > kMaxNoticeBytes) return fail(Errc::usage, "the notice's text is longer than 64 KiB");
  if (options.text.find('\0') != std::string::npos || !survives_json(options.text))
    return fail(Errc::usage, "the notice's text is not UTF-8 text");
  if (options.until && *options.until <= options.from)
    return fail(Errc::usage, "the notice would end before it begins");
  return {};
}

Error takes_place(const std::string& version, std::string_view what) {
  return fail(Errc::refused, "notice version " + version + " " + std::string(what));
}

}  // namespace

Result<Notices> Notices::load(const context::Context& context) {
  Notices out;
  CALLVAULT_TRY_ASSIGN(const auto plain, context.state.read_register(std::string(kNoticesRegister)));
  if (!plain) return out;
  CALLVAULT_TRY_ASSIGN(out.notices_, decode_notices(base::as_text(*plain)));
  return out;
}

Result<NoticeAdded> Notices::add(const context::Context& context, const NoticeOptions& options) {
  CALLVAULT_TRY(check_notice(options));
  if (find(options.version) != nullptr)
    return takes_place(options.version, "is in the register already, and its text stays: a new text is a new version");
  if (notices_.size() >= kMaxNotices) return fail(Errc::refused, "the register of notices is full");
  NoticeAdded out;
  Notice made{options.version,    base::to_hex(crypto::sha256(base::as_bytes(options.text))),
              options.text,       options.from,
              options.until,      context.now,
              context.log.actor()};
  const auto later =
      std::find_if(notices_.begin(), notices_.end(), [&](const Notice& n) { return n.from >= made.from; });
  if (later != notices_.end()) {
    if (later->from == made.from) return takes_place(later->version, "begins at that time already");
    if (made.until && *made.until > later->from) return takes_place(later->version, "begins before that end");
    if (!made.until) out.ended_by = later->version;
    if (!made.until) made.until = later->from;
  }
  if (later != notices_.begin()) {
    Notice& before = *std::prev(later);
    if (!before.until || *before.until > made.from) {
      before.until = made.from;
      out.ended = before.version;
    }
  }
  out.notice = made;
  out.notice.text.clear();
  notices_.insert(later, std::move(made));
  return out;
}

const Notice* Notices::find(std::string_view version) const {
  const auto it = std::find_if(notices_.begin(), notices_.end(), [&](const Notice& n) { return n.version == version; });
  return it == notices_.end() ? nullptr : &*it;
}

std::optional<NoticeState> Notices::state_of(std::string_view version, Time call_start) const {
  if (version.empty() || notices_.empty()) return std::nullopt;
  const Notice* notice = find(version);
  if (notice == nullptr) return NoticeState::unknown;
  const bool in_force = notice->from <= call_start && (!notice->until || call_start < *notice->until);
  return in_force ? NoticeState::valid : NoticeState::not_in_force;
}

Result<void> Notices::stage(context::Context& context) const {
  return context.state.stage_register(std::string(kNoticesRegister), base::as_bytes(encode_notices(notices_)));
}

}  // namespace callvault::rights
