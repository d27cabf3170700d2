#include "vault/server/answers.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace kura::vault {

unsigned status_of(base::ErrorCode code) {
  switch (code) {
    case base::ErrorCode::kUsage:
      return 400;
    case base::ErrorCode::kDenied:
    case base::ErrorCode::kWrongKey:
      return 403;
    case base::ErrorCode::kNotFound:
      return 404;
    case base::ErrorCode::kExists:
    case base::ErrorCode::kConflict:
      return 409;
    case base::ErrorCode::kDamaged:
      return 422;
    case base::ErrorCode::kUnsupported:
      return 501;
    case base::ErrorCode::kInterrupted:
      return 503;
    case base::ErrorCode::kNoSpace:
      return 507;
    case base::ErrorCode::kIo:
      return 500;
  }
  return 500;
}

net::Answer no_such_thing() { return answer_of({base::ErrorCode::kNotFound, "the vault's API has nothing there"}); }

net::Answer answer_of(const base::Error& error) {
  const boost::json::value body = {
      {"code", base::name_of(error.code())}, {"message", error.message()}, {"hint", error.hint()}};
  // In a header too: the answer to HEAD has no body.
  return {.status = status_of(error.code()),
          .headers = {{"kura-code", std::string(base::name_of(error.code()))}},
          .body = boost::json::serialize(body)};
}

}  // namespace kura::vault
