// The constants of the sealed file, version 1. The byte layout with a worked example is in docs/format/sealed.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace callvault::sealed {

inline constexpr std::uint16_t kVersion = 1;

// Not text, and damaged by a transfer that rewrites line ends: 89 "CVLT" CR LF 1A, and 89 "CVEND" CR LF.
inline constexpr std::array<unsigned char, 8> kMagic{0x89, 'C', 'V', 'L', 'T', '\r', '\n', 0x1a};
inline constexpr std::array<unsigned char, 8> kTrailerMagic{0x89, 'C', 'V', 'E', 'N', 'D', '\r', '\n'};

// Header: fixed fields, three boxes, commitment.
inline constexpr std::size_t kFixedBytes = 56;
inline constexpr std::size_t kIntakeBoxBytes = 64 + 32 + 24 + 16;  // s_0 || s_t sealed to a public key
inline constexpr std::size_t kReviewBoxBytes = 32 + 32 + 24 + 16;  // r_t sealed to a public key
inline constexpr std::size_t kMetadataStep = 256;                  // the padding hides the length of names
inline constexpr std::size_t kMetadataMaxBytes = 16 * 1024;        // padded text
inline constexpr std::size_t kMetadataOverhead = 24 + 16;          // nonce, tag
inline constexpr std::size_t kCommitmentBytes = 32;
inline constexpr std::size_t kHeaderMinBytes =
    kFixedBytes + kIntakeBoxBytes + kReviewBoxBytes + kMetadataStep + kMetadataOverhead + kCommitmentBytes;
inline constexpr std::size_t kHeaderMaxBytes = kHeaderMinBytes - kMetadataStep + kMetadataMaxBytes;
static_assert(kHeaderMinBytes == 624);
static_assert(kHeaderMaxBytes == 16752);
static_assert(kMetadataMaxBytes % kMetadataStep == 0);

// Chunks: chunk n stands at header_bytes + n * kSealedChunkBytes. Each plaintext is one Ogg page.
inline constexpr std::size_t kChunkBytes = 1024;
inline constexpr std::size_t kSealedChunkBytes = kChunkBytes + 16;
static_assert(kSealedChunkBytes == 1040);
inline constexpr std::uint64_t kChunkMaxMs = 1000;  // a page never holds more audio than this

// Trailer: magic, nonce, fields padded with zeros, tag.
inline constexpr std::size_t kTrailerBytes = 256;
inline constexpr std::size_t kTrailerPlainBytes = 208;
static_assert(8 + 24 + kTrailerPlainBytes + 16 == kTrailerBytes);

inline constexpr std::uint32_t kFlagTruncated = 1;
inline constexpr std::uint32_t kFlagInterrupted = 2;

inline constexpr std::string_view kLabelIntake = "callvault v1 intake";
inline constexpr std::string_view kLabelReview = "callvault v1 review";
inline constexpr std::string_view kLabelMetadata = "callvault v1 metadata";
inline constexpr std::string_view kLabelAudio = "callvault v1 audio";
inline constexpr std::string_view kLabelCommitment = "callvault v1 commitment";
inline constexpr std::string_view kLabelTrailer = "callvault v1 trailer";
inline constexpr std::string_view kLabelAudioHash = "callvault v1 audio hash";

}  // namespace callvault::sealed
