#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "callvault/process.h"

int main(int argc, char** argv) {
  if (!callvault::harden_process()) return 70;
  doctest::Context context;
  context.applyCommandLine(argc, argv);
  return context.run();
}
