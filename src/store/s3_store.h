// A store in a bucket of an S3 server: AWS, Ceph, MinIO and what else speaks the protocol (docs/s3.md).
//
// How it keeps what every store promises (store.h):
// - An object is put by one PUT, which S3 makes visible whole or not at all. Its name, the SHA-256 of its bytes, goes
//   along as x-amz-content-sha256, so the server itself refuses bytes that are not what the name says. That is the
//   least of requests, and several packs are on their way at once anyway. When a line breaks in the middle of a large
//   one, it and those after it go in parts (s3_uploads.h).
// - A put first asks (HEAD) whether the object is there, and sends "If-None-Match: *", which some servers ignore. It is
//   not needed for safety: whoever puts under this name puts the same bytes. Where buckets keep versions, an ignored
//   one costs a second version.
// - S3 has stored an object durably when the PUT is answered, and everybody sees it then: sync() has nothing to do.
// - An object of another size than it should have, which only another program can leave, is replaced.
// - `received` is Last-Modified, which listings give in milliseconds with some servers and HEAD gives in seconds. It is
//   cut to whole seconds, for leases and collections compare the two. now() is the Date of an answer, cut likewise.
//   Both come from the clocks of several machines behind the server's name, which are taken to agree within a minute:
//   clock_error().
//
// With a time for Object Lock, every pack, index, snapshot, key and config is put with a retention in compliance mode,
// and extend_locks() makes it longer (s3_locks.h). Leases, condemned lists and parity are not locked: they must be able
// to go, and parity is made anew from the packs, which are locked.
// A bucket with versions hides a removed object behind a marker, whatever lock it has; so remove() looks, and refuses
// with kDenied while the object is locked. It removes no version itself, so that no key of a machine's has to be able
// to.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "store/s3/address.h"
#include "store/s3/credentials.h"
#include "store/store.h"

namespace kura::store {

struct S3Options {
  std::stop_token stop = {};
  std::optional<std::chrono::seconds> patience = {};  // s3/service.h
  std::string vault_folder = {};                      // store.h, OpenOptions
};

// Costs one request. kNotFound when there is no such bucket, or no repository in it.
base::Result<std::unique_ptr<Store>> open_s3_store(const s3::Address& address, const s3::Credentials& credentials,
                                                   const S3Options& options);
// The bucket must be there. kExists when something else lies below the prefix. Writes nothing: S3 has no folders.
base::Result<std::unique_ptr<Store>> create_s3_store(const s3::Address& address, const s3::Credentials& credentials,
                                                     const S3Options& options);

}  // namespace kura::store
