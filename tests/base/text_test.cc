#include "base/text.h"

#include <doctest/doctest.h>

#include "callvault/call_record.h"

using namespace callvault;
using base::as_bytes;

TEST_CASE("base 32 follows RFC 4648, lower case, unpadded") {
  CHECK(base::to_base32(as_bytes("")) == "");
  CHECK(base::to_base32(as_bytes("f")) == "my");
  CHECK(base::to_base32(as_bytes("fo")) == "mzxq");
  CHECK(base::to_base32(as_bytes("foob")) == "mzxw6yq");
  CHECK(base::to_base32(as_bytes("foobar")) == "mzxw6ytboi");
  CHECK(base::as_text(*base::from_base32("mzxw6ytboi")) == "foobar");
  CHECK_FALSE(base::from_base32("MZXW6"));
  CHECK_FALSE(base::from_base32("mz=="));
  CHECK_FALSE(base::from_base32("mz"));  // stray bits
}

TEST_CASE("base 64 follows RFC 4648, padded") {
  CHECK(base::to_base64(as_bytes("f")) == "Zg==");
  CHECK(base::to_base64(as_bytes("fo")) == "Zm8=");
  CHECK(base::to_base64(as_bytes("foo")) == "Zm9v");
  CHECK(base::as_text(*base::from_base64("Zm9vYmFy")) == "foobar");
  CHECK(base::as_text(*base::from_base64("Zg==")) == "f");
  CHECK_FALSE(base::from_base64("Zg="));
  CHECK_FALSE(base::from_base64("Zh=="));
}

TEST_CASE("an id has one spelling") {
  const auto id = RecordingId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa");
  REQUIRE(id);
  CHECK(id->text() == "aaaaaaaaaaaaaaaaaaaaaaaaaa");
  CHECK_FALSE(RecordingId::parse("aaaaaaaaaaaaaaaaaaaaaaaaab"));  // stray bits
  CHECK_FALSE(RecordingId::parse("../../../../etc/passwd/aaa"));
  CHECK_FALSE(RecordingId::parse("aaaaaaaaaaaaaaaaaaaaaaaaa"));
}
