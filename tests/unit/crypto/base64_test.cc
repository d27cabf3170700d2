#include "crypto/base64.h"

#include <gtest/gtest.h>

namespace kura::crypto {
namespace {

// RFC 4648, section 10.
TEST(Base64, GivesTheStandardsTestVectors) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, encoded] : vectors) EXPECT_EQ(base64(base::as_bytes(text)), encoded);
}

}  // namespace
}  // namespace kura::crypto
