#include "layers/sealed_calls.h"

#include <array>

#include "base/layout.h"
#include "crypto/aead.h"
#include "crypto/random.h"
#include "sealed/trailer.h"

namespace callvault {

Result<SealedCalls> SealedCalls::open(const os::Path& vault, std::size_t chunks) {
  CALLVAULT_TRY_ASSIGN(auto view, keys::RecorderView::open(vault));
  CALLVAULT_TRY_ASSIGN(auto lease, view.acquire_intake());
  return SealedCalls(std::move(view), std::move(lease), chunks);
}

Result<crypto::Digest> SealedCalls::write(const os::Path& folder, const keys::NodeRow& node,
                                          const catalog::Row& row) const {
  sealed::CallMetadata metadata;
  metadata.started_at = node.started_at;
  metadata.caller = row.caller;
  metadata.called = row.called;
  metadata.agent = row.agent;
  metadata.call_id = row.call_id;
  metadata.notice = row.notice;
  metadata.notice_played = row.notice_played;
  metadata.consent = node.caller_consent;
  metadata.tracks = {TrackName::mixed};
  CALLVAULT_TRY_ASSIGN(auto recording, crypto::Key::copy_of(node.record_secret));
  CALLVAULT_TRY_ASSIGN(auto track, crypto::Key::copy_of(node.tracks.front().secret));
  CALLVAULT_TRY_ASSIGN(const auto secret, recording.clone());
  const sealed::HeaderFields fields{node.id, TrackName::mixed, 0, lease_.key.id, view_.review().number};
  const sealed::Recipients to{lease_.key.public_key, lease_.key.pepper, view_.review().key};
  CALLVAULT_TRY_ASSIGN(const auto made,
                       sealed::make_header(fields, to, metadata, {std::move(recording), std::move(track)}));

  base::Bytes file = made.header.raw;
  const std::size_t begin = file.size();
  file.resize(begin + chunks_ * sealed::kSealedChunkBytes);
  std::array<std::byte, sealed::kChunkBytes> page{};
  crypto::fill_random(page);
  for (std::size_t i = 0; i < chunks_; ++i)
    crypto::seal_chunk(made.audio_key, i, i + 1 == chunks_, page,
                       std::span(file).subspan(begin + i * sealed::kSealedChunkBytes, sealed::kSealedChunkBytes));
  sealed::Trailer trailer;
  trailer.ended_at = row.ended_at.value_or(node.started_at);
  trailer.duration = std::chrono::milliseconds(row.duration_ms.value_or(0));
  trailer.chunks = chunks_;
  trailer.chunk_hash = crypto::blake2b(base::ByteView(file).subspan(begin));
  CALLVAULT_TRY_ASSIGN(const auto end, sealed::seal_trailer(made.header, secret, trailer));
  file.insert(file.end(), end.begin(), end.end());
  CALLVAULT_TRY_ASSIGN(auto out, os::File::create(folder / base::sealed_file_name(node.id, TrackName::mixed, 0)));
  CALLVAULT_TRY(out.write_at(file, 0));
  return made.header.hash;
}

}  // namespace callvault
