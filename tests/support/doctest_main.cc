#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#ifdef CALLVAULT_TEST_HARDEN
#include "callvault/process.h"
#endif

int main(int argc, char** argv) {
#ifdef CALLVAULT_TEST_HARDEN
  if (!callvault::harden_process()) return 70;
#endif
  doctest::Context context;
  context.applyCommandLine(argc, argv);
  return context.run();
}
