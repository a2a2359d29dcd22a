// Many calls in one process.
#include "callvault/listen.h"

#include "capture/listener.h"
#include "crypto/random.h"
#include "keys/recorder_view.h"

namespace callvault {

Result<void> ingest_listen(const ListenOptions& options) {
  CALLVAULT_TRY(crypto::ready());
  // So that a vault that is none is said at once, not to the first call.
  CALLVAULT_TRY(keys::RecorderView::open(options.vault));
  return capture::listen(options);
}

}  // namespace callvault
