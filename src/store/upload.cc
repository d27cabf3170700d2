// What stores do where they have no way of their own: uploads and looks at objects as a whole, copies that nobody knows
// of.
#include <utility>

#include <fmt/format.h>

#include "base/raw_buffer.h"
#include "crypto/hash.h"
#include "store/store.h"

namespace kura::store {
namespace {

class GatheredUpload final : public Upload {
 public:
  GatheredUpload(Store& store, Kind kind, const ObjectId& id, std::uint64_t size)
      : store_(store), kind_(kind), id_(id), size_(size) {}

  base::Status write(base::ByteSpan bytes) override {
    if (bytes.size() > size_ - bytes_.size()) return base::fail(upload_is_not_as_announced(kind_, id_));
    bytes_.append(bytes);
    return {};
  }
  base::Status finish() override {
    if (bytes_.size() != size_ || crypto::sha256(bytes_.span()) != id_) {
      return base::fail(upload_is_not_as_announced(kind_, id_));
    }
    return store_.put(kind_, id_, bytes_.span());
  }

 private:
  Store& store_;
  const Kind kind_;
  const ObjectId id_;
  const std::uint64_t size_;
  base::RawBuffer bytes_;
};

}  // namespace

base::Error upload_is_not_as_announced(Kind kind, const ObjectId& id) {
  return {base::ErrorCode::kDamaged,
          fmt::format("what came as {} {} is not that: its size or its SHA-256 is another", name_of(kind), id.hex())};
}

base::Error is_of_another_size(Kind kind, const ObjectId& id, std::uint64_t size, std::uint64_t expected) {
  return {base::ErrorCode::kDamaged,
          fmt::format("{} {} has {} bytes, and should have {}", name_of(kind), id.hex(), size, expected)};
}

base::Result<std::unique_ptr<Upload>> Store::upload(Kind kind, const ObjectId& id, std::uint64_t size) {
  return std::make_unique<GatheredUpload>(*this, kind, id, size);
}

base::Status Store::verify(Kind kind, const ObjectId& id, std::uint64_t size) {
  const base::Bytes object = KURA_TRY(get(kind, id, size));
  return object.size() == size ? base::Status{} : base::fail(is_of_another_size(kind, id, object.size(), size));
}

base::Result<std::vector<std::string>> Store::copies(const ObjectId& /*snapshot*/) {
  return base::fail(base::ErrorCode::kUnsupported, fmt::format("{} is no vault: nobody follows it", describe()),
                    "make copies with `kura copy`");
}

base::Status Store::freeze(std::string_view /*why*/) {
  return base::fail(base::ErrorCode::kUnsupported, fmt::format("{} is no vault, so nothing freezes it", describe()),
                    "Run no `kura forget` on it until the attack is dealt with");
}

}  // namespace kura::store
