#include "store/vault/service.h"

#include <unistd.h>

#include <utility>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/pause.h"
#include "store/http/curl.h"
#include "store/http/retries.h"
#include "store/vault/answers.h"

namespace kura::store::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using std::chrono::seconds;

constexpr seconds kRetry{120};
constexpr seconds kFirstContact{10};
constexpr seconds kAfterStop{10};
constexpr seconds kLongestSilence{60};
constexpr seconds kConnect{15};
constexpr seconds kConnectThroughDoor{5};             // it may be shut: knock again rather than wait
constexpr seconds kBetweenKnocks{3};                  // a door takes one a second
constexpr std::chrono::milliseconds kDoorOpens{200};  // after a knock, before the first packet
constexpr std::string_view kDoorStaysShut =
    "its door stays shut: see this machine's hours (`kura-vault door schedule MACHINE` at the vault), have it opened "
    "(`kura-vault door open MACHINE --for 2h`), or in an emergency run `kura backup --emergency`";

}  // namespace

http::Identity identity_in(const std::string& folder) {
  return {.authority = folder + "/authority.pem", .certificate = folder + "/machine.pem"};
}

Service::Service(Address address, http::Options options, std::stop_token stop, std::optional<seconds> patience,
                 std::optional<Knocker> knocker)
    : address_(std::move(address)),
      stop_(std::move(stop)),
      patience_(patience),
      knocker_(std::move(knocker)),
      client_(std::move(options)) {}

// A vault that is not told shuts its door a minute later.
Service::~Service() {
  if (!knocker_ || !has_answered_) return;
  [[maybe_unused]] const auto told = client_.send({.method = http::Method::kPost,
                                                   .url = address_.server() + "/v1/door/close",
                                                   .limit = 64U << 10,
                                                   .at_most = kAfterStop},
                                                  {});
}

Result<std::unique_ptr<Service>> Service::open(Address address, const std::string& folder, std::stop_token stop,
                                               std::optional<seconds> patience, pki::KnockPurpose purpose) {
  KURA_TRY(http::load_curl());
  const http::Identity identity = identity_in(folder);
  for (const std::string& file : {identity.authority, identity.certificate}) {
    if (::access(file.c_str(), R_OK) == 0) continue;
    return base::fail(ErrorCode::kDenied, fmt::format("this machine is not enrolled at the vault {}", address.server()),
                      fmt::format("get a token (`kura-vault enrol MACHINE` at the vault) and run `kura enrol {} TOKEN`",
                                  address.server()));
  }
  const seconds silence = std::min(kLongestSilence, patience.value_or(kLongestSilence));
  std::optional<Knocker> knocker(Knocker(address, folder, purpose));
  if (!knocker->has_door()) knocker.reset();
  const seconds connect = knocker ? kConnectThroughDoor : kConnect;
  return std::unique_ptr<Service>(new Service(
      std::move(address), {.identity = identity, .connect = connect, .stall = silence, .congestion_control = "bbr"},
      std::move(stop), patience, std::move(knocker)));
}

// What keeps it from being sent shows when the vault does not answer.
void Service::knock() {
  if (!knocker_) return;
  const base::MutexLock lock(knocking_);
  const auto now = std::chrono::steady_clock::now();
  if (knocked_ && now - *knocked_ < kBetweenKnocks) return;
  [[maybe_unused]] const base::Status sent = knocker_->knock();
  base::pause_for(kDoorOpens, stop_);
  knocked_ = now;
}

Error Service::error_of_failure(const http::Failure& failure) const {
  using Kind = http::Failure::Kind;
  const std::string message = fmt::format("{}: {}", address_.server(), base::printable(failure.message));
  switch (failure.kind) {
    case Kind::kStopped:
      return {ErrorCode::kInterrupted, message};
    case Kind::kNoConnection:
      if (knocker_) return {ErrorCode::kIo, message, std::string(kDoorStaysShut)};
      return {ErrorCode::kIo, message, "the vault does not answer: its door may be shut, or the line is down"};
    case Kind::kUntrusted:
      return {ErrorCode::kDenied, message, "it is another server than the one this machine was enrolled at"};
    case Kind::kBroken:
      if (knocker_ && !has_answered_) return {ErrorCode::kIo, message, std::string(kDoorStaysShut)};
      return {ErrorCode::kIo, message, "run again: what is stored already is used"};
    case Kind::kTooLarge:
    case Kind::kOther:
      return {ErrorCode::kIo, message};
  }
  return {ErrorCode::kIo, message};
}

Error Service::error_of_refusal(const http::Response& response) const {
  Error error = error_of(response);
  if (error.code() != ErrorCode::kNoSpace) return error;
  return {ErrorCode::kNoSpace, fmt::format("the vault {} is full: {}", address_.server(), error.message()),
          "tell the operator of the vault, and run again when there is room: what is stored already is used"};
}

std::expected<http::Response, Refusal> Service::try_once(const http::Request& request, const std::stop_token& stop) {
  using Kind = http::Failure::Kind;
  auto response = client_.send(request, stop);
  if (!response) {
    const Kind kind = response.error().kind;
    return std::unexpected(Refusal{.error = error_of_failure(response.error()),
                                   .may_pass = kind == Kind::kNoConnection || kind == Kind::kBroken,
                                   .unreachable = kind == Kind::kNoConnection || kind == Kind::kUntrusted});
  }
  const bool door_is_shut = knocker_ && response->header("kura-door") == "shut";
  if (!door_is_shut) has_answered_ = true;
  if (response->ok()) return *std::move(response);
  return std::unexpected(
      Refusal{.error = error_of_refusal(*response), .may_pass = response->status == 503 || door_is_shut});
}

http::Request Service::request_of(const Call& call) const {
  return {.method = call.method,
          .url = address_.server() + call.path,
          .body = call.body,
          .range = call.range,
          .limit = call.limit,
          .at_most = call.at_most,
          .sink = call.sink,
          .outgoing = call.outgoing};
}

std::expected<http::Response, Refusal> Service::call_once(const Call& call) {
  return try_once(request_of(call), stop_);
}

Result<http::Response> Service::call(const Call& call) {
  http::Request request = request_of(call);
  if (stop_.stop_requested()) {
    request.at_most = kAfterStop;
    auto result = try_once(request, {});
    return result ? Result<http::Response>(*std::move(result)) : base::fail(std::move(result).error().error);
  }
  http::Retries retries(stop_, patience_);
  bool has_failed = false;
  while (true) {
    if (has_failed || !has_answered_) knock();
    auto result = try_once(request, stop_);
    has_failed = !result;
    if (result) return *std::move(result);
    if (!result.error().may_pass) return base::fail(std::move(result).error().error);
    const auto next = retries.after_failure(has_answered_ ? kRetry : kFirstContact, std::nullopt);
    if (next == http::Retries::Next::kStopped) return base::fail(ErrorCode::kInterrupted, "interrupted");
    if (next == http::Retries::Next::kGiveUp) return base::fail(std::move(result).error().error);
  }
}

}  // namespace kura::store::vault
