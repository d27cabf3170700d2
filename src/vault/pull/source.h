// The requests to a followed vault. Every byte of its answers is limited, and counts only when it proves right.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "store/store.h"
#include "store/vault/service.h"
#include "vault/pull/answers.h"
#include "vault/pull/rate.h"

namespace kura::vault {

// Whose fault it is that something did not come.
enum class Blame : std::uint8_t {
  kLine,    // nobody's: the line, a vault that is busy or away, or that does not let this one in
  kSource,  // the followed vault's: it does not have, or not rightly, what it should
  kOurs,    // this machine's: its disk, its quota
};
struct FetchFailure {
  Blame blame = Blame::kLine;
  base::Error error;
};
template <typename T>
using Fetched = std::expected<T, FetchFailure>;

// Shared by threads.
class Source {
 public:
  // `identity`: the folder with what this vault shows there. `pace` outlives it. `patience`: how long nothing may come.
  static base::Result<std::unique_ptr<Source>> open(const store::vault::Address& address, const std::string& identity,
                                                    Pace& pace, std::chrono::seconds patience, std::stop_token stop);

  Fetched<VaultCard> card();
  // Its clock, ns since 1970.
  Fetched<std::int64_t> time();
  // Some 4 MiB of whole entries, from number `from` on; empty past the end.
  Fetched<base::Bytes> journal(const std::string& repository, std::uint64_t from);
  // Bytes of an object, as the vault says.
  Fetched<std::uint64_t> size_of(const std::string& repository, store::Kind kind, const store::ObjectId& id);
  // A whole object of `size` bytes, checked against its name.
  Fetched<base::Bytes> object(const std::string& repository, store::Kind kind, const store::ObjectId& id,
                              std::uint64_t size);
  // The same into an upload, and finishes it. Goes on after a cut line with what is missing.
  Fetched<void> stream(const std::string& repository, store::Kind kind, const store::ObjectId& id, std::uint64_t size,
                       store::Upload& upload);
  // The right bytes of an object that is damaged there. They go at the pace at which others come.
  Fetched<void> repair(const std::string& repository, store::Kind kind, const store::ObjectId& id,
                       base::ByteSpan object);
  // What this vault has now (holding/copies.h).
  Fetched<void> tell_copies(const std::string& repository, base::ByteSpan claim);
  // A new certificate in time; what stands against it will show when the old one has ended.
  void renew_when_due();

 private:
  Source(std::unique_ptr<store::vault::Service> service, std::string identity, Pace& pace, std::stop_token stop);
  Fetched<store::http::Response> call(const store::vault::Call& call);
  Fetched<void> receive(store::vault::Call call, std::uint64_t size,
                        const std::function<base::Status(base::ByteSpan)>& take);

  const std::unique_ptr<store::vault::Service> service_;
  const std::string identity_;
  Pace& pace_;
  const std::stop_token stop_;
};

}  // namespace kura::vault
