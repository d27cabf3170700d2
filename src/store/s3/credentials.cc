#include "store/s3/credentials.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

namespace kura::store::s3 {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::string_view kAdvice =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write both into ~/.aws/credentials; docs/s3.md says more";
constexpr std::streamsize kLongestFile = 1 << 20;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// The section's entries; what else the file has is other tools' business.
void read_section(std::istream& file, std::string_view section, Credentials& credentials) {
  bool in_section = false;
  std::string line;
  while (std::getline(file, line)) {
    const std::string_view text = trimmed(line);
    if (text.starts_with('[')) in_section = text == fmt::format("[{}]", section);
    const std::size_t equals = text.find('=');
    if (!in_section || equals == std::string_view::npos) continue;
    const std::string_view name = trimmed(text.substr(0, equals));
    const std::string value(trimmed(text.substr(equals + 1)));
    if (name == "aws_access_key_id") credentials.access_key = value;
    if (name == "aws_secret_access_key") credentials.secret_key = value;
    if (name == "aws_session_token") credentials.session_token = value;
  }
}

base::Status read_file(const Environment& environment, Credentials& credentials) {
  const std::string named = environment("AWS_SHARED_CREDENTIALS_FILE");
  const std::string path = !named.empty() ? named : environment("HOME") + "/.aws/credentials";
  const std::string profile = environment("AWS_PROFILE");
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file && errno != ENOENT) return base::fail(base::Error::from_errno("cannot read " + path, errno));
  if (!file || file.tellg() > kLongestFile) {
    return base::fail(ErrorCode::kUsage, "no access key for the S3 server is given", std::string(kAdvice));
  }
  file.seekg(0);
  read_section(file, profile.empty() ? "default" : profile, credentials);
  if (!credentials.access_key.empty() && !credentials.secret_key.empty()) return {};
  return base::fail(
      ErrorCode::kUsage,
      fmt::format("{} has no access key in its section [{}]", path, profile.empty() ? "default" : profile),
      std::string(kAdvice));
}

// They become parts of header lines.
bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::string process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Result<Credentials> find_credentials(const Environment& environment) {
  Credentials credentials{.access_key = environment("AWS_ACCESS_KEY_ID"),
                          .secret_key = environment("AWS_SECRET_ACCESS_KEY"),
                          .session_token = environment("AWS_SESSION_TOKEN"),
                          .region = environment("AWS_REGION")};
  if (credentials.region.empty()) credentials.region = environment("AWS_DEFAULT_REGION");
  if (credentials.region.empty()) credentials.region = "us-east-1";
  if (credentials.access_key.empty() != credentials.secret_key.empty()) {
    return base::fail(ErrorCode::kUsage, "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set",
                      "set both, or none");
  }
  if (credentials.access_key.empty()) {
    credentials.session_token.clear();
    KURA_TRY(read_file(environment, credentials));
  }
  if (!is_printable(credentials.access_key) || !is_printable(credentials.secret_key) ||
      !is_printable(credentials.session_token) || !is_printable(credentials.region)) {
    return base::fail(ErrorCode::kUsage, "the access key, its secret, token or region has blanks or control characters",
                      "set them again, without quotes or an end of line in them");
  }
  return credentials;
}

}  // namespace kura::store::s3
