#include "base/phone.h"

#include <doctest/doctest.h>

#include <array>
#include <random>

using callvault::Errc;
using callvault::base::normalise_number;

TEST_CASE("telephone numbers: one spelling each, and settled at once") {
  const std::array<std::array<std::string_view, 3>, 45> cases{{
      // text, country code, expected
      {"+40722123456", "40", "+40722123456"},
      {"0722123456", "40", "+40722123456"},
      {"0722123456", "+40", "+40722123456"},
      {"0040722123456", "40", "+40722123456"},
      {" 0722 123 456 ", "40", "+40722123456"},
      {"0722-123-456", "40", "+40722123456"},
      {"0722.123.456", "40", "+40722123456"},
      {"0722/123456", "40", "+40722123456"},
      {"(0722) 123 456", "40", "+40722123456"},
      {"[0722] 123456", "40", "+40722123456"},
      {"+40 (722) 123-456", "40", "+40722123456"},
      {"(+40) 722 123 456", "40", "+40722123456"},
      {"+40 (0) 722 123 456", "40", "+40722123456"},
      {"0040 (0)722 123 456", "40", "+40722123456"},
      {"00 40 722 123 456", "40", "+40722123456"},
      {"0 0 40 722 123 456", "40", "+40722123456"},
      {"+1 212 555 0100", "40", "+12125550100"},
      {"+44 20 7946 0018", "40", "+442079460018"},
      {"020 7946 0018", "44", "+442079460018"},
      {"06 1234 5678", "39", "+390612345678"},
      {"0213131313", "40", "+40213131313"},
      {"+123456789012345", "40", "+123456789012345"},
      {"+1234567", "40", "+1234567"},
      // taken literally
      {"0722123456", "", "0722123456"},
      {"+1234567890123456", "40", "+1234567890123456"},
      {"0123456789012345", "40", "0123456789012345"},
      {"+123 456 789 012 3456", "40", "+123 456 789 012 3456"},
      {"+123456", "40", "+123456"},
      {"112", "40", "112"},
      {" 112 ", "40", "112"},
      {"0112", "40", "0112"},
      {"722123456", "40", "722123456"},
      {"anonymous", "40", "anonymous"},
      {"Anonymous", "40", "Anonymous"},
      {"sip:alice@example.com", "40", "sip:alice@example.com"},
      {"sip:+40722123456@pbx", "40", "sip:+40722123456@pbx"},
      {"+40722O23456", "40", "+40722O23456"},
      {"+0722123456", "40", "+0722123456"},
      {"000722123456", "40", "000722123456"},
      {"++40722123456", "40", "++40722123456"},
      {"0722123456+", "40", "0722123456+"},
      {"", "40", ""},
      {"  ", "40", ""},
      {"+", "40", "+"},
      {"\t+40 722 12345x\n", "40", "+40 722 12345x"},
  }};
  for (const auto& row : cases) {
    const auto& [text, country, expected] = row;
    CAPTURE(row[0]);
    const auto once = normalise_number(text, country);
    REQUIRE(once);
    CHECK(*once == expected);
    CHECK(normalise_number(*once, country).value() == expected);
  }
}

TEST_CASE("telephone numbers: bounds") {
  CHECK(normalise_number(std::string(128, 'a'), "40"));
  const auto longer = normalise_number(std::string(129, '1'), "40");
  REQUIRE(!longer);
  CHECK(longer.error().code == Errc::usage);
  CHECK(longer.error().message.find("111") == std::string::npos);
  for (const char* country : {"0", "040", "4000", "RO", "++40", "4 0"}) {
    CAPTURE(country);
    CHECK(!normalise_number("0722123456", country));
  }
}

TEST_CASE("telephone numbers: idempotent on whatever comes") {
  std::mt19937 random(20261123);
  constexpr std::string_view kAlphabet = "0000112457+ .-/()[](0)x\t";
  for (int i = 0; i < 20000; ++i) {
    std::string text(random() % 24, ' ');
    for (char& c : text) c = kAlphabet[random() % kAlphabet.size()];
    const auto once = normalise_number(text, i % 2 == 0 ? "40" : "39");
    REQUIRE(once);
    const auto twice = normalise_number(*once, i % 2 == 0 ? "40" : "39");
    REQUIRE(twice);
    if (*twice != *once) FAIL("not idempotent: '" << text << "' '" << *once << "' '" << *twice << "'");
  }
}
