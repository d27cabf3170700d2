// A track of a film: where its samples are (ISO/IEC 14496-12, section 8).
#pragma once

#include <cstdint>
#include <vector>

#include "detect/media/iso_boxes.h"
#include "detect/media/iso_samples.h"

namespace kura::detect::iso {

struct Track {
  std::uint32_t id = 0;
  SampleJudge judge;
  bool here = true;                // its samples are in this file
  std::uint32_t default_size = 0;  // of samples in fragments

  // The tables, of which at most kMostEntries each are kept.
  std::uint64_t samples = 0;
  std::uint32_t same_size = 0;  // of all samples; 0: see `sizes`
  std::vector<std::uint32_t> sizes;
  std::vector<std::uint64_t> chunks;
  struct Run {
    std::uint32_t first_chunk = 0;
    std::uint32_t samples = 0;
  };
  std::vector<Run> runs;
  bool cut = false;  // a table was too long to be kept
};

inline constexpr std::size_t kMostEntries = 1U << 20;

// Reads a trak box. Nothing, or what is wrong.
const char* read_track(Window& in, const Box& trak, Track& track, Budget& budget);

// Judges each sample of the track. Nothing, or what is wrong; `at` is where.
const char* judge_samples(Window& in, Track& track, Budget& budget, std::uint64_t& at);

}  // namespace kura::detect::iso
