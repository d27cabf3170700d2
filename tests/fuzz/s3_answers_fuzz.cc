// What an S3 server answers: listings, uploads and errors.
#include "store/s3/answers.h"
#include "support/fuzz_support.h"

namespace kura {

void fuzz::s3_answers(base::ByteSpan input) {
  const auto page = store::s3::parse_list(input);
  // An object takes more bytes in XML than its key does here.
  if (page) fuzz::require(page->objects.size() <= input.size() / 16, "a page has no more objects than it has room for");
  const auto uploads = store::s3::parse_uploads(input);
  if (uploads) fuzz::require(uploads->size() <= input.size() / 16, "a list has no more uploads than it has room for");
  const auto id = store::s3::parse_upload_id(input);
  if (id) fuzz::require(!id->empty() && id->size() <= input.size(), "an upload has an id that comes from the answer");
  static_cast<void>(store::s3::parse_lock_enabled(input));
  const auto error = store::s3::parse_error(input);
  fuzz::require(error.code.size() <= input.size() && error.message.size() <= input.size(),
                "texts come from the answer");
}

}  // namespace kura
