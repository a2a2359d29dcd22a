// From argv to an exit code.
#pragma once

namespace callvault::cli {

int run(int argc, char** argv);

}  // namespace callvault::cli
