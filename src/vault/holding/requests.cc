#include "vault/holding/requests.h"

#include <fmt/format.h>

#include "base/codec.h"

namespace kura::vault {

using base::ErrorCode;

std::optional<std::int64_t> Request::due(std::int64_t delay) const {
  return approved_by.empty() ? std::nullopt : std::optional(approved + delay);
}

base::Bytes request_text(const crypto::PublicKey& vault, std::string_view repository,
                         const std::vector<store::ObjectId>& snapshots, std::string_view policy) {
  base::Encoder text;
  text.string(base::as_bytes("kura request v1")).raw(vault).string(base::as_bytes(repository));
  text.varint(snapshots.size());
  for (const store::ObjectId& id : snapshots) text.raw(id.span());
  return text.string(base::as_bytes(policy)).take();
}

base::Bytes approval_text(const crypto::PublicKey& vault, std::string_view repository, std::uint64_t sequence,
                          const base::Digest& hash) {
  base::Encoder text;
  text.string(base::as_bytes("kura approval v1")).raw(vault).string(base::as_bytes(repository));
  return text.u64(sequence).raw(hash.span()).take();
}

void Requests::take(const Entry& entry, const base::Digest& hash) {
  const Event& event = entry.event;
  switch (event.type) {
    case EventType::kDeleteRequest:
      open_[entry.sequence] = {.sequence = entry.sequence,
                               .hash = hash,
                               .time = entry.time,
                               .who = event.who,
                               .key = event.key,
                               .snapshots = event.objects,
                               .policy = event.text};
      break;
    case EventType::kDeleteApproval:
      if (const auto at = open_.find(event.refers_to); at != open_.end()) {
        at->second.approved_by = event.who;
        at->second.approved = entry.time;
      }
      break;
    case EventType::kDeleteCancel:
    case EventType::kDelete:
    case EventType::kPolicy:
      open_.erase(event.refers_to);
      break;
    default:
      break;
  }
}

std::vector<Request> Requests::open() const {
  std::vector<Request> all;
  for (const auto& [sequence, request] : open_) all.push_back(request);
  return all;
}

base::Result<Request> Requests::find(std::uint64_t sequence) const {
  const auto at = open_.find(sequence);
  if (at != open_.end()) return at->second;
  return base::fail(ErrorCode::kNotFound, fmt::format("there is no open request {}", sequence),
                    "`kura-vault requests` lists them");
}

base::Status Requests::may_approve(std::uint64_t sequence, std::string_view who, const crypto::PublicKey& key) const {
  const Request request = KURA_TRY(find(sequence));
  if (request.who == who || request.key == key) {
    return base::fail(ErrorCode::kDenied,
                      fmt::format("{} made request {}: somebody else has to agree to it", who, sequence));
  }
  if (!request.approved_by.empty()) {
    return base::fail(ErrorCode::kConflict,
                      fmt::format("{} has agreed to request {} already", request.approved_by, sequence));
  }
  return {};
}

std::vector<Request> Requests::due(std::int64_t now, std::int64_t delay) const {
  std::vector<Request> all;
  for (const auto& [sequence, request] : open_) {
    if (const auto due = request.due(delay); due && *due <= now) all.push_back(request);
  }
  return all;
}

}  // namespace kura::vault
