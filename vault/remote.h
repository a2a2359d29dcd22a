// Opening a vault through the socket of the keeper's service.
#pragma once

#include "session.h"

namespace callvault {

// Errors: as service::Client::meet.
Result<std::unique_ptr<Vault::Impl>> open_over_socket(const base::Layout& layout, const os::Path& socket,
                                                      const OpenOptions& options);
// The passphrase stays in this process: the identity comes over the socket, still wrapped.
Result<Person> unlock_over_socket(const Vault::Impl& vault, std::string_view name, const Passphrase& passphrase);

}  // namespace callvault
