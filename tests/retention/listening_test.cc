// The purposes of a person, and the window for evaluation.
#include "retention/listening.h"

#include <doctest/doctest.h>

using namespace callvault;
using retention::deny_listening;

namespace {

const Time kNow = Time(std::chrono::hours(500'000));

retention::ListenRequest wish(Purpose purpose) {
  return {kNow, purpose, true, {Purpose::evaluation, Purpose::complaint}, std::nullopt};
}

std::string code_of(const retention::ListenRequest& request) {
  const auto denied = deny_listening(request);
  return denied ? std::string(denied->code) : "opened";
}

}  // namespace

TEST_CASE("only a listener, only for a purpose of the role") {
  CHECK(code_of(wish(Purpose::complaint)) == "opened");
  CHECK(code_of(wish(Purpose::evaluation)) == "opened");
  for (const auto purpose :
       {Purpose::service_quality, Purpose::customer_needs, Purpose::legal_claims, Purpose::proof_of_interaction})
    CHECK(code_of(wish(purpose)) == "purpose");
  auto request = wish(Purpose::complaint);
  request.listener = false;
  CHECK(code_of(request) == "role");
}

TEST_CASE("the window closes evaluation at its very instant, and nothing else") {
  auto request = wish(Purpose::evaluation);
  request.evaluation_until = kNow + std::chrono::milliseconds(1);
  CHECK(code_of(request) == "opened");
  request.evaluation_until = kNow;
  CHECK(code_of(request) == "window");
  request.purpose = Purpose::complaint;
  CHECK(code_of(request) == "opened");
}
