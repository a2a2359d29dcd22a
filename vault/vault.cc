// The whole of callvault in one place: make a vault, open it, and hand each verb what it needs.
#include "callvault/vault.h"

#include <filesystem>

#include "base/phone.h"
#include "base/text.h"
#include "capture/admission.h"
#include "capture/recorder.h"
#include "context/folders.h"
#include "context/tombstones.h"
#include "crypto/random.h"
#include "dual_control.h"
#include "keys/file_keeper.h"
#include "keys/open_keeper.h"
#include "keys/recorder_view.h"
#include "keys/tpm_keeper.h"
#include "os/local_socket.h"
#include "over_socket.h"
#include "release_parcel.h"
#include "remote.h"
#include "review/review.h"
#include "sealed/reader.h"
#include "subject.h"

namespace callvault {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kFirstReviewKey = 1;

os::Path sibling_keeper(const os::Path& vault) {
  os::Path path = vault.has_filename() ? vault : vault.parent_path();
  path += ".keeper";
  return path;
}

Result<os::Path> absolute_path(const os::Path& path) {
  std::error_code error;
  os::Path out = fs::absolute(path, error);
  if (error) return fail(Errc::usage, "not a usable path: " + path.string());
  return out.lexically_normal();
}

Result<std::unique_ptr<keys::Keeper>> make_keeper(const os::Path& folder, const std::optional<keys::TpmPlace>& chip,
                                                  bool unsafe) {
  if (chip) {
    CALLVAULT_TRY_ASSIGN(auto made, keys::TpmKeeper::create(folder, *chip));
    return std::unique_ptr<keys::Keeper>(std::move(made));
  }
  CALLVAULT_TRY_ASSIGN(auto made, keys::FileKeeper::create(folder, unsafe));
  return std::unique_ptr<keys::Keeper>(std::move(made));
}

Result<void> fill_vault(const InitOptions& options, const Passphrase& passphrase, const base::Layout& layout,
                        const keys::Config& config, keys::Keeper& keeper) {
  const Time now = system_clock().now();
  CALLVAULT_TRY(context::make_folders(layout, options.recorder_group));
  const auto cost = options.unsafe_fast_passphrase ? crypto::kUnsafeFastCost : crypto::kDefaultCost;
  CALLVAULT_TRY_ASSIGN(auto person, keys::make_identity_file(options.user, passphrase, cost));
  CALLVAULT_TRY_ASSIGN(const auto review, crypto::make_key_pair());
  CALLVAULT_TRY_ASSIGN(const auto file, keys::with_review_key(person.file, kFirstReviewKey, review.secret));
  CALLVAULT_TRY(os::write_new_file(layout.people() / options.user, file));
  const std::string review_text = keys::encode_review_public({kFirstReviewKey, review.public_key});
  CALLVAULT_TRY(os::write_new_file(layout.review_public(), base::as_bytes(review_text)));
  CALLVAULT_TRY(context::share_file(layout.review_public(), options.recorder_group));

  keys::Directory directory;
  CALLVAULT_TRY_ASSIGN(directory.journal_seed, crypto::Key::random());
  std::array<std::byte, 8> tag{};
  crypto::fill_random(tag);
  const std::string origin = "callvault/" + base::to_hex(tag);
  CALLVAULT_TRY(journal::Journal::create(layout.journal(), origin, *directory.journal_seed));
  directory.review_number = kFirstReviewKey;
  CALLVAULT_TRY(context::ensure_staff_keys(directory, now));
  const auto roles =
      static_cast<std::uint8_t>(static_cast<unsigned>(Role::officer) | static_cast<unsigned>(Role::reviewer));
  const auto& mine = person.identity.public_part();
  directory.people.emplace(options.user, keys::PersonEntry{options.user, roles, false, now, mine.signing, mine.box});
  CALLVAULT_TRY(keys::KeyState::create(layout, keeper, std::move(directory), now));
  if (!options.recorder_group.empty())
    CALLVAULT_TRY(context::share_file(layout.intake() / "1", options.recorder_group));

  CALLVAULT_TRY_ASSIGN(auto state, keys::KeyState::load(layout, keeper, keys::KeyState::Access::change));
  CALLVAULT_TRY_ASSIGN(auto journal, journal::Journal::open(layout.journal()));
  context::Log log(journal, state, options.user, now);
  CALLVAULT_TRY(log.append("created", {{"time_zone", options.time_zone}, {"retention", options.retention}}));
  CALLVAULT_TRY(log.pin_head());
  CALLVAULT_TRY(state.commit());
  for (const auto& folder : {layout.people(), layout.keys(), layout.root}) CALLVAULT_TRY(os::sync_folder(folder));
  // Last, because this file is what makes the folder a vault.
  const std::string text = keys::write_config(config);
  CALLVAULT_TRY(os::replace_file(layout.config(), base::as_bytes(text)));
  CALLVAULT_TRY(context::share_file(layout.config(), options.recorder_group));
  return os::sync_folder(layout.root.parent_path());
}

// Without its first keeper a vault is opened by a mirror, if it has one. Who holds no lock may be told of a rotation
// halfway, so this only prepares what to say; the key state decides.
Result<std::unique_ptr<keys::Keeper>> first_keeper(const base::Layout& layout, const os::Path& folder,
                                                   std::string& why_mirror) {
  auto keeper = keys::open_keeper(folder);
  if (!keeper && keeper.error().code == Errc::not_found)
    keeper = fail(Errc::corrupt, "no keeper in " + folder.string());
  const auto file = os::read_file(layout.directory(), keys::kMaxDirectoryBytes);
  const auto parts = file ? keys::split_directory(*file) : Result<keys::SplitDirectory>(file.error());
  const bool mirrored = parts && !parts->head.keepers.empty();
  if (!keeper && mirrored && (keeper.error().code == Errc::corrupt || keeper.error().code == Errc::io))
    keeper = keys::lost_keeper(folder, keeper.error());
  if (!keeper && keeper.error().message == "no keeper in " + folder.string())
    return fail(Errc::corrupt, keeper.error().message + ": without it nothing in this vault can be opened");
  if (!keeper || !mirrored) return keeper;
  if (const auto all = keys::Keepers::open(layout, **keeper, parts->head, keys::Keepers::Reach::enough))
    why_mirror = all->instead();
  return keeper;
}

// A damaged one is made again, by whoever is alone: another process may be settling by it, or have mended it meanwhile.
Result<catalog::Catalog> open_catalog(const base::Layout& layout, std::chrono::milliseconds patience) {
  auto catalog = catalog::Catalog::open(layout.catalog());
  if (catalog || catalog.error().code != Errc::corrupt) return catalog;
  CALLVAULT_TRY_ASSIGN(const auto lock, os::Lock::acquire(layout.state_lock(), os::LockMode::exclusive, patience));
  catalog = catalog::Catalog::open(layout.catalog());
  if (catalog || catalog.error().code != Errc::corrupt) return catalog;
  CALLVAULT_TRY(catalog::Catalog::discard(layout.catalog(), patience));
  return catalog::Catalog::open(layout.catalog());
}

}  // namespace

Person::Person(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Person::Person(Person&&) noexcept = default;
Person& Person::operator=(Person&&) noexcept = default;
Person::~Person() = default;
const std::string& Person::name() const { return impl_->identity.name(); }

Vault::Vault(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Vault::Vault(Vault&&) noexcept = default;
Vault& Vault::operator=(Vault&&) noexcept = default;
Vault::~Vault() = default;

Result<IngestSummary> ingest(const IngestOptions& options) {
  CALLVAULT_TRY(crypto::ready());
  CALLVAULT_TRY_ASSIGN(const auto view, keys::RecorderView::open(options.vault));
  IngestOptions timed = options;
  CALLVAULT_TRY(capture::read_start(view.config(), timed));
  CALLVAULT_TRY_ASSIGN(auto summary, capture::record(view, timed));
  CALLVAULT_TRY(capture::write_times(view.config(), summary));
  return summary;
}

Result<Inspection> inspect(const fs::path& file) { return sealed::inspect(file); }

Result<void> Vault::create(const InitOptions& options, const Passphrase& passphrase) {
  CALLVAULT_TRY(crypto::ready());
  CALLVAULT_TRY_ASSIGN(const os::Path root, absolute_path(options.dir));
  const base::Layout layout{root.has_filename() ? root : root.parent_path()};
  CALLVAULT_TRY(base::Zone::find(options.time_zone));
  CALLVAULT_TRY_ASSIGN(const Period period, Period::parse(options.retention));
  CALLVAULT_TRY(base::normalise_number("0722000000", options.country_code));
  if (!base::is_plain_name(options.user, 32)) return fail(Errc::usage, "a person's name is of a-z, 0-9, - _ . only");
  CALLVAULT_TRY_ASSIGN(const bool had_folder, os::is_there(layout.root));
  if (had_folder) {
    auto names = os::list_folder(layout.root);
    if (!names) return fail(Errc::usage, layout.root.string() + " is not a folder");
    if (!names->empty())
      return fail(Errc::usage, layout.root.string() + " is not empty; a vault wants a folder of its own");
  }
  keys::Config config{options.organisation,  options.time_zone,     options.country_code, {},
                      {{"default", period}}, std::chrono::hours(24)};
  os::Path keeper_folder = sibling_keeper(layout.root);
  std::optional<keys::TpmPlace> chip;
  if (options.keeper) {
    CALLVAULT_TRY_ASSIGN(chip, keys::parse_tpm_place(options.keeper->string()));
  }
  if (options.keeper && !chip) {
    CALLVAULT_TRY_ASSIGN(keeper_folder, absolute_path(*options.keeper));
    config.keeper = keeper_folder;
  }
  const auto relative = keeper_folder.lexically_relative(layout.root);
  const bool inside = !relative.empty() && *relative.begin() != "..";
  if (inside && !options.unsafe_keeper)
    return fail(Errc::refused, "the keeper would lie inside the vault, and every copy of the vault would hold it");
  CALLVAULT_TRY(os::make_folder(layout.root));
  auto keeper = make_keeper(keeper_folder, chip, options.unsafe_keeper);
  auto done = keeper ? fill_vault(options, passphrase, layout, config, **keeper) : Result<void>(keeper.error());
  if (!done) {
    std::error_code ignored;
    // The folder was empty. The keeper's may be somebody else's, too.
    const auto names = os::list_folder(layout.root);
    if (names)
      for (const auto& name : *names) fs::remove_all(layout.root / name, ignored);
    if (!had_folder) fs::remove(layout.root, ignored);
    if (keeper) keys::take_back_keeper(keeper_folder);
  }
  return done;
}

namespace {

Result<std::unique_ptr<Vault::Impl>> open_at_home(const base::Layout& layout, const OpenOptions& options,
                                                  std::optional<os::Path>& socket) {
  CALLVAULT_TRY_ASSIGN(auto config, keys::read_config(layout.config()));
  CALLVAULT_TRY(keys::check_location(config.location));
  socket = config.service.socket;
  CALLVAULT_TRY_ASSIGN(auto zone, base::Zone::find(config.time_zone));
  const os::Path keeper_folder = options.keeper  ? *options.keeper
                                 : config.keeper ? *config.keeper
                                                 : sibling_keeper(layout.root);
  std::string why_mirror;
  CALLVAULT_TRY_ASSIGN(auto keeper, first_keeper(layout, keeper_folder, why_mirror));
  CALLVAULT_TRY_ASSIGN(auto journal, journal::Journal::open(layout.journal()));
  auto catalog = open_catalog(layout, options.lock_timeout);
  if (!catalog) return std::move(catalog).error();
  const Clock* clock = options.clock != nullptr ? options.clock : &system_clock();
  return std::make_unique<Vault::Impl>(Vault::Impl{
      layout, std::move(config), std::move(zone), std::move(keeper), keeper_folder,
      std::make_unique<journal::Journal>(std::move(journal)), std::make_unique<catalog::Catalog>(std::move(*catalog)),
      options.lock_timeout, clock, nullptr, std::move(why_mirror)});
}

}  // namespace

Result<Vault> Vault::open(const OpenOptions& options) {
  CALLVAULT_TRY(crypto::ready());
  CALLVAULT_TRY_ASSIGN(const os::Path root, absolute_path(options.dir));
  const base::Layout layout{root.has_filename() ? root : root.parent_path()};
  std::optional<os::Path> socket = options.socket;
  if (!socket) {
    auto impl = open_at_home(layout, options, socket);
    if (impl) return Vault(std::move(*impl));
    if (!socket) socket = kUsualSocket;
    // Who may not read the vault may still be served, if it is served at all.
    if (impl.error().code != Errc::refused || !os::is_local_socket(*socket)) return std::move(impl).error();
  }
  CALLVAULT_TRY_ASSIGN(auto impl, open_over_socket(layout, *socket, options));
  return Vault(std::move(impl));
}

Result<RecordingId> Vault::resolve(std::string_view text) {
  if (text.size() == RecordingId::kTextLength) return RecordingId::parse(text);
  if (text.size() < 6 || text.size() > RecordingId::kTextLength)
    return fail(Errc::usage, "a recording is named by its id, or by at least 6 characters of it");
  if (impl_->remote) return account_call<RecordingId>(*impl_, "resolve", text);
  CALLVAULT_TRY(settle_if_free(*impl_));
  CALLVAULT_TRY_ASSIGN(const auto hits, impl_->catalog->with_prefix(text, 3));
  CALLVAULT_TRY_ASSIGN(auto ids, impl_->catalog->tombstones_with_prefix(text, 3));
  for (const auto& hit : hits) ids.push_back(hit.id);
  if (ids.empty()) return fail(Errc::not_found, "no recording begins with " + std::string(text));
  if (ids.size() > 1)
    return fail(Errc::usage, "several recordings begin with " + std::string(text) + "; give more of the id");
  return ids.front();
}

Result<Time> Vault::parse_time(std::string_view text) const { return impl_->zone.parse(text); }
std::string Vault::format_time(Time time) const { return impl_->zone.rfc3339(time); }

Result<review::Release> release_recording(Vault& vault, const Person& person, const PlayOptions& options) {
  CALLVAULT_TRY(settle_if_free(vault.impl()));
  // Another copy may need an approval, which is used up: a change.
  const auto& policy = vault.impl().config.people;
  const bool guarded = options.exported && policy.dual_control.contains(DualAction::bulk_export);
  CALLVAULT_TRY_ASSIGN(const auto session,
                       Session::begin(vault.impl(), guarded ? Access::change : Access::look, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::reviewer, Role::evaluator}, "play"));
  CALLVAULT_TRY(attempted(session->context(), "play", options.id, locate_stored(session->context(), options.id)));
  const auto roles = session->directory().people.at(person.name()).roles;
  const auto listeners = static_cast<unsigned>(Role::reviewer) | static_cast<unsigned>(Role::evaluator);
  review::Listener listener{(roles & listeners) != 0, policy.purposes_of(roles), {}};
  if (guarded) listener.last_word = [&] { return require_second_for_export(*session, options); };
  return review::release(session->context(), listener, options, {options.exported ? "exported" : "opened"});
}

Result<PlaySummary> Vault::play(const Person& person, const PlayOptions& options, ByteSink& sink) {
  CALLVAULT_TRY_ASSIGN(auto released, impl_->remote ? fetch_release(*impl_, person, options)
                                                    : release_recording(*this, person, options));
  CALLVAULT_TRY_ASSIGN(auto opened, review::open(std::move(released), person.impl().identity, options));
  return opened.write(sink);
}

}  // namespace callvault
