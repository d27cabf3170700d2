#include "vault/journal/entry.h"

#include <algorithm>

#include <fmt/format.h>

#include "archive/format/fields.h"
#include "base/codec.h"
#include "crypto/hash.h"

namespace kura::vault {
namespace {

using base::Decoder;
using base::Encoder;

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kWhat = "the journal entry";
constexpr std::string_view kSignedFor = "kura journal v1";
constexpr std::size_t kSignature = sizeof(crypto::Signature);
constexpr std::size_t kHead = 1 + 1 + 8 + 8 + 32;  // version, type, sequence, time, before

enum Field : std::uint64_t {
  kWho = 1,
  kText,
  kKind,
  kObjects,
  kBytes,
  kKey,
  kNumber,
  kSeries,
  kFrom,
  kUntil,
  kRefersTo,
  kAdded,
  kDropped,
  kNeeded,
  kProof,
};

// So that no signature over anything else can be taken for one over an entry.
base::Bytes signed_text(base::ByteSpan unsigned_entry) {
  base::Bytes text(kSignedFor.begin(), kSignedFor.end());
  text.insert(text.end(), unsigned_entry.begin(), unsigned_entry.end());
  return text;
}

template <typename Array>
bool is_zero(const Array& bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

void encode_event(Encoder& out, const Event& event) {
  if (!event.who.empty()) archive::encode_field(out, kWho, base::as_bytes(event.who));
  if (!event.text.empty()) archive::encode_field(out, kText, base::as_bytes(event.text));
  if (!event.objects.empty()) {
    archive::encode_field(out, kKind, Encoder().u8(static_cast<std::uint8_t>(event.kind)).bytes());
    Encoder ids;
    for (const store::ObjectId& id : event.objects) ids.raw(id.span());
    archive::encode_field(out, kObjects, ids.bytes());
  }
  if (event.bytes != 0) archive::encode_field(out, kBytes, Encoder().varint(event.bytes).bytes());
  if (!is_zero(event.key)) archive::encode_field(out, kKey, event.key);
  if (event.number != 0) archive::encode_field(out, kNumber, Encoder().varint(event.number).bytes());
  if (!is_zero(event.series)) archive::encode_field(out, kSeries, event.series);
  if (event.from != 0) archive::encode_field(out, kFrom, Encoder().i64(event.from).bytes());
  if (event.until != 0) archive::encode_field(out, kUntil, Encoder().i64(event.until).bytes());
  if (event.refers_to != 0) archive::encode_field(out, kRefersTo, Encoder().varint(event.refers_to).bytes());
  if (event.added != 0) archive::encode_field(out, kAdded, Encoder().varint(event.added).bytes());
  if (event.dropped != 0) archive::encode_field(out, kDropped, Encoder().varint(event.dropped).bytes());
  if (event.needed != 0) archive::encode_field(out, kNeeded, Encoder().varint(event.needed).bytes());
  if (!event.proof.empty()) archive::encode_field(out, kProof, event.proof);
}

store::Kind decode_kind(Decoder& in) {
  const std::uint8_t value = in.u8();
  if (value >= store::kAllKinds.size()) in.fail("it names a kind of objects that is not known");
  return static_cast<store::Kind>(value);
}

std::vector<store::ObjectId> decode_objects(Decoder& in) {
  std::vector<store::ObjectId> objects;
  objects.reserve(in.rest().size() / sizeof(store::ObjectId));
  while (in.ok() && !in.at_end()) objects.push_back(in.digest());
  return objects;
}

// False for a field that is not known here.
bool take_field(Event& event, std::uint64_t number, Decoder& in) {
  switch (number) {
    case kWho:
      event.who = std::string(base::as_text(in.raw(in.rest().size())));
      if (event.who.size() > kNameLimit) in.fail("a name in it is too long");
      return true;
    case kText:
      event.text = std::string(base::as_text(in.raw(in.rest().size())));
      if (event.text.size() > kTextLimit) in.fail("its text is too long");
      return true;
    case kKind:
      event.kind = decode_kind(in);
      return true;
    case kObjects:
      event.objects = decode_objects(in);
      return true;
    case kBytes:
      event.bytes = in.varint();
      return true;
    case kKey:
      in.copy(event.key);
      return true;
    case kNumber:
      event.number = in.varint();
      return true;
    case kSeries:
      in.copy(event.series);
      return true;
    case kFrom:
      event.from = in.i64();
      return true;
    case kUntil:
      event.until = in.i64();
      return true;
    case kRefersTo:
      event.refers_to = in.varint();
      return true;
    case kAdded:
      event.added = in.varint();
      return true;
    case kDropped:
      event.dropped = in.varint();
      return true;
    case kNeeded:
      event.needed = in.varint();
      return true;
    case kProof: {
      const base::ByteSpan proof = in.raw(in.rest().size());
      event.proof.assign(proof.begin(), proof.end());
      if (event.proof.size() > kProofLimit) in.fail("its proof is too long");
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

std::string name_of(EventType type) {
  switch (type) {
    case EventType::kBegin:
      return "begin";
    case EventType::kObject:
      return "object";
    case EventType::kCommit:
      return "commit";
    case EventType::kExpire:
      return "expire";
    case EventType::kCollect:
      return "collect";
    case EventType::kPolicy:
      return "policy";
    case EventType::kFreeze:
      return "freeze";
    case EventType::kThaw:
      return "thaw";
    case EventType::kBarrier:
      return "barrier";
    case EventType::kDeleteRequest:
      return "delete request";
    case EventType::kDeleteApproval:
      return "delete approval";
    case EventType::kDelete:
      return "delete";
    case EventType::kClockDoubt:
      return "clock doubt";
    case EventType::kClockTrust:
      return "clock trust";
    case EventType::kRepair:
      return "repair";
    case EventType::kAlarm:
      return "alarm";
    case EventType::kInvite:
      return "invite";
    case EventType::kEnrol:
      return "enrol";
    case EventType::kRevoke:
      return "revoke";
    case EventType::kDoor:
      return "door";
    case EventType::kOperator:
      return "operator";
    case EventType::kCustomer:
      return "customer";
    case EventType::kDeleteCancel:
      return "delete cancel";
    case EventType::kCopy:
      return "copy";
    case EventType::kFollow:
      return "follow";
    case EventType::kUnfollow:
      return "unfollow";
  }
  return fmt::format("event {}", static_cast<unsigned>(type));
}

base::Bytes Entry::encode(const base::Key& vault_seed) const {
  Encoder body;
  body.u8(kVersion).u8(static_cast<std::uint8_t>(event.type)).u64(sequence).i64(time).raw(before.span());
  encode_event(body, event);
  Encoder out;
  out.u32(static_cast<std::uint32_t>(body.size() + kSignature)).raw(body.bytes());
  const crypto::Signature signature = crypto::ed25519_sign(vault_seed, signed_text(out.bytes()));
  return out.raw(signature).take();
}

base::Result<Entry> Entry::decode(base::ByteSpan whole) {
  const std::size_t size = KURA_TRY(entry_size(whole.first(std::min(whole.size(), kEntryPrefix))));
  if (size != whole.size()) return base::fail(base::ErrorCode::kDamaged, fmt::format("{} is cut off", kWhat));
  Decoder in(whole.subspan(kEntryPrefix, size - kEntryPrefix - kSignature));
  const std::uint8_t version = in.u8();
  if (version != kVersion) {
    return base::fail(base::ErrorCode::kUnsupported,
                      fmt::format("{} has version {}; this program knows {}", kWhat, version, kVersion),
                      "install a newer version");
  }
  Entry entry;
  entry.event.type = static_cast<EventType>(in.u8());
  entry.sequence = in.u64();
  entry.time = in.i64();
  entry.before = in.digest();
  archive::decode_fields(in,
                         [&](std::uint64_t number, Decoder& field) { return take_field(entry.event, number, field); });
  if (entry.event.objects.empty() && entry.event.kind != Event{}.kind) in.fail("it names a kind of objects, but none");
  KURA_TRY(in.finish(kWhat));
  return entry;
}

base::Result<std::size_t> entry_size(base::ByteSpan prefix) {
  Decoder in(prefix);
  const std::size_t size = kEntryPrefix + in.u32();
  if (!in.ok() || size < kEntryPrefix + kHead + kSignature || size > kEntryLimit) {
    return base::fail(base::ErrorCode::kDamaged, fmt::format("{} has an impossible size", kWhat));
  }
  return size;
}

bool is_signed_by(base::ByteSpan whole, const crypto::PublicKey& vault) {
  if (whole.size() < kEntryPrefix + kHead + kSignature) return false;
  const std::size_t size = whole.size() - kSignature;
  return crypto::ed25519_verify(vault, signed_text(whole.first(size)), whole.subspan(size));
}

base::Digest hash_of(base::ByteSpan whole) { return crypto::sha256(whole); }

}  // namespace kura::vault
