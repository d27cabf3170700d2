#include <string>

#include <gtest/gtest.h>

#include "store/s3/answers.h"
#include "store/s3/refusal.h"

namespace kura::store::s3 {
namespace {

using base::ErrorCode;

std::string object(const std::string& key, const std::string& size = "5") {
  return "<Contents><Key>" + key + "</Key><LastModified>2026-11-24T15:38:55.789Z</LastModified><Size>" + size +
         "</Size><Owner><ID>x</ID></Owner></Contents>";
}
std::string list(const std::string& inside) {
  return "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + inside +
         "</ListBucketResult>";
}
base::Result<ListPage> parsed(const std::string& xml) { return parse_list(base::as_bytes(xml)); }

TEST(S3Answers, AListingGivesKeysSizesTimesAndTheNextPage) {
  const auto page = parsed(list("<IsTruncated>true</IsTruncated><NextContinuationToken>t/=</NextContinuationToken>" +
                                object("a%2Fb+c")))
                        .value();
  ASSERT_EQ(page.objects.size(), 1u);
  EXPECT_EQ(page.objects[0].key, "a/b c");
  EXPECT_EQ(page.objects[0].size, 5u);
  EXPECT_EQ(page.objects[0].modified % 1'000'000'000, 789'000'000);
  EXPECT_EQ(page.next, "t/=");
}

TEST(S3Answers, WhatIsNoListingIsNotTakenForAnEmptyOne) {
  const std::string doctype = "<!DOCTYPE a [<!ENTITY x \"y\">]>";
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  for (const std::string& xml :
       {std::string(), std::string("<html/>"), std::string("{}"), list("").substr(0, 90), doctype + list(object("k")),
        list("<IsTruncated>true</IsTruncated>"), list(object("k", "-1")), list(object("k", "99999999999999999999")),
        list("<Contents><Key>k</Key></Contents>"), list("<Contents><Key>" + std::string(1 << 20, 'k')), list(deep)}) {
    EXPECT_EQ(parsed(xml).error().code(), ErrorCode::kIo) << xml.substr(0, 200);
  }
}

TEST(S3Answers, UploadsHaveAKeyAnIdAndATime) {
  const std::string upload =
      "<Upload><Key>a+b%20</Key><UploadId>2~x</UploadId><Initiated>2026-11-24T15:38:55.789Z</Initiated></Upload>";
  const auto uploads = [](const std::string& inside) {
    const std::string xml = "<ListMultipartUploadsResult>" + inside + "</ListMultipartUploadsResult>";
    return parse_uploads(base::as_bytes(xml));
  };
  ASSERT_EQ(uploads(upload + upload).value().size(), 2u);
  EXPECT_EQ(uploads(upload).value().front().key, "a+b%20");
  EXPECT_EQ(uploads(upload).value().front().id, "2~x");
  EXPECT_TRUE(uploads("").value().empty());
  for (const char* wrong : {"<Upload/>", "<Upload><Key>k</Key><UploadId>i</UploadId></Upload>",
                            "<Upload><Key>k</Key><UploadId>i</UploadId><Initiated>soon</Initiated></Upload>"}) {
    EXPECT_EQ(uploads(wrong).error().code(), ErrorCode::kIo) << wrong;
  }
  EXPECT_EQ(parse_uploads(base::as_bytes(list(""))).error().code(), ErrorCode::kIo);
}

TEST(S3Answers, AnUploadBeginsWithAnId) {
  const std::string xml = "<InitiateMultipartUploadResult><UploadId>2~x</UploadId></InitiateMultipartUploadResult>";
  EXPECT_EQ(parse_upload_id(base::as_bytes(xml)).value(), "2~x");
  EXPECT_EQ(parse_upload_id(base::as_bytes(list(""))).error().code(), ErrorCode::kIo);
}

TEST(S3Answers, OnlyEnabledIsEnabled) {
  const auto enabled = [](const std::string& text) {
    const std::string xml =
        "<ObjectLockConfiguration><ObjectLockEnabled>" + text + "</ObjectLockEnabled></ObjectLockConfiguration>";
    return parse_lock_enabled(base::as_bytes(xml));
  };
  EXPECT_TRUE(enabled("Enabled"));
  EXPECT_FALSE(enabled("Disabled"));
  EXPECT_FALSE(parse_lock_enabled(base::as_bytes("<html/>")));
}

TEST(S3Answers, AnErrorThatIsCutOffStillTellsItsCode) {
  const std::string xml = "<Error><Code>SlowDown</Code><Message>please";
  EXPECT_EQ(parse_error(base::as_bytes(xml)).code, "SlowDown");
  EXPECT_EQ(parse_error(base::as_bytes("<html>no</html>")).code, "");
}

Refusal refused(int status, const std::string& code, std::vector<std::pair<std::string, std::string>> headers = {}) {
  http::Response response{.status = status, .headers = std::move(headers), .body = {}};
  const std::string xml = "<Error><Code>" + code + "</Code></Error>";
  response.body.assign(xml.begin(), xml.end());
  return refusal_of(response, {.host = "h", .bucket = "b", .prefix = ""});
}

TEST(S3Refusal, OnlyWhatMayPassIsTriedAgain) {
  for (const int status : {429, 500, 502, 503, 504}) EXPECT_TRUE(refused(status, "").may_pass) << status;
  for (const int status : {301, 400, 403, 404, 501}) EXPECT_FALSE(refused(status, "").may_pass) << status;
  EXPECT_TRUE(refused(400, "RequestTimeout").may_pass);
  EXPECT_FALSE(refused(403, "RequestTimeTooSkewed").may_pass);
  EXPECT_EQ(refused(503, "SlowDown", {{"retry-after", "7"}}).wait, std::chrono::seconds(7));
  EXPECT_EQ(refused(503, "SlowDown", {{"retry-after", "-7"}}).wait, std::nullopt);
}

TEST(S3Refusal, SaysWhatFailedAndWhatToDo) {
  EXPECT_NE(refused(404, "NoSuchBucket").error.message().find("no bucket b at h"), std::string::npos);
  EXPECT_NE(refused(301, "PermanentRedirect", {{"x-amz-bucket-region", "eu-1"}}).error.hint().find("eu-1"),
            std::string::npos);
  EXPECT_EQ(refused(403, "AccessDenied").error.code(), ErrorCode::kDenied);
  EXPECT_EQ(refused(507, "").error.code(), ErrorCode::kNoSpace);
  EXPECT_EQ(refused(418, "\x1b[2J").error.message().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace kura::store::s3
