#include "context/rows.h"

#include <algorithm>
#include <set>

#include "context/tombstones.h"
#include "sealed/reader.h"

namespace callvault::context {
TrackEnd end_of(const sealed::CallMetadata& metadata, const sealed::Trailer& trailer) {
  return {trailer.ended_at, std::chrono::milliseconds(metadata.offset_ms) + trailer.duration, trailer.truncated,
          trailer.interrupted};
}

namespace {

struct SealedFile {
  sealed::CallMetadata metadata;
  std::optional<sealed::Trailer> trailer;
  std::uint64_t bytes = 0;
};

Result<SealedFile> read_sealed_file(const base::Layout& layout, std::int32_t day, const RecordingId& id,
                                    const keys::TrackSecret& track, const crypto::Key& secret) {
  CALLVAULT_TRY_ASSIGN(const auto path, find_sealed_file(layout, day, id, track.name, track.segment));
  CALLVAULT_TRY_ASSIGN(auto reader, sealed::Reader::open(path));
  SealedFile out;
  CALLVAULT_TRY_ASSIGN(out.metadata, sealed::open_metadata(reader.header(), secret));
  out.bytes = reader.file_bytes();
  if (reader.finished()) {
    CALLVAULT_TRY_ASSIGN(out.trailer, reader.read_trailer(secret));
  }
  return out;
}

}  // namespace

void correct(catalog::Row& row, const keys::NodeRow& node_row) {
  const std::map<keys::CorrectedField, std::string*> fields{{keys::CorrectedField::caller, &row.caller},
                                                            {keys::CorrectedField::called, &row.called},
                                                            {keys::CorrectedField::agent, &row.agent},
                                                            {keys::CorrectedField::call_id, &row.call_id}};
  for (const auto& correction : node_row.corrections) *fields.at(correction.field) = correction.value;
}

Result<catalog::Row> row_from_files(const base::Layout& layout, std::int32_t day, const keys::NodeRow& node_row,
                                    std::optional<Error>* unread) {
  catalog::Row row;
  row.flags = node_row.flags;
  CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::copy_of(node_row.record_secret));
  bool described = false;
  std::optional<Error> first_error;
  std::map<TrackName, TrackEnd> ends;
  for (const auto& track : node_row.tracks) {
    const auto file = read_sealed_file(layout, day, node_row.id, track, secret);
    if (!file) {
      if (!first_error) first_error = file.error();
      continue;
    }
    const auto& metadata = file->metadata;
    if (!described) {
      row.direction = metadata.direction;
      row.caller = metadata.caller;
      row.called = metadata.called;
      row.agent = metadata.agent;
      row.call_id = metadata.call_id;
      row.notice = metadata.notice;
      row.notice_played = metadata.notice_played;
      described = true;
    }
    row.tracks.push_back(Track{track.name, track.segment, metadata.sample_rate, file->bytes});
    if (file->trailer) ends[track.name] = end_of(metadata, *file->trailer);
  }
  // Each file says who was in the call: one that can be read is enough to find it by.
  if (!described && first_error) return *first_error;
  if (unread != nullptr) *unread = std::move(first_error);
  for (const auto& [name, end] : ends) {
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(end.length.count(), 0));
    row.duration_ms = std::max(row.duration_ms.value_or(0), ms);
    row.ended_at = std::max(row.ended_at.value_or(end.at), end.at);
  }
  correct(row, node_row);
  return row;
}

namespace {

// Nothing when it does not authenticate, or is behind what the node knows.
Result<std::optional<catalog::Row>> open_stored(const catalog::StoredRow& stored, const keys::NodeRow& node_row) {
  CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::copy_of(node_row.record_secret));
  auto row = catalog::open_row(stored.sealed_row, secret, node_row.id);
  // One from when the call still went on does not know how it ended; one whose files could not be read, or before a
  // track came late or was shredded, tells of others.
  const bool current = row && row->tracks.size() == node_row.tracks.size() && (node_row.in_progress || row->ended_at);
  if (!current) return std::optional<catalog::Row>();
  correct(*row, node_row);
  return std::optional(std::move(*row));
}

}  // namespace

Result<catalog::Row> row_of(const Context& context, const keys::Bucket& bucket, const keys::NodeRow& node_row) {
  CALLVAULT_TRY_ASSIGN(const auto stored, context.catalog.get(catalog::Hit{bucket.number, node_row.id}));
  return row_from(context, bucket, node_row, stored ? &*stored : nullptr);
}

Result<catalog::Row> row_from(const Context& context, const keys::Bucket& bucket, const keys::NodeRow& node_row,
                              const catalog::StoredRow* stored) {
  if (stored != nullptr) {
    CALLVAULT_TRY_ASSIGN(auto row, open_stored(*stored, node_row));
    if (row) return std::move(*row);
  }
  return row_from_files(context.layout, bucket.day, node_row);
}

Result<std::vector<std::optional<catalog::Row>>> rows_of(const Context& context, const keys::Bucket& bucket,
                                                         std::span<const keys::NodeRow> node_rows) {
  std::vector<catalog::Hit> hits;
  for (const auto& node_row : node_rows) hits.push_back({bucket.number, node_row.id});
  CALLVAULT_TRY_ASSIGN(const auto stored, context.catalog.get_all(hits));
  std::vector<std::optional<catalog::Row>> out;
  auto next = stored.begin();
  for (const auto& node_row : node_rows) {
    std::optional<catalog::Row> row;
    if (next != stored.end() && next->id == node_row.id) {
      CALLVAULT_TRY_ASSIGN(row, open_stored(*next, node_row));
      ++next;
    }
    if (!row) {
      if (auto read = row_from_files(context.layout, bucket.day, node_row)) row = std::move(*read);
    }
    out.push_back(std::move(row));
  }
  return out;
}

Result<catalog::Entry> make_entry(const keys::Bucket& bucket, const keys::NodeRow& node_row, const catalog::Row& row,
                                  catalog::Blinder& blinder) {
  CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::copy_of(node_row.record_secret));
  catalog::Entry out;
  out.id = node_row.id;
  out.consent = node_row.caller_consent;
  out.day = static_cast<std::uint32_t>(bucket.day);
  CALLVAULT_TRY_ASSIGN(out.sealed_row, catalog::seal_row(row, secret, node_row.id));
  out.tokens = blinder.tokens_of(row);
  return out;
}

namespace {

// Of one transaction: a sync for each bucket would take most of the time, and all at once too much memory.
constexpr std::size_t kRowsAtOnce = 8192;

Result<catalog::BucketRows> written_rows(const Context& context, const keys::Bucket& bucket) {
  CALLVAULT_TRY_ASSIGN(const auto node, context.state.open_node(bucket.number));
  CALLVAULT_TRY_ASSIGN(const auto node_rows, node.rows());
  CALLVAULT_TRY_ASSIGN(auto details, rows_of(context, bucket, node_rows));
  catalog::BucketRows rows{bucket.number, bucket.generation, {}};
  CALLVAULT_TRY_ASSIGN(rows.sealed_span, seal_span(bucket, node_rows));
  rows.entries.reserve(node.size());
  catalog::Blinder blinder(bucket.index_key);
  for (std::size_t i = 0; i < node_rows.size(); ++i) {
    auto& row = details[i];
    if (!row) {
      row = catalog::Row{};
      row->flags = node_rows[i].flags;
      correct(*row, node_rows[i]);
    }
    CALLVAULT_TRY_ASSIGN(auto entry, make_entry(bucket, node_rows[i], *row, blinder));
    rows.entries.push_back(std::move(entry));
  }
  return rows;
}

// With little room left, one bucket after the other.
Result<void> write_rows(const Context& context, const std::vector<catalog::BucketRows>& batch) {
  auto done = context.catalog.replace_buckets(batch);
  if (done || done.error().code != Errc::no_space || batch.size() < 2) return done;
  for (const auto& rows : batch) {
    auto one = context.catalog.replace_bucket(rows);
    if (!one && one.error().code == Errc::corrupt) return done;  // suspect since then, and made anew by who comes next
    CALLVAULT_TRY(std::move(one));
  }
  return {};
}

}  // namespace

Result<void> rebuild_rows(const Context& context, const keys::Bucket& bucket) {
  CALLVAULT_TRY_ASSIGN(const auto rows, written_rows(context, bucket));
  return context.catalog.replace_bucket(rows);
}

Result<void> rebuild_rows(const Context& context, std::span<const std::uint32_t> numbers) {
  std::vector<catalog::BucketRows> batch;
  std::size_t size = 0;
  for (const auto number : numbers) {
    CALLVAULT_TRY_ASSIGN(auto rows, written_rows(context, context.state.directory().buckets.at(number)));
    size += rows.entries.size();
    batch.push_back(std::move(rows));
    if (size < kRowsAtOnce && number != numbers.back()) continue;
    CALLVAULT_TRY(write_rows(context, batch));
    batch.clear();
    size = 0;
  }
  return {};
}

Result<void> renew_rows(const Context& context, std::span<const std::uint32_t> numbers) {
  if (numbers.empty()) return {};
  auto& buckets = context.state.edit().buckets;
  for (const auto number : numbers) {
    keys::Bucket& bucket = buckets.at(number);
    CALLVAULT_TRY_ASSIGN(const auto node, context.state.open_node(number));
    CALLVAULT_TRY_ASSIGN(auto rows, node.rows());
    CALLVAULT_TRY_ASSIGN(bucket.index_key, crypto::Key::random());
    CALLVAULT_TRY(context.state.stage_node(bucket, rows));
  }
  CALLVAULT_TRY(context.state.commit());
  return rebuild_rows(context, numbers);
}

Result<std::vector<std::string>> unread_rows(const Context& context) {
  std::vector<std::string> problems;
  for (const auto& [number, bucket] : context.state.directory().buckets) {
    CALLVAULT_TRY_ASSIGN(const auto node, context.state.open_node(number));
    for (std::size_t i = 0; i < node.size(); ++i) {
      CALLVAULT_TRY_ASSIGN(const auto node_row, node.row(i));
      auto row = row_of(context, bucket, node_row);
      std::optional<Error> unread;
      if (row && row->tracks.size() < node_row.tracks.size())
        row = row_from_files(context.layout, bucket.day, node_row, &unread);
      if (unread) row = *unread;
      if (!row) problems.push_back("recording " + node_row.id.text() + ": " + row.error().message);
    }
  }
  return problems;
}

Result<void> refresh_catalog(const Context& context) {
  CALLVAULT_TRY_ASSIGN(const auto held, context.catalog.generations());
  const auto& buckets = context.state.directory().buckets;
  bool superfluous = false;
  for (const auto& [number, generation] : held) superfluous = superfluous || !buckets.contains(number);
  if (superfluous) {
    std::vector<std::uint32_t> keep;
    keep.reserve(buckets.size());
    for (const auto& [number, bucket] : buckets) keep.push_back(number);
    CALLVAULT_TRY(context.catalog.drop_buckets_except(keep));
  }
  std::vector<std::uint32_t> behind;
  for (const auto& [number, bucket] : buckets) {
    const auto it = held.find(number);
    if (it == held.end() || it->second != bucket.generation) behind.push_back(number);
  }
  CALLVAULT_TRY(renew_rows(context, behind));
  return take_tombstones(context);
}

}  // namespace callvault::context
