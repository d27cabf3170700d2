#include "detect/text/text_kinds.h"

#include <array>

#include "detect/text/encoding.h"
#include "detect/text/hex_records.h"
#include "detect/text/message_catalog.h"
#include "detect/text/text_check.h"

namespace kura::detect {
namespace text {
namespace {

// Any text may be in any encoding, so they share all names of texts.
#define KURA_TEXT_EXTENSIONS                                                                                           \
  "txt log csv tsv md rst tex bib ini cfg conf cnf properties env toml yaml yml json jsonl ndjson geojson xml xsd "    \
  "xsl xslt "                                                                                                          \
  "svg html htm xhtml shtml css scss less js mjs ts jsx tsx vue php asp aspx jsp c h cc cpp cxx hh hpp hxx cs java "   \
  "kt go rs "                                                                                                          \
  "py rb pl pm lua r sql sh bash zsh bat cmd ps1 psm1 vbs vb bas pas f f90 for m mm swift scala clj hs ml el lisp "    \
  "asm s "                                                                                                             \
  "makefile mk cmake gradle eml mbox ics vcf ldif reg inf url desktop po pot srt vtt ass sub tab prn lst list "        \
  "diff "                                                                                                              \
  "patch asc pem crt cer key csr pub sig b64 uue hex ihex mot srec dxf obj stl mtl ply gcode nc step stp igs iges "    \
  "kml gpx "                                                                                                           \
  "wsdl plist rdf opml dtd proto thrift graphql ipynb rmd qmd org adoc textile wiki readme license changes tcl awk "   \
  "sed "                                                                                                               \
  "vhd vhdl sv v edn dot gv puml mmd svgz hta jsonc json5 map lock sum mod cff bibtex ris eps ps ai vmx vbox ovf rtx " \
  "nfo diz"

template <Encoding... kEncodings>
bool is(Window& in) {
  const Encoding found = encoding_of(in);
  return ((found == kEncodings) || ...);
}

// The recognised encoding again: of the little- and big-endian forms of one kind.
Report check(Window& in, Budget& budget) { return check_text(in, budget, encoding_of(in)); }

constexpr std::array kKinds = {
    Kind{"message catalog", "mo gmo", is_message_catalog, check_message_catalog},
    Kind{"hex records", "hex ihex ihx mot srec s19 s28 s37", is_hex_records, check_hex_records},
    Kind{"utf-8 text", KURA_TEXT_EXTENSIONS, is<Encoding::kUtf8>, check},
    Kind{"utf-16 text", KURA_TEXT_EXTENSIONS, is<Encoding::kUtf16Little, Encoding::kUtf16Big>, check},
    Kind{"utf-32 text", KURA_TEXT_EXTENSIONS, is<Encoding::kUtf32Little, Encoding::kUtf32Big>, check},
    Kind{"iso-2022 text", KURA_TEXT_EXTENSIONS, is<Encoding::kIso2022>, check},
    Kind{"shift_jis text", KURA_TEXT_EXTENSIONS, is<Encoding::kShiftJis>, check},
    Kind{"euc text", KURA_TEXT_EXTENSIONS, is<Encoding::kEuc>, check},
    Kind{"big5 text", KURA_TEXT_EXTENSIONS, is<Encoding::kBig5>, check},
    Kind{"gb18030 text", KURA_TEXT_EXTENSIONS, is<Encoding::kGb18030>, check},
    Kind{"8-bit text", KURA_TEXT_EXTENSIONS, is<Encoding::kEightBit>, check},
};

#undef KURA_TEXT_EXTENSIONS

}  // namespace
}  // namespace text

std::span<const Kind> text_kinds() { return text::kKinds; }

}  // namespace kura::detect
