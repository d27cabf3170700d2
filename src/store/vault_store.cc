#include "store/vault_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/time.h"
#include "base/unique_fd.h"
#include "crypto/hash.h"
#include "store/vault/answers.h"
#include "store/vault/json.h"
#include "store/vault/service.h"
#include "store/vault_enrolment.h"
#include "store/vault_listing.h"

namespace kura::store {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using http::Method;

constexpr std::uint64_t kMostListing = 1ULL << 30;  // bytes: some ten million objects
constexpr std::uint64_t kMostReceipt = 64U << 10;   // bytes

class VaultStore final : public Store {
 public:
  VaultStore(std::unique_ptr<vault::Service> service, std::string receipts)
      : service_(std::move(service)), receipts_(std::move(receipts)) {}

  using Store::put;
  Status put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override;
  Status replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) override;
  Result<base::Bytes> get(Kind kind, const ObjectId& id, std::uint64_t limit) override;
  Status read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) override;
  Result<ObjectInfo> stat(Kind kind, const ObjectId& id) override;
  Result<std::vector<ObjectInfo>> list(Kind kind) override;
  Status remove(Kind kind, const ObjectId& id) override;
  Status sync() override;
  Result<std::int64_t> now() override;
  Result<std::vector<std::string>> copies(const ObjectId& snapshot) override;
  Status freeze(std::string_view why) override;
  unsigned requests_at_once() const override { return 4; }
  std::string describe() const override { return service_->address().text(); }

 private:
  std::string path_of(std::string_view what) const {
    return fmt::format("/v1/repositories/{}/{}", service_->address().repository, what);
  }
  std::string path_of(Kind kind, const ObjectId& id) const {
    return path_of(fmt::format("{}/{}", folder_of(kind), id.hex()));
  }
  Status keep_receipt(base::ByteSpan receipt);

  const std::unique_ptr<vault::Service> service_;
  const std::string receipts_;
};

Status VaultStore::put(Kind kind, const ObjectId& id, std::span<const base::ByteSpan> parts) {
  const http::Response response = KURA_TRY(
      service_->call({.method = Method::kPut, .path = path_of(kind, id), .body = parts, .limit = kMostReceipt}));
  return kind == Kind::kSnapshot ? keep_receipt(response.body) : Status{};
}

// One after the other, as they are: each says how long it is.
Status VaultStore::keep_receipt(base::ByteSpan receipt) {
  const base::UniqueFd file(::open(receipts_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || ::write(file.get(), receipt.data(), receipt.size()) != static_cast<ssize_t>(receipt.size())) {
    return base::fail(
        Error::from_errno("the snapshot is stored, but its receipt cannot be added to " + receipts_, errno));
  }
  return {};
}

Status VaultStore::replace(Kind kind, const ObjectId& id, std::span<const base::ByteSpan>) {
  return base::fail(ErrorCode::kDenied,
                    fmt::format("{} {} cannot be replaced: a vault repairs itself", name_of(kind), id.hex()),
                    "tell the operator: the vault puts it right from its other copy");
}

Result<base::Bytes> VaultStore::get(Kind kind, const ObjectId& id, std::uint64_t limit) {
  http::Response response = KURA_TRY(service_->call({.path = path_of(kind, id), .limit = limit}));
  if (crypto::sha256(response.body) == id) return std::move(response.body);
  return base::fail(
      ErrorCode::kDamaged,
      fmt::format("{} {} in {} is damaged: its bytes do not match its name", name_of(kind), id.hex(), describe()),
      "tell the operator: the vault puts it right from its other copy");
}

Status VaultStore::read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) {
  if (out.empty()) return {};
  const http::Response response =
      KURA_TRY(service_->call({.path = path_of(kind, id),
                               .range = fmt::format("{}-{}", offset, offset + out.size() - 1),
                               .limit = out.size()}));
  if (response.body.size() != out.size()) {
    return base::fail(ErrorCode::kDamaged,
                      fmt::format("{} {} in {} ends too early", name_of(kind), id.hex(), describe()));
  }
  std::ranges::copy(response.body, out.begin());
  return {};
}

Result<ObjectInfo> VaultStore::stat(Kind kind, const ObjectId& id) {
  const auto response = service_->call({.method = Method::kHead, .path = path_of(kind, id)});
  if (!response && response.error().code() == ErrorCode::kNotFound) {
    return base::fail(ErrorCode::kNotFound, fmt::format("{} {} is not in {}", name_of(kind), id.hex(), describe()));
  }
  if (!response) return base::fail(response.error());
  const auto size = vault::number_in(*response, "kura-size");
  const auto received = vault::number_in(*response, "kura-received");
  if (!size || !received) return base::fail(ErrorCode::kIo, describe() + " does not answer as a vault does");
  return ObjectInfo{.id = id, .size = *size, .received = static_cast<std::int64_t>(*received)};
}

Result<std::vector<ObjectInfo>> VaultStore::list(Kind kind) {
  const http::Response response = KURA_TRY(service_->call({.path = path_of(folder_of(kind)), .limit = kMostListing}));
  return parse_vault_listing(base::as_text(response.body));
}

Status VaultStore::remove(Kind kind, const ObjectId& id) {
  auto response = service_->call({.method = Method::kDelete, .path = path_of(kind, id)});
  if (!response && response.error().code() != ErrorCode::kNotFound) return base::fail(std::move(response).error());
  return {};
}

Status VaultStore::sync() {
  KURA_TRY(service_->call({.method = Method::kPost, .path = path_of("sync")}));
  return {};
}

Result<std::vector<std::string>> VaultStore::copies(const ObjectId& snapshot) {
  const http::Response response = KURA_TRY(service_->call({.path = path_of(Kind::kSnapshot, snapshot) + "/copies"}));
  return vault::texts_in(vault::parse_object(base::as_text(response.body)), "copies");
}

Status VaultStore::freeze(std::string_view why) {
  const base::ByteSpan body[] = {base::as_bytes(why)};
  KURA_TRY(service_->call({.method = Method::kPost, .path = path_of("freeze"), .body = body}));
  return {};
}

Result<std::int64_t> VaultStore::now() {
  const http::Response response = KURA_TRY(service_->call({.path = "/v1/time"}));
  const auto now = vault::number_in(response, "kura-now");
  if (!now) return base::fail(ErrorCode::kIo, describe() + " does not answer as a vault does");
  return static_cast<std::int64_t>(*now);
}

}  // namespace

Result<std::unique_ptr<Store>> open_vault_store(const vault::Address& address, const std::string& state_folder,
                                                const std::stop_token& stop,
                                                std::optional<std::chrono::seconds> patience,
                                                pki::KnockPurpose purpose) {
  const std::string folder = address.identity_folder(state_folder);
  auto service = KURA_TRY(vault::Service::open(address, folder, stop, patience, purpose));
  // What stands against it will show again, and be told, when the old certificate has ended.
  [[maybe_unused]] const Status renewed = vault::renew_when_due(*service, folder, base::now_ns());
  return std::make_unique<VaultStore>(std::move(service), fmt::format("{}/receipts-{}", folder, address.repository));
}

}  // namespace kura::store
