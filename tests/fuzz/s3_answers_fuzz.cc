// What an S3 server answers: listings and errors.
#include "store/s3/answers.h"
#include "support/fuzz_support.h"

namespace kura {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto page = store::s3::parse_list({data, size});
  // An object takes more bytes in XML than its key does here.
  if (page) fuzz::require(page->objects.size() <= size / 16, "a page has no more objects than it has room for");
  const auto error = store::s3::parse_error({data, size});
  fuzz::require(error.code.size() <= size && error.message.size() <= size, "texts come from the answer");
  return 0;
}

}  // namespace kura
