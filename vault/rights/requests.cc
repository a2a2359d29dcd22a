#include "rights/requests.h"

#include <algorithm>

#include "base/phone.h"
#include "base/text.h"
#include "rights/numbering.h"
#include "rights/request_codec.h"

namespace callvault::rights {
namespace {

constexpr std::string_view kName = "requests";
constexpr std::size_t kMaxTextBytes = 256;
constexpr std::size_t kMaxNumbersOfOne = 32;
constexpr std::size_t kHashDigits = 64;

Result<Time> earlier(const base::Zone& zone, Time from, const Period& one, const Period& other) {
  CALLVAULT_TRY_ASSIGN(const Time a, zone.add(from, one));
  CALLVAULT_TRY_ASSIGN(const Time b, zone.add(from, other));
  return std::min(a, b);
}

Result<void> check(const RequestOptions& options, Time now) {
  for (const auto* text : {&options.name, &options.identity, &options.note})
    if (text->size() > kMaxTextBytes) return fail(Errc::usage, "a request's texts have at most 256 bytes each");
  if (options.numbers.size() > kMaxNumbersOfOne) return fail(Errc::usage, "a request is about at most 32 numbers");
  const bool hash_fits = options.document_hash.empty() ||
                         (options.document_hash.size() == kHashDigits && base::from_hex(options.document_hash));
  if (!hash_fits) return fail(Errc::usage, "a document's hash is 64 hexadecimal digits (sha256sum)");
  if (options.received && *options.received > now)
    return fail(Errc::refused, "the request would have been received in the future");
  return {};
}

}  // namespace

Result<Time> first_deadline(const base::Zone& zone, Time received) {
  return earlier(zone, received, Period{0, 30}, Period{1, 0});
}

Result<Time> extended_deadline(const base::Zone& zone, Time first) {
  return earlier(zone, first, Period{0, 60}, Period{2, 0});
}

bool is_overdue(const Request& request, Time now) {
  return request.state != RequestState::closed && now >= request.due;
}

Result<Requests> Requests::load(const context::Context& context) {
  Requests out;
  CALLVAULT_TRY_ASSIGN(const auto plain, context.state.read_register(std::string(kName)));
  if (!plain) return out;
  CALLVAULT_TRY_ASSIGN(auto content, decode_requests(base::as_text(*plain)));
  out.requests_ = std::move(content.requests);
  out.year_ = content.year;
  out.last_number_ = content.last_number;
  for (auto& request : out.requests_) request.overdue = is_overdue(request, context.now);
  return out;
}

Result<Request*> Requests::open(const context::Context& context, const RequestOptions& options) {
  CALLVAULT_TRY(check(options, context.now));
  Request made;
  made.received = options.received.value_or(context.now);
  CALLVAULT_TRY_ASSIGN(made.due, first_deadline(context.zone, made.received));
  made.id = next_id(context, 'R', year_, last_number_);
  made.kind = options.kind;
  made.channel = options.channel;
  made.name = options.name;
  for (const auto& text : options.numbers) {
    CALLVAULT_TRY_ASSIGN(auto number, base::normalise_number(text, context.config.country_code));
    if (!number.empty() && std::find(made.numbers.begin(), made.numbers.end(), number) == made.numbers.end())
      made.numbers.push_back(std::move(number));
  }
  made.identity = options.identity;
  made.document_hash = options.document_hash;
  made.requester = options.requester;
  made.history.push_back({context.now, context.log.actor(), "opened", options.note});
  made.overdue = is_overdue(made, context.now);
  requests_.push_back(std::move(made));
  return &requests_.back();
}

Result<Request*> Requests::find(std::string_view id) {
  const auto it = std::find_if(requests_.begin(), requests_.end(), [&](const Request& r) { return r.id == id; });
  if (it == requests_.end()) return fail(Errc::not_found, "no request " + std::string(id.substr(0, 32)));
  return &*it;
}

Result<std::size_t> Requests::prune(const context::Context& context) {
  const std::size_t before = requests_.size();
  std::vector<Request> kept;
  for (auto& request : requests_) {
    bool over = false;
    if (request.closed) {
      CALLVAULT_TRY_ASSIGN(const Time end, context.zone.add(*request.closed, context.config.request_retention));
      over = context.now >= end;
    }
    if (!over) kept.push_back(std::move(request));
  }
  requests_ = std::move(kept);
  return before - requests_.size();
}

Result<void> Requests::stage(context::Context& context) const {
  return context.state.stage_register(std::string(kName),
                                      base::as_bytes(encode_requests({requests_, year_, last_number_})));
}

}  // namespace callvault::rights
