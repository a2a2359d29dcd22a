#include "context/opt_out.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace callvault::context {
namespace {

using Json = nlohmann::json;

// One that was given up is of version 2, every other of version 1.
constexpr int kVersion = 2;

constexpr std::chrono::minutes kClockSlack{5};

Error damaged() { return fail(Errc::corrupt, "the opt-out register is damaged"); }

}  // namespace

OptOuts::Token OptOuts::token_of(std::string_view number) const {
  const auto digest = crypto::blake2b(key_, base::as_bytes(number));
  Token out{};
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

Result<OptOuts> OptOuts::empty(const Context& context) {
  CALLVAULT_TRY_ASSIGN(const crypto::Key* key, context.state.register_index_key(std::string(kOptOutRegister)));
  CALLVAULT_TRY_ASSIGN(auto copy, key->clone());
  return OptOuts(std::move(copy));
}

Result<OptOuts> OptOuts::begin_again(const Context& context) {
  CALLVAULT_TRY_ASSIGN(auto out, empty(context));
  out.given_up_ = context.now;
  return out;
}

Result<OptOuts> OptOuts::load(const Context& context) {
  CALLVAULT_TRY_ASSIGN(auto out, empty(context));
  CALLVAULT_TRY_ASSIGN(const auto plain, context.state.read_register(std::string(kOptOutRegister)));
  if (!plain) return out;
  const Json json = Json::parse(base::as_text(*plain), nullptr, false);
  if (!json.is_object() || !json.contains("version") || !json["version"].is_number_unsigned()) return damaged();
  if (json["version"].get<std::uint64_t>() > kVersion)
    return fail(Errc::newer_version, "the opt-out register is of a newer version");
  if (!json.contains("numbers") || !json["numbers"].is_array()) return damaged();
  for (const auto& [name, time] : {std::pair{"given_up", &out.given_up_}, std::pair{"completed", &out.completed_}}) {
    if (!json.contains(name)) continue;
    const auto at = json[name].is_string() ? base::parse_utc(json[name].get<std::string>()) : damaged();
    if (!at) return damaged();
    *time = *at;
  }
  for (const auto& item : json["numbers"]) {
    if (!item.is_object() || item.size() != 3 || !item.contains("token") || !item["token"].is_string() ||
        !item.contains("since") || !item["since"].is_string() || !item.contains("request") ||
        !item["request"].is_string())
      return damaged();
    const auto raw = base::from_hex(item["token"].get<std::string>());
    const auto since = base::parse_utc(item["since"].get<std::string>());
    Token token{};
    if (!raw || raw->size() != token.size() || !since) return damaged();
    std::copy(raw->begin(), raw->end(), token.begin());
    if (!out.entries_.emplace(token, OptOut{*since, item["request"].get<std::string>()}).second) return damaged();
  }
  return out;
}

std::optional<OptOut> OptOuts::find(std::string_view number) const {
  if (number.empty()) return std::nullopt;
  const auto it = entries_.find(token_of(number));
  return it == entries_.end() ? std::nullopt : std::optional(it->second);
}

bool OptOuts::stood_at(const OptOut& entry, Time time) const {
  // Everything here was entered since; a clock that steps back a little changes nothing.
  const bool entered_again = given_up_ && (!completed_ || entry.since <= *completed_ + kClockSlack);
  return entered_again || entry.since <= time;
}

bool OptOuts::add(std::string_view number, OptOut entry) {
  return entries_.emplace(token_of(number), std::move(entry)).second;
}

bool OptOuts::remove(std::string_view number) { return entries_.erase(token_of(number)) > 0; }

bool OptOuts::spread(const std::vector<std::string>& numbers) {
  std::optional<OptOut> earliest;
  for (const auto& number : numbers)
    if (const auto entry = find(number); entry && (!earliest || entry->since < earliest->since)) earliest = entry;
  bool added = false;
  for (const auto& number : numbers) added = (earliest && add(number, *earliest)) || added;
  return added;
}

Result<void> OptOuts::stage(Context& context) const {
  Json numbers = Json::array();
  for (const auto& [token, entry] : entries_)
    numbers.push_back(
        {{"token", base::to_hex(token)}, {"since", base::utc_text(entry.since)}, {"request", entry.request}});
  Json json{{"version", 1}, {"numbers", std::move(numbers)}};
  if (given_up_) {
    json["version"] = kVersion;
    json["given_up"] = base::utc_text(*given_up_);
  }
  if (completed_) json["completed"] = base::utc_text(*completed_);
  const std::string text = json.dump();
  return context.state.stage_register(std::string(kOptOutRegister), base::as_bytes(text));
}

}  // namespace callvault::context
