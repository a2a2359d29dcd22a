#include "catalog/catalog.h"

#include <algorithm>
#include <string>

#include "catalog/records.h"
#include "catalog/store.h"

namespace callvault::catalog {
namespace {

Result<IdBlock> read_ids(View& view, std::uint32_t bucket, std::uint32_t block) {
  CALLVAULT_TRY_ASSIGN(const ByteView value, view.look_at(block_key(Table::ids, bucket, block)));
  return decode_ids(value);
}

Result<std::optional<StoredRow>> find_row(View& view, std::uint32_t bucket, const BucketMeta& meta,
                                          const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(const IdBlock ids, read_ids(view, bucket, block_of(id.bytes(), meta.id_bits)));
  const auto at = std::lower_bound(ids.begin(), ids.end(), id,
                                   [](const IdEntry& entry, const RecordingId& wanted) { return entry.id < wanted; });
  if (at == ids.end() || at->id != id) return std::optional<StoredRow>();
  CALLVAULT_TRY_ASSIGN(Bytes sealed, view.need(row_key(bucket, id)));
  return std::optional<StoredRow>({bucket, id, static_cast<Consent>(at->consent), at->day, std::move(sealed)});
}

Result<std::optional<RecordingId>> find_token(View& view, std::uint32_t bucket, const BucketMeta& meta,
                                              const Token& token) {
  CALLVAULT_TRY_ASSIGN(const ByteView block,
                       view.look_at(block_key(Table::tokens, bucket, block_of(token, meta.token_bits))));
  return find_in_tokens(block, token);
}

// The number of rows with this value: they take k = 0 .. n-1, so n is the first k that misses.
Result<std::uint32_t> count_value(View& view, std::uint32_t bucket, const BucketMeta& meta, const crypto::Key& key,
                                  Field field, std::string_view value) {
  std::uint32_t low = 0, high = 1;  // everything below `low` is there
  while (true) {
    CALLVAULT_TRY_ASSIGN(const auto hit, find_token(view, bucket, meta, blind(key, field, value, high - 1)));
    if (!hit) break;
    low = high;
    high *= 2;
  }
  --high;  // misses
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    CALLVAULT_TRY_ASSIGN(const auto hit, find_token(view, bucket, meta, blind(key, field, value, middle)));
    if (hit)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace

Catalog::Catalog(std::shared_ptr<Store> store) : store_(std::move(store)) {}
Catalog::Catalog(Catalog&&) noexcept = default;
Catalog& Catalog::operator=(Catalog&&) noexcept = default;
Catalog::~Catalog() = default;

Result<Catalog> Catalog::open(const os::Path& folder, OpenMode mode, std::chrono::milliseconds patience) {
  CALLVAULT_TRY_ASSIGN(auto store, Store::open(folder, mode == OpenMode::create_if_missing, patience));
  return Catalog(std::shared_ptr<Store>(std::move(store)));
}

Result<void> Catalog::discard(const os::Path& folder, std::chrono::milliseconds patience) {
  return Store::discard(folder, patience);
}

void Catalog::forget_failed_commit() { store_->forget_failed_commit(); }

Result<std::optional<std::uint64_t>> Catalog::generation(std::uint32_t bucket) const {
  return store_->read([&](View& view) -> Result<std::optional<std::uint64_t>> {
    CALLVAULT_TRY_ASSIGN(const auto meta, read_bucket(view, bucket));
    return meta ? std::optional<std::uint64_t>(meta->generation) : std::nullopt;
  });
}

Result<std::map<std::uint32_t, std::uint64_t>> Catalog::generations() const {
  return store_->read([&](View& view) -> Result<std::map<std::uint32_t, std::uint64_t>> {
    CALLVAULT_TRY_ASSIGN(const auto buckets, read_buckets(view));
    std::map<std::uint32_t, std::uint64_t> out;
    for (const auto& [bucket, meta] : *buckets) out.emplace(bucket, meta.generation);
    return out;
  });
}

Result<std::vector<Bytes>> Catalog::sealed_spans(std::span<const std::uint32_t> buckets) const {
  return store_->read([&](View& view) -> Result<std::vector<Bytes>> {
    std::vector<Bytes> out;
    for (const std::uint32_t bucket : buckets) {
      CALLVAULT_TRY_ASSIGN(auto span, view.get(number_key(Table::span, bucket)));
      out.push_back(std::move(span).value_or(Bytes{}));
    }
    return out;
  });
}

Result<std::optional<StoredRow>> Catalog::get(const RecordingId& id) const {
  return store_->read([&](View& view) -> Result<std::optional<StoredRow>> {
    CALLVAULT_TRY_ASSIGN(const auto buckets, read_buckets(view));
    for (const auto& [bucket, meta] : *buckets) {
      CALLVAULT_TRY_ASSIGN(auto row, find_row(view, bucket, meta, id));
      if (row) return row;
    }
    return std::optional<StoredRow>();
  });
}

Result<std::optional<StoredRow>> Catalog::get(const Hit& hit) const {
  CALLVAULT_TRY_ASSIGN(auto rows, get_all({&hit, 1}));
  if (rows.empty()) return std::optional<StoredRow>();
  return std::optional<StoredRow>(std::move(rows.front()));
}

Result<std::vector<StoredRow>> Catalog::get_all(std::span<const Hit> hits) const {
  return store_->read([&](View& view) -> Result<std::vector<StoredRow>> {
    std::vector<StoredRow> rows;
    for (const Hit& hit : hits) {
      CALLVAULT_TRY_ASSIGN(const auto meta, read_bucket(view, hit.bucket));
      if (!meta) continue;
      CALLVAULT_TRY_ASSIGN(auto row, find_row(view, hit.bucket, *meta, hit.id));
      if (row) rows.push_back(std::move(*row));
    }
    return rows;
  });
}

Result<std::vector<Hit>> Catalog::with_prefix(std::string_view base32_prefix, std::size_t limit) const {
  CALLVAULT_TRY_ASSIGN(const IdPrefix prefix, parse_prefix(base32_prefix));
  const RecordingId low(prefix.low), high(prefix.high);
  return store_->read([&](View& view) -> Result<std::vector<Hit>> {
    CALLVAULT_TRY_ASSIGN(const auto buckets, read_buckets(view));
    std::vector<Hit> hits;
    for (const auto& [bucket, meta] : *buckets) {
      const std::uint32_t last = block_of(prefix.high, meta.id_bits);
      for (std::uint32_t block = block_of(prefix.low, meta.id_bits); block <= last; ++block) {
        CALLVAULT_TRY_ASSIGN(const IdBlock ids, read_ids(view, bucket, block));
        for (const IdEntry& entry : ids) {
          if (entry.id < low || entry.id > high) continue;
          if (hits.size() >= limit) return hits;
          hits.push_back({bucket, entry.id});
        }
      }
    }
    return hits;
  });
}

Result<std::optional<RecordingId>> Catalog::lookup(std::uint32_t bucket, const Token& token) const {
  return store_->read([&](View& view) -> Result<std::optional<RecordingId>> {
    CALLVAULT_TRY_ASSIGN(const auto meta, read_bucket(view, bucket));
    if (!meta) return std::optional<RecordingId>();
    return find_token(view, bucket, *meta, token);
  });
}

Result<Hits> Catalog::lookup_all(std::span<const BucketKey> buckets, Field field, std::string_view value) const {
  return store_->read([&](View& view) -> Result<Hits> {
    Hits hits;
    CALLVAULT_TRY(read_buckets(view));  // all at once: they lie side by side
    for (const BucketKey& bucket : buckets) {
      CALLVAULT_TRY_ASSIGN(const auto meta, read_bucket(view, bucket.bucket));
      if (!meta || meta->generation != bucket.generation) {
        hits.stale.push_back(bucket.bucket);
        continue;
      }
      for (std::uint32_t k = 0;; ++k) {
        CALLVAULT_TRY_ASSIGN(const auto id,
                             find_token(view, bucket.bucket, *meta, blind(*bucket.index_key, field, value, k)));
        if (!id) break;
        hits.found.push_back({bucket.bucket, *id});
      }
    }
    return hits;
  });
}

Result<void> Catalog::seed(Blinder& blinder, std::uint32_t bucket, const Row& row) const {
  return store_->read([&](View& view) -> Result<void> {
    CALLVAULT_TRY_ASSIGN(const auto meta, read_bucket(view, bucket));
    const std::pair<Field, const std::string*> fields[] = {{Field::caller, &row.caller},
                                                           {Field::called, &row.called},
                                                           {Field::agent, &row.agent},
                                                           {Field::call_id, &row.call_id}};
    for (const auto& [field, value] : fields) {
      if (value->empty() || blinder.knows(field, *value)) continue;
      std::uint32_t count = 0;
      if (meta) {
        CALLVAULT_TRY_ASSIGN(count, count_value(view, bucket, *meta, blinder.index_key(), field, *value));
      }
      blinder.seed(field, *value, count);
    }
    return {};
  });
}

Result<bool> Catalog::any_consent(Consent consent, std::uint32_t day) const {
  // A bucket of one day has counted them.
  bool any = false;
  const auto has = [&](const BucketMeta& meta) {
    return meta.rows > 0 && meta.min_day <= day && meta.max_day >= day &&
           meta.consents[static_cast<std::size_t>(consent)] > 0;
  };
  CALLVAULT_TRY_ASSIGN(const bool apart, store_->read([&](View& view) -> Result<bool> {
    CALLVAULT_TRY_ASSIGN(const auto buckets, read_buckets(view));
    any = std::any_of(buckets->begin(), buckets->end(),
                      [&](const auto& item) { return has(item.second) && item.second.min_day == item.second.max_day; });
    return std::any_of(buckets->begin(), buckets->end(), [&](const auto& item) {
      return has(item.second) && item.second.min_day != item.second.max_day;
    });
  }));
  if (any || !apart) return any;
  CALLVAULT_TRY_ASSIGN(const auto rows, rows_between(day, day + 1, consent));
  return !rows.empty();
}

Result<std::vector<RowRef>> Catalog::rows_between(std::uint32_t from_day, std::uint32_t to_day,
                                                  std::optional<Consent> consent) const {
  return store_->read([&](View& view) -> Result<std::vector<RowRef>> {
    CALLVAULT_TRY_ASSIGN(const auto buckets, read_buckets(view));
    std::vector<std::pair<std::uint32_t, const BucketMeta*>> wanted;
    for (const auto& [bucket, meta] : *buckets) {
      if (meta.rows == 0 || meta.max_day < from_day || meta.min_day >= to_day) continue;
      if (consent && meta.consents[static_cast<std::size_t>(*consent)] == 0) continue;
      wanted.emplace_back(bucket, &meta);
    }
    std::stable_sort(wanted.begin(), wanted.end(),
                     [](const auto& a, const auto& b) { return a.second->max_day > b.second->max_day; });
    std::vector<RowRef> rows;
    for (const auto& [bucket, meta] : wanted) {
      for (std::uint32_t block = 0; block < std::uint32_t{1} << meta->id_bits; ++block) {
        CALLVAULT_TRY_ASSIGN(const IdBlock ids, read_ids(view, bucket, block));
        for (const IdEntry& entry : ids) {
          const auto has = static_cast<Consent>(entry.consent);
          if (entry.day >= from_day && entry.day < to_day && (!consent || has == *consent))
            rows.push_back({bucket, entry.id, has, entry.day});
        }
      }
    }
    return rows;
  });
}

Result<void> Catalog::for_each_consent(Consent consent, std::uint32_t from_day, std::uint32_t to_day,
                                       const std::function<bool(const RecordingId&, std::uint32_t)>& visit) const {
  CALLVAULT_TRY_ASSIGN(const auto rows, rows_between(from_day, to_day, consent));
  for (const RowRef& row : rows)
    if (!visit(row.id, row.bucket)) break;
  return {};
}

Result<CatalogCounts> Catalog::check() const {
  return store_->read([](View& view) { return check_view(view); });
}

}  // namespace callvault::catalog
