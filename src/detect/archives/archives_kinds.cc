#include "detect/archives/archives_kinds.h"

#include <array>

#include "detect/archives/validators.h"

namespace kura::detect {
namespace {

using zip::Family;

// A file of a family that has no name of its own here (drawings, packages of programs) is a "zip".
bool is_other_zip(Window& in) {
  const Family family = zip::family(in);
  return family == Family::kPlain || family == Family::kOoxml || family == Family::kOpenDocument;
}

constexpr std::array kArchives = {
    Kind{"docx", "docx docm dotx dotm", zip::is<Family::kDocx>, zip::check},
    Kind{"xlsx", "xlsx xlsm xltx xltm xlsb xlam", zip::is<Family::kXlsx>, zip::check},
    Kind{"pptx", "pptx pptm potx potm ppsx ppsm", zip::is<Family::kPptx>, zip::check},
    Kind{"odt", "odt ott", zip::is<Family::kOdt>, zip::check},
    Kind{"ods", "ods ots", zip::is<Family::kOds>, zip::check},
    Kind{"odp", "odp otp", zip::is<Family::kOdp>, zip::check},
    Kind{"epub", "epub", zip::is<Family::kEpub>, zip::check},
    Kind{"apk", "apk", zip::is<Family::kApk>, zip::check},
    Kind{"jar", "jar war ear aar", zip::is<Family::kJar>, zip::check},
    Kind{"zip", "zip odg otg odf odb odc vsdx vsdm xps oxps nupkg whl egg xpi kmz cbz vsix sketch npz ipa oxt ora kra",
         is_other_zip, zip::check},
    Kind{"gzip", "gz tgz svgz emz wmz", gzip::recognise, gzip::check},
    Kind{"bzip2", "bz2 tbz tbz2", bzip2::recognise, bzip2::check},
    Kind{"xz", "xz txz", xz::recognise, xz::check},
    Kind{"lzma", "lzma tlz", lzma::recognise, lzma::check},
    Kind{"lzip", "lz tlz", lzip::recognise, lzip::check},
    Kind{"zstd", "zst zstd tzst", zstd::recognise, zstd::check},
    Kind{"lz4", "lz4", lz4::recognise, lz4::check},
    Kind{"7z", "7z", seven_zip::recognise, seven_zip::check},
    Kind{"rar", "rar", rar::recognise, rar::check},
    Kind{"cab", "cab msu", cab::recognise, cab::check},
    Kind{"ar", "deb udeb a ar ipk", ar::recognise, ar::check},
    Kind{"cpio", "cpio", cpio::recognise, cpio::check},
    Kind{"git pack", "pack", git_pack::recognise, git_pack::check},
    Kind{"git index", "idx", git_idx::recognise, git_idx::check},
    Kind{"compress", "z", compress::recognise, compress::check},
    Kind{"zlib", "zz mmpz", zlib_stream::recognise, zlib_stream::check},
    Kind{"tar", "tar gem ova", tar::recognise, tar::check},
};

}  // namespace

std::span<const Kind> archives_kinds() { return kArchives; }

}  // namespace kura::detect
