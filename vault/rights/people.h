// The register of people: who was assessed, what they accepted with their own signature, when their access ends. Kept
// beside the directory, which says who they are and which roles they have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "context/context.h"
#include "rights/people_codec.h"

namespace callvault::rights {

// Why a person may not act. The words are result codes in the journal.
enum class Lapse : std::uint8_t { none, expired, not_assessed, duties };
std::string_view to_word(Lapse lapse);

class People {
 public:
  // Errors: corrupt, newer_version.
  static Result<People> load(const context::Context& context);

  const std::optional<Duty>& duty() const { return content_.duty; }
  // Of a person without an entry: nothing is known.
  const PersonRecord& of(const std::string& name) const;

  // Whether people must be assessed and have accepted.
  bool duties_in_force(const context::Context& context) const;
  // The acceptance of the present text, when its signature is the person's own.
  const Acceptance* accepted(const context::Context& context, const keys::PersonEntry& person) const;
  Lapse lapse_of(const context::Context& context, const keys::PersonEntry& person) const;
  // An officer who is not disabled and whose access has not lapsed, other than `but`.
  bool any_able_officer(const context::Context& context, std::string_view but = {}) const;

  PersonRecord& edit(const std::string& name) { return content_.people[name]; }
  // Errors: usage when it is empty, too long or no UTF-8.
  Result<void> set_duty(std::string text, Time now);
  // Of the present text, signed by the person, of late. Errors: refused.
  Result<void> accept(const context::Context& context, const keys::PersonEntry& person, const Acceptance& acceptance);

  // Into the edited directory: durable with its commit.
  Result<void> stage(context::Context& context) const;

 private:
  PeopleContent content_;
};

// What a person signs, in lines. A text that is set again has another number, and is signed again.
std::string acceptance_statement(std::string_view origin, std::string_view person, std::uint64_t number,
                                 std::string_view sha256, Time at);

}  // namespace callvault::rights
