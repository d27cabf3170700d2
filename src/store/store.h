// A place that keeps objects: a folder or an S3 bucket; a vault comes behind the same interface.
//
// What every store promises:
// - put() is all or nothing: an object is either absent or complete, under its name, whatever happens meanwhile.
// - An object once put is not changed. Putting it again is no error and does nothing. (But replace() mends one whose
//   bytes are no longer what was put.)
// - What was put before sync() returned is still there after power loss.
// - One thread's put() is seen by everybody's list() and get() when it returns (leases and garbage collection rest on
//   this; S3 is strongly consistent too).
// How a folder and a bucket keep this is said in folder_store.h and s3_store.h.
// A store does not look inside objects. get() checks the bytes against the name; read_at() cannot, so its caller does.
// All functions may be called from many threads at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "store/object.h"

namespace kura::store {

// An object that is to be locked, and until when it is at least, as far as the caller knows.
struct Lock {
  ObjectId id;
  std::int64_t until = 0;  // ns since 1970; 0: not known
};

// An object that comes piece by piece. Nothing of it is visible before finish(), and nothing stays without. Used by one
// thread at a time; the store outlives it.
class Upload {
 public:
  virtual ~Upload() = default;
  // kDamaged when more comes than was announced; kNoSpace, kDenied, kIo.
  virtual base::Status write(base::ByteSpan bytes) = 0;
  // Checks what came against size and name: kDamaged when it is something else. Then as after put().
  virtual base::Status finish() = 0;
};

// For any store.
base::Error upload_is_not_as_announced(Kind kind, const ObjectId& id);
base::Error is_of_another_size(Kind kind, const ObjectId& id, std::uint64_t size, std::uint64_t expected);

class Store {
 public:
  virtual ~Store() = default;

  // Stores the concatenation of `parts`, whose SHA-256 the caller says is `id`.
  // kNoSpace, kDenied, kIo. Nothing is visible after an error.
  virtual base::Status put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) = 0;
  // The same for an object of `size` bytes that comes from somebody who is not believed. Memory: a folder needs none,
  // other stores gather it.
  virtual base::Result<std::unique_ptr<Upload>> upload(Kind kind, const ObjectId& id, std::uint64_t size);
  // As put(), over what lies there now: for an object that is damaged, or whose bytes cannot be read. All or nothing:
  // what was there stays until the new bytes are complete. An object that is there keeps its time of receipt where the
  // store can (a folder does, a bucket does not), for retention goes by it.
  virtual base::Status replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) = 0;
  // The whole object, checked against its name: kDamaged when it differs, kNotFound, kDamaged when larger than
  // `limit` bytes.
  virtual base::Result<base::Bytes> get(Kind kind, const ObjectId& id, std::uint64_t limit) = 0;
  // As get(), for who does not want the bytes: whether the object has `size` bytes, and those of its name. Memory: a
  // folder needs little, other stores gather it.
  virtual base::Status verify(Kind kind, const ObjectId& id, std::uint64_t size);
  // Exactly out.size() bytes from `offset`; kDamaged when the object ends before. Unchecked bytes!
  virtual base::Status read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) = 0;
  virtual base::Result<ObjectInfo> stat(Kind kind, const ObjectId& id) = 0;
  // All objects of a kind, in no order. Names that are not object names are left out.
  virtual base::Result<std::vector<ObjectInfo>> list(Kind kind) = 0;
  // No error when it is not there.
  virtual base::Status remove(Kind kind, const ObjectId& id) = 0;
  // Whether objects are locked here, so that nobody can remove them before a time (Object Lock).
  virtual bool locks_objects() const { return false; }
  // Makes the locks of these objects longer that end too soon: when it returns, each is locked as long from now on as
  // this store promises. Asked before a snapshot is put, for all that it needs. `until` of each becomes what is known
  // then; a caller who remembers it saves requests. kNotFound when one of them is gone. Without locks it does nothing.
  virtual base::Status extend_locks(Kind /*kind*/, std::span<Lock> /*locks*/) { return {}; }
  // Until when nobody can remove it, ns since 1970; 0: it is not locked, or is not there.
  virtual base::Result<std::int64_t> locked_until(Kind /*kind*/, const ObjectId& /*id*/) { return 0; }
  // How many requests are worth having under way at once: each waits for a disk or for a line.
  virtual unsigned requests_at_once() const { return 2; }
  // Returns when everything put or removed before is durable. After a failure it fails for good: what reached the
  // disk is then unknown, so the caller ends, and the next run opens the store anew and looks.
  virtual base::Status sync() = 0;
  // The store's own clock, ns since 1970: the one that `received` is read from, so that leases and garbage collection
  // compare times by one clock whoever asks. A folder's is the modification time of a fresh temporary file: it costs
  // a write and fails (kDenied) where the caller may not write.
  virtual base::Result<std::int64_t> now() = 0;
  // By how much two of its times may be wrong against each other, ns: a store of several machines has several clocks.
  // Who concludes from two times that one thing came before another allows for it.
  virtual std::int64_t clock_error() const { return 0; }
  // Which other vaults have a snapshot too, by their names there. kNotFound, kUnsupported for what is no vault.
  virtual base::Result<std::vector<std::string>> copies(const ObjectId& snapshot);
  // From now on nothing is let go of, until a person at the store allows it again: what a machine asks for that sees an
  // attack. `why` in words. kUnsupported where nobody keeps such a state.
  virtual base::Status freeze(std::string_view why);
  // Where it is, for messages: "/srv/backup", "s3://host/bucket".
  virtual std::string describe() const = 0;

  // Convenience.
  base::Status put(Kind kind, const ObjectId& id, base::ByteSpan bytes) {
    const base::ByteSpan parts[] = {bytes};
    return put(kind, id, parts);
  }
};

struct OpenOptions {
  std::stop_token stop = {};  // ends what waits for a network
  // For callers that somebody waits for: what is read ends in kIo when for so long nothing has come of it, be it from a
  // server or from a folder whose disk hangs (deadline_store.h).
  std::optional<std::chrono::seconds> patience = {};
  bool emergency = false;         // a vault's door is opened at any time: it raises an alarm there
  std::string state_folder = {};  // of this machine: where it keeps what vaults have given it
  // For a vault that keeps its objects there: a folder of its own, in which uploads to a bucket wait until they are
  // whole. Such a one renews the locks of all that it keeps, so snapshots are locked as long as what they need.
  std::string vault_folder = {};
};

// Opens a store by its address: a folder path, file:///path, s3://host/bucket/prefix (s3/address.h) or
// https://vault:port/NAME (vault/address.h). kUnsupported for other schemes, kUsage for what is no address, kNotFound
// when there is none. Opening writes nothing, so a read-only copy can be read. Whether a repository is in it is not
// this room's business.
base::Result<std::unique_ptr<Store>> open_store(std::string_view address, const OpenOptions& options = {});
// Makes the store (folders) if it is not there yet; the folder itself may exist if it is empty or a store already. A
// bucket, and a place in a vault, must exist.
base::Result<std::unique_ptr<Store>> create_store(std::string_view address, const OpenOptions& options = {});
// The address of a place of its own for `name` below an S3 address: "s3://host/bucket/NAME?object-lock=30d". kUsage for
// other addresses, and for one that does not say whether objects are to be locked.
base::Result<std::string> place_in_bucket(std::string_view address, std::string_view name);

}  // namespace kura::store
