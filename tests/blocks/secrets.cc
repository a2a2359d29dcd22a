#include "blocks/secrets.h"

#include <fstream>
#include <iterator>

#include "adversary/inside.h"
#include "keys/file_keeper.h"
#include "sealed/header.h"

namespace blocks {
namespace {

using namespace callvault;
using adversary::must;
using adversary::Rig;

// docs/format/keeper.md: a place block, then two slots of a header block and four key blocks.
constexpr std::size_t kBlock = 4096, kKeyBytes = 4 * kBlock, kSlotBytes = kBlock + kKeyBytes, kSectorBytes = 512;

Bytes slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return base::to_bytes(base::as_bytes(text));
}

class Memory final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    all.insert(all.end(), bytes.begin(), bytes.end());
    return {};
  }
  Bytes all;
};

// The start of each sector: a root is lost with any part of its blocks, and none may be left.
Needles sectors_of(const std::string& what, const std::vector<const Bytes*>& roots) {
  Needles out;
  for (const Bytes* blocks : roots)
    for (std::size_t at = 0; at < blocks->size(); at += kSectorBytes)
      out.add_pieces(what, ByteView(*blocks).subspan(at, 32));
  return out;
}

}  // namespace

Secrets::Secrets(const std::vector<std::string>& texts) {
  for (const auto& text : texts) never_.add("\"" + text + "\"", text);
}

void Secrets::gather_roots(Rig& rig) {
  present_.clear();
  const auto keeper = must(keys::FileKeeper::open(rig.keeper_file().parent_path()), "keeper");
  const Bytes file = slurp(rig.keeper_file());
  for (const auto& slot : must(keeper->read(), "roots")) {
    never_.add("a root key", slot.root.reveal());
    const Bytes root = base::to_bytes(slot.root.reveal());
    present_.insert(root);
    for (std::size_t at = 2 * kBlock; at + kKeyBytes <= file.size(); at += kSlotBytes) {
      const ByteView blocks = ByteView(file).subspan(at, kKeyBytes);
      const auto digest = crypto::blake2b(blocks);
      if (std::equal(digest.begin(), digest.end(), root.begin(), root.end())) roots_[root] = base::to_bytes(blocks);
    }
  }
}

void Secrets::gather(Rig& rig) {
  gather_roots(rig);
  const auto& officer = rig.officer().impl().identity;
  const auto* review = must(officer.review_key(1), "review key");
  never_.add("a review key", review->reveal());
  never_.add("a person's signing key", officer.signing_seed().reveal());
  never_.add("a person's box key", officer.box_secret().reveal());
  adversary::inside(rig, [&](Session& session) {
    const auto& directory = session.directory();
    never_.add("the journal's signing key", directory.journal_seed->reveal());
    for (const auto& staff : directory.staff) never_.add("a staff key", staff.key.reveal());
    for (const auto& [id, intake] : directory.intake) never_.add("an intake key", intake.secret.reveal());
    for (const auto& [name, one] : directory.registers) {
      never_.add("a register's key", one.key.reveal());
      never_.add("a register's index key", one.index_key.reveal());
    }
    for (const auto& [number, bucket] : directory.buckets) {
      never_.add("a node key", bucket.node_key.reveal());
      never_.add("an index key", bucket.index_key.reveal());
      const auto node = must(session.state().open_node(number), "node");
      for (std::size_t i = 0; i < node.size(); ++i) {
        const auto row = must(node.row(i), "row");
        never_.add("a recording's secret", row.record_secret);
        for (const auto& track : row.tracks) {
          never_.add("a track's secret", track.secret);
          track_secrets_[{row.id, track.name}].insert(base::to_bytes(track.secret));
        }
      }
    }
    gather_files(rig.folder() / "incoming", directory, *review);
    gather_files(rig.folder() / "recordings", directory, *review);
  });
}

void Secrets::gather_files(const std::filesystem::path& folder, const keys::Directory& directory,
                           const crypto::Key& review) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto header = entry.is_regular_file() ? sealed::parse_header(slurp(entry.path())) : fail(Errc::corrupt, "");
    if (!header) continue;
    auto& secrets = track_secrets_[{header->id, header->track}];
    if (const auto known = directory.intake.find(header->intake_key); known != directory.intake.end()) {
      const auto opened = sealed::open_intake_box(*header, known->second.secret, known->second.pepper);
      if (opened) {
        never_.add("a recording's secret", opened->recording.reveal());
        never_.add("a track's secret", opened->track.reveal());
        secrets.insert(base::to_bytes(opened->track.reveal()));
      }
    }
    for (const auto& secret : secrets)
      if (const auto key = sealed::audio_key(*header, review, must(crypto::Key::copy_of(secret), "key")))
        never_.add("an audio key", key->reveal());
  }
}

void Secrets::gather_audio(Rig& rig, const RecordingId& id) {
  never_.add_pieces("the sound of a call",
                    base::as_bytes(std::string_view(reinterpret_cast<const char*>(rig.last_sound().data()),
                                                    rig.last_sound().size() * sizeof(std::int16_t))));
  for (const auto& track : must(rig.vault().show(rig.officer(), id), "show").tracks)
    for (const auto format : {PlayFormat::opus, PlayFormat::wav}) {
      Memory heard;
      PlayOptions options;
      options.id = id;
      options.track = track.name == TrackName::caller  ? TrackChoice::caller
                      : track.name == TrackName::agent ? TrackChoice::agent
                                                       : TrackChoice::both;
      options.purpose = Purpose::complaint;
      options.format = format;
      must(rig.vault().play(rig.officer(), options, heard), "play");
      never_.add_pieces(format == PlayFormat::opus ? "the Opus packets of a call" : "what is heard of a call",
                        heard.all);
    }
}

Needles Secrets::old_roots() const {
  std::vector<const Bytes*> old;
  for (const auto& [root, blocks] : roots_)
    if (!present_.contains(root)) old.push_back(&blocks);
  return sectors_of("the key blocks of an old root", old);
}

Needles Secrets::present_roots() const {
  std::vector<const Bytes*> now;
  for (const auto& [root, blocks] : roots_)
    if (present_.contains(root)) now.push_back(&blocks);
  return sectors_of("the key blocks of the root", now);
}

}  // namespace blocks
