// Changes of recordings that take nothing away: new generations of their buckets' nodes, then the catalogue.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "context/context.h"

namespace callvault {

class RowChanges {
 public:
  explicit RowChanges(context::Context& context) : context_(context) {}

  // Whether what is found by changes too; then the rows are made again under a fresh index key.
  enum class Index : std::uint8_t { same, changes };
  // Into the edited directory: durable with its commit.
  Result<void> stage(std::uint32_t bucket, const std::set<RecordingId>& ids,
                     const std::function<void(keys::NodeRow&)>& change, Index index);
  bool any() const { return !staged_.empty(); }
  // After the commit. A crash before it costs nothing: whoever opens the vault next brings the catalogue up to date.
  Result<void> follow() const;

 private:
  struct Staged {
    std::uint64_t before = 0;  // generation
    Index index = Index::same;
    base::Bytes sealed_span{};
  };
  context::Context& context_;
  std::map<std::uint32_t, Staged> staged_;
};

}  // namespace callvault
