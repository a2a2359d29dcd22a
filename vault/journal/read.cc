// What readers of a journal ask. No lock, no writes.
#include <algorithm>

#include "journal/journal.h"
#include "journal/lines.h"
#include "journal/view.h"

namespace callvault::journal {
namespace {

// Bounds what is held of `entries` while reading backwards, unless one line is larger.
constexpr std::uint64_t kBackBytes = std::uint64_t{1} << 18;

Error past_end(std::uint64_t index) {
  return fail(Errc::not_found, "journal: there is no entry " + std::to_string(index));
}

Error wrong_hashes(const os::Path& folder) {
  return fail(Errc::corrupt, "journal: the stored hashes are wrong: " + (folder / kHashesFile).string());
}

// With the derived files first; when they prove wrong, from the entries alone.
template <typename Ask>
auto ask_view(const os::Path& folder, const std::string& origin, const crypto::SigningPublicKey& key, Memory& memory,
              const Ask& ask) -> decltype(ask(std::declval<const View&>())) {
  bool heal = false;
  {
    CALLVAULT_TRY_ASSIGN(const View view, View::load(folder, origin, key, {.memory = &memory}));
    auto answer = ask(view);
    heal = !answer && answer.error().code == Errc::corrupt && view.believed() > 0;
    if (!heal) return answer;
  }
  CALLVAULT_TRY_ASSIGN(const View view, View::load(folder, origin, key, {.believe_derived = false}));
  return ask(view);
}

Result<Entry> decode_at(std::uint64_t index, std::string_view line) {
  auto entry = decode(line);
  if (!entry) return fail(entry.error().code, "entry " + std::to_string(index) + ": " + entry.error().message);
  return entry;
}

}  // namespace

Result<Head> Journal::head() const {
  return ask_view(folder_, origin_, public_key_, *memory_, [](const View& view) -> Result<Head> {
    CALLVAULT_TRY(view.require_signed_part());
    return view.head();
  });
}

Result<Head> Journal::head_at(std::uint64_t size) const {
  return ask_view(folder_, origin_, public_key_, *memory_, [&](const View& view) -> Result<Head> {
    CALLVAULT_TRY(view.require_signed_part());
    if (size > view.size()) return past_end(size - 1);
    return view.head_at(size);
  });
}

Result<std::string> Journal::line(std::uint64_t index) const {
  return ask_view(folder_, origin_, public_key_, *memory_, [&](const View& view) -> Result<std::string> {
    if (index >= view.size()) return past_end(index);
    return view.line(index);
  });
}

Result<Entry> Journal::entry(std::uint64_t index) const {
  CALLVAULT_TRY_ASSIGN(const std::string text, line(index));
  return decode_at(index, text);
}

Result<void> Journal::for_each(std::uint64_t first, const Visitor& visit) const {
  CALLVAULT_TRY_ASSIGN(View view, View::load(folder_, origin_, public_key_, {}));
  if (first >= view.size()) return {};
  // The offset is right when the line that begins there is the stored leaf.
  if (first > 0 && !view.line(first)) {
    CALLVAULT_TRY_ASSIGN(view, View::load(folder_, origin_, public_key_, {.believe_derived = false}));
    if (first >= view.size()) return {};
  }
  CALLVAULT_TRY_ASSIGN(const auto offset, view.begin_of(first));
  LineReader reader(view.entries(), offset, view.entry_bytes());
  for (std::uint64_t index = first; index < view.size(); ++index) {
    CALLVAULT_TRY_ASSIGN(const auto text, reader.next());
    if (!text) return fail(Errc::corrupt, "journal: entries are missing from " + folder_.string());
    CALLVAULT_TRY_ASSIGN(const Entry entry, decode_at(index, *text));
    CALLVAULT_TRY_ASSIGN(const bool more, visit(index, entry));
    if (!more) return {};
  }
  return {};
}

// Lines are told apart by their newlines, so that this works whatever the offsets say.
Result<void> Journal::for_each_back(const Visitor& visit) const {
  CALLVAULT_TRY_ASSIGN(const View view, View::load(folder_, origin_, public_key_, {}));
  std::uint64_t index = view.size();
  std::uint64_t unread = view.entry_bytes();  // bytes of `entries` that are not in `held` yet
  std::string held;                           // bytes from `unread` on, not visited yet
  const auto missing = [&] { return fail(Errc::corrupt, "journal: entries are missing from " + folder_.string()); };
  while (index > 0) {
    // The last line in `held` is complete when a newline precedes it, or when it is the first of the file.
    const auto before = held.size() < 2 ? std::string::npos : held.rfind('\n', held.size() - 2);
    if (before == std::string::npos && unread > 0) {
      if (held.size() > kMaxLineBytes + 1) return fail(Errc::corrupt, "journal: a line is longer than it can be");
      const std::uint64_t want = std::min(kBackBytes, unread);
      std::string chunk(want, '\0');
      unread -= want;
      CALLVAULT_TRY_ASSIGN(const auto got, view.entries().read_at(std::as_writable_bytes(std::span(chunk)), unread));
      if (got != want) return missing();
      held.insert(0, chunk);
      continue;
    }
    if (held.empty() || held.back() != '\n') return missing();
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    const std::string_view text(held.data() + begin, held.size() - begin - 1);
    CALLVAULT_TRY_ASSIGN(const Entry entry, decode_at(--index, text));
    held.resize(begin);
    CALLVAULT_TRY_ASSIGN(const bool more, visit(index, entry));
    if (!more) return {};
  }
  return {};
}

Result<std::vector<crypto::Digest>> Journal::inclusion_proof(std::uint64_t index, std::uint64_t size) const {
  using Proof = std::vector<crypto::Digest>;
  if (index >= size) return fail(Errc::usage, "journal: an entry is no part of a tree that is not larger");
  return ask_view(folder_, origin_, public_key_, *memory_, [&](const View& view) -> Result<Proof> {
    CALLVAULT_TRY(view.require_signed_part());
    if (size > view.size()) return past_end(size - 1);
    CALLVAULT_TRY_ASSIGN(const std::string text, view.line(index));
    CALLVAULT_TRY_ASSIGN(const Head head, view.head_at(size));
    CALLVAULT_TRY_ASSIGN(Proof proof, view.tree().inclusion_proof(index, size));
    if (!verify_inclusion(leaf_hash(text), index, head, proof)) return wrong_hashes(folder_);
    return proof;
  });
}

Result<std::vector<crypto::Digest>> Journal::consistency_proof(std::uint64_t old_size, std::uint64_t new_size) const {
  using Proof = std::vector<crypto::Digest>;
  if (old_size > new_size) return fail(Errc::usage, "journal: a smaller tree does not continue a larger one");
  return ask_view(folder_, origin_, public_key_, *memory_, [&](const View& view) -> Result<Proof> {
    CALLVAULT_TRY(view.require_signed_part());
    if (new_size > view.size()) return past_end(new_size - 1);
    CALLVAULT_TRY_ASSIGN(const Head old_head, view.head_at(old_size));
    CALLVAULT_TRY_ASSIGN(const Head new_head, view.head_at(new_size));
    CALLVAULT_TRY_ASSIGN(Proof proof, view.tree().consistency_proof(old_size, new_size));
    if (!verify_consistency(old_head, new_head, proof)) return wrong_hashes(folder_);
    return proof;
  });
}

Result<std::string> Journal::checkpoint_text() const {
  CALLVAULT_TRY_ASSIGN(const auto bytes, os::read_file(folder_ / kCheckpointFile, kMaxCheckpointBytes));
  return std::string(base::as_text(bytes));
}

}  // namespace callvault::journal
