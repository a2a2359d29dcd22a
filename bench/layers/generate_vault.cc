// Adds settled recordings without audio to a vault (made when it is not there): nodes, directory, journal, catalogue,
// through the layers that write them for real recordings.
//   generate_vault VAULT PASSPHRASE-FILE RECORDINGS DAYS NEWEST-AGE [files] [person] [sealed=CHUNKS] [holds=N]
// The recordings are spread over DAYS local days, the newest of them NEWEST-AGE days ago. A caller calls about five
// times; +40722000001 once every 30 days. `files`: with empty sealed files, so that a purge has something to unlink.
// `person`: 200 of them, at equal distances, are of +40722000002. `sealed`: with real sealed files of so many chunks.
// `holds=N`: each N-th is on hold.
// The vault's passphrase step is the cheap one of tests. Prints the ids of ten recordings of the newest day.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/vault.h"
#include "context/rows.h"
#include "context/tombstones.h"
#include "crypto/random.h"
#include "keys/file_keeper.h"
#include "layers/sealed_calls.h"

namespace {

using namespace callvault;
using std::chrono::milliseconds;

constexpr std::string_view kUser = "bench";
constexpr std::string_view kMonthlyCaller = "+40722000001";
constexpr std::string_view kFrequentCaller = "+40722000002";
constexpr std::size_t kFrequentCalls = 200;
constexpr std::uint32_t kIntakeOfNewVault = 1;
constexpr std::uint32_t kRetiredIntake = 0;  // no vault's directory holds it
constexpr double kFirstHour = 7;
constexpr double kWorkingHours = 14;

struct Order {
  os::Path vault;
  const char* passphrase_file = nullptr;
  std::size_t recordings = 0;
  std::int32_t days = 0;
  std::int32_t newest_age = 0;
  bool files = false, person = false;
  std::size_t chunks = 0;  // of sealed files
  std::size_t hold_each = 0;
};

// One recording, with the memory that its node row looks at.
struct Recording {
  keys::NodeRow node;
  catalog::Row row;
  std::array<std::byte, 32> record_secret{}, track_secret{};
};

class Generator {
 public:
  Generator(const Order& order, context::Context& context)
      : order_(order), context_(context), callers_(order.recordings / 5 + 1) {}

  Result<void> run() {
    CALLVAULT_TRY_ASSIGN(period_, context_.config.period_of("default"));
    if (order_.chunks > 0) {
      CALLVAULT_TRY_ASSIGN(sealed_, SealedCalls::open(order_.vault, order_.chunks));
    }
    const std::int32_t today = context_.zone.civil_day(context_.now);
    std::size_t made = 0;
    for (std::int32_t i = 0; i < order_.days; ++i) {
      const std::size_t until =
          order_.recordings * static_cast<std::size_t>(i + 1) / static_cast<std::size_t>(order_.days);
      const std::int32_t age = order_.newest_age + order_.days - 1 - i;
      CALLVAULT_TRY(one_day(today - age, age, until - made));
      made = until;
    }
    CALLVAULT_TRY(context_.log.pin_head());
    CALLVAULT_TRY(context_.state.commit());
    return context::take_tombstones(context_);
  }

  const std::vector<RecordingId>& newest() const { return newest_; }

 private:
  Result<void> one_day(std::int32_t day, std::int32_t age, std::size_t count) {
    CALLVAULT_TRY_ASSIGN(const Time midnight, context_.zone.parse(base::day_text(day)));
    const os::Path folder = context::recording_folder(context_.layout, day);
    if (order_.files || sealed_) CALLVAULT_TRY(os::make_folder(folder));
    newest_.clear();
    for (std::size_t at = 0; at < count; at += keys::kBucketCapacity) {
      std::vector<Recording> recordings(std::min(keys::kBucketCapacity, count - at));
      for (std::size_t i = 0; i < recordings.size(); ++i) {
        const double part = static_cast<double>(at + i) / static_cast<double>(count);
        const auto since = milliseconds(static_cast<std::int64_t>((kFirstHour + part * kWorkingHours) * 3.6e6));
        CALLVAULT_TRY(fill(recordings[i], midnight + since, age));
      }
      if (at == 0 && age % 30 == 1) recordings[recordings.size() / 2].row.caller = kMonthlyCaller;
      for (std::size_t i = 0; sealed_ && i < recordings.size(); ++i) {
        CALLVAULT_TRY_ASSIGN(recordings[i].node.tracks.front().header_hash,
                             sealed_->write(folder, recordings[i].node, recordings[i].row));
      }
      CALLVAULT_TRY(store(day, recordings));
      for (std::size_t i = 0; i < 10 && newest_.size() < 10; ++i)
        newest_.push_back(recordings[i * (recordings.size() - 1) / 9].node.id);
    }
    return {};
  }

  Result<void> fill(Recording& r, Time start, std::int32_t age) {
    std::array<std::byte, RecordingId::kBytes> id{};
    keys::TrackSecret track;
    crypto::fill_random(id);
    crypto::fill_random(r.record_secret);
    crypto::fill_random(r.track_secret);
    crypto::fill_random(track.header_hash);
    track.secret = r.track_secret;
    const auto seconds = static_cast<std::uint32_t>(20 + random_() % 400);
    r.node.id = RecordingId(id);
    r.node.started_at = r.node.consent_since = start;
    CALLVAULT_TRY_ASSIGN(r.node.expires_at, context_.zone.add(start, period_));
    r.node.caller_consent = Consent::implied;
    r.node.duration_s = seconds;
    // Intake keys live for a day.
    r.node.intake = {age <= 1 ? kIntakeOfNewVault : kRetiredIntake};
    r.node.record_secret = r.record_secret;
    r.node.tracks = {std::move(track)};
    r.row.caller = "+4073" + number(random_() % callers_, 7);
    if (const auto apart = order_.recordings / kFrequentCalls; order_.person && ++made_ % apart == apart / 2)
      r.row.caller = kFrequentCaller;
    if (order_.hold_each > 0 && ++filled_ % order_.hold_each == 0) r.node.holds = {Hold{"matter", std::nullopt}};
    r.row.called = "+4080011" + number(random_() % 20, 4);
    r.row.agent = "agent-" + number(random_() % 200, 3);
    r.row.call_id = "pbx-" + std::to_string(random_());
    r.row.notice = "2026-01";
    r.row.notice_played = true;
    r.row.duration_ms = std::uint64_t{seconds} * 1000;
    r.row.ended_at = start + std::chrono::seconds(seconds);
    r.row.tracks = {{TrackName::mixed, 0, 8000, std::uint64_t{seconds} * 2080}};
    return {};
  }

  Result<void> store(std::int32_t day, const std::vector<Recording>& recordings) {
    CALLVAULT_TRY_ASSIGN(keys::Bucket * bucket, context_.state.add_bucket("default", day));
    std::vector<keys::NodeRow> nodes;
    std::vector<journal::Entry> entries;
    for (const auto& r : recordings) {
      nodes.push_back(r.node);
      CALLVAULT_TRY_ASSIGN(auto entry, context_.log.entry("ingested", {{"id", r.node.id.text()}}));
      entries.push_back(std::move(entry));
      if (!order_.files) continue;
      const os::Path folder = context::recording_folder(context_.layout, day);
      CALLVAULT_TRY(os::File::create(folder / base::sealed_file_name(r.node.id, TrackName::mixed, 0)));
    }
    CALLVAULT_TRY(context_.log.append(entries));
    CALLVAULT_TRY(context_.state.stage_node(*bucket, nodes));
    catalog::BucketRows rows{bucket->number, bucket->generation, {}};
    CALLVAULT_TRY_ASSIGN(rows.sealed_span, context::seal_span(*bucket, nodes));
    catalog::Blinder blinder(bucket->index_key);
    for (const auto& r : recordings) {
      CALLVAULT_TRY_ASSIGN(auto entry, context::make_entry(*bucket, r.node, r.row, blinder));
      rows.entries.push_back(std::move(entry));
    }
    return context_.catalog.replace_bucket(rows);
  }

  static std::string number(std::size_t value, std::size_t digits) {
    std::string text = std::to_string(value);
    return text.size() < digits ? std::string(digits - text.size(), '0') + text : text;
  }

  const Order& order_;
  context::Context& context_;
  std::size_t callers_, made_ = 0, filled_ = 0;
  Period period_;
  std::optional<SealedCalls> sealed_;
  std::mt19937 random_{std::random_device{}()};
  std::vector<RecordingId> newest_;
};

Result<void> make_vault(const Order& order) {
  std::ifstream file(order.passphrase_file);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  CALLVAULT_TRY_ASSIGN(const auto passphrase, Passphrase::take(text));
  InitOptions options;
  options.dir = order.vault;
  options.organisation = "Bench";
  options.user = kUser;
  options.unsafe_keeper = true;
  options.unsafe_fast_passphrase = true;
  return Vault::create(options, passphrase);
}

Result<void> run(const Order& order) {
  if (!os::exists(order.vault)) CALLVAULT_TRY(make_vault(order));
  CALLVAULT_TRY(crypto::ready());
  const base::Layout layout{order.vault};
  CALLVAULT_TRY_ASSIGN(const auto config, keys::read_config(layout.config()));
  CALLVAULT_TRY_ASSIGN(const auto zone, base::Zone::find(config.time_zone));
  CALLVAULT_TRY_ASSIGN(const auto keeper, keys::FileKeeper::open(layout.root.string() + ".keeper"));
  CALLVAULT_TRY_ASSIGN(auto state, keys::KeyState::load(layout, *keeper, keys::KeyState::Access::change));
  CALLVAULT_TRY_ASSIGN(auto journal, journal::Journal::open(layout.journal()));
  CALLVAULT_TRY_ASSIGN(auto catalog, catalog::Catalog::open(layout.catalog()));
  context::Log log(journal, state, "", system_clock().now());
  context::Context context{layout, config, zone, state, catalog, log, system_clock().now()};
  Generator generator(order, context);
  CALLVAULT_TRY(generator.run());
  for (const auto& id : generator.newest()) std::printf("%s\n", id.text().c_str());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fputs(
        "usage: generate_vault VAULT PASSPHRASE-FILE RECORDINGS DAYS NEWEST-AGE [files] [person] [sealed=CHUNKS] "
        "[holds=N]\n",
        stderr);
    return 2;
  }
  const std::set<std::string_view> wishes(argv + 6, argv + argc);
  // The number of a wish NAME=N; 0 without it.
  const auto number_of = [&](std::string_view name) -> std::size_t {
    for (const auto wish : wishes)
      if (wish.starts_with(name)) return std::strtoul(wish.data() + name.size(), nullptr, 10);
    return 0;
  };
  const Order order{std::filesystem::absolute(argv[1]),
                    argv[2],
                    std::strtoul(argv[3], nullptr, 10),
                    std::atoi(argv[4]),
                    std::atoi(argv[5]),
                    wishes.contains("files"),
                    wishes.contains("person"),
                    number_of("sealed="),
                    number_of("holds=")};
  if (order.recordings == 0 || order.days < 1 || (order.person && order.recordings < 2 * kFrequentCalls)) return 2;
  const auto done = run(order);
  if (!done) std::fprintf(stderr, "generate_vault: %s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
