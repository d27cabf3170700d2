#include "store/s3/answers.h"

#include <expat.h>

#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/number.h"
#include "base/time.h"
#include "store/s3/address.h"

namespace kura::store::s3 {
namespace {

using base::ErrorCode;
using base::Result;

constexpr int kDeepest = 16;
constexpr std::size_t kLongestText = 4096;    // a key has at most 1024 bytes, and three times as many encoded
constexpr std::size_t kMostObjects = 10'000;  // a page has 1000
constexpr std::uint64_t kLargestObject = 1ULL << 50;

struct ParserFree {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

// Calls `on_text(path, text)` at the end of each element, where path is "ListBucketResult/Contents/Key", and on_text
// returns whether to go on.
class Reader {
 public:
  using OnText = std::function<bool(std::string_view path, std::string_view text)>;
  explicit Reader(OnText on_text) : on_text_(std::move(on_text)) {}

  // False when it is not well-formed, too deep, too long, has a document type, or on_text did not like it.
  bool read(base::ByteSpan xml);

 private:
  static void on_start(void* self, const char* name, const char** attributes);
  static void on_end(void* self, const char* name);
  static void on_characters(void* self, const char* text, int size);
  static void on_doctype(void* self, const char* name, const char* system, const char* pub, int internal);
  void stop() { XML_StopParser(parser_.get(), XML_FALSE); }

  OnText on_text_;
  std::unique_ptr<std::remove_pointer_t<XML_Parser>, ParserFree> parser_;
  std::string path_, text_;
  int depth_ = 0;
};

bool Reader::read(base::ByteSpan xml) {
  parser_.reset(XML_ParserCreate("UTF-8"));
  if (!parser_) return false;
  XML_SetUserData(parser_.get(), this);
  XML_SetElementHandler(parser_.get(), &Reader::on_start, &Reader::on_end);
  XML_SetCharacterDataHandler(parser_.get(), &Reader::on_characters);
  XML_SetStartDoctypeDeclHandler(parser_.get(), &Reader::on_doctype);
  const std::string_view text = base::as_text(xml);
  return XML_Parse(parser_.get(), text.data(), static_cast<int>(text.size()), XML_TRUE) == XML_STATUS_OK;
}

void Reader::on_start(void* self, const char* name, const char** /*attributes*/) {
  auto& reader = *static_cast<Reader*>(self);
  if (++reader.depth_ > kDeepest || reader.path_.size() > kLongestText) return reader.stop();
  std::string_view local = name;
  local.remove_prefix(local.rfind(':') + 1);  // npos + 1 is 0
  if (!reader.path_.empty()) reader.path_ += '/';
  reader.path_ += local;
  reader.text_.clear();
}

void Reader::on_end(void* self, const char* /*name*/) {
  auto& reader = *static_cast<Reader*>(self);
  if (!reader.on_text_(reader.path_, reader.text_)) return reader.stop();
  const std::size_t slash = reader.path_.rfind('/');
  reader.path_.resize(slash == std::string::npos ? 0 : slash);
  reader.text_.clear();
  --reader.depth_;
}

void Reader::on_characters(void* self, const char* text, int size) {
  auto& reader = *static_cast<Reader*>(self);
  reader.text_.append(text, static_cast<std::size_t>(size));
  if (reader.text_.size() > kLongestText) reader.stop();
}

void Reader::on_doctype(void* self, const char* /*name*/, const char* /*system*/, const char* /*pub*/,
                        int /*internal*/) {
  static_cast<Reader*>(self)->stop();
}

bool read_size(std::string_view text, std::uint64_t& size) {
  const auto number = base::parse_number<std::uint64_t>(text);
  size = number.value_or(0);
  return number && size <= kLargestObject;
}

// A page as it is being read.
struct PageReader {
  ListPage page;
  ListedObject object;
  bool has_key = false, has_size = false, has_time = false;
  bool is_list = false, truncated = false;

  bool take(std::string_view path, std::string_view text);
  bool take_object();
};

bool PageReader::take_object() {
  if (!has_key || !has_size || !has_time || page.objects.size() == kMostObjects) return false;
  page.objects.push_back(std::exchange(object, {}));
  has_key = has_size = has_time = false;
  return true;
}

bool PageReader::take(std::string_view path, std::string_view text) {
  constexpr std::string_view kRoot = "ListBucketResult";
  if (path == kRoot) return is_list = true;
  if (!path.starts_with(kRoot)) return false;
  path.remove_prefix(kRoot.size());
  if (path == "/IsTruncated") {
    truncated = text == "true";
  } else if (path == "/NextContinuationToken") {
    page.next = text;
  } else if (path == "/Contents/Key") {
    object.key = url_decoded(text);
    has_key = true;
  } else if (path == "/Contents/Size") {
    return has_size = read_size(text, object.size);
  } else if (path == "/Contents/LastModified") {
    const auto time = base::parse_rfc3339(text);
    if (!time) return false;
    object.modified = *time;
    has_time = true;
  } else if (path == "/Contents") {
    return take_object();
  }
  return true;
}

// Uploads as they are being read.
struct UploadsReader {
  std::vector<ListedUpload> uploads;
  ListedUpload upload;
  bool is_list = false, has_time = false;

  bool take(std::string_view path, std::string_view text);
};

bool UploadsReader::take(std::string_view path, std::string_view text) {
  constexpr std::string_view kRoot = "ListMultipartUploadsResult";
  if (path == kRoot) return is_list = true;
  if (!path.starts_with(kRoot)) return false;
  path.remove_prefix(kRoot.size());
  if (path == "/Upload/Key") {
    upload.key = text;
  } else if (path == "/Upload/UploadId") {
    upload.id = text;
  } else if (path == "/Upload/Initiated") {
    const auto time = base::parse_rfc3339(text);
    if (!time) return false;
    upload.begun = *time;
    has_time = true;
  } else if (path == "/Upload") {
    if (upload.key.empty() || upload.id.empty() || !has_time || uploads.size() == kMostObjects) return false;
    uploads.push_back(std::exchange(upload, {}));
    has_time = false;
  }
  return true;
}

std::unexpected<base::Error> no_answer(std::string_view what) {
  return base::fail(ErrorCode::kIo, "the server's answer is no " + std::string(what),
                    "see whether the address is that of an S3 server, and no proxy changes what it says");
}

}  // namespace

Result<std::string> parse_upload_id(base::ByteSpan xml) {
  std::string id;
  const bool read = Reader([&](std::string_view path, std::string_view text) {
                      if (path == "InitiateMultipartUploadResult/UploadId") id = text;
                      return true;
                    }).read(xml);
  if (!read || id.empty()) return no_answer("upload that has begun");
  return id;
}

Result<std::vector<ListedUpload>> parse_uploads(base::ByteSpan xml) {
  UploadsReader reader;
  const bool read =
      Reader([&](std::string_view path, std::string_view text) { return reader.take(path, text); }).read(xml);
  if (!read || !reader.is_list) return no_answer("listing of uploads");
  return std::move(reader.uploads);
}

bool parse_lock_enabled(base::ByteSpan xml) {
  bool enabled = false;
  const bool read = Reader([&](std::string_view path, std::string_view text) {
                      if (path == "ObjectLockConfiguration/ObjectLockEnabled") enabled = text == "Enabled";
                      return true;
                    }).read(xml);
  return read && enabled;
}

Result<ListPage> parse_list(base::ByteSpan xml) {
  PageReader reader;
  const bool read =
      Reader([&](std::string_view path, std::string_view text) { return reader.take(path, text); }).read(xml);
  if (!read || !reader.is_list || (reader.truncated && reader.page.next.empty())) {
    return no_answer("listing of a bucket");
  }
  if (!reader.truncated) reader.page.next.clear();
  return std::move(reader.page);
}

ErrorAnswer parse_error(base::ByteSpan xml) {
  ErrorAnswer answer;
  // What came before the place where it stops to be XML counts: it may have been cut off.
  static_cast<void>(Reader([&](std::string_view path, std::string_view text) {
                      if (path == "Error/Code") answer.code = text;
                      if (path == "Error/Message") answer.message = text;
                      if (path == "Error/Region") answer.region = text;
                      return path.starts_with("Error");
                    }).read(xml));
  return answer;
}

}  // namespace kura::store::s3
