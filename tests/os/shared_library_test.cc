#include "os/shared_library.h"

#include <doctest/doctest.h>

using namespace callvault;

TEST_CASE("a library is loaded by its SONAME, and what is missing is named") {
  const auto library = os::SharedLibrary::load("libm.so.6");
  REQUIRE(library);
  double (*root)(double) = nullptr;
  REQUIRE(library->find("cbrt", root));
  CHECK(root(27.0) == doctest::Approx(3.0));
  const auto absent = library->find("no_such_function", root);
  REQUIRE(!absent);
  CHECK(absent.error().code == Errc::unexpected);
  CHECK(absent.error().message.find("no_such_function") != std::string::npos);
  const auto nothing = os::SharedLibrary::load("libcallvault-none.so.1");
  REQUIRE(!nothing);
  CHECK(nothing.error().code == Errc::unexpected);
  CHECK(nothing.error().message.find("libcallvault-none.so.1") != std::string::npos);
}
