#include "detect/documents/pdf.h"

#include <algorithm>
#include <string>

#include "detect/documents/pdf_lexer.h"
#include "detect/documents/pdf_streams.h"

namespace kura::detect::pdf {
namespace {

constexpr std::size_t kHeaderWithin = 1024;      // what readers search
constexpr std::uint32_t kMostUnknownWords = 32;  // of sloppy writers

// Where "%PDF-" stands: at the beginning, or after text such as an HTTP header or a printer's job language. An archive
// that has a PDF file first is none.
std::optional<std::uint64_t> header_at(Window& in) {
  const std::string_view head = base::as_text(in.at(0, kHeaderWithin));
  const std::size_t found = std::min(head.find("%PDF-"), head.find("%FDF-"));
  if (found == std::string_view::npos) return std::nullopt;
  const bool text = std::ranges::all_of(head.substr(0, found), [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte >= 0x20 || (byte >= 9 && byte <= 13) || byte == 0x1B;
  });
  return text ? std::optional<std::uint64_t>(found) : std::nullopt;
}

class Checker {
 public:
  Checker(Window& in, Budget& budget, std::uint64_t begin) : in_(in), budget_(budget), lexer_(in, begin) {}
  Report run();

 private:
  bool step();  // false: report_ is final
  void word();
  void value();
  void name();
  bool stream();
  bool skip_mark();
  bool junk(std::string_view what);
  bool end_of_file();
  bool is_encrypted();
  bool end(Report report) {
    report_ = std::move(report);
    return false;
  }
  bool fail(std::uint64_t at, std::string evidence) { return end(broken(at, std::move(evidence))); }

  Window& in_;
  Budget& budget_;
  Lexer lexer_;
  Report report_;
  std::vector<Stretch> stretches_;
  std::uint64_t paid_ = 0;
  std::uint64_t object_ = 0;       // its number
  std::uint64_t numbers_[2] = {};  // the last two
  std::uint64_t depth_ = 0;        // of dictionaries and arrays
  std::string key_;                // of the dictionary of the object, whose value comes
  bool at_key_ = false;            // the next name is a key
  StreamDict dict_;
  std::uint32_t unknown_words_ = 0;
  std::uint32_t end_marks_ = 0;
  std::uint64_t objects_ = 0;
  std::uint64_t linear_length_ = 0;  // what /Linearized promises
  bool linearized_ = false;
  bool marked_ = false;  // a line of binary bytes was skipped
  bool ended_ = false;   // nothing but a trailer since the last object
  std::optional<bool> encrypted_;
};

bool Checker::is_encrypted() {
  if (!encrypted_) encrypted_ = find(in_, "/Encrypt", 0, in_.size(), budget_).has_value();
  return *encrypted_;
}

Report Checker::run() {
  while (step()) {
    const std::uint64_t passed = lexer_.passed();
    if (!budget_.spend(passed - paid_ + 1)) return over_budget();
    paid_ = passed;
  }
  if (report_.finding == Finding::kWhole && encrypted_.value_or(false)) report_ = cipher("an encrypted PDF document");
  if (report_.finding != Finding::kBroken) report_.stretches = std::move(stretches_);
  return report_;
}

bool Checker::step() {
  switch (lexer_.next()) {
    case Token::kFileEnd:
      return end_of_file();
    case Token::kBad:
      if (skip_mark()) return true;
      return junk("bytes that are no PDF text");
    case Token::kEofMark:
      ++end_marks_;
      return true;
    case Token::kOpenDict:
      if (++depth_ == 1) at_key_ = true;
      return true;
    case Token::kOpenArray:
      ++depth_;
      return true;
    case Token::kCloseDict:
    case Token::kCloseArray:
      if (depth_ > 0) --depth_;
      value();
      return true;
    case Token::kName:
      name();
      return true;
    case Token::kNumber:
      numbers_[0] = std::exchange(numbers_[1], lexer_.number());
      if (depth_ == 1 && key_ == "Length" && !at_key_) {
        dict_.length = numbers_[1];
        dict_.has_length = true;
      }
      if (depth_ == 1 && key_ == "L" && !at_key_) linear_length_ = numbers_[1];
      value();
      return true;
    case Token::kString:
      value();
      return true;
    case Token::kKeyword:
      break;
  }
  if (lexer_.text().starts_with("stream") && !lexer_.text().starts_with("streamb")) return stream();
  word();
  return unknown_words_ <= kMostUnknownWords || fail(lexer_.began(), "words that no PDF file has between its streams");
}

// A value of the object's own dictionary is complete.
void Checker::value() {
  if (depth_ == 1) at_key_ = true;
}

void Checker::name() {
  if (depth_ == 1 && at_key_) {
    key_ = lexer_.text();
    at_key_ = false;
    if (key_ == "Linearized") linearized_ = true;
    if (key_ == "F") dict_.external = true;
    return;
  }
  const bool filter = key_ == "Filter" && (depth_ == 1 || (depth_ == 2 && !at_key_));
  if (filter && dict_.filter.empty()) dict_.filter = lexer_.text();
  if (depth_ == 1 && key_ == "Type") dict_.type = lexer_.text();
  value();
}

void Checker::word() {
  const std::string_view text = lexer_.text();
  if (text == "R") {
    if (key_ == "Length" && depth_ == 1) dict_.has_length = false;
    return;
  }
  if (text == "n" || text == "f" || text == "true" || text == "false" || text == "null") return value();
  if (text == "obj" || text.starts_with("obj")) {
    dict_ = {};
    depth_ = 0;
    object_ = numbers_[0];
    ++objects_;
    ended_ = false;
  } else if (text.starts_with("endobj") || text.starts_with("endstream") || text.ends_with("endobj")) {
    depth_ = 0;
  } else if (text == "xref" || text == "trailer" || text == "startxref") {
    ended_ = true;
    depth_ = 0;
  } else {
    ++unknown_words_;
  }
}

bool Checker::stream() {
  const std::uint64_t after = lexer_.began() + 6;
  const bool reference = dict_.type == "XRef";  // never encrypted (7.5.8.2)
  bool encrypted = encrypted_.value_or(false) && !reference;
  StreamFound found = check_stream(in_, after, dict_, encrypted, budget_);
  if (found.end == StreamEnd::kBroken && !encrypted && !reference && is_encrypted()) {
    found = check_stream(in_, after, dict_, true, budget_);
  }
  switch (found.end) {
    case StreamEnd::kOverBudget:
      return end(over_budget());
    case StreamEnd::kEndsEarly:
      return fail(in_.size(), "it ends early, in the data of object " + std::to_string(object_));
    case StreamEnd::kBroken:
      return fail(found.at, "the data of object " + std::to_string(object_) + " is not what its filter writes");
    case StreamEnd::kUnproven:
      add_stretch(stretches_, found.unproven);
      break;
    case StreamEnd::kHolds:
      break;
  }
  depth_ = 0;
  // The trailer of a file with a cross-reference stream is that stream.
  lexer_.seek(found.next);
  if (reference) ended_ = true;
  return true;
}

// The line behind the header that says that a file is binary is a comment; ClibPDF left the sign of one out.
bool Checker::skip_mark() {
  constexpr std::uint64_t kLongest = 64;
  if (objects_ > 0 || std::exchange(marked_, true)) return false;
  const std::uint64_t at = lexer_.began();
  const auto end = find(in_, "\n", at, std::min(in_.size(), at + kLongest), budget_);
  if (end) lexer_.seek(*end);
  return end.has_value();
}

// Bytes after the last end mark are no harm: mails and servers leave some. A judge may look at them.
bool Checker::junk(std::string_view what) {
  const std::uint64_t at = lexer_.began();
  const bool may_follow = ended_ && objects_ > 0 && end_marks_ > (linearized_ ? 1U : 0U);
  if (may_follow && !find(in_, "endobj", at, in_.size(), budget_)) {
    if (budget_.spent_out()) return end(over_budget());
    add_stretch(stretches_, {{at, in_.size() - at}, Density::kPlain});
    return end_of_file();
  }
  return fail(at, std::string(what) + " after object " + std::to_string(object_));
}

bool Checker::end_of_file() {
  if (objects_ == 0) return fail(0, "it ends early: there is no object");
  if (linearized_ && linear_length_ > in_.size()) {
    return fail(in_.size(), "it ends early: its first object says " + std::to_string(linear_length_) + " bytes");
  }
  if (!ended_) return fail(in_.size(), "it ends early: nothing ends it after object " + std::to_string(object_));
  return false;
}

}  // namespace

bool recognise(Window& in) { return header_at(in).has_value(); }

Report check(Window& in, Budget& budget) { return Checker(in, budget, header_at(in).value_or(0)).run(); }

}  // namespace kura::detect::pdf
