#include "vault/pull/source.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/pause.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "store/vault/answers.h"
#include "store/vault_enrolment.h"
#include "vault/journal/entry.h"

namespace kura::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using std::chrono::seconds;
using store::Kind;
using store::ObjectId;
using store::vault::Call;
using store::vault::Refusal;

constexpr std::uint64_t kJournalAnswer = kEntryLimit + (4U << 20);  // bytes
constexpr std::uint64_t kSmallAnswer = 64U << 10;                   // bytes
constexpr std::uint64_t kSlowestPull = 1U << 10;                    // bytes a second over a whole request
constexpr std::uint64_t kWorthATry = 64U << 10;                     // bytes between two cuts of a line
constexpr int kTries = 3;                                           // in a row that bring less than that
constexpr seconds kBetweenTries{1};

// However slowly the other side trickles.
seconds longest_for(std::uint64_t bytes) { return seconds(60 + static_cast<std::int64_t>(bytes / kSlowestPull)); }

// A vault that does not let this one in is away as one that does not answer: what it has is not known.
Blame blame_of(const Refusal& refusal) {
  const ErrorCode code = refusal.error.code();
  const bool is_away = refusal.may_pass || refusal.unreachable;
  return is_away || code == ErrorCode::kInterrupted || code == ErrorCode::kDenied ? Blame::kLine : Blame::kSource;
}

std::unexpected<FetchFailure> failed(Blame blame, Error error) {
  return std::unexpected(FetchFailure{.blame = blame, .error = std::move(error)});
}

std::unexpected<FetchFailure> answers_as_no_vault(std::string_view what) {
  return failed(Blame::kSource, {ErrorCode::kDamaged, fmt::format("the vault's answer has no {}", what)});
}

std::string path_of(const std::string& repository, std::string_view what) {
  return fmt::format("/v1/repositories/{}/{}", repository, what);
}

std::string path_of(const std::string& repository, Kind kind, const ObjectId& id) {
  return path_of(repository, fmt::format("{}/{}", store::folder_of(kind), id.hex()));
}

}  // namespace

Source::Source(std::unique_ptr<store::vault::Service> service, std::string identity, Pace& pace, std::stop_token stop)
    : service_(std::move(service)), identity_(std::move(identity)), pace_(pace), stop_(std::move(stop)) {}

Result<std::unique_ptr<Source>> Source::open(const store::vault::Address& address, const std::string& identity,
                                             Pace& pace, seconds patience, std::stop_token stop) {
  auto service = KURA_TRY(store::vault::Service::open(address, identity, stop, patience));
  return std::unique_ptr<Source>(new Source(std::move(service), identity, pace, std::move(stop)));
}

// Sent once: the next round is the next try.
Fetched<store::http::Response> Source::call(const Call& call) {
  auto response = service_->call_once(call);
  if (response) return *std::move(response);
  const Blame blame = blame_of(response.error());
  return failed(blame, std::move(response).error().error);
}

Fetched<VaultCard> Source::card() {
  auto response = call({.path = "/v1/repositories", .limit = kVaultCardLimit, .at_most = longest_for(kVaultCardLimit)});
  if (!response) return std::unexpected(std::move(response).error());
  auto card = parse_vault_card(base::as_text(response->body));
  if (!card) return failed(Blame::kSource, std::move(card).error());
  return *std::move(card);
}

Fetched<std::int64_t> Source::time() {
  auto response = call({.path = "/v1/time", .limit = kSmallAnswer, .at_most = longest_for(0)});
  if (!response) return std::unexpected(std::move(response).error());
  const auto now = store::vault::number_in(*response, "kura-now");
  if (!now || *now > INT64_MAX) return answers_as_no_vault("time");
  return static_cast<std::int64_t>(*now);
}

Fetched<base::Bytes> Source::journal(const std::string& repository, std::uint64_t from) {
  auto response = call({.path = path_of(repository, fmt::format("journal?from={}", from)),
                        .limit = kJournalAnswer,
                        .at_most = longest_for(kJournalAnswer)});
  if (!response) return std::unexpected(std::move(response).error());
  if (!pace_.wait_for(response->body.size(), stop_))
    return failed(Blame::kLine, {ErrorCode::kInterrupted, "interrupted"});
  return std::move(response->body);
}

Fetched<std::uint64_t> Source::size_of(const std::string& repository, Kind kind, const ObjectId& id) {
  auto response =
      call({.method = store::http::Method::kHead, .path = path_of(repository, kind, id), .at_most = longest_for(0)});
  if (!response) return std::unexpected(std::move(response).error());
  const auto size = store::vault::number_in(*response, "kura-size");
  if (!size) return answers_as_no_vault("size of an object");
  return *size;
}

// Bytes of an answer's body one after the other, exactly `size`, over as many requests as the line needs.
Fetched<void> Source::receive(Call call, std::uint64_t size, const std::function<Status(base::ByteSpan)>& take) {
  std::uint64_t done = 0;
  std::optional<Error> ours;
  const store::http::Sink sink = [&](base::ByteSpan bytes) {
    if (!pace_.wait_for(bytes.size(), stop_)) return false;
    Status taken = take(bytes);
    if (!taken) ours = std::move(taken).error();
    done += bytes.size();
    return !ours;
  };
  call.sink = &sink;
  for (int tries = 0; done < size;) {
    const std::uint64_t before = done;
    call.range = done == 0 ? std::string() : fmt::format("{}-{}", done, size - 1);
    call.limit = size - done;
    call.at_most = longest_for(call.limit);
    auto response = service_->call_once(call);
    if (ours) return failed(Blame::kOurs, *std::move(ours));
    if (stop_.stop_requested()) return failed(Blame::kLine, {ErrorCode::kInterrupted, "interrupted"});
    if (response && done == size) return {};
    if (response) return failed(Blame::kSource, {ErrorCode::kDamaged, "it ends too early"});
    tries = done - before >= kWorthATry ? 0 : tries + 1;
    if (!response.error().may_pass || tries >= kTries) {
      const Blame blame = blame_of(response.error());
      return failed(blame, std::move(response).error().error);
    }
    base::pause_for(kBetweenTries, stop_);
  }
  return {};
}

Fetched<base::Bytes> Source::object(const std::string& repository, Kind kind, const ObjectId& id, std::uint64_t size) {
  base::Bytes bytes;
  bytes.reserve(size);
  Fetched<void> received = receive({.path = path_of(repository, kind, id)}, size, [&](base::ByteSpan more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return Status{};
  });
  if (!received) return std::unexpected(std::move(received).error());
  if (crypto::sha256(bytes) == id) return bytes;
  return failed(Blame::kSource, store::upload_is_not_as_announced(kind, id));
}

Fetched<void> Source::stream(const std::string& repository, Kind kind, const ObjectId& id, std::uint64_t size,
                             store::Upload& upload) {
  Fetched<void> received =
      receive({.path = path_of(repository, kind, id)}, size, [&](base::ByteSpan more) { return upload.write(more); });
  if (!received) return received;
  Status finished = upload.finish();
  if (finished) return {};
  const bool is_other = finished.error().code() == ErrorCode::kDamaged;
  return failed(is_other ? Blame::kSource : Blame::kOurs, std::move(finished).error());
}

Fetched<void> Source::tell_copies(const std::string& repository, base::ByteSpan claim) {
  const base::ByteSpan parts[] = {claim};
  auto response = call({.method = store::http::Method::kPost,
                        .path = path_of(repository, "copies"),
                        .body = parts,
                        .limit = kSmallAnswer,
                        .at_most = longest_for(claim.size())});
  if (!response) return std::unexpected(std::move(response).error());
  return {};
}

Fetched<void> Source::repair(const std::string& repository, Kind kind, const ObjectId& id, base::ByteSpan object) {
  const store::http::Sink pace = [this](base::ByteSpan bytes) { return pace_.wait_for(bytes.size(), stop_); };
  const base::ByteSpan parts[] = {object};
  auto response = call({.method = store::http::Method::kPut,
                        .path = path_of(repository, kind, id),
                        .body = parts,
                        .limit = kSmallAnswer,
                        .at_most = longest_for(object.size()),
                        .outgoing = &pace});
  if (stop_.stop_requested()) return failed(Blame::kLine, {ErrorCode::kInterrupted, "interrupted"});
  if (!response) return std::unexpected(std::move(response).error());
  return {};
}

void Source::renew_when_due() {
  [[maybe_unused]] const Status renewed = store::vault::renew_when_due(*service_, identity_, base::now_ns());
}

}  // namespace kura::vault
