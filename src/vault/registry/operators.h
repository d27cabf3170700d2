// The people who may ask for what goes before its time, and agree to it: each by a key of his own (Ed25519).
//
// Nobody makes himself two people. The first two are let in as they come, by whoever sets the vault up. Later ones need
// the signatures of two who are in already, or have to wait: kWait after they were added they count, and until then
// everybody can see them coming and take them out again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "vault/journal/journal.h"

namespace kura::vault {

struct Operator {
  std::string name;
  crypto::PublicKey key{};
  std::int64_t from = 0;  // ns since 1970, the vault's clock: counts from then on
};

struct Proof {
  std::string who;
  base::Bytes signature;
};

// What two operators sign to let another one in at once. `vault` is the vault's key.
base::Bytes operator_text(const crypto::PublicKey& vault, std::string_view name, const crypto::PublicKey& key);

// Shared by threads.
class Operators {
 public:
  static constexpr std::int64_t kWait = 7LL * 24 * 3600 * 1'000'000'000;  // ns

  // `journal` outlives it; nobody else writes these events into it.
  static base::Result<std::unique_ptr<Operators>> open(Journal& journal);

  // kUsage for a name that is none; kExists for a name or a key that is in.
  base::Result<Operator> add(const std::string& name, const crypto::PublicKey& key, const std::vector<Proof>& proofs,
                             std::int64_t now);
  base::Status remove(const std::string& name, std::int64_t now);  // kNotFound
  // His key. kDenied unless he is an operator by now and has signed that.
  base::Result<crypto::PublicKey> verify(const Proof& proof, base::ByteSpan text, std::int64_t now) const;
  std::vector<Operator> all() const;

 private:
  explicit Operators(Journal& journal) : journal_(journal) {}
  void take(const Entry& entry) KURA_REQUIRES(mutex_);
  base::Status write(Event event, std::int64_t now) KURA_REQUIRES(mutex_);
  base::Result<crypto::PublicKey> check(const Proof& proof, base::ByteSpan text, std::int64_t now) const
      KURA_REQUIRES(mutex_);
  bool agreed_by_two(const std::vector<Proof>& proofs, base::ByteSpan text, std::int64_t now) const
      KURA_REQUIRES(mutex_);

  Journal& journal_;
  mutable base::Mutex mutex_;
  std::map<std::string, Operator> operators_ KURA_GUARDED_BY(mutex_);
  std::size_t ever_ KURA_GUARDED_BY(mutex_) = 0;  // how many were added, gone ones too
};

}  // namespace kura::vault
