// The register of notices: every version of the text that callers are told of, with the span in which it is in force.
// GDPR Art. 13; which one a call was told of stands in the call's own sealed metadata.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/notices.h"
#include "context/context.h"

namespace callvault::rights {

class Notices {
 public:
  // Errors: corrupt, newer_version.
  static Result<Notices> load(const context::Context& context);

  // Errors: as callvault::notice_add.
  Result<NoticeAdded> add(const context::Context& context, const NoticeOptions& options);
  // Null when the version is not known.
  const Notice* find(std::string_view version) const;
  // Nothing when no version was named, or the vault keeps no notices.
  std::optional<NoticeState> state_of(std::string_view version, Time call_start) const;
  const std::vector<Notice>& all() const { return notices_; }

  // Into the edited directory: durable with its commit. Errors: refused when they are too many.
  Result<void> stage(context::Context& context) const;

 private:
  std::vector<Notice> notices_;  // ascending by `from`; each ends before the next one begins
};

}  // namespace callvault::rights
