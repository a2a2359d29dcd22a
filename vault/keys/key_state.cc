#include "keys/key_state.h"

#include <algorithm>
#include <set>

#include "keys/register_file.h"

namespace callvault::keys {
namespace {

constexpr std::uint64_t kMaxIntakeBytes = 4096;
constexpr std::string_view kUnfinished = ".new";
constexpr std::uint64_t kSpareStep = 64 * 1024;
constexpr std::uint64_t kPageBytes = 4096;

// With room to grow until the next refill, in steps so that it is seldom changed.
std::uint64_t spare_size(std::uint64_t bytes) { return (bytes + bytes / 4) / kSpareStep * kSpareStep + kSpareStep; }

Result<base::Bytes> public_half(const IntakePrivate& intake) {
  CALLVAULT_TRY_ASSIGN(const auto public_key, crypto::public_key_of(intake.secret));
  CALLVAULT_TRY_ASSIGN(auto pepper, intake.pepper.clone());
  return encode_intake(IntakePublic{intake.id, public_key, std::move(pepper)});
}

// What an interrupted os::replace_file of the directory left; nobody else writes one under the exclusive lock.
Result<void> remove_unfinished(const base::Layout& layout) {
  const std::string begin = layout.directory().filename().string() + std::string(kUnfinished) + "-";
  CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(layout.keys()));
  for (const auto& name : names)
    if (name.starts_with(begin)) CALLVAULT_TRY(os::remove_file(layout.keys() / name));
  return {};
}

// Nothing when one of the wanted is missing.
Result<std::uint64_t> remove_others(const os::Path& folder, const std::set<std::string>& wanted) {
  CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(folder));
  if (!std::includes(names.begin(), names.end(), wanted.begin(), wanted.end())) return std::uint64_t{0};
  std::uint64_t removed = 0;
  for (const auto& name : names) {
    if (wanted.contains(name)) continue;
    CALLVAULT_TRY(os::remove_file(folder / name));
    ++removed;
  }
  return removed;
}

Error missing_node(Error error, const os::Path& path) {
  if (error.code != Errc::not_found) return error;
  return fail(Errc::corrupt, "a bucket node is missing: " + path.string());
}

}  // namespace

Result<void> KeyState::create(const base::Layout& layout, Keeper& keeper, Directory first, Time now) {
  CALLVAULT_TRY_ASSIGN(auto slot, keeper.stage(1, std::nullopt));
  first.epoch = slot.epoch;
  KeyState state(layout, Keepers(layout, keeper, std::move(slot.root)), std::move(first));
  CALLVAULT_TRY_ASSIGN(const auto intake, state.add_intake(now));
  CALLVAULT_TRY(state.commit());
  CALLVAULT_TRY(state.publish_intake(intake));
  (void)state.refill_spare();  // or whoever changes the vault next
  return {};
}

Result<KeyState> KeyState::load(const base::Layout& layout, Keeper& keeper, Access access) {
  auto file = os::read_file(layout.directory(), kMaxDirectoryBytes);
  if (!file && file.error().code == Errc::not_found)
    return fail(Errc::corrupt, "keys/directory is missing in " + layout.root.string());
  if (!file) return std::move(file).error();
  CALLVAULT_TRY_ASSIGN(const auto parts, split_directory(*file));
  const auto reach = access == Access::change ? Keepers::Reach::all : Keepers::Reach::enough;
  CALLVAULT_TRY_ASSIGN(auto keepers, Keepers::open(layout, keeper, parts.head, reach));
  CALLVAULT_TRY_ASSIGN(auto directory, open_directory(*file, keepers.key()));
  KeyState state(layout, std::move(keepers), std::move(directory));
  if (access == Access::look) return state;
  // Who replaced the directory may have died before its name was durable: until then a power cut brings the old one
  // back, and it needs its root and its nodes.
  CALLVAULT_TRY(os::sync_folder(layout.keys()));
  CALLVAULT_TRY(state.wipe_old());
  CALLVAULT_TRY(state.remove_superseded());
  CALLVAULT_TRY(remove_unfinished(layout));
  state.use_spare(true);
  CALLVAULT_TRY(state.restore_intake());
  state.use_spare(false);
  return state;
}

Result<Node> KeyState::open_node(std::uint32_t number) const {
  CALLVAULT_TRY_ASSIGN(const Bucket* bucket, bucket_of(number));
  if (bucket->generation == 0) return Node::empty();
  const auto path = layout_.node(number, bucket->generation);
  auto file = os::read_file(path, kMaxNodeBytes);
  if (!file) return missing_node(std::move(file).error(), path);
  return keys::open_node(*file, number, bucket->generation, bucket->node_key);
}

Result<NodeReader> KeyState::read_node(std::uint32_t number) const {
  CALLVAULT_TRY_ASSIGN(const Bucket* bucket, bucket_of(number));
  if (bucket->generation == 0) return NodeReader();
  const auto path = layout_.node(number, bucket->generation);
  auto file = os::File::open_read(path);
  if (!file) return missing_node(std::move(file).error(), path);
  return NodeReader::open(std::move(*file), number, bucket->generation, bucket->node_key);
}

Result<const Bucket*> KeyState::bucket_of(std::uint32_t number) const {
  const auto it = directory_.buckets.find(number);
  if (it == directory_.buckets.end()) return fail(Errc::not_found, "no bucket " + std::to_string(number));
  return &it->second;
}

Result<void> KeyState::stage_node(Bucket& bucket, std::vector<NodeRow>& rows) {
  if (rows.empty()) return stage_dropped(bucket.number);
  CALLVAULT_TRY_ASSIGN(auto plain, encode_node(rows));
  CALLVAULT_TRY_ASSIGN(auto node_key, crypto::Key::random());
  const std::uint64_t generation = bucket.generation + 1;
  CALLVAULT_TRY_ASSIGN(const auto file, seal_node(plain, bucket.number, generation, node_key));
  if (file.size() > kMaxNodeBytes)
    return fail(Errc::refused, "the node of bucket " + std::to_string(bucket.number) + " would be too large");
  // These rows may soon be the only copy of their secrets: what cannot be read back is not written.
  CALLVAULT_TRY_ASSIGN(const auto readable, Node::parse(std::move(plain)));
  CALLVAULT_TRY(readable.rows());
  // A crashed attempt may have left this name behind; it was never committed.
  CALLVAULT_TRY(os::remove_file(layout_.node(bucket.number, generation)));
  CALLVAULT_TRY(os::write_new_file(layout_.node(bucket.number, generation), file, 0600, spare()));
  bucket.generation = generation;
  bucket.recordings = static_cast<std::uint32_t>(rows.size());
  bucket.node_hash = crypto::blake2b(file);
  bucket.node_key = std::move(node_key);
  nodes_staged_ = true;
  return {};
}

Result<void> KeyState::stage_dropped(std::uint32_t bucket) {
  directory_.buckets.erase(bucket);
  return {};
}

Result<std::optional<base::Bytes>> KeyState::read_register(const std::string& name) const {
  const auto it = directory_.registers.find(name);
  if (it == directory_.registers.end() || it->second.generation == 0) return std::optional<base::Bytes>();
  const Register& known = it->second;
  const auto path = layout_.register_file(name, known.generation);
  const auto file = os::read_file(path, kMaxRegisterBytes);
  if (!file && file.error().code == Errc::not_found)
    return fail(Errc::corrupt, "a register is missing: " + path.string());
  if (!file) return file.error();
  CALLVAULT_TRY_ASSIGN(auto plain, open_register(*file, name, known.generation, known.key));
  return std::optional(std::move(plain));
}

Result<Register*> KeyState::register_of(const std::string& name) {
  const auto it = directory_.registers.find(name);
  if (it != directory_.registers.end()) return &it->second;
  CALLVAULT_TRY_ASSIGN(auto key, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(auto index_key, crypto::Key::random());
  return &directory_.registers.emplace(name, Register{name, 0, {}, std::move(key), std::move(index_key)}).first->second;
}

Result<const crypto::Key*> KeyState::register_index_key(const std::string& name) {
  CALLVAULT_TRY_ASSIGN(const Register* known, register_of(name));
  return &known->index_key;
}

Result<void> KeyState::stage_register(const std::string& name, base::ByteView plain) {
  CALLVAULT_TRY_ASSIGN(Register * known, register_of(name));
  CALLVAULT_TRY_ASSIGN(auto key, crypto::Key::random());
  const std::uint64_t generation = known->generation + 1;
  CALLVAULT_TRY_ASSIGN(const auto file, seal_register(plain, name, generation, key));
  if (!os::exists(layout_.registers())) {
    CALLVAULT_TRY(os::make_folder(layout_.registers()));
    CALLVAULT_TRY(os::sync_folder(layout_.keys()));
  }
  const auto path = layout_.register_file(name, generation);
  CALLVAULT_TRY(os::remove_file(path));  // of an attempt that was never committed
  CALLVAULT_TRY(os::write_new_file(path, file, 0600, spare()));
  known->generation = generation;
  known->hash = crypto::blake2b(file);
  known->key = std::move(key);
  registers_staged_ = true;
  return {};
}

Result<void> KeyState::sync_staged() {
  if (nodes_staged_) CALLVAULT_TRY(os::sync_folder(layout_.buckets()));
  if (registers_staged_) CALLVAULT_TRY(os::sync_folder(layout_.registers()));
  nodes_staged_ = registers_staged_ = false;
  return {};
}

Result<Bucket*> KeyState::add_bucket(const std::string& retention_class, std::int32_t day) {
  CALLVAULT_TRY_ASSIGN(auto node_key, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(auto index_key, crypto::Key::random());
  const std::uint32_t number = directory_.next_bucket++;
  const auto [it, fresh] = directory_.buckets.emplace(
      number, Bucket{number, retention_class, day, 0, 0, {}, std::move(node_key), std::move(index_key)});
  if (!fresh) return fail(Errc::corrupt, "bucket number " + std::to_string(number) + " is used twice");
  return &it->second;
}

Result<std::uint32_t> KeyState::add_intake(Time now) {
  CALLVAULT_TRY_ASSIGN(auto pair, crypto::make_key_pair());
  CALLVAULT_TRY_ASSIGN(auto pepper, crypto::Key::random());
  const std::uint32_t id = directory_.next_intake++;
  directory_.intake.emplace(id, IntakePrivate{id, now, std::move(pair.secret), std::move(pepper)});
  return id;
}

Result<unsigned> KeyState::intake_mode() const {
  CALLVAULT_TRY_ASSIGN(const unsigned folder_mode, os::mode_of(layout_.intake()));
  return (folder_mode & 0040U) != 0 ? 0640U : 0600U;
}

Result<void> KeyState::publish_intake(std::uint32_t id) const {
  const auto it = directory_.intake.find(id);
  if (it == directory_.intake.end()) return fail(Errc::unexpected, "no intake key " + std::to_string(id));
  CALLVAULT_TRY_ASSIGN(const auto bytes, public_half(it->second));
  // Readable by whom the folder is: recorders need it. The file appears whole, by rename.
  CALLVAULT_TRY_ASSIGN(const unsigned mode, intake_mode());
  const os::Path path = layout_.intake() / std::to_string(id);
  const os::Path fresh = layout_.intake() / (std::to_string(id) + std::string(kUnfinished));
  CALLVAULT_TRY(os::remove_file(fresh));
  CALLVAULT_TRY(os::write_new_file(fresh, bytes, 0600, spare()));
  CALLVAULT_TRY(os::set_mode(fresh, mode));
  CALLVAULT_TRY(os::rename_file(fresh, path));
  return os::sync_folder(layout_.intake());
}

Result<bool> KeyState::is_for_recorders(std::uint32_t id) const {
  const os::Path path = layout_.intake() / std::to_string(id);
  if (!os::exists(path)) return false;
  CALLVAULT_TRY_ASSIGN(const unsigned mode, os::mode_of(path));
  CALLVAULT_TRY_ASSIGN(const unsigned wanted, intake_mode());
  CALLVAULT_TRY_ASSIGN(const bool same_group, os::has_group_of_folder(path));
  return mode == wanted && same_group;
}

// What is sealed to an intake key that the directory does not hold is lost, so recorders must not find such a key; and
// they must find the newest one, whole. A crash leaves neither for long, nor does a copy of keys/ without the newest.
Result<void> KeyState::restore_intake() const {
  CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(layout_.intake()));
  for (const auto& name : names)
    if (name.ends_with(kUnfinished)) CALLVAULT_TRY(os::remove_file(layout_.intake() / name));
  CALLVAULT_TRY_ASSIGN(const auto published, list_intake(layout_));
  for (const auto id : published)
    if (!directory_.intake.contains(id)) CALLVAULT_TRY(os::remove_file(layout_.intake() / std::to_string(id)));
  if (directory_.intake.empty()) return {};
  const auto& [newest, key] = *directory_.intake.rbegin();
  CALLVAULT_TRY_ASSIGN(const auto wanted, public_half(key));
  const auto found = os::read_file(layout_.intake() / std::to_string(newest), kMaxIntakeBytes);
  CALLVAULT_TRY_ASSIGN(const bool readable, is_for_recorders(newest));
  if (found && *found == wanted && readable) return {};
  if (found && *found == wanted) {
    // The same file: a recorder may hold it, and another one of its name would not show that.
    const os::Path path = layout_.intake() / std::to_string(newest);
    CALLVAULT_TRY_ASSIGN(const unsigned mode, intake_mode());
    CALLVAULT_TRY(os::set_group_of_folder(path));
    return os::set_mode(path, mode);
  }
  if (!found && found.error().code != Errc::not_found && found.error().code != Errc::corrupt) return found.error();
  return publish_intake(newest);
}

// Opened again before it counts: a directory that cannot be read back would be the loss of everything.
Result<base::Bytes> KeyState::seal_with(const crypto::Key& key) const {
  CALLVAULT_TRY_ASSIGN(auto file, seal_directory(directory_, key));
  if (file.size() > kMaxDirectoryBytes) return fail(Errc::refused, "the directory would be too large");
  CALLVAULT_TRY(open_directory(file, key));
  return file;
}

Result<void> KeyState::check_certain() const {
  if (uncertain_) return fail(Errc::unexpected, "a rotation's commit failed; the key state must be loaded again");
  return {};
}

Result<void> KeyState::commit() {
  CALLVAULT_TRY(check_certain());
  CALLVAULT_TRY(sync_staged());
  CALLVAULT_TRY_ASSIGN(const auto file, seal_with(keepers_.key()));
  return os::replace_file(layout_.directory(), file, 0600, spare());
}

Result<void> KeyState::check_room() const {
  CALLVAULT_TRY_ASSIGN(const auto bytes, os::size_of(layout_.directory()));
  CALLVAULT_TRY_ASSIGN(const auto free, os::free_bytes(layout_.keys()));
  if (spare_allowed_ || free >= spare_size(bytes)) return {};
  return fail(Errc::no_space, "no room for a new " + layout_.directory().string());
}

Result<void> KeyState::stage_root() {
  CALLVAULT_TRY(check_certain());
  CALLVAULT_TRY(sync_staged());
  return keepers_.stage(directory_);
}

Result<void> KeyState::commit_rotation(std::uint64_t shreds) {
  CALLVAULT_TRY(check_certain());
  if (!keepers_.is_staged()) return fail(Errc::unexpected, "no root is staged");
  uncertain_ = true;
  CALLVAULT_TRY_ASSIGN(const crypto::Key* key, keepers_.take_staged(directory_, shreds));
  CALLVAULT_TRY_ASSIGN(const auto file, seal_with(*key));
  CALLVAULT_TRY(os::replace_file(layout_.directory(), file, 0600, spare()));
  uncertain_ = false;
  keepers_.committed();
  return {};
}

Result<void> KeyState::forget_old() {
  CALLVAULT_TRY(check_certain());
  if (keepers_.is_staged()) return fail(Errc::unexpected, "the staged root is not committed");
  return keepers_.wipe_old(directory_);
}

Result<bool> KeyState::is_forgotten() {
  CALLVAULT_TRY_ASSIGN(const auto file, os::read_file(layout_.directory(), kMaxDirectoryBytes));
  CALLVAULT_TRY_ASSIGN(const auto on_disk, open_directory(file, keepers_.key()));
  return keepers_.are_alone(on_disk);
}

// What waited for it is final then.
Result<void> KeyState::wipe_old() {
  const auto before = waiting();
  CALLVAULT_TRY(keepers_.wipe_old(directory_));
  finalised_ += before - waiting();
  return {};
}

Result<bool> KeyState::bring_in_mirrors() {
  CALLVAULT_TRY_ASSIGN(const bool any, keepers_.bring_in(directory_));
  if (!any) return false;
  CALLVAULT_TRY(commit());
  CALLVAULT_TRY(wipe_old());
  return true;
}

Result<void> KeyState::add_mirror(std::unique_ptr<Keeper> keeper, const os::Path& path, const os::Path& first_path) {
  return keepers_.add(directory_, std::move(keeper), path, first_path);
}

Result<void> KeyState::remove_mirror(const os::Path& path, bool destroyed) {
  const auto before = waiting();
  CALLVAULT_TRY(keepers_.remove(directory_, path, destroyed));
  finalised_ += before - waiting();
  return {};
}

// For a shred of one bucket: its intent and a fresh intake key; the directory with the next intake key, with what is
// put off, under the next root, and at the end; a node and one more.
Result<std::vector<std::uint64_t>> KeyState::spare_sizes() const {
  CALLVAULT_TRY_ASSIGN(const auto directory_file, os::File::open_read(layout_.directory()));
  CALLVAULT_TRY_ASSIGN(const auto directory_bytes, directory_file.size());
  std::uint64_t node_bytes = 0;
  for (const auto& [number, bucket] : directory_.buckets) {
    // One that is missing is told by whoever needs it.
    const auto bytes = os::size_of(layout_.node(number, bucket.generation));
    if (bucket.generation > 0 && bytes) node_bytes = std::max(node_bytes, *bytes);
  }
  const std::uint64_t d = spare_size(directory_bytes), n = spare_size(node_bytes);
  return std::vector<std::uint64_t>{kPageBytes, kPageBytes, d, d, d, d, n, n};
}

Result<void> KeyState::refill_spare() const {
  CALLVAULT_TRY_ASSIGN(const auto sizes, spare_sizes());
  return spare_.refill(sizes);
}

Result<bool> KeyState::spare_is_complete() const {
  CALLVAULT_TRY_ASSIGN(const auto sizes, spare_sizes());
  CALLVAULT_TRY_ASSIGN(const auto count, spare_.count(sizes));
  return count == sizes.size();
}

Result<std::uint64_t> KeyState::remove_superseded() const {
  std::set<std::string> nodes, registers;
  for (const auto& [number, bucket] : directory_.buckets)
    if (bucket.generation > 0) nodes.insert(layout_.node(number, bucket.generation).filename().string());
  for (const auto& [name, known] : directory_.registers)
    if (known.generation > 0) registers.insert(layout_.register_file(name, known.generation).filename().string());
  CALLVAULT_TRY_ASSIGN(const auto removed, remove_others(layout_.buckets(), nodes));
  if (!os::exists(layout_.registers())) return removed;  // a vault in which nobody kept any
  CALLVAULT_TRY_ASSIGN(const auto more, remove_others(layout_.registers(), registers));
  return removed + more;
}

}  // namespace callvault::keys
