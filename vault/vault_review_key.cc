// The review key split among several people, and joined again.
#include "base/text.h"
#include "callvault/review_key.h"
#include "crypto/random.h"
#include "keys/recorder_view.h"
#include "keys/review_share.h"
#include "review_ring.h"

namespace callvault {
namespace {

Result<keys::ReviewShare> read_share(const os::Path& path) {
  CALLVAULT_TRY_ASSIGN(const os::File file, os::File::open_read(path));
  CALLVAULT_TRY_ASSIGN(auto text, crypto::SecretBuffer::make(keys::kMaxShareBytes + 1));
  CALLVAULT_TRY_ASSIGN(const auto got, file.read_at(text.reveal_mutable(), 0));
  auto share = keys::decode_share(text.reveal().first(got));
  if (!share) return fail(share.error().code, share.error().message + " (" + path.filename().string() + ")");
  return share;
}

// The keys they give, each compared with its public half, and the newest with the one recorders use.
Result<std::vector<std::pair<std::uint32_t, crypto::Key>>> join_shares(const std::vector<keys::ReviewShare>& shares,
                                                                       const std::string& origin,
                                                                       const keys::ReviewPublic& current) {
  if (shares.empty()) return fail(Errc::usage, "name the files of the shares");
  const keys::ReviewShare& first = shares.front();
  for (const auto& share : shares) {
    if (share.vault != origin) return fail(Errc::refused, "a share is of another vault: " + share.vault);
    if (share.split != first.split || share.need != first.need || share.parts.size() != first.parts.size())
      return fail(Errc::corrupt, "the shares do not belong together: they are of different splits");
  }
  const keys::ReviewPart& newest = first.parts.back();
  if (newest.key_number != current.number || newest.public_key != current.key)
    return fail(Errc::refused, "the shares are of review key " + std::to_string(newest.key_number) +
                                   ", and the present one is " + std::to_string(current.number) +
                                   ": it was drawn since, and wants a split of its own");
  if (shares.size() < first.need)
    return fail(Errc::usage,
                std::to_string(shares.size()) + " of at least " + std::to_string(first.need) + " shares are named");
  std::vector<std::pair<std::uint32_t, crypto::Key>> out;
  for (std::size_t i = 0; i < first.parts.size(); ++i) {
    std::vector<crypto::KeyShare> parts;
    for (const auto& share : shares) {
      CALLVAULT_TRY_ASSIGN(auto part, share.parts[i].part.clone());
      parts.push_back({share.number, std::move(part)});
    }
    CALLVAULT_TRY_ASSIGN(auto key, crypto::join_key(parts));
    CALLVAULT_TRY_ASSIGN(const auto half, crypto::public_key_of(key));
    if (half != first.parts[i].public_key)
      return fail(Errc::corrupt, "the shares do not give review key " + std::to_string(first.parts[i].key_number));
    out.emplace_back(first.parts[i].key_number, std::move(key));
  }
  return out;
}

// For each review key of the officer's ring, its parts for everybody.
Result<std::vector<keys::ReviewShare>> make_shares(const Vault::Impl& vault, const Person& officer,
                                                   std::uint32_t newest, const ReviewSplit& how) {
  std::vector<keys::ReviewShare> out(how.of);
  std::array<std::byte, 8> split{};
  crypto::fill_random(split);
  for (unsigned i = 0; i < how.of; ++i)
    out[i] = {vault.journal->origin(), split, static_cast<std::uint8_t>(i + 1), how.of, how.need, {}};
  for (std::uint32_t number = 1; number <= newest; ++number) {
    CALLVAULT_TRY_ASSIGN(const crypto::Key* key, officer.impl().identity.review_key(number));
    CALLVAULT_TRY_ASSIGN(const auto half, crypto::public_key_of(*key));
    CALLVAULT_TRY_ASSIGN(auto parts, crypto::split_key(*key, how.of, how.need));
    for (unsigned i = 0; i < how.of; ++i) out[i].parts.push_back({number, half, std::move(parts[i].part)});
  }
  return out;
}

}  // namespace

Result<ReviewSplit> review_split(Vault& vault, const Person& officer, unsigned of, unsigned need,
                                 const std::filesystem::path& folder) {
  auto& impl = vault.impl();
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(impl, Access::look, officer.name()));
  CALLVAULT_TRY(session->require(officer, {Role::officer}, "review_split"));
  CALLVAULT_TRY_ASSIGN(const auto current, current_review_key(impl, officer));
  ReviewSplit out{of, need, {}};
  CALLVAULT_TRY_ASSIGN(const auto shares, make_shares(impl, officer, current.number, out));
  CALLVAULT_TRY(os::make_folder(folder));
  CALLVAULT_TRY_ASSIGN(const auto there, os::list_folder(folder));
  if (!there.empty())
    return fail(Errc::usage, folder.string() + " is not empty; the shares want a folder of their own");
  CALLVAULT_TRY(session->context().log.append("review_split", {{"number", std::to_string(current.number)},
                                                               {"of", std::to_string(of)},
                                                               {"need", std::to_string(need)},
                                                               {"split", base::to_hex(shares.front().split)}}));
  for (const auto& share : shares) {
    CALLVAULT_TRY_ASSIGN(const auto text, keys::encode_share(share));
    CALLVAULT_TRY(keys::decode_share(text.reveal()));
    out.files.push_back(folder / ("share-" + std::to_string(share.number) + "-of-" + std::to_string(of)));
    CALLVAULT_TRY(os::write_new_file(out.files.back(), text.reveal()));
  }
  CALLVAULT_TRY(os::sync_folder(folder));
  return out;
}

Result<void> review_join(Vault& vault, const std::vector<std::filesystem::path>& shares, const std::string& name,
                         const Passphrase& passphrase) {
  auto& impl = vault.impl();
  if (!base::is_plain_name(name, 32)) return fail(Errc::usage, "a person's name is of a-z, 0-9, - _ . only");
  std::vector<keys::ReviewShare> read;
  for (const auto& path : shares) {
    CALLVAULT_TRY_ASSIGN(auto share, read_share(path));
    read.push_back(std::move(share));
  }
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(impl, Access::change, ""));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(const auto current, keys::read_review_public(impl.layout));
  const std::string split = read.empty() ? "" : base::to_hex(read.front().split);
  auto ring = join_shares(read, impl.journal->origin(), current);
  if (!ring) {
    CALLVAULT_TRY(context.log.append("refused",
                                     {{"verb", "review_join"}, {"result", std::string(errc_name(ring.error().code))}}));
    return std::move(ring).error();
  }
  auto& people = session->state().edit().people;
  if (people.contains(name)) return fail(Errc::usage, "there is a person called " + name);
  CALLVAULT_TRY_ASSIGN(auto fresh, keys::make_identity_file(name, passphrase));
  for (const auto& [number, key] : *ring) {
    CALLVAULT_TRY_ASSIGN(fresh.file, keys::with_review_key(fresh.file, number, key));
  }
  CALLVAULT_TRY(os::replace_file(impl.layout.people() / name, fresh.file));
  const auto roles =
      static_cast<std::uint8_t>(static_cast<unsigned>(Role::officer) | static_cast<unsigned>(Role::reviewer));
  const auto& mine = fresh.identity.public_part();
  people.emplace(name, keys::PersonEntry{name, roles, false, context.now, mine.signing, mine.box});
  CALLVAULT_TRY(context.log.append(
      "review_joined",
      {{"number", std::to_string(current.number)}, {"shares", std::to_string(shares.size())}, {"split", split}}));
  CALLVAULT_TRY_ASSIGN(auto added, context.log.entry("person_added", {{"roles", std::to_string(roles)}}));
  CALLVAULT_TRY(context.log.add_person(added, name));
  CALLVAULT_TRY(context.log.append({std::move(added)}));
  CALLVAULT_TRY(context.log.pin_head());
  return session->state().commit();
}

}  // namespace callvault
