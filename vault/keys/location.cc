#include "keys/location.h"

#include <algorithm>

#include "os/file.h"

namespace callvault::keys {
namespace {

constexpr std::uint64_t kMaxLabelBytes = 256;

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return "";
  return std::string(text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1));
}

}  // namespace

Result<void> check_location(const Location& location) {
  if (location.allowed.empty()) return {};
  const auto text = os::read_file(location.host_file, kMaxLabelBytes);
  if (!text && text.error().code != Errc::not_found) return text.error();
  const std::string host = text ? trimmed(base::as_text(*text)) : "";
  if (host.empty())
    return fail(Errc::refused, "this host does not say where it stands: " + location.host_file.string() +
                                   " is missing or empty, and vault.toml allows certain places only");
  for (const auto& [store, label] : {std::pair{"vault", &location.vault}, std::pair{"keeper", &location.keeper}}) {
    if (label->empty()) return fail(Errc::refused, "vault.toml does not say where the " + std::string(store) + " is");
    if (std::find(location.allowed.begin(), location.allowed.end(), *label) == location.allowed.end())
      return fail(Errc::refused,
                  "the " + std::string(store) + " is in \"" + *label + "\", which vault.toml does not allow");
    if (*label != host)
      return fail(Errc::refused, "the " + std::string(store) + " belongs in \"" + *label +
                                     "\", and this host is in \"" + host.substr(0, 64) + "\"");
  }
  return {};
}

}  // namespace callvault::keys
