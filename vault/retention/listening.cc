#include "retention/listening.h"

namespace callvault::retention {

std::optional<Denial> deny_listening(const ListenRequest& r) {
  if (!r.listener) return Denial{"role", "has neither the role reviewer nor evaluator"};
  if (!r.allowed.contains(r.purpose))
    return Denial{"purpose", "has no role that opens recordings for " + std::string(to_word(r.purpose))};
  if (r.purpose == Purpose::evaluation && r.evaluation_until && r.now >= *r.evaluation_until)
    return Denial{"window", "may not open it for evaluation any more: the window for that is over"};
  return std::nullopt;
}

}  // namespace callvault::retention
