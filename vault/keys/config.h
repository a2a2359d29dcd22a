// vault.toml: what a vault is called, its zone, its retention classes and policies. No secrets.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/retention.h"
#include "keys/location.h"
#include "keys/people_policy.h"
#include "keys/service_policy.h"
#include "os/file.h"

namespace callvault::keys {

inline constexpr std::uint32_t kVaultVersion = 1;

// Whose consent a copy of a whole call needs, besides a granted request (S22). Without it the requester gets the own
// track alone.
enum class CopyConsent : std::uint8_t {
  all_parties,  // each party said yes
  requester,    // no other party said no
};

// When going on after a notice is consent: unless it is known to have been cut off; or only when it is known which
// version was played, and to its end.
enum class ImpliedConsent : std::uint8_t { announced, heard };

struct Config {
  std::string organisation;
  std::string time_zone;
  std::string country_code;
  std::optional<os::Path> keeper;       // only when it is not the sibling folder
  std::vector<RetentionClass> classes;  // the first is `default`
  std::chrono::hours pending_grace{24};
  ImpliedConsent implied_consent = ImpliedConsent::announced;
  Period request_retention{36, 0};       // how long a closed request is kept
  Period breach_retention{60, 0};        // how long a closed breach is kept
  std::chrono::hours breach_notice{72};  // from its discovery until the authority must know (Art. 33(1))
  Location location{};
  PeoplePolicy people{};
  // Printed where the law wants them told; empty when not configured.
  std::string controller_contact{}, dpo_contact{}, authority_contact{};
  CopyConsent copy_consent = CopyConsent::all_parties;

  ServicePolicy service{};

  // Errc::refused when the vault has no such class.
  Result<Period> period_of(std::string_view retention_class) const;
};

std::string write_config(const Config& config);
// Errors: corrupt (naming the key), newer_version.
Result<Config> parse_config(std::string_view text);
// Errors: no_vault when there is none at `path`.
Result<Config> read_config(const os::Path& path);

}  // namespace callvault::keys
