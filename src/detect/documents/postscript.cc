// By the "PostScript Language Document Structuring Conventions Specification" 3.0 and "Encapsulated PostScript File
// Format Specification" 3.0.
#include "detect/documents/postscript.h"

#include <algorithm>
#include <array>
#include <string>

#include "detect/documents/pdf_streams.h"
#include "detect/grammar/noise.h"

namespace kura::detect::postscript {
namespace {

constexpr std::size_t kView = 64U << 10;
constexpr std::size_t kPiece = 512;
constexpr std::uint64_t kPreamble = 1024;
constexpr std::uint64_t kTail = 4096;  // where the first and the last comments are
constexpr std::size_t kMostOdd = 12;   // control characters in a piece

// Where the text begins: at once, after a control D, after a printer's job language.
std::optional<std::uint64_t> text_at(Window& in) {
  if (in.big32(0) == 0xC5D0D3C6) return in.little32(4);
  if (in.has(0, "%!")) return 0;
  if (in.has(0, "\x04%!")) return 1;
  if (!in.has(0, "\x1B%-12345X")) return std::nullopt;
  const std::size_t found = base::as_text(in.at(0, kPreamble)).find("%!");
  return found == std::string_view::npos ? std::nullopt : std::optional<std::uint64_t>(found);
}

// What has binary data behind it: fonts, pictures, and what announces itself.
bool announces_binary(Window& in, Range text, Budget& budget) {
  constexpr std::array<std::string_view, 13> kWords = {
      "%%BeginBinary", "%%BeginData", "eexec",          "readstring",      "Binary",        "FlateDecode", "LZWDecode",
      "DCTDecode",     "StartData",   "CCITTFaxDecode", "RunLengthDecode", "SubFileDecode", "%AI"};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return pdf::find(in, word, text.offset, text.end(), budget).has_value(); });
}

std::size_t odd_bytes(base::ByteSpan bytes) {
  std::size_t odd = 0;
  for (const std::uint8_t c : bytes)
    odd += (c < 0x20 && (c < 8 || c > 13) && c != 4 && c != 0x1A && c != 0x1B) ? 1U : 0U;
  return odd;
}

// Text, where a few letters of some code page do no harm; random bytes have 43 odd ones in a piece.
Report check_text(Window& in, Range text, Budget& budget) {
  for (std::uint64_t at = text.offset; at < text.end();) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(kView, text.end() - at));
    const base::ByteSpan bytes = in.at(at, length);
    if (bytes.empty() || !budget.spend(bytes.size())) break;
    for (std::size_t i = 0; i < bytes.size(); i += kPiece) {
      if (odd_bytes(bytes.subspan(i, std::min(kPiece, bytes.size() - i))) > kMostOdd) {
        return broken(at + i, "bytes that are no text stand where its program belongs");
      }
    }
    at += bytes.size();
  }
  return budget.spent_out() ? over_budget() : whole();
}

// The parts of a file with a preview lie inside of it.
bool parts_fit(Window& in) {
  for (const std::uint64_t at : {4U, 12U, 20U}) {
    const std::uint64_t begin = in.little32(at).value_or(0);
    const std::uint64_t size = in.little32(at + 4).value_or(0);
    if (begin > in.size() || size > in.size() - begin) return false;
  }
  return true;
}

bool is_plain(Window& in, Range text) {
  for (std::uint64_t i = 0; i < 16 && text.size > kNoisePiece; ++i) {
    if (looks_random(in.at(text.offset + (text.size - kNoisePiece) / 16 * i, kNoisePiece))) return false;
  }
  return true;
}

// A document that counts its pages ends with a comment, or with a line that shows its last page.
bool ends(Window& in, Range text) {
  const std::uint64_t size = std::min(text.size, kTail);
  const std::string_view tail = base::as_text(in.at(text.end() - size, static_cast<std::size_t>(size)));
  for (const std::string_view word : {"%%EOF", "%%Trailer", "showpage", "restore", "quit", "end", "%%EndDocument"}) {
    if (tail.find(word) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

bool recognise(Window& in) {
  const auto text = text_at(in);
  if (!text) return false;
  return in.has(*text, "%!PS") || in.has(*text, "%! ") || in.has(*text, "%!\n") || in.has(*text, "%!\r");
}

Report check(Window& in, Budget& budget) {
  Range text{text_at(in).value_or(0), 0};
  text.size = in.size() - std::min(in.size(), text.offset);
  if (in.big32(0) == 0xC5D0D3C6) {
    if (!parts_fit(in)) return broken(in.size(), "it ends early: its header names parts behind its end");
    text.size = in.little32(8).value_or(0);
  }
  if (announces_binary(in, text, budget)) {
    return budget.spent_out() ? over_budget() : whole({{text, is_plain(in, text) ? Density::kPlain : Density::kDense}});
  }
  const Report report = check_text(in, text, budget);
  if (report.finding != Finding::kWhole) return report;
  const bool document = text.size > kTail && in.has(text.offset, "%!PS-Adobe-") &&
                        pdf::find(in, "%%Pages:", text.offset, text.offset + kTail, budget).has_value();
  if (document && !ends(in, text)) return broken(in.size(), "it ends early: nothing ends its program");
  return report;
}

}  // namespace kura::detect::postscript
