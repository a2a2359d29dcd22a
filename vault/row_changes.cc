#include "row_changes.h"

#include "context/rows.h"

namespace callvault {

Result<void> RowChanges::stage(std::uint32_t number, const std::set<RecordingId>& ids,
                               const std::function<void(keys::NodeRow&)>& change, Index index) {
  CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(number));
  CALLVAULT_TRY_ASSIGN(auto rows, node.rows());
  for (auto& row : rows)
    if (ids.contains(row.id)) change(row);
  keys::Bucket& bucket = context_.state.edit().buckets.at(number);
  Staged staged{bucket.generation, index};
  if (index == Index::changes) {
    CALLVAULT_TRY_ASSIGN(bucket.index_key, crypto::Key::random());
  }
  CALLVAULT_TRY(context_.state.stage_node(bucket, rows));
  CALLVAULT_TRY_ASSIGN(auto span, context::seal_span(bucket, rows));
  const auto [it, fresh] = staged_.emplace(number, staged);
  it->second.sealed_span = std::move(span);
  if (!fresh && index == Index::changes) it->second.index = index;
  return {};
}

Result<void> RowChanges::follow() const {
  const auto& buckets = context_.state.directory().buckets;
  for (const auto& [number, staged] : staged_) {
    const keys::Bucket& bucket = buckets.at(number);
    if (staged.index == Index::changes) {
      CALLVAULT_TRY(context::rebuild_rows(context_, bucket));
      continue;
    }
    CALLVAULT_TRY_ASSIGN(const bool same,
                         context_.catalog.add_rows(number, staged.before, bucket.generation, {}, staged.sealed_span));
    if (!same) CALLVAULT_TRY(context::renew_rows(context_, {&number, 1}));
  }
  return {};
}

}  // namespace callvault
