// When the calls of a bucket began, from the first to the last.
#include "context/rows.h"
#include "crypto/aead.h"

namespace callvault::context {
namespace {

constexpr std::string_view kSpanLabel = "callvault v1 bucket span";
constexpr std::size_t kSpanBytes = 2 * 8;
using BucketName = std::array<std::byte, 4>;

BucketName name_of(const keys::Bucket& bucket) {
  BucketName out{};
  base::FieldWriter(out).number(bucket.number);
  return out;
}

std::uint64_t ms_of(Time time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }
Time time_of(std::uint64_t ms) { return Time(std::chrono::milliseconds(static_cast<std::int64_t>(ms))); }

Result<base::Bytes> seal(const keys::Bucket& bucket, const StartSpan& span) {
  std::array<std::byte, kSpanBytes> plain{};
  base::FieldWriter writer(plain);
  writer.number(ms_of(span.first));
  writer.number(ms_of(span.last));
  CALLVAULT_TRY_ASSIGN(const auto key, bucket.node_key.derive(kSpanLabel));
  return crypto::seal(key, name_of(bucket), plain);
}

}  // namespace

Result<base::Bytes> seal_span(const keys::Bucket& bucket, std::span<const keys::NodeRow> node_rows) {
  if (node_rows.empty()) return base::Bytes{};
  StartSpan span{node_rows.front().started_at, node_rows.front().started_at};
  for (const auto& row : node_rows) {
    span.first = std::min(span.first, row.started_at);
    span.last = std::max(span.last, row.started_at);
  }
  return seal(bucket, span);
}

Result<base::Bytes> seal_span(const keys::Bucket& bucket, const keys::Node& node) {
  if (node.size() == 0) return base::Bytes{};
  StartSpan span{node.started_at(0), node.started_at(0)};
  for (std::size_t i = 1; i < node.size(); ++i) {
    span.first = std::min(span.first, node.started_at(i));
    span.last = std::max(span.last, node.started_at(i));
  }
  return seal(bucket, span);
}

std::optional<StartSpan> open_span(const keys::Bucket& bucket, base::ByteView sealed) {
  if (sealed.empty()) return std::nullopt;
  const auto key = bucket.node_key.derive(kSpanLabel);
  if (!key) return std::nullopt;
  const auto plain = crypto::open_plain(*key, name_of(bucket), sealed, "a bucket's span");
  if (!plain || plain->size() != kSpanBytes) return std::nullopt;
  base::FieldReader reader(*plain);
  const Time first = time_of(reader.number<std::uint64_t>());
  return StartSpan{first, time_of(reader.number<std::uint64_t>())};
}

}  // namespace callvault::context
