#include "backups/manifest.h"

#include "base/text.h"
#include "context/json_fields.h"

namespace callvault::backups {
namespace {

constexpr std::uint64_t kManifestVersion = 1;

Error manifest_damaged() { return fail(Errc::corrupt, "backup.json is damaged"); }

// An object of fields and of lists of objects. Looked at in constant memory before anything is kept: a file of
// brackets would take a hundred times its size.
class ManifestShape final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return depth_ != 2; }
  bool boolean(bool) override { return depth_ != 2; }
  bool number_integer(number_integer_t) override { return depth_ != 2; }
  bool number_unsigned(number_unsigned_t) override { return depth_ != 2; }
  bool number_float(number_float_t, const string_t&) override { return depth_ != 2; }
  bool string(string_t&) override { return depth_ != 2; }
  bool binary(binary_t&) override { return false; }
  bool key(string_t&) override { return true; }
  bool start_object(std::size_t) override { return ++depth_ <= kManifestDepth; }
  bool end_object() override { return depth_-- > 0; }
  bool start_array(std::size_t) override { return ++depth_ <= kManifestDepth; }
  bool end_array() override { return depth_-- > 0; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  static constexpr int kManifestDepth = 3;
  int depth_ = 0;
};

bool read_digest(const std::string& hex, crypto::Digest& out) {
  const auto bytes = base::from_hex(hex);
  if (!bytes || bytes->size() != out.size()) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return base::to_hex(out) == hex;
}

}  // namespace

std::string encode_manifest(const Manifest& m) {
  nlohmann::json key_files = nlohmann::json::array();
  for (const auto& [name, hash] : m.key_files) key_files.push_back({{"name", name}, {"hash", base::to_hex(hash)}});
  return nlohmann::json{{"version", kManifestVersion},
                        {"origin", m.origin},
                        {"complete", m.complete},
                        {"taken_at", base::utc_text(m.taken_at)},
                        {"epoch", m.epoch},
                        {"journal_size", m.journal_size},
                        {"directory", base::to_hex(m.directory)},
                        {"files", m.files},
                        {"recorder_group", m.recorder_group},
                        {"key_files", std::move(key_files)}}
             .dump(1, ' ', true, nlohmann::json::error_handler_t::replace) +
         "\n";
}

Result<Manifest> decode_manifest(std::string_view text) {
  ManifestShape shape;
  if (!nlohmann::json::sax_parse(text, &shape)) return manifest_damaged();
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  context::JsonFields f(json);
  if (f.number("version") > kManifestVersion) return fail(Errc::newer_version, "backup.json is of a newer version");
  Manifest m;
  m.origin = f.text("origin");
  m.complete = f.flag("complete");
  m.taken_at = f.time("taken_at");
  m.epoch = f.number("epoch");
  m.journal_size = f.number("journal_size");
  m.files = f.number("files");
  m.recorder_group = f.text("recorder_group");
  if (!read_digest(f.text("directory"), m.directory)) return manifest_damaged();
  for (const auto& item : f.list("key_files")) {
    context::JsonFields file(item);
    const std::string name = file.text("name");
    crypto::Digest hash{};
    if (!read_digest(file.text("hash"), hash) || !file.ok() || !m.key_files.emplace(name, hash).second)
      return manifest_damaged();
  }
  if (!f.ok()) return manifest_damaged();
  return m;
}

Result<Manifest> read_manifest(const os::Path& folder) {
  const auto text = os::read_file(manifest_path(folder), kMaxManifestBytes);
  if (!text) return text.error();
  return decode_manifest(base::as_text(*text));
}

}  // namespace callvault::backups
