// The opt-out register: numbers whose people objected to being recorded (GDPR Art. 21, and Art. 7(3) after a
// withdrawal). It holds no number, only blinded ones: who has the key state can ask for a number, not list them.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "context/context.h"

namespace callvault::context {

inline constexpr std::string_view kOptOutRegister = "opt-out";

struct OptOut {
  Time since{};
  std::string request;  // reference of the request, sealed here; empty when there was none
};

class OptOuts {
 public:
  // Errors: corrupt.
  static Result<OptOuts> load(const Context& context);
  // In place of one that cannot be read any more: empty, and incomplete since now.
  static Result<OptOuts> begin_again(const Context& context);

  // While it is not known whether everybody who objected stands in it again, nobody may be recorded.
  std::optional<Time> incomplete_since() const { return completed_ ? std::nullopt : given_up_; }
  void declare_complete(Time now) { completed_ = now; }
  // Whether they had objected by then. What was entered again after a loss may have been said at any time before.
  bool stood_at(const OptOut& entry, Time time) const;

  // Numbers in their normal form (base::normalise_number). The empty one is nobody's.
  std::optional<OptOut> find(std::string_view number) const;
  // False when it was there already; then the earlier objection stands.
  bool add(std::string_view number, OptOut entry);
  bool remove(std::string_view number);
  // When one of a person's numbers opted out, all of them have. True when that adds some.
  bool spread(const std::vector<std::string>& numbers);
  std::size_t size() const { return entries_.size(); }

  // Into the edited directory: durable with its commit. Errors: refused when there are too many.
  Result<void> stage(Context& context) const;

 private:
  using Token = std::array<std::byte, 16>;
  explicit OptOuts(crypto::Key key) : key_(std::move(key)) {}
  static Result<OptOuts> empty(const Context& context);
  Token token_of(std::string_view number) const;

  crypto::Key key_;
  std::map<Token, OptOut> entries_;
  std::optional<Time> given_up_, completed_;  // when the one before was lost, and when everybody stood here again
};

}  // namespace callvault::context
