// What single samples of a track look like by their codec.
#pragma once

#include <cstdint>
#include <string_view>

#include "detect/grammar/report.h"

namespace kura::detect::iso {

enum class Codec : std::uint8_t {
  kUnknown,  // no proof
  kAvc,      // H.264: lengths of NAL units add up (ISO/IEC 14496-15)
  kHevc,     // H.265, the same
  kAac,      // elements of ISO/IEC 14496-3
  kAlac,     // elements alike, and bits that are zero
  kMp3,
  kAc3,
  kAv1,    // OBUs
  kMpeg4,  // start codes
  kJpeg,
  kPcm,        // samples, uncompressed
  kEncrypted,  // by a scheme for films
};

Codec codec_of(std::string_view format);

// Judges the samples of one track, one after the other.
class SampleJudge {
 public:
  SampleJudge() = default;
  SampleJudge(Codec codec, unsigned length_bytes) : codec_(codec), length_bytes_(length_bytes) {}
  Codec codec() const { return codec_; }
  bool proves() const { return codec_ != Codec::kUnknown && codec_ != Codec::kPcm && codec_ != Codec::kEncrypted; }
  // Nothing, or what is wrong.
  const char* judge(Window& in, Range sample, Budget& budget);

 private:
  const char* units(Window& in, Range sample, Budget& budget) const;
  const char* aac(base::ByteSpan head);

  Codec codec_ = Codec::kUnknown;
  unsigned length_bytes_ = 4;
  int element_ = -1;  // the first seven bits of the first AAC frame
};

}  // namespace kura::detect::iso
