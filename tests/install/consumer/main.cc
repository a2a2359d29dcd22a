// The smallest program against an installed callvault: it must compile, link and get an honest answer.
#include <callvault/vault.h>

#include <cstdio>

int main() {
  const auto inspection = callvault::inspect("/nonexistent/callvault");
  if (inspection.has_value()) return 1;
  std::printf("%s\n", inspection.error().message.c_str());
  return 0;
}
