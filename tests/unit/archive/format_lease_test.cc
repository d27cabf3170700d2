#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "archive/format/limits.h"
#include "support/archive/format_samples.h"

namespace kura::archive {
namespace {

using base::Bytes;
using base::ErrorCode;
using test::digest_of;
using test::expect_error;

RC_GTEST_PROP(LeaseFormatTest, ReadsBackWhatItWrites,
              (const SessionId& session, std::int64_t start, std::uint32_t renewals)) {
  const LeaseObject lease{.session = session, .purpose = LeasePurpose::kCopy, .start = start, .renewals = renewals};
  RC_ASSERT(LeaseObject::decode(lease.encode()).value() == lease);
}

TEST(LeaseFormatTest, RefusesWhatIsNoLeaseOfThisVersion) {
  test::expect_object_refusals(LeaseObject{}.encode(), kLeaseLimit,
                               [](base::ByteSpan object) { return test::status_of(LeaseObject::decode(object)); });
}

TEST(LeaseFormatTest, RefusesAnUnknownPurpose) {
  for (const int purpose : {0, 4, 255}) {
    Bytes object = LeaseObject{}.encode();
    object[26] = static_cast<std::uint8_t>(purpose);
    expect_error(LeaseObject::decode(object), ErrorCode::kDamaged, "purpose");
  }
}

TEST(CondemnedFormatTest, ReadsBackWhatItWrites) {
  const CondemnedObject condemned{.packs = {digest_of(1), digest_of(2)}, .indexes = {digest_of(3)}};
  EXPECT_EQ(CondemnedObject::decode(condemned.encode()), condemned);
  EXPECT_EQ(CondemnedObject::decode(CondemnedObject{}.encode()), CondemnedObject{});
}

TEST(CondemnedFormatTest, RefusesWhatIsNoListOfThisVersion) {
  const CondemnedObject condemned{.packs = {digest_of(1), digest_of(2)}, .indexes = {digest_of(3)}};
  test::expect_object_refusals(condemned.encode(), kCondemnedLimit,
                               [](base::ByteSpan object) { return test::status_of(CondemnedObject::decode(object)); });
}

TEST(CondemnedFormatTest, RefusesCountsThatItHasNoBytesFor) {
  Bytes object = CondemnedObject{.packs = {digest_of(1)}, .indexes = {}}.encode();
  object[13] = 0x80;
  expect_error(CondemnedObject::decode(object), ErrorCode::kDamaged, "more items");
}

}  // namespace
}  // namespace kura::archive
