#include "context/aliases.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/civil_time.h"
#include "base/phone.h"
#include "base/text.h"
#include "crypto/aead.h"

namespace callvault::context {
namespace {

constexpr int kAliasesVersion = 1;
constexpr std::string_view kTokenLabel = "callvault v1 alias token";
constexpr std::string_view kMemberLabel = "callvault v1 alias member";
constexpr std::string_view kNumbersLabel = "callvault v1 alias numbers";
constexpr std::size_t kGroupKeyBytes = crypto::Key::kBytes + crypto::kSealOverhead;

Error aliases_damaged() { return fail(Errc::corrupt, "the alias register is damaged"); }

using AliasToken = decltype(AliasMember::token);

Result<AliasToken> alias_token(const crypto::Key& index_key, std::string_view number) {
  CALLVAULT_TRY_ASSIGN(const auto derived, index_key.derive(kTokenLabel, base::as_bytes(number)));
  AliasToken out{};
  std::copy_n(derived.reveal().begin(), out.size(), out.begin());
  return out;
}

// The reference of the request, then the numbers, padded: a group's size says how many they are, not how long.
constexpr std::size_t kSlotBytes = base::kMaxNumberBytes + 1;

base::Bytes to_slots(const AliasPerson& person) {
  std::vector<std::string> texts{person.request};
  texts.insert(texts.end(), person.numbers.begin(), person.numbers.end());
  base::Bytes out(texts.size() * kSlotBytes);
  for (std::size_t i = 0; i < texts.size(); ++i)
    std::copy_n(base::as_bytes(texts[i]).begin(), std::min(texts[i].size(), base::kMaxNumberBytes),
                out.begin() + static_cast<std::ptrdiff_t>(i * kSlotBytes));
  return out;
}

AliasPerson from_slots(base::ByteView plain) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at + kSlotBytes <= plain.size(); at += kSlotBytes) {
    const std::string_view slot = base::as_text(plain.subspan(at, kSlotBytes));
    texts.emplace_back(slot.substr(0, slot.find('\0')));
  }
  if (texts.empty()) return {};
  return {texts.front(), {texts.begin() + 1, texts.end()}};
}

using AliasJson = nlohmann::json;

std::optional<base::Bytes> hex_field(const AliasJson& json, const char* key) {
  if (!json.contains(key) || !json[key].is_string()) return std::nullopt;
  return base::from_hex(json[key].get_ref<const std::string&>());
}

Result<AliasGroup> read_group(const AliasJson& json) {
  const bool whole = json.is_object() && json.size() == 3 && json.contains("since") && json["since"].is_string() &&
                     json.contains("members") && json["members"].is_array() && json["members"].size() >= 2 &&
                     json["members"].size() <= kMaxAliases;
  if (!whole) return aliases_damaged();
  AliasGroup out;
  const auto since = base::parse_utc(json["since"].get_ref<const std::string&>());
  auto numbers = hex_field(json, "numbers");
  if (!since || !numbers) return aliases_damaged();
  out.since = *since;
  out.numbers = std::move(*numbers);
  for (const auto& item : json["members"]) {
    if (!item.is_object() || item.size() != 2) return aliases_damaged();
    const auto token = hex_field(item, "token");
    auto key = hex_field(item, "key");
    AliasMember member;
    if (!token || token->size() != member.token.size() || !key || key->size() != kGroupKeyBytes)
      return aliases_damaged();
    std::copy(token->begin(), token->end(), member.token.begin());
    member.group_key = std::move(*key);
    out.members.push_back(std::move(member));
  }
  return out;
}

}  // namespace

std::string encode_aliases(const std::vector<AliasGroup>& groups) {
  AliasJson list = AliasJson::array();
  for (const auto& group : groups) {
    AliasJson members = AliasJson::array();
    for (const auto& m : group.members)
      members.push_back({{"token", base::to_hex(m.token)}, {"key", base::to_hex(m.group_key)}});
    list.push_back({{"since", base::utc_text(group.since)},
                    {"numbers", base::to_hex(group.numbers)},
                    {"members", std::move(members)}});
  }
  return AliasJson{{"version", kAliasesVersion}, {"groups", std::move(list)}}.dump();
}

Result<std::vector<AliasGroup>> decode_aliases(std::string_view text) {
  const AliasJson json = AliasJson::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("version") || !json["version"].is_number_unsigned()) return aliases_damaged();
  if (json["version"].get<std::uint64_t>() > kAliasesVersion)
    return fail(Errc::newer_version, "the alias register is of a newer version");
  if (!json.contains("groups") || !json["groups"].is_array()) return aliases_damaged();
  std::vector<AliasGroup> out;
  std::set<AliasToken> seen;  // a number is in one group
  for (const auto& item : json["groups"]) {
    CALLVAULT_TRY_ASSIGN(auto group, read_group(item));
    for (const auto& member : group.members)
      if (!seen.insert(member.token).second) return aliases_damaged();
    out.push_back(std::move(group));
  }
  return out;
}

Result<Aliases> Aliases::begin_again(const Context& context) {
  CALLVAULT_TRY_ASSIGN(const crypto::Key* key, context.state.register_index_key(std::string(kAliasRegister)));
  CALLVAULT_TRY_ASSIGN(auto copy, key->clone());
  return Aliases(std::move(copy));
}

Result<Aliases> Aliases::load(const Context& context) {
  CALLVAULT_TRY_ASSIGN(auto out, begin_again(context));
  CALLVAULT_TRY_ASSIGN(const auto plain, context.state.read_register(std::string(kAliasRegister)));
  if (!plain) return out;
  CALLVAULT_TRY_ASSIGN(out.groups_, decode_aliases(base::as_text(*plain)));
  return out;
}

Result<std::size_t> Aliases::index_of(std::string_view number) const {
  if (number.empty() || groups_.empty()) return groups_.size();
  CALLVAULT_TRY_ASSIGN(const auto token, alias_token(key_, number));
  const auto it = std::find_if(groups_.begin(), groups_.end(), [&](const AliasGroup& g) {
    return std::any_of(g.members.begin(), g.members.end(), [&](const AliasMember& m) { return m.token == token; });
  });
  return static_cast<std::size_t>(it - groups_.begin());
}

Result<AliasPerson> Aliases::open(const AliasGroup& group, std::string_view number) const {
  CALLVAULT_TRY_ASSIGN(const auto token, alias_token(key_, number));
  CALLVAULT_TRY_ASSIGN(const auto member_key, key_.derive(kMemberLabel, base::as_bytes(number)));
  for (const auto& m : group.members) {
    if (m.token != token) continue;
    CALLVAULT_TRY_ASSIGN(const auto raw, crypto::open(member_key, m.token, m.group_key, "a member of an alias group"));
    CALLVAULT_TRY_ASSIGN(const auto group_key, crypto::Key::copy_of(raw.reveal()));
    CALLVAULT_TRY_ASSIGN(const auto plain, crypto::open_plain(group_key, base::as_bytes(kNumbersLabel), group.numbers,
                                                              "the numbers of an alias group"));
    return from_slots(plain);
  }
  return aliases_damaged();
}

Result<AliasGroup> Aliases::seal(const AliasPerson& person, Time since) const {
  CALLVAULT_TRY_ASSIGN(const auto group_key, crypto::Key::random());
  AliasGroup out{since, {}, crypto::seal(group_key, base::as_bytes(kNumbersLabel), to_slots(person))};
  for (const auto& number : person.numbers) {
    CALLVAULT_TRY_ASSIGN(const auto token, alias_token(key_, number));
    CALLVAULT_TRY_ASSIGN(const auto member_key, key_.derive(kMemberLabel, base::as_bytes(number)));
    out.members.push_back({token, crypto::seal(member_key, token, group_key.reveal())});
  }
  return out;
}

Result<std::vector<std::string>> Aliases::of(const std::vector<std::string>& numbers) const {
  std::set<std::string> out;
  for (const auto& number : numbers) {
    out.insert(number);
    CALLVAULT_TRY_ASSIGN(const auto i, index_of(number));
    if (i == groups_.size()) continue;
    CALLVAULT_TRY_ASSIGN(const auto person, open(groups_[i], number));
    out.insert(person.numbers.begin(), person.numbers.end());
  }
  return std::vector<std::string>(out.begin(), out.end());
}

Result<std::optional<AliasPerson>> Aliases::find(std::string_view number) const {
  CALLVAULT_TRY_ASSIGN(const auto i, index_of(number));
  if (i == groups_.size()) return std::optional<AliasPerson>();
  CALLVAULT_TRY_ASSIGN(auto person, open(groups_[i], number));
  return std::optional(std::move(person));
}

Result<bool> Aliases::add(const std::vector<std::string>& numbers, const std::string& request, Time now) {
  CALLVAULT_TRY_ASSIGN(const auto all, of(numbers));
  if (all.size() > kMaxAliases)
    return fail(Errc::usage, "one person has at most " + std::to_string(kMaxAliases) + " numbers");
  CALLVAULT_TRY_ASSIGN(const auto first, index_of(all.front()));
  if (first < groups_.size() && groups_[first].members.size() == all.size()) return false;
  for (const auto& number : all) drop(number);
  CALLVAULT_TRY_ASSIGN(auto group, seal({request, all}, now));
  groups_.push_back(std::move(group));
  return true;
}

Result<bool> Aliases::remove(std::string_view number, Time now) {
  CALLVAULT_TRY_ASSIGN(const auto i, index_of(number));
  if (i == groups_.size()) return false;
  CALLVAULT_TRY_ASSIGN(auto rest, open(groups_[i], number));
  std::erase(rest.numbers, number);
  drop(number);
  if (rest.numbers.size() < 2) return true;
  // Under another key: who knows the number that left must not go on reading the others.
  CALLVAULT_TRY_ASSIGN(auto group, seal(rest, now));
  groups_.push_back(std::move(group));
  return true;
}

bool Aliases::drop(std::string_view number) {
  const auto i = index_of(number);
  if (!i || *i == groups_.size()) return false;
  groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(*i));
  return true;
}

Result<std::size_t> Aliases::prune(const Context& context) {
  const std::size_t before = groups_.size();
  std::vector<AliasGroup> kept;
  for (auto& group : groups_) {
    CALLVAULT_TRY_ASSIGN(const Time end, context.zone.add(group.since, context.config.request_retention));
    if (context.now < end) kept.push_back(std::move(group));
  }
  groups_ = std::move(kept);
  return before - groups_.size();
}

Result<void> Aliases::stage(Context& context) const {
  return context.state.stage_register(std::string(kAliasRegister), base::as_bytes(encode_aliases(groups_)));
}

}  // namespace callvault::context
