// One repository of a vault: requests that are sent, and sent again where that may help (http/retries.h).
//
// All requests may be repeated without harm: an object's bytes follow from its name, and a commit that is sent twice
// gets the receipt of the first time.
//
// Where the vault has a door, it is knocked at before the first request and whenever the vault does not answer; when
// the service ends, the vault is told, and shuts the door.
#pragma once

#include <atomic>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/mutex.h"
#include "store/http/client.h"
#include "store/vault/address.h"
#include "store/vault/knocker.h"

namespace kura::store::vault {

struct Call {
  http::Method method = http::Method::kGet;
  std::string path = {};  // "/v1/..."
  std::span<const base::ByteSpan> body = {};
  std::string range = {};
  std::uint64_t limit = 64U << 10;  // bytes of the answer's body
  std::chrono::seconds at_most{0};  // for the whole of it, or 0
  const http::Sink* sink = nullptr;
  const http::Sink* outgoing = nullptr;
};

// Why a request that was sent once came to no good end.
struct Refusal {
  base::Error error;
  bool may_pass = false;     // another try may do better: the line, or a vault that is busy
  bool unreachable = false;  // nobody is there, or it is another server
};

// Shared by threads.
class Service {
 public:
  // `folder`: where this machine's identity at that vault lies (address.h). kDenied when it is not there: the machine
  // was not enrolled. `purpose`: what its knocks say.
  static base::Result<std::unique_ptr<Service>> open(Address address, const std::string& folder, std::stop_token stop,
                                                     std::optional<std::chrono::seconds> patience,
                                                     pki::KnockPurpose purpose = pki::KnockPurpose::kJob);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // A 2xx answer, or why there is none.
  base::Result<http::Response> call(const Call& call);
  // The same, sent once: for what is not repeated as a whole, such as a body that went to a sink.
  std::expected<http::Response, Refusal> call_once(const Call& call);
  const Address& address() const { return address_; }

 private:
  Service(Address address, http::Options options, std::stop_token stop, std::optional<std::chrono::seconds> patience,
          std::optional<Knocker> knocker);
  http::Request request_of(const Call& call) const;
  std::expected<http::Response, Refusal> try_once(const http::Request& request, const std::stop_token& stop);
  base::Error error_of_failure(const http::Failure& failure) const;
  base::Error error_of_refusal(const http::Response& response) const;
  void knock();

  const Address address_;
  const std::stop_token stop_;
  const std::optional<std::chrono::seconds> patience_;
  const std::optional<Knocker> knocker_;  // nothing: there is no door
  base::Mutex knocking_;
  std::optional<std::chrono::steady_clock::time_point> knocked_ KURA_GUARDED_BY(knocking_);
  std::atomic<bool> has_answered_{false};
  http::Client client_;
};

// The files of an identity in its folder: authority.pem, and machine.pem with the machine's key and certificate.
http::Identity identity_in(const std::string& folder);

}  // namespace kura::store::vault
