#include "adversary/rig.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

#include "crypto/hash.h"
#include "crypto/random.h"

namespace adversary {
namespace {

namespace fs = std::filesystem;
using namespace callvault;

constexpr char kPassphrase[] = "correct horse battery staple";

Passphrase passphrase() {
  std::string text = kPassphrase;
  return must(Passphrase::take(std::span(text.data(), text.size())), "passphrase");
}

Bytes slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return base::to_bytes(base::as_bytes(text));
}

// A second of two chirps and noise: sound enough for a voice codec, different each time.
std::vector<std::int16_t> sound(unsigned channels, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<std::int16_t> out;
  for (int i = 0; i < 8000; ++i)
    for (unsigned c = 0; c < channels; ++c) {
      const double t = i / 8000.0;
      const double wave = std::sin(6.28 * (200 + seed * 10 + c * 100 + 150 * t) * t) * 8000;
      out.push_back(static_cast<std::int16_t>(wave + static_cast<double>(random() % 800)));
    }
  return out;
}

}  // namespace

void give_up(const char* what, const Error& error) {
  std::fprintf(stderr, "%s: %s: %s\n", what, std::string(errc_name(error.code)).c_str(), error.message.c_str());
  std::_Exit(3);
}

void must(Result<void> result, const char* what) {
  if (!result) give_up(what, result.error());
}

Rig::Rig(const fs::path& parent, bool unsafe_keeper) {
  must(crypto::ready(), "crypto");
  const std::string name = "callvault-adversary-" + std::to_string(std::random_device()());
  root_ = (parent.empty() ? fs::temp_directory_path() : parent) / name;
  input_ = fs::temp_directory_path() / (name + ".raw");  // never beside the vault: it is plain
  fs::create_directories(root_);
  InitOptions options;
  options.dir = folder();
  options.organisation = "Example";
  options.unsafe_keeper = unsafe_keeper;
  options.unsafe_fast_passphrase = true;
  must(Vault::create(options, passphrase()), "create");
  clock_.now_ = system_clock().now();  // not before the vault was made
  reopen();
  snapshot();
}

Rig::~Rig() {
  officer_.reset();
  vault_.reset();
  std::error_code ignored;
  fs::remove_all(root_, ignored);
  fs::remove(input_, ignored);
}

void Rig::reopen() {
  officer_.reset();
  vault_.reset();
  OpenOptions options;
  options.dir = folder();
  options.clock = &clock_;
  vault_ = must(Vault::open(options), "open");
  officer_ = must(vault_->unlock("officer", passphrase()), "unlock");
}

RecordingId Rig::record(const Call& call) {
  last_sound_ = sound(call.stereo ? 2 : 1, ++seed_);
  {
    std::ofstream out(input_, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(last_sound_.data()), static_cast<std::streamsize>(last_sound_.size() * 2));
  }
  clock_.now_ += std::chrono::seconds(1);
  IngestOptions options;
  options.vault = folder();
  options.file = input_;
  options.audio = {InputFormat::s16le, 8000, call.stereo ? ChannelMap::caller_agent : ChannelMap::mixed};
  options.encoder.complexity = 0;
  options.caller = call.caller;
  options.agent = call.agent;
  options.call_id = call.call_id;
  options.consent = call.consent;
  options.retention_class = call.retention_class;
  options.started_at = clock_.now_;
  options.clock = &clock_;
  return must(ingest(options), "ingest").id;
}

void Rig::settle() {
  must(vault_->find(*officer_, {}, [](const CallRecord&) { return true; }), "find");
}

void Rig::erase(const std::vector<RecordingId>& ids) {
  EraseOptions options;
  options.ids = ids;
  options.request = "R-1";
  options.reason = "the caller Maria Popescu asked for it";
  must(vault_->erase(*officer_, options), "erase");
}

void Rig::snapshot() {
  for (const auto& entry : fs::recursive_directory_iterator(folder())) {
    if (!entry.is_regular_file()) continue;
    Bytes bytes = slurp(entry.path());
    if (seen_.insert(crypto::blake2b(bytes)).second)
      blobs_.push_back({entry.path().lexically_relative(folder()).string(), std::move(bytes)});
  }
  keepers_.push_back(slurp(keeper_file()));
}

Vault::Impl Rig::parts(std::unique_ptr<keys::Keeper> keeper) const {
  const base::Layout layout{folder()};
  auto config = must(keys::read_config(layout.config()), "config");
  auto zone = must(base::Zone::find(config.time_zone), "zone");
  return Vault::Impl{layout,
                     std::move(config),
                     std::move(zone),
                     std::move(keeper),
                     keeper_file().parent_path(),
                     std::make_unique<journal::Journal>(must(journal::Journal::open(layout.journal()), "journal")),
                     std::make_unique<catalog::Catalog>(must(catalog::Catalog::open(layout.catalog()), "catalog")),
                     std::chrono::seconds(5),
                     &clock_};
}

}  // namespace adversary
