#include "vault/server/api.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/escape.h"
#include "base/number.h"
#include "vault/server/answers.h"
#include "vault/server/bodies.h"
#include "vault/server/door_api.h"

namespace kura::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;
using base::Result;
using base::Status;
using net::Exchange;
using net::Task;
using store::Kind;

constexpr std::size_t kPiece = 1U << 20;         // bytes of a body in memory at a time
constexpr std::size_t kJournalPiece = 4U << 20;  // bytes of entries in an answer, unless one is longer
constexpr std::size_t kReasonLimit = 500;        // bytes of why a machine freezes
constexpr std::string_view kBinary = "application/octet-stream";

struct Range {
  std::uint64_t begin = 0, size = 0;
};

// RFC 9110, section 14: one range of bytes with both ends. Nothing when it is not that, or not within `size`.
std::optional<Range> range_of(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (header.empty()) return Range{.begin = 0, .size = size};
  const std::size_t dash = header.find('-');
  if (!header.starts_with(kUnit) || dash == std::string_view::npos) return std::nullopt;
  const auto first = base::parse_number<std::uint64_t>(header.substr(kUnit.size(), dash - kUnit.size()));
  const auto last = base::parse_number<std::uint64_t>(header.substr(dash + 1));
  if (!first || !last || *first > *last || *last >= size) return std::nullopt;
  return Range{.begin = *first, .size = *last - *first + 1};
}

// The same answer for a repository that is not there and for one that is another machine's.
base::Error not_yours() {
  return {ErrorCode::kDenied, "this machine has no such repository here", "see the address of the repository"};
}

net::Answer bytes(base::ByteSpan body) {
  return {.status = 200, .type = std::string(kBinary), .body = std::string(base::as_text(body))};
}

}  // namespace

Task<> Api::handle(Exchange& exchange) {
  const net::Request& request = exchange.request();
  std::string_view path = request.path;
  if (next_part(path) != "v1") co_return (void) co_await exchange.answer(no_such_thing());
  const std::string_view what = next_part(path);
  if (what == "authority" && path.empty() && request.method == "GET") {
    co_return (void) co_await exchange.answer(
        {.type = "application/x-pem-file", .body = site_.authority().certificate().to_pem()});
  }
  if (what == "enrol" && path.empty() && request.method == "POST") co_return co_await enrol(exchange);

  const auto& certificate = request.peer.certificate;
  const std::optional<Member> member = certificate ? site_.registry().member(certificate->fingerprint()) : std::nullopt;
  if (!member) {
    const base::Error error(ErrorCode::kDenied, "the vault does not know this machine, or not any more",
                            "enrol it: `kura-vault enrol MACHINE` at the vault, then `kura enrol` at the machine");
    co_return (void) co_await exchange.answer(vault::answer_of(error));
  }
  // A vault that follows this one may come at any time: kura-door keeps its address (--keep).
  if (door_ != nullptr && member->role != Role::kFollower && !door_->is_open_for(member->machine)) {
    co_return (void) co_await exchange.answer(door_is_shut());
  }
  if (what == "door" && path == "/close" && request.method == "POST") co_return co_await close_door(exchange, *member);
  if (what == "renew" && path.empty() && request.method == "POST") co_return co_await renew(exchange);
  if (what == "time" && path.empty() && request.method == "GET") {
    const std::int64_t now = site_.now();
    net::Answer answer = json_answer({{"now", now}});
    answer.headers.emplace_back("kura-now", std::to_string(now));
    co_return (void) co_await exchange.answer(std::move(answer));
  }
  if (what != "repositories") co_return (void) co_await exchange.answer(no_such_thing());

  if (member->role == Role::kFollower) co_return co_await follower(exchange, *member, path);

  const std::string name(next_part(path));
  if (!member->is_machine_of(name)) co_return (void) co_await exchange.answer(vault::answer_of(not_yours()));
  const Result<Holding*> holding = site_.holding(name);
  if (!holding) co_return (void) co_await exchange.answer(vault::answer_of(holding.error()));
  co_await repository(exchange, **holding, *member, route_of(path));
}

void Api::answered(const net::Request& request, unsigned status) {
  if (log_ == nullptr) return;
  const auto& certificate = request.peer.certificate;
  const std::optional<Member> member = certificate ? site_.registry().member(certificate->fingerprint()) : std::nullopt;
  log_->request(request, status, member ? member->machine : "");
}

Task<> Api::repository(Exchange& exchange, Holding& holding, const Member& member, const Route& route) {
  const std::string& method = exchange.request().method;
  const bool reads = method == "GET" || method == "HEAD";
  if (!route.detail.empty()) co_return co_await copies(exchange, holding, route);
  if (!route.has_more) {
    if (route.action == "journal" && method == "GET") co_return co_await journal(exchange, holding);
    if (route.action == "sync" && method == "POST") {
      Status synced;
      co_await server_.elsewhere([&] { synced = holding.sync(); });
      co_return (void) co_await exchange.answer(synced ? json_answer(json::object())
                                                       : vault::answer_of(synced.error()));
    }
    if (route.action == "freeze" && !route.id && method == "POST") {
      co_return co_await freeze(exchange, holding, member);
    }
    if (route.kind && !route.id && method == "GET") co_return co_await list(exchange, holding, *route.kind);
    if (route.kind && route.id && reads) co_return co_await get(exchange, holding, route);
    if (route.kind && route.id && method == "PUT") co_return co_await put(exchange, holding, member, route);
    if (route.kind == Kind::kLease && route.id && method == "DELETE") {
      const Status removed = holding.remove_lease(*route.id);
      co_return (void) co_await exchange.answer(removed ? json_answer(json::object())
                                                        : vault::answer_of(removed.error()));
    }
    if (route.kind && route.id && method == "DELETE") {
      const base::Error error(ErrorCode::kDenied, "nobody deletes anything in a vault but the vault itself",
                              "what is kept is set with `kura-vault policy`");
      co_return (void) co_await exchange.answer(vault::answer_of(error));
    }
  }
  co_await exchange.answer(no_such_thing());
}

// A machine may stop what is let go of, and never start it again. Said once: more would only fill the journal.
Task<> Api::freeze(Exchange& exchange, Holding& holding, const Member& member) {
  const Result<std::string> why = co_await small_body(exchange);
  if (!why) co_return (void) co_await exchange.answer(vault::answer_of(why.error()));
  Status frozen;
  if (!holding.is_frozen()) {
    const std::string text = "the machine says: " + base::printable(std::string_view(*why).substr(0, kReasonLimit));
    co_await server_.elsewhere([&] { frozen = holding.freeze(member.machine, text); });
  }
  co_await exchange.answer(frozen ? json_answer({{"frozen", true}}) : vault::answer_of(frozen.error()));
}

net::Answer Api::enrolled(const Result<Enrolment>& enrolment) const {
  if (!enrolment) return vault::answer_of(enrolment.error());
  return json_answer({{"machine", enrolment->member.machine},
                      {"repository", enrolment->member.repository},
                      {"certificate", enrolment->certificate.to_pem()},
                      {"authority", site_.authority().certificate().to_pem()},
                      {"door", door_ != nullptr}});
}

Task<> Api::close_door(Exchange& exchange, const Member& member) {
  if (door_ != nullptr) door_->leave(member.machine);
  co_await exchange.answer(json_answer(json::object()));
}

Task<> Api::enrol(Exchange& exchange) {
  const Result<std::string> body = co_await small_body(exchange);
  if (!body) co_return (void) co_await exchange.answer(vault::answer_of(body.error()));
  const json::object asked = parse_object(*body);
  const auto secret = base::from_hex(text_in(asked, "secret"));
  Result<Enrolment> enrolment = base::fail(ErrorCode::kUsage, "the enrolment is malformed");
  if (secret && secret->size() == Registry::kSecretSize) {
    co_await server_.elsewhere([&] {
      enrolment = site_.registry().enrol(*secret, text_in(asked, "request"), site_.authority(), site_.now());
    });
  }
  co_await exchange.answer(enrolled(enrolment));
}

Task<> Api::renew(Exchange& exchange) {
  const Result<std::string> body = co_await small_body(exchange);
  if (!body) co_return (void) co_await exchange.answer(vault::answer_of(body.error()));
  const std::string request = text_in(parse_object(*body), "request");
  const base::Digest certificate = exchange.request().peer.certificate->fingerprint();
  Result<Enrolment> enrolment = base::fail(ErrorCode::kUsage, "the request is malformed");
  co_await server_.elsewhere(
      [&] { enrolment = site_.registry().renew(certificate, request, site_.authority(), site_.now()); });
  co_await exchange.answer(enrolled(enrolment));
}

// One line an object: name, size in bytes, when it was received in ns since 1970, and "barred" where it is.
Task<> Api::list(Exchange& exchange, Holding& holding, Kind kind) {
  Result<std::vector<store::ObjectInfo>> objects;
  co_await server_.elsewhere([&] { objects = holding.list(kind); });
  if (!objects) co_return (void) co_await exchange.answer(vault::answer_of(objects.error()));
  std::string text;
  text.reserve(objects->size() * 100);
  for (const store::ObjectInfo& object : *objects) {
    fmt::format_to(std::back_inserter(text), "{} {} {}{}\n", object.id.hex(), object.size, object.received,
                   object.barred ? " barred" : "");
  }
  co_await exchange.answer({.type = "text/plain", .body = std::move(text)});
}

Task<> Api::journal(Exchange& exchange, Holding& holding) {
  const std::uint64_t from =
      base::parse_number<std::uint64_t>(exchange.request().parameter("from").value_or("1")).value_or(0);
  if (from == 0) {
    const base::Error error(ErrorCode::kUsage, "'from' is the number of an entry, from 1");
    co_return (void) co_await exchange.answer(vault::answer_of(error));
  }
  Result<base::Bytes> entries;
  co_await server_.elsewhere([&] { entries = holding.journal().read(from, kJournalPiece); });
  co_await exchange.answer(entries ? bytes(*entries) : vault::answer_of(entries.error()));
}

Task<> Api::get(Exchange& exchange, Holding& holding, const Route& route) {
  const Result<store::ObjectInfo> info = holding.stat(*route.kind, *route.id);
  if (!info) co_return (void) co_await exchange.answer(vault::answer_of(info.error()));
  const std::string_view header = exchange.request().header("range");
  const std::optional<Range> range = range_of(header, info->size);
  net::Answer answer{
      .status = header.empty() ? 200U : 206U,
      .type = std::string(kBinary),
      .headers = {{"kura-size", std::to_string(info->size)}, {"kura-received", std::to_string(info->received)}},
      .body = {}};
  if (!range) {
    answer.status = 416;
    co_return (void) co_await exchange.answer(std::move(answer));
  }
  if (!co_await exchange.begin_answer(std::move(answer), range->size) || exchange.request().method == "HEAD") co_return;
  std::vector<std::uint8_t> piece(std::min<std::uint64_t>(kPiece, range->size));
  for (std::uint64_t done = 0; done < range->size;) {
    const auto part = base::MutableByteSpan(piece).first(std::min<std::uint64_t>(piece.size(), range->size - done));
    Status read;
    co_await server_.elsewhere([&] { read = holding.read_at(*route.kind, *route.id, range->begin + done, part); });
    if (!read) co_return;  // the answer is cut off, and the other side sees that
    if (!co_await exchange.write(part)) co_return;
    done += part.size();
  }
}

Task<> Api::put(Exchange& exchange, Holding& holding, const Member& member, const Route& route) {
  const std::optional<std::uint64_t> size = exchange.request().length;
  if (!size) {
    co_return (void) co_await exchange.answer(
        vault::answer_of({ErrorCode::kUsage, "an object is sent with its size (Content-Length)"}));
  }
  const Status may = holding.may_send(*route.kind, *route.id, *size);
  if (!may) co_return (void) co_await exchange.answer(vault::answer_of(may.error()));
  const bool streams = *route.kind == Kind::kPack || *route.kind == Kind::kIndex || *route.kind == Kind::kParity;
  if (streams) {
    co_await put_stream(exchange, holding, route, *size);
  } else {
    co_await put_whole(exchange, holding, member, route, *size);
  }
}

Task<> Api::put_stream(Exchange& exchange, Holding& holding, const Route& route, std::uint64_t size) {
  Result<std::unique_ptr<store::Upload>> upload;
  co_await server_.elsewhere([&] { upload = holding.upload(*route.kind, *route.id, size); });
  if (!upload) co_return (void) co_await exchange.answer(vault::answer_of(upload.error()));
  std::vector<std::uint8_t> piece(std::min<std::uint64_t>(kPiece, size));
  Status written;
  for (std::uint64_t done = 0; written && done < size;) {
    const Result<std::size_t> got = co_await exchange.read(piece);
    if (!got || *got == 0) co_return;  // cut off: what came is forgotten
    done += *got;
    co_await server_.elsewhere([&] { written = (*upload)->write(base::ByteSpan(piece).first(*got)); });
  }
  if (written) co_await server_.elsewhere([&] { written = (*upload)->finish(); });
  if (!written) co_return (void) co_await exchange.answer(vault::answer_of(written.error()));
  holding.uploaded(*route.kind, *route.id, size);
  co_await exchange.answer(json_answer(json::object()));
}

Task<> Api::put_whole(Exchange& exchange, Holding& holding, const Member& member, const Route& route,
                      std::uint64_t size) {
  // Large ones fill the memory; no honest machine has two on their way.
  std::optional<OneAtATime> turn;
  if (size > kPiece) turn.emplace(sending_, member.machine);
  if (turn && !turn->is_ours()) {
    co_return (void) co_await exchange.answer(vault::answer_of(
        {ErrorCode::kConflict, "this machine sends another large object already", "send one after the other"}));
  }
  const std::optional<base::Bytes> object = co_await whole_body(exchange, size);
  if (!object) co_return;
  if (*route.kind != Kind::kSnapshot) {
    Status status;
    co_await server_.elsewhere([&] { status = holding.put(*route.kind, *route.id, *object, member.machine); });
    co_return (void) co_await exchange.answer(status ? json_answer(json::object()) : vault::answer_of(status.error()));
  }
  Result<Receipt> receipt;
  co_await server_.elsewhere([&] { receipt = holding.commit(*route.id, *object, member.machine); });
  co_await exchange.answer(receipt ? bytes(receipt->entry) : vault::answer_of(receipt.error()));
}

}  // namespace kura::vault
