// The bounds of the stored formats (docs/format.md): a reader refuses what is beyond them before it allocates.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kura::archive {

inline constexpr std::uint16_t kFormatVersion = 1;
inline constexpr std::uint16_t kNewestConfigVersion = 2;

inline constexpr std::uint64_t kConfigLimit = 4096;
inline constexpr std::uint64_t kKeyLimit = 4096;
inline constexpr std::uint64_t kLeaseLimit = 4096;
inline constexpr std::uint64_t kPackLimit = 256ULL << 20;
inline constexpr std::uint64_t kIndexLimit = 64ULL << 20;
inline constexpr std::uint64_t kSnapshotLimit = 64ULL << 20;
inline constexpr std::uint64_t kCondemnedLimit = 64ULL << 20;
// A shard is as long as the longest column of its group, and carries the checksums of all.
inline constexpr std::uint64_t kParityLimit = 320ULL << 20;
inline constexpr std::uint64_t kParityListLimit = 16ULL << 20;
inline constexpr std::uint64_t kParityLengthLimit = kPackLimit;
inline constexpr unsigned kParityColumnLimit = 128;
inline constexpr unsigned kParityShardLimit = 8;
inline constexpr std::uint32_t kChunkLimit = 16U << 20;
inline constexpr std::uint32_t kFrameTextLimit = 16U << 20;
// Compression that does not shrink a text may lengthen it a little; a reader allocates no more for a sealed frame.
inline constexpr std::uint32_t kSealedFrameLimit = kFrameTextLimit + (1U << 20);
inline constexpr std::uint32_t kFramesPerPackLimit = 1U << 20;
inline constexpr std::uint32_t kChunksPerPackLimit = 1U << 22;
inline constexpr std::size_t kNameLimit = 255;
inline constexpr std::uint8_t kContentDepthLimit = 3;

}  // namespace kura::archive
