// The register of notices: what it takes for whole.
#include "rights/notices.h"

#include <doctest/doctest.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "rights/notice_codec.h"

namespace {

using namespace callvault;
using namespace std::chrono_literals;

Time noon(int day) { return Time(std::chrono::hours(24 * (20'000 + day) + 12)); }

Notice notice(std::string version, std::string text, int from, std::optional<int> until) {
  Notice out;
  out.version = std::move(version);
  out.sha256 = base::to_hex(crypto::sha256(base::as_bytes(text)));
  out.text = std::move(text);
  out.from = noon(from);
  if (until) out.until = noon(*until);
  out.added = noon(0);
  out.added_by = "officer";
  return out;
}

std::vector<Notice> two() {
  return {notice("v1", "We record.\nFor six months, \xc8\x99i at\xc3\xa2t.", 1, 10),
          notice("v2", "Other \"text\"", 10, {})};
}

std::string replaced(std::string text, std::string_view old, std::string_view with) {
  const auto at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), with);
}

TEST_CASE("a register of notices comes back as it was") {
  const auto again = rights::decode_notices(rights::encode_notices(two()));
  REQUIRE(again.has_value());
  REQUIRE(again->size() == 2);
  CHECK((*again)[0].text == two()[0].text);
  CHECK((*again)[0].until == two()[1].from);
  CHECK_FALSE((*again)[1].until.has_value());
  CHECK((*again)[1].added_by == "officer");
  CHECK(rights::encode_notices(*again) == rights::encode_notices(two()));
}

TEST_CASE("a register of notices that contradicts itself is damaged") {
  const std::string whole = rights::encode_notices(two());
  for (const auto& broken : {replaced(whole, "We record", "We decord"),         // not the text that was hashed
                             replaced(whole, "\"v2\"", "\"v1\""),               // a version twice
                             replaced(whole, "\"sha256\":", "\"sha255\":"),     // a field missing
                             replaced(whole, "\"added_by\":\"officer\",", ""),  //
                             rights::encode_notices({two()[1], two()[0]}),      // out of order
                             rights::encode_notices({two()[0], notice("v2", "x", 9, {})}),  // two in force
                             rights::encode_notices({notice("v1", "x", 1, {}), notice("v2", "y", 9, {})}),
                             rights::encode_notices({notice("v1", "x", 5, 5)}),  // never in force
                             replaced(whole, "\"version\":1}", "\"version\":\"1\"}"), std::string("{}"),
                             std::string("[]"), std::string(), whole.substr(0, whole.size() - 1)}) {
    CAPTURE(broken);
    const auto decoded = rights::decode_notices(broken);
    REQUIRE_FALSE(decoded.has_value());
    CHECK(decoded.error().code == Errc::corrupt);
  }
  const auto newer = rights::decode_notices(replaced(whole, "\"version\":1}", "\"version\":2}"));
  REQUIRE_FALSE(newer.has_value());
  CHECK(newer.error().code == Errc::newer_version);
}

TEST_CASE("only UTF-8 survives JSON") {
  CHECK(rights::survives_json("\xc8\x99i at\xc3\xa2t \xef\xbf\xbd"));
  for (const std::string bad : {"caf\xe9", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "x\xc3"})
    CHECK_FALSE(rights::survives_json(bad));
}

}  // namespace
