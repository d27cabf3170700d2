#include "archive/format/lease.h"

#include "archive/format/limits.h"
#include "archive/format/object_head.h"

namespace kura::archive {
namespace {

constexpr std::string_view kLeaseMagic = "KURALEAS";
constexpr std::string_view kLeaseWhat = "the lease";
constexpr std::string_view kCondemnedMagic = "KURACOND";
constexpr std::string_view kCondemnedWhat = "the list of condemned objects";

void encode_ids(base::Encoder& out, const std::vector<store::ObjectId>& ids) {
  out.u32(static_cast<std::uint32_t>(ids.size()));
  for (const store::ObjectId& id : ids) out.raw(id.span());
}

std::vector<store::ObjectId> decode_ids(base::Decoder& in) {
  const std::uint32_t count = in.u32();
  if (count > in.rest().size() / sizeof(store::ObjectId)) in.fail("it promises more items than it has bytes for");
  std::vector<store::ObjectId> ids;
  if (in.ok()) ids.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) ids.push_back(in.digest());
  return ids;
}

}  // namespace

base::Bytes LeaseObject::encode() const {
  base::Encoder out;
  encode_head(out, kLeaseMagic);
  out.raw(session).u8(static_cast<std::uint8_t>(purpose)).i64(start).u32(renewals);
  return out.take();
}

base::Result<LeaseObject> LeaseObject::decode(base::ByteSpan object) {
  base::Decoder in(object);
  KURA_TRY(decode_head(in, kLeaseMagic, kLeaseLimit, kLeaseWhat));
  LeaseObject lease;
  in.copy(lease.session);
  const std::uint8_t purpose = in.u8();
  if (purpose < 1 || purpose > 3) in.fail("its purpose is none that is known");
  lease.purpose = static_cast<LeasePurpose>(purpose);
  lease.start = in.i64();
  lease.renewals = in.u32();
  KURA_TRY(in.finish(kLeaseWhat));
  return lease;
}

base::Bytes CondemnedObject::encode() const {
  base::Encoder out;
  encode_head(out, kCondemnedMagic);
  encode_ids(out, packs);
  encode_ids(out, indexes);
  return out.take();
}

base::Result<CondemnedObject> CondemnedObject::decode(base::ByteSpan object) {
  base::Decoder in(object);
  KURA_TRY(decode_head(in, kCondemnedMagic, kCondemnedLimit, kCondemnedWhat));
  CondemnedObject condemned;
  condemned.packs = decode_ids(in);
  condemned.indexes = decode_ids(in);
  KURA_TRY(in.finish(kCondemnedWhat));
  return condemned;
}

}  // namespace kura::archive
