#include "detect/documents/cfb.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/escape.h"
#include "detect/codec/inflate.h"
#include "detect/documents/cfb_storage.h"
#include "detect/documents/office_records.h"
#include "detect/documents/pdf_streams.h"
#include "detect/documents/pictures.h"
#include "detect/grammar/noise.h"

namespace kura::detect::cfb {
namespace {

using office::Verdict;

class Checker {
 public:
  Checker(Window& in, Budget& budget) : in_(in), budget_(budget) {}
  Report run();

 private:
  const std::vector<Range>* sibling(const Entry& of, std::string_view name, std::uint64_t& size) const;
  // Whether the grammar speaks of the whole stream; else it is a stretch.
  bool proven(const Entry& entry, Window& stream, Verdict& verdict);
  bool by_name(const Entry& entry, Window& stream, Verdict& verdict);
  bool by_magic(Window& stream, Verdict& verdict);
  bool message(const Entry& entry, Window& stream, Verdict& verdict);
  bool presentation(const Entry& entry, Window& stream, Verdict& verdict);
  Verdict pictures_inside(Window& stream);
  bool holds_pictures(Window& stream);
  bool small_streams_hold(Report& report);
  bool nothing_foreign(StreamInput& input, const std::vector<Range>& places, const std::string& what, Report& report);
  bool rest_holds(Report& report);
  Verdict table(const Entry& entry, Window& stream);
  Verdict properties(Window& stream);
  Verdict word(const Entry& entry, Window& stream);
  Density density(Window& stream);

  Window& in_;
  Budget& budget_;
  Storage storage_;
  std::vector<std::vector<Range>> contents_;
  bool cipher_ = false;
  bool office_ = false;  // of Word, Excel or PowerPoint
};

const std::vector<Range>* Checker::sibling(const Entry& of, std::string_view name, std::uint64_t& size) const {
  for (std::size_t i = 1; i < storage_.entries.size(); ++i) {
    const Entry& entry = storage_.entries[i];
    if (entry.type != EntryType::kStream || entry.parent != of.parent || entry.name != name) continue;
    size = entry.size;
    return &contents_[i];
  }
  return nullptr;
}

Verdict Checker::word(const Entry& entry, Window& stream) {
  const bool first = (stream.little16(10).value_or(0) & 0x0200) != 0;  // fWhichTblStm
  static const std::vector<Range> kNone;
  std::uint64_t size = 0;
  const std::vector<Range>* places = sibling(entry, first ? "1Table" : "0Table", size);
  StreamInput input(in_, places == nullptr ? kNone : *places, size);
  Window table(input);
  return office::check_word(stream, table, budget_);
}

// Whether it is encrypted is told in the other stream ([MS-DOC] 2.5.2).
Verdict Checker::table(const Entry& entry, Window& stream) {
  std::uint64_t size = 0;
  const std::vector<Range>* places = sibling(entry, "WordDocument", size);
  if (places == nullptr) return {};
  StreamInput input(in_, *places, size);
  Window document(input);
  if ((document.little16(10).value_or(0) & 0x0100) != 0) return {};
  // Later versions keep a zip archive (the theme) in it.
  const std::uint64_t size_all = stream.size();
  const std::uint64_t begin = pdf::find(stream, "PK\3\4", 0, size_all, budget_).value_or(size_all);
  std::uint64_t end = begin;
  while (const auto next = pdf::find(stream, "PK\5\6", end, size_all, budget_)) end = *next + 22;
  Verdict plain = office::check_plain(stream, {0, begin}, budget_);
  if (plain.broken || end >= size_all) return plain;
  return office::check_plain(stream, {end, size_all - end}, budget_);
}

// A property of a mail ([MS-OXMSG] 2.2.1): the last four digits of the name are its type.
bool Checker::message(const Entry& entry, Window& stream, Verdict& verdict) {
  if (!entry.name.starts_with("__substg1.0_")) return false;
  if (entry.name.ends_with("001F") || entry.name.ends_with("001E")) {
    verdict = office::check_plain(stream, {0, stream.size()}, budget_);
    return true;
  }
  if (!entry.name.ends_with("10090102") || stream.size() < 16) return false;
  // Compressed RTF ([MS-OXRTFCP] 2.1.3.1): its checksum is CRC-32 without the inversions.
  if (!stream.has(8, "LZFu")) return false;
  const std::uint64_t length = stream.little32(0).value_or(0);
  if (length < 12 || length > stream.size() - 4) return false;
  const std::uint32_t sum = ~crc32(stream, {16, length - 12}, budget_, 0xFFFFFFFF);
  if (sum != stream.little32(12)) verdict = office::breaks(12, "has a wrong checksum");
  return true;
}

// The stream "Current User" says by a token whether the others are encrypted ([MS-PPT] 2.3.2). PowerPoint 95 had other
// records.
bool Checker::presentation(const Entry& entry, Window& stream, Verdict& verdict) {
  std::uint64_t size = 0;
  if (const std::vector<Range>* places = sibling(entry, "Current User", size); places != nullptr) {
    StreamInput input(in_, *places, size);
    Window user(input);
    verdict.cipher = user.little32(12) == 0xF3D1C4DF;
  }
  if (verdict.cipher || stream.has(0, std::string_view("\3\0\0\0\xFF\xFF", 6))) return false;
  verdict = office::check_records(stream, {0, stream.size()}, budget_);
  return true;
}

// Values are numbers, texts and a small picture that is most often not packed.
Verdict Checker::properties(Window& stream) {
  Verdict verdict = office::check_properties(stream);
  if (verdict.broken) return verdict;
  verdict = office::check_plain(stream, {0, stream.size()}, budget_);
  return verdict.broken && holds_pictures(stream) ? Verdict{} : verdict;
}

bool Checker::by_name(const Entry& entry, Window& stream, Verdict& verdict) {
  const std::string& name = entry.name;
  if (name == "WordDocument") {
    verdict = word(entry, stream);
    if (verdict.broken || verdict.cipher) return false;
    Verdict plain = office::check_plain(stream, {0, stream.size()}, budget_);
    if (plain.broken && holds_pictures(stream)) return false;
    verdict = std::move(plain);
    return true;
  }
  if (name == "EscherDelayStm") {  // Publisher's pictures
    verdict = office::check_records(stream, {0, stream.size()}, budget_);
    return true;
  }
  if (name == "PowerPoint Document" || name == "Pictures") return presentation(entry, stream, verdict);
  if (name == "Workbook" || name == "Book" || name == "WORKBOOK" || name == "BOOK")
    verdict = office::check_workbook(stream, budget_);
  else if (name == "0Table" || name == "1Table")
    verdict = table(entry, stream);
  else if (name.starts_with('\5'))
    verdict = properties(stream);
  else if (name == "VisioDocument")  // packed, but by an old way that leaves few pieces in a row that look random
    verdict = office::check_plain(stream, {0, stream.size()}, budget_, office::kMostOfBlock);
  else if (storage_.entries[entry.parent].name == "VBA")
    verdict = name == "dir" ? office::check_vba(stream, budget_)
                            : office::check_plain(stream, {0, stream.size()}, budget_, office::kMostOfBlock);
  else if (name == "Data")
    return office::check_data(stream, budget_, verdict);
  else
    return message(entry, stream, verdict);
  return true;
}

bool Checker::by_magic(Window& stream, Verdict& verdict) {
  BrokenAt at;
  const Range all{0, stream.size()};
  if (stream.has(0, "\x89PNG\r\n\x1a\n"))
    at = png_breaks(stream, all, budget_);
  else if (stream.has(0, "\xFF\xD8\xFF"))
    at = jpeg_breaks(stream, all, budget_);
  else
    return false;
  if (at) verdict = office::breaks(*at, "is a damaged picture");
  return true;
}

bool Checker::proven(const Entry& entry, Window& stream, Verdict& verdict) {
  if (entry.name == "EncryptedPackage") {
    verdict.cipher = true;
    if (stream.little64(0).value_or(0) > stream.size()) verdict = office::breaks(0, "ends early");
    return false;
  }
  return by_name(entry, stream, verdict) || (!verdict.broken && by_magic(stream, verdict));
}

// In a stream of other things, pictures that begin as a file does.
Verdict Checker::pictures_inside(Window& stream) {
  using namespace std::string_view_literals;
  struct Known {
    std::string_view begins;
    BrokenAt (*breaks)(Window&, Range, Budget&);
  };
  constexpr std::array<Known, 2> kKnown{
      {{"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR"sv, png_breaks}, {"\xFF\xD8\xFF\xE0\0\x10JFIF"sv, jpeg_breaks}}};
  for (const Known& known : kKnown) {
    std::uint64_t offset = 0;
    for (int i = 0; i < 256; ++i) {
      const auto found = pdf::find(stream, known.begins, offset, stream.size(), budget_);
      if (!found) break;
      offset = *found + known.begins.size();
      if (const BrokenAt at = known.breaks(stream, {*found, stream.size() - *found}, budget_)) {
        return office::breaks(*at, "holds a damaged picture");
      }
    }
  }
  return {};
}

// By the beginnings of PNG, JPEG and zip files and of packed metafiles.
bool Checker::holds_pictures(Window& stream) {
  constexpr std::size_t kView = 64U << 10;
  using namespace std::string_view_literals;
  for (std::uint64_t offset = 0; offset < stream.size(); offset += kView - 4) {
    const base::ByteSpan bytes = stream.at(offset, kView);
    if (!budget_.spend(bytes.size())) return true;
    for (const std::string_view word : {"\x89PNG"sv, "\xFF\xD8\xFF"sv, "PK\3\4"sv, "\0\xFE\x78"sv, "\0\0\x78\x9C"sv}) {
      if (::memmem(bytes.data(), bytes.size(), word.data(), word.size()) != nullptr) return true;
    }
  }
  return false;
}

// What is in a stream nobody knows: plain, unless half of it looks random or it holds pictures or archives.
Density Checker::density(Window& stream) {
  const std::uint64_t pieces = std::min<std::uint64_t>(stream.size() / kNoisePiece, 64);
  std::uint64_t random = 0;
  for (std::uint64_t i = 0; i < pieces && budget_.spend(kNoisePiece); ++i) {
    const std::uint64_t step = (stream.size() - kNoisePiece) / std::max<std::uint64_t>(pieces, 1);
    random += looks_random(stream.at(i * step, kNoisePiece)) ? 1U : 0U;
  }
  if (random > 0 && holds_pictures(stream)) return Density::kDense;
  return random * 2 > pieces || (pieces == 0 && stream.size() > 256) ? Density::kDense : Density::kPlain;
}

// Streams of less than 4 KiB are short texts, numbers and names; one of them may be a picture. Mails have packed texts
// among them, which look random for a piece or two.
bool Checker::small_streams_hold(Report& report) {
  StreamInput input(in_, storage_.mini_stream, storage_.entries[0].size);
  Window stream(input);
  const Verdict plain = office::check_plain(stream, {0, stream.size()}, budget_, office_ ? 1 : 3);
  if (!plain.broken || holds_pictures(stream)) {
    return nothing_foreign(input, storage_.mini_stream, "the place of its small streams", report);
  }
  report = broken(input.place(plain.at), "its small streams look random where plain records belong");
  return false;
}

// Of all that is not encrypted, whether a grammar speaks of it or not: it may say little of what lies in a record.
bool Checker::nothing_foreign(StreamInput& input, const std::vector<Range>& places, const std::string& what,
                              Report& report) {
  Window stream(input);
  const auto found = foreign_block(stream, 0, places);
  if (!found) return true;
  report = broken(input.place(*found), what + " has a block that looks random among others that do not");
  return false;
}

// The rest: what is in no chain has zeros or what was there before, tables have small numbers, and a block over the end
// of a stream would hold what fills up its last sector, too.
bool Checker::rest_holds(Report& report) {
  std::vector<std::uint32_t> owners(storage_.sectors);  // a stream's entry and one; 0 is nobody
  const auto own = [&](const std::vector<Range>& places, std::size_t owner) {
    for (const Range& place : places) {
      const std::uint64_t first = (place.offset >> storage_.sector_shift) - 1;
      const std::uint64_t count = std::min(place.size >> storage_.sector_shift, storage_.sectors - first);
      std::fill_n(owners.begin() + static_cast<std::ptrdiff_t>(first), count, static_cast<std::uint32_t>(owner + 1));
    }
  };
  for (std::size_t i = 1; i < storage_.entries.size(); ++i) {
    if (storage_.entries[i].size >= kMiniCutoff) own(contents_[i], i);
  }
  own(storage_.mini_stream, 0);
  const auto each = static_cast<std::ptrdiff_t>(kForeignBlock >> storage_.sector_shift);
  for (std::uint64_t at = kForeignBlock; at + kForeignBlock <= in_.size(); at += kForeignBlock) {
    const auto first = owners.begin() + static_cast<std::ptrdiff_t>((at >> storage_.sector_shift) - 1);
    if (*first != 0 && std::all_of(first, first + each, [&](std::uint32_t owner) { return owner == *first; })) continue;
    const Range around{at - kNoisePiece, kForeignBlock + 2 * kNoisePiece};
    const auto found = foreign_block(in_, around.offset, {&around, 1});
    if (!found) continue;
    report = broken(*found, "a block looks random that no stream uses, or not one alone");
    return false;
  }
  return true;
}

Report Checker::run() {
  Report report = read_storage(in_, budget_, storage_, contents_);
  if (report.finding != Finding::kWhole) return report;
  std::vector<Stretch> unproven;
  for (std::size_t i = 1; i < storage_.entries.size(); ++i) {
    const Entry& entry = storage_.entries[i];
    if (contents_[i].empty()) continue;
    StreamInput input(in_, contents_[i], entry.size);
    Window stream(input);
    Verdict verdict;
    office_ |= entry.name == "WordDocument" || entry.name == "Workbook" || entry.name == "PowerPoint Document";
    const bool known = proven(entry, stream, verdict);
    if (!known && !verdict.broken && !verdict.cipher && entry.size >= kMiniCutoff) verdict = pictures_inside(stream);
    if (budget_.spent_out()) return over_budget();
    if (verdict.broken) {
      return broken(input.place(std::min(verdict.at, input.size() - 1)),
                    "its stream " + base::printable(entry.name) + ' ' + verdict.what);
    }
    cipher_ |= verdict.cipher;
    if (!verdict.cipher && entry.size >= kMiniCutoff &&
        !nothing_foreign(input, contents_[i], "its stream " + base::printable(entry.name), report)) {
      return report;
    }
    if (known) continue;
    const Density is = verdict.cipher ? Density::kDense : density(stream);
    for (const Range& place : contents_[i]) unproven.push_back({place, is});
  }
  if (!cipher_ && !small_streams_hold(report)) return report;
  if (!cipher_ && !rest_holds(report)) return report;
  std::ranges::sort(unproven, {}, [](const Stretch& stretch) { return stretch.range.offset; });
  if (cipher_) report = cipher("a document of Office with a password");
  for (Stretch stretch : unproven) {
    if (stretch.range.offset >= in_.size()) continue;
    stretch.range.size = std::min(stretch.range.size, in_.size() - stretch.range.offset);
    add_stretch(report.stretches, stretch);
  }
  return report;
}

}  // namespace

bool recognise(Window& in) { return in.has(0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"); }

Report check(Window& in, Budget& budget) { return Checker(in, budget).run(); }

}  // namespace kura::detect::cfb
