// Who we are for an S3 server: what everybody's tools read, and nothing on command lines.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"

namespace kura::store::s3 {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // empty unless the key is a temporary one
  std::string region;         // "us-east-1" when nothing says another
};

// The value of an environment variable, empty when it is not set.
using Environment = std::function<std::string(const char* name)>;
std::string process_environment(const char* name);

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; without these the section AWS_PROFILE ("default") of
// the file AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials). The region is AWS_REGION or AWS_DEFAULT_REGION. kUsage
// when there are none; no message has any part of a secret in it.
base::Result<Credentials> find_credentials(const Environment& environment);

}  // namespace kura::store::s3
