// What an S3 server answers in XML, read by expat from hostile bytes: no document type (so no entities), nothing from
// the network, bounded depth and text. Names are compared without their namespace.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::store::s3 {

struct ListedObject {
  std::string key;
  std::uint64_t size = 0;     // bytes
  std::int64_t modified = 0;  // ns since 1970
};

// A page of ListObjectsV2 with encoding-type=url; the keys are decoded. When there are more, `next` is what to ask
// with.
struct ListPage {
  std::vector<ListedObject> objects;
  std::string next;  // empty on the last page
};
// kIo when it is no such answer, or one that contradicts itself.
base::Result<ListPage> parse_list(base::ByteSpan xml);

// The id of a multipart upload that was begun. kIo when it is no such answer.
base::Result<std::string> parse_upload_id(base::ByteSpan xml);

struct ListedUpload {
  std::string key, id;
  std::int64_t begun = 0;  // ns since 1970
};
// The first page of ListMultipartUploads, without encoding-type. kIo when it is no such answer.
base::Result<std::vector<ListedUpload>> parse_uploads(base::ByteSpan xml);

// Whether GetObjectLockConfiguration says that objects of the bucket can be locked.
bool parse_lock_enabled(base::ByteSpan xml);

struct ErrorAnswer {
  std::string code;     // "NoSuchKey"; empty when the answer is no error of S3's
  std::string message;  // may be empty
  std::string region;   // where the bucket is, when that is what is wrong
};
// Never fails: servers and proxies answer errors with pages of all kinds.
ErrorAnswer parse_error(base::ByteSpan xml);

}  // namespace kura::store::s3
