// Catalogue rows from the truth: key state and sealed files.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "context/context.h"
#include "sealed/metadata.h"
#include "sealed/trailer.h"

namespace callvault::context {

// Where one track ends. A continuation overlaps what was abandoned, so of several segments only the last one counts.
struct TrackEnd {
  Time at{};
  std::chrono::milliseconds length{};  // of the track's audio, from the call's begin
  bool truncated = false;
  bool interrupted = false;
};
TrackEnd end_of(const sealed::CallMetadata& metadata, const sealed::Trailer& trailer);

// What a person had corrected stands in the node, and counts against what was recorded.
void correct(catalog::Row& row, const keys::NodeRow& node_row);

// What the sealed files of one registered recording say, those that can be read: its tracks are theirs, and `unread`
// takes the first one's error. Corrected. Errors, when there is none: corrupt; not_found when it is missing; io.
Result<catalog::Row> row_from_files(const base::Layout& layout, std::int32_t day, const keys::NodeRow& node_row,
                                    std::optional<Error>* unread = nullptr);

// The row the catalogue holds, if it authenticates, else the one from the files.
Result<catalog::Row> row_of(const Context& context, const keys::Bucket& bucket, const keys::NodeRow& node_row);

// The same of several recordings of one bucket, for the price of one search; none where nothing can be read.
Result<std::vector<std::optional<catalog::Row>>> rows_of(const Context& context, const keys::Bucket& bucket,
                                                         std::span<const keys::NodeRow> node_rows);

Result<catalog::Entry> make_entry(const keys::Bucket& bucket, const keys::NodeRow& node_row, const catalog::Row& row,
                                  catalog::Blinder& blinder);

// When the first and the last call of a bucket began, for the catalogue: so that who asks for the newest calls of a day
// need not open all of its nodes. Sealed under the node's key, and so of its generation only.
struct StartSpan {
  Time first{}, last{};
};
// Empty without rows.
Result<base::Bytes> seal_span(const keys::Bucket& bucket, std::span<const keys::NodeRow> node_rows);
Result<base::Bytes> seal_span(const keys::Bucket& bucket, const keys::Node& node);
// Nothing when there is none, or it is of another generation.
std::optional<StartSpan> open_span(const keys::Bucket& bucket, base::ByteView sealed);

// The same as row_of where the catalogue was asked already: `stored` is what it holds, or null.
Result<catalog::Row> row_from(const Context& context, const keys::Bucket& bucket, const keys::NodeRow& node_row,
                              const catalog::StoredRow* stored);

// Rewrites the catalogue's rows of one bucket for its present generation and index key. Recordings whose files cannot
// be read get a row without details, so that they are still found by date; `unread_rows` names them.
// REQUIRES: no other rows were ever written under this index key, else a token may pass from one recording to another
// and tie what is erased to what lives. `renew_rows` sees to that.
Result<void> rebuild_rows(const Context& context, const keys::Bucket& bucket);
// The same for many, ascending, some thousand rows a transaction.
Result<void> rebuild_rows(const Context& context, std::span<const std::uint32_t> numbers);

// The same for any buckets, each under a fresh index key that is committed first. REQUIRES: the exclusive lock.
Result<void> renew_rows(const Context& context, std::span<const std::uint32_t> buckets);

// The recordings whose details are neither in the catalogue nor in readable files, each with what is wrong.
Result<std::vector<std::string>> unread_rows(const Context& context);

// Brings every bucket whose rows are missing or of another generation up to date, under a fresh index key, and
// tombstones up to the journal's end. Cheap when nothing is to be done. REQUIRES: the exclusive lock.
Result<void> refresh_catalog(const Context& context);

}  // namespace callvault::context
