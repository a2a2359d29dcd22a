// To whom a file that leaves the vault is sealed: the options all such commands share.
#pragma once

#include <optional>
#include <string>

#include "callvault/disclosure.h"
#include "cli/arguments.h"
#include "cli/session.h"

namespace callvault::cli {

class SealForOptions {
 public:
  void declare(Arguments& arguments);
  // Errc::usage when both are given, or FILE has no name. The passphrase is asked for last: by `resolve`.
  Result<void> check() const;
  Result<SealFor> resolve(Session& session);
  const std::string& output() const { return output_; }

 private:
  std::optional<std::string> recipient_, passphrase_file_;
  std::string output_;
  std::optional<Passphrase> passphrase_;
};

}  // namespace callvault::cli
