// What an S3 server answers: listings, uploads and errors.
#include "store/s3/answers.h"
#include "support/fuzz_support.h"

namespace kura {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto page = store::s3::parse_list({data, size});
  // An object takes more bytes in XML than its key does here.
  if (page) fuzz::require(page->objects.size() <= size / 16, "a page has no more objects than it has room for");
  const auto uploads = store::s3::parse_uploads({data, size});
  if (uploads) fuzz::require(uploads->size() <= size / 16, "a list has no more uploads than it has room for");
  const auto id = store::s3::parse_upload_id({data, size});
  if (id) fuzz::require(!id->empty() && id->size() <= size, "an upload has an id that comes from the answer");
  static_cast<void>(store::s3::parse_lock_enabled({data, size}));
  const auto error = store::s3::parse_error({data, size});
  fuzz::require(error.code.size() <= size && error.message.size() <= size, "texts come from the answer");
  return 0;
}

}  // namespace kura
