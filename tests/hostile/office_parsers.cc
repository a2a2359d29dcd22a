#include "backups/manifest.h"
#include "callvault/query.h"
#include "callvault/rights.h"
#include "context/aliases.h"
#include "disclosure/recipient.h"
#include "hostile/parsers.h"
#include "rights/approvals_codec.h"
#include "rights/breach_codec.h"
#include "rights/notice_codec.h"
#include "rights/people_codec.h"
#include "rights/request_codec.h"
#include "service/protocol.h"

namespace callvault::hostile {
namespace {

using base::as_text;
using base::ByteView;

template <typename T>
Answer counted(const Result<T>& result, std::size_t count) {
  return result ? accepted(std::to_string(count)) : refusal(result.error());
}

template <typename T>
Parser argument() {
  return [](ByteView in) {
    service::Decoder decoder(in);
    (void)decoder.get<T>();
    return decoder.done() ? accepted() : Answer{"no", {}, {}};
  };
}

}  // namespace

void add_office_parsers(Parsers& to) {
  to["requests"] = [](ByteView in) {
    const auto content = rights::decode_requests(as_text(in));
    return counted(content, content ? content->requests.size() : 0);
  };
  to["breaches"] = [](ByteView in) {
    const auto content = rights::decode_breaches(as_text(in));
    return counted(content, content ? content->breaches.size() : 0);
  };
  to["notices"] = [](ByteView in) {
    const auto content = rights::decode_notices(as_text(in));
    return counted(content, content ? content->size() : 0);
  };
  to["people"] = [](ByteView in) {
    const auto content = rights::decode_people(as_text(in));
    return counted(content, content ? content->people.size() : 0);
  };
  to["approvals"] = [](ByteView in) {
    const auto content = rights::decode_approvals(as_text(in));
    return counted(content, content ? content->records.size() : 0);
  };
  to["aliases"] = [](ByteView in) {
    const auto content = context::decode_aliases(as_text(in));
    return counted(content, content ? content->size() : 0);
  };
  to["backup manifest"] = [](ByteView in) {
    const auto manifest = backups::decode_manifest(as_text(in));
    return counted(manifest, manifest ? manifest->key_files.size() : 0);
  };
  to["age recipient"] = [](ByteView in) {
    const auto key = disclosure::parse_recipient(as_text(in));
    return key ? accepted(disclosure::encode_recipient(*key)) : refusal(key.error());
  };
  to["service request"] = [](ByteView in) {
    const auto request = service::decode_request(in);
    return request ? accepted(request->verb + " " + request->person) : refusal(request.error());
  };
  to["service greeting"] = [](ByteView in) {
    const auto hello = service::decode_hello(in);
    return hello ? accepted(hello->vault) : refusal(hello.error());
  };
  to["query"] = argument<Query>();
  to["erase options"] = argument<EraseOptions>();
  to["call record"] = argument<CallRecord>();
}

}  // namespace callvault::hostile
