// A verb as the keeper's service runs it: its arguments decoded by the verb's own types, its answer kept until the verb
// has let go of the vault, since whoever asked may read slowly.
#pragma once

#include <tuple>

#include "over_socket.h"
#include "review/release.h"

namespace callvault {

// One request while it is answered.
struct Asked {
  Vault& vault;
  const Person* person = nullptr;  // whose signature was checked; null when the account itself asks
  std::uint32_t uid = 0;
  const std::vector<std::string>& people;  // for whom the account may speak
  service::Decoder arguments;
  std::vector<service::Bytes> items{};
  std::size_t items_bytes = 0;
  service::Bytes result{};
  std::optional<review::Release> released{};
};

using VerbRunner = Result<void> (*)(Asked& asked);

namespace service_verbs {

template <typename T>
struct Argument {
  using Taken = std::conditional_t<std::is_same_v<T, std::string_view>, std::string, T>;
  static Taken take(Asked& asked) { return asked.arguments.get<Taken>(); }
};

template <typename T>
struct Argument<std::function<bool(const T&)>> {
  using Taken = std::function<bool(const T&)>;
  static Taken take(Asked& asked) {
    return [&asked](const T& item) {
      service::Bytes encoded;
      service::encode(encoded, item);
      asked.items_bytes += encoded.size();
      if (asked.items_bytes <= service::kMaxItemsBytes) asked.items.push_back(std::move(encoded));
      return asked.items_bytes <= service::kMaxItemsBytes;
    };
  }
};

template <typename R, typename... A, typename Verb>
Result<void> answer(Asked& asked, const Verb& verb) {
  // Braces: in the order they were sent.
  std::tuple<typename Argument<std::remove_cvref_t<A>>::Taken...> arguments{
      Argument<std::remove_cvref_t<A>>::take(asked)...};
  if (!asked.arguments.done()) return fail(Errc::usage, "the request's arguments are malformed");
  auto result = std::apply(verb, arguments);
  if (!result) return std::move(result).error();
  if (asked.items_bytes > service::kMaxItemsBytes)
    return fail(Errc::usage, "the answer is larger than 256 MiB: ask for less at a time");
  if constexpr (!std::is_void_v<R>) service::encode(asked.result, *result);
  return {};
}

template <auto kVerb>
struct Runner;

template <typename R, typename... A, Result<R> (Vault::*kVerb)(const Person&, A...)>
struct Runner<kVerb> {
  static Result<void> run(Asked& asked) {
    return answer<R, A...>(asked, [&](auto&... a) { return (asked.vault.*kVerb)(*asked.person, a...); });
  }
};

template <typename R, typename... A, Result<R> (*kVerb)(Vault&, const Person&, A...)>
struct Runner<kVerb> {
  static Result<void> run(Asked& asked) {
    return answer<R, A...>(asked, [&](auto&... a) { return kVerb(asked.vault, *asked.person, a...); });
  }
};

template <typename R, typename... A, Result<R> (*kVerb)(Asked&, A...)>
struct Runner<kVerb> {
  static Result<void> run(Asked& asked) {
    return answer<R, A...>(asked, [&](auto&... a) { return kVerb(asked, a...); });
  }
};

}  // namespace service_verbs

// `kVerb`: a verb of Vault, or a function of (Vault&, const Person&, ...) or (Asked&, ...).
template <auto kVerb>
inline constexpr VerbRunner kRun = &service_verbs::Runner<kVerb>::run;

}  // namespace callvault
