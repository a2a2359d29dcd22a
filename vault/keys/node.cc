#include "keys/node.h"

#include <algorithm>

#include "keys/directory.h"
#include "keys/unix_ms.h"

namespace callvault::keys {
namespace {

constexpr std::size_t kHoldBytes = 2 + 1 + 8;  // and its matter
constexpr std::size_t kTrackBytes = 1 + 2 + 32 + 32;
constexpr std::size_t kCorrectionBytes = 1 + 2;    // and its value
constexpr std::size_t kDeferredBytes = 8 + 2 + 2;  // and its two texts
constexpr std::size_t kMaxPerRow = 255;            // holds, tracks, intake keys
constexpr std::size_t kMaxTextBytes = 0xffff;

enum RowBits : std::uint8_t {
  restricted = 1,
  in_progress = 2,
  truncated = 4,
  interrupted = 8,
  duplicate_call_id = 16,
  caller_shredded = 32,
  corrected = 64,
  deferred = 128,
};

std::size_t row_size(const NodeRow& row) {
  std::size_t size = kMinRowBytes + row.intake.size() * 4 + row.tracks.size() * kTrackBytes;
  for (const auto& h : row.holds) size += kHoldBytes + h.matter.size();
  if (!row.corrections.empty()) size += 1;
  for (const auto& c : row.corrections) size += kCorrectionBytes + c.value.size();
  if (row.deferred) size += kDeferredBytes + row.deferred->request.size() + row.deferred->reason.size();
  return size;
}

std::uint8_t bits_of(const NodeRow& row) {
  return static_cast<std::uint8_t>((row.restricted ? restricted : 0) | (row.in_progress ? in_progress : 0) |
                                   (row.flags.truncated ? truncated : 0) | (row.flags.interrupted ? interrupted : 0) |
                                   (row.flags.duplicate_call_id ? duplicate_call_id : 0) |
                                   (row.caller_shredded ? caller_shredded : 0) |
                                   (row.corrections.empty() ? 0 : corrected) | (row.deferred ? deferred : 0));
}

void write_row(base::FieldWriter& w, const NodeRow& row) {
  w.bytes(row.id.bytes());
  w.number(to_unix_ms(row.started_at));
  w.number(to_unix_ms(row.expires_at));
  w.number(to_unix_ms(row.consent_since));
  w.number(row.duration_s);
  w.number(static_cast<std::uint8_t>(row.basis));
  w.number(static_cast<std::uint8_t>(row.caller_consent));
  w.number(static_cast<std::uint8_t>(row.agent_consent));
  w.number(bits_of(row));
  w.bytes(row.record_secret);
  w.number(static_cast<std::uint8_t>(row.intake.size()));
  for (const auto id : row.intake) w.number(id);
  w.number(static_cast<std::uint8_t>(row.holds.size()));
  for (const auto& h : row.holds) {
    w.text(h.matter);
    w.number(static_cast<std::uint8_t>(h.until.has_value() ? 1 : 0));
    w.number(to_unix_ms(h.until.value_or(Time{})));
  }
  w.number(static_cast<std::uint8_t>(row.tracks.size()));
  for (const auto& t : row.tracks) {
    w.number(static_cast<std::uint8_t>(t.name));
    w.number(t.segment);
    w.bytes(t.header_hash);
    w.bytes(t.secret);
  }
  if (!row.corrections.empty()) w.number(static_cast<std::uint8_t>(row.corrections.size()));
  for (const auto& c : row.corrections) {
    w.number(static_cast<std::uint8_t>(c.field));
    w.text(c.value);
  }
  if (!row.deferred) return;
  w.number(to_unix_ms(row.deferred->since));
  w.text(row.deferred->request);
  w.text(row.deferred->reason);
}

Error damaged_rows() { return fail(Errc::corrupt, "a bucket node is damaged"); }

Result<void> check_row(const NodeRow& row) {
  const bool fits =
      row.intake.size() <= kMaxPerRow && row.holds.size() <= kMaxPerRow && row.tracks.size() <= kMaxPerRow;
  if (!fits) return fail(Errc::refused, "recording " + row.id.text() + " has too many holds or segments");
  for (const auto& h : row.holds)
    if (h.matter.size() > kMaxTextBytes)
      return fail(Errc::refused, "recording " + row.id.text() + ": a hold's matter is too long");
  const bool texts_fit =
      std::all_of(row.corrections.begin(), row.corrections.end(),
                  [](const Correction& c) { return c.value.size() <= kMaxTextBytes; }) &&
      (!row.deferred || std::max(row.deferred->request.size(), row.deferred->reason.size()) <= kMaxTextBytes);
  if (!texts_fit) return fail(Errc::refused, "recording " + row.id.text() + ": a correction or a reason is too long");
  const auto lacks = [](const TrackSecret& t) { return t.secret.size() != crypto::Key::kBytes; };
  if (row.record_secret.size() != crypto::Key::kBytes || std::any_of(row.tracks.begin(), row.tracks.end(), lacks))
    return fail(Errc::unexpected, "a recording without secret");
  return {};
}

Result<void> read_corrections(base::FieldReader& r, NodeRow& row) {
  const auto count = r.number<std::uint8_t>();
  if (count == 0) return damaged_rows();
  for (unsigned i = 0; i < count && r.ok(); ++i) {
    const auto field = r.number<std::uint8_t>();
    if (field < 1 || field > 4) return damaged_rows();
    Correction c{static_cast<CorrectedField>(field), r.text()};
    if (!row.corrections.empty() && row.corrections.back().field >= c.field) return damaged_rows();
    row.corrections.push_back(std::move(c));
  }
  return {};
}

}  // namespace

std::string_view field_name(CorrectedField field) {
  switch (field) {
    case CorrectedField::caller:
      return "caller";
    case CorrectedField::called:
      return "called";
    case CorrectedField::agent:
      return "agent";
    case CorrectedField::call_id:
      return "call_id";
  }
  return "";
}

Result<Node> Node::parse(crypto::SecretBuffer plain) {
  Node out;
  out.plain_ = std::move(plain);
  base::FieldReader r(out.plain_.reveal());
  const auto count = r.number<std::uint32_t>();
  if (!r.ok() || count > kBucketCapacity) return damaged_rows();
  out.offsets_.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) out.offsets_.push_back(r.number<std::uint32_t>());
  if (!r.ok()) return damaged_rows();
  // Rows lie one behind the other, without a gap: so all of them together take no more memory than the node's size.
  std::size_t at = 4 + std::size_t{count} * 4;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = i + 1 < count ? out.offsets_[i + 1] : out.plain_.size();
    if (out.offsets_[i] != at || end > out.plain_.size() || end < at || end - at < kMinRowBytes) return damaged_rows();
    if (i > 0 && !(out.id_at(i - 1) < out.id_at(i))) return damaged_rows();
    at = end;
  }
  if (at != out.plain_.size()) return damaged_rows();
  return out;
}

base::ByteView Node::bytes_at(std::size_t index) const {
  const std::size_t end = index + 1 < offsets_.size() ? offsets_[index + 1] : plain_.size();
  return plain_.reveal().subspan(offsets_[index], end - offsets_[index]);
}

RecordingId Node::id_at(std::size_t index) const {
  base::FieldReader r(bytes_at(index));
  return RecordingId(r.array<RecordingId::kBytes>());
}

Time Node::started_at(std::size_t index) const {
  base::FieldReader r(bytes_at(index).subspan(RecordingId::kBytes));
  return from_unix_ms(r.number<std::uint64_t>());
}

Result<NodeRow> Node::row(std::size_t index) const { return decode_row(bytes_at(index)); }

Result<NodeRow> decode_row(base::ByteView bytes) {
  base::FieldReader r(bytes);
  NodeRow row;
  row.id = RecordingId(r.array<RecordingId::kBytes>());
  row.started_at = from_unix_ms(r.number<std::uint64_t>());
  row.expires_at = from_unix_ms(r.number<std::uint64_t>());
  row.consent_since = from_unix_ms(r.number<std::uint64_t>());
  row.duration_s = r.number<std::uint32_t>();
  const auto basis = r.number<std::uint8_t>();
  const auto caller = r.number<std::uint8_t>();
  const auto agent = r.number<std::uint8_t>();
  const auto bits = r.number<std::uint8_t>();
  if (basis > 3 || caller > 5 || agent > 5) return damaged_rows();
  row.basis = static_cast<Basis>(basis);
  row.caller_consent = static_cast<Consent>(caller);
  row.agent_consent = static_cast<Consent>(agent);
  row.restricted = (bits & restricted) != 0;
  row.in_progress = (bits & in_progress) != 0;
  row.caller_shredded = (bits & caller_shredded) != 0;
  row.flags = Flags{(bits & truncated) != 0, (bits & interrupted) != 0, (bits & duplicate_call_id) != 0};
  row.record_secret = r.bytes(crypto::Key::kBytes);
  for (auto n = r.number<std::uint8_t>(); n > 0 && r.ok(); --n) row.intake.push_back(r.number<std::uint32_t>());
  for (auto n = r.number<std::uint8_t>(); n > 0 && r.ok(); --n) {
    Hold h;
    h.matter = r.text();
    const auto ends = r.number<std::uint8_t>();
    const auto until = r.number<std::uint64_t>();
    if (ends > 1 || (ends == 0 && until != 0)) return damaged_rows();
    if (ends == 1) h.until = from_unix_ms(until);
    row.holds.push_back(std::move(h));
  }
  for (auto n = r.number<std::uint8_t>(); n > 0 && r.ok(); --n) {
    TrackSecret t;
    const auto name = r.number<std::uint8_t>();
    if (name > 2) return damaged_rows();
    t.name = static_cast<TrackName>(name);
    t.segment = r.number<std::uint16_t>();
    t.header_hash = r.array<32>();
    t.secret = r.bytes(crypto::Key::kBytes);
    row.tracks.push_back(t);
  }
  if ((bits & corrected) != 0) CALLVAULT_TRY(read_corrections(r, row));
  if ((bits & deferred) != 0) {
    const Time since = from_unix_ms(r.number<std::uint64_t>());
    std::string request = r.text();
    row.deferred = DeferredErasure{since, std::move(request), r.text()};
  }
  if (!r.ok() || r.left() != 0) return damaged_rows();
  return row;
}

Result<std::vector<NodeRow>> Node::rows() const {
  std::vector<NodeRow> out;
  out.reserve(size());
  for (std::size_t i = 0; i < size(); ++i) {
    CALLVAULT_TRY_ASSIGN(auto one, row(i));
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::optional<NodeRow>> Node::find(const RecordingId& id) const {
  std::size_t low = 0;
  std::size_t high = size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (id_at(middle) < id)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == size() || id_at(low) != id) return std::optional<NodeRow>();
  CALLVAULT_TRY_ASSIGN(auto found, row(low));
  return std::optional<NodeRow>(std::move(found));
}

Result<crypto::SecretBuffer> encode_node(std::vector<NodeRow>& rows) {
  if (rows.size() > kBucketCapacity) return fail(Errc::unexpected, "too many recordings for one bucket");
  std::sort(rows.begin(), rows.end(), [](const NodeRow& a, const NodeRow& b) { return a.id < b.id; });
  const auto same_id = [](const NodeRow& a, const NodeRow& b) { return a.id == b.id; };
  if (std::adjacent_find(rows.begin(), rows.end(), same_id) != rows.end())
    return fail(Errc::unexpected, "a recording stands twice in one bucket");
  std::size_t size = 4 + rows.size() * 4;
  std::vector<std::uint32_t> offsets;
  for (const auto& row : rows) {
    CALLVAULT_TRY(check_row(row));
    offsets.push_back(static_cast<std::uint32_t>(size));
    size += row_size(row);
  }
  CALLVAULT_TRY_ASSIGN(auto out, crypto::SecretBuffer::make(size));
  base::FieldWriter w(out.reveal_mutable());
  w.number(static_cast<std::uint32_t>(rows.size()));
  for (const auto offset : offsets) w.number(offset);
  for (const auto& row : rows) write_row(w, row);
  if (!w.ok() || w.used() != size) return fail(Errc::unexpected, "a node does not fit its buffer");
  return out;
}

}  // namespace callvault::keys
