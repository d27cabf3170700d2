// The validators of this folder, one pair of functions a kind (see Kind), each in the file of its name.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect {

namespace zip {
// What a ZIP archive is by its parts; kNone is no archive.
enum class Family : std::uint8_t {
  kNone,
  kPlain,
  kDocx,
  kXlsx,
  kPptx,
  kOoxml,
  kOdt,
  kOds,
  kOdp,
  kOpenDocument,
  kEpub,
  kApk,
  kJar
};
Family family(Window& in);
template <Family kFamily>
bool is(Window& in) {
  return family(in) == kFamily;
}
Report check(Window& in, Budget& budget);
}  // namespace zip

#define KURA_DETECT_VALIDATOR(name)         \
  namespace name {                          \
  bool recognise(Window& in);               \
  Report check(Window& in, Budget& budget); \
  }

KURA_DETECT_VALIDATOR(ar)
KURA_DETECT_VALIDATOR(bzip2)
KURA_DETECT_VALIDATOR(cab)
KURA_DETECT_VALIDATOR(compress)
KURA_DETECT_VALIDATOR(cpio)
KURA_DETECT_VALIDATOR(git_idx)
KURA_DETECT_VALIDATOR(git_pack)
KURA_DETECT_VALIDATOR(gzip)
KURA_DETECT_VALIDATOR(lz4)
KURA_DETECT_VALIDATOR(lzip)
KURA_DETECT_VALIDATOR(lzma)
KURA_DETECT_VALIDATOR(rar)
KURA_DETECT_VALIDATOR(seven_zip)
KURA_DETECT_VALIDATOR(tar)
KURA_DETECT_VALIDATOR(xz)
KURA_DETECT_VALIDATOR(zlib_stream)
KURA_DETECT_VALIDATOR(zstd)

#undef KURA_DETECT_VALIDATOR

}  // namespace kura::detect
