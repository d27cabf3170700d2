// What a vault answers to a machine: listings and errors.
#include "store/vault/answers.h"
#include "store/vault_listing.h"
#include "support/fuzz_support.h"

namespace kura {

void fuzz::vault_answers(base::ByteSpan input) {
  const auto objects = store::parse_vault_listing(base::as_text(input));
  if (objects) fuzz::require(objects->size() <= input.size() / 67, "a list has no more objects than it has room for");
  store::http::Response response{
      .status = 404, .headers = {{"kura-code", "not_found"}}, .body = {input.begin(), input.end()}};
  const base::Error error = store::vault::error_of(response);
  fuzz::require(error.code() == base::ErrorCode::kNotFound, "the code is the header's");
  fuzz::require(error.message().size() <= 8100, "messages are cut");
}

}  // namespace kura
