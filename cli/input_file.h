// Small texts that people hand over: checkpoints, proofs, certificates, public keys.
#pragma once

#include <string>

#include "callvault/result.h"

namespace callvault::cli {

// At most 4 MiB. Errors: io, naming the file; usage when it is larger.
Result<std::string> read_input_file(const std::string& path);

}  // namespace callvault::cli
