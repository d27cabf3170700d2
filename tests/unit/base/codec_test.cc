#include "base/codec.h"

#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kura::base {
namespace {

TEST(EncoderTest, WritesTheStoredForms) {
  Encoder out;
  out.u8(1).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0f).i64(-2).string("ab");
  EXPECT_EQ(to_hex(out.bytes()),
            "01"
            "0302"
            "07060504"
            "0f0e0d0c0b0a0908"
            "feffffffffffffff"
            "026162");
}

TEST(EncoderTest, WritesVarintsInTheirShortestForm) {
  const std::pair<std::uint64_t, const char*> cases[] = {
      {0, "00"},         {1, "01"},
      {127, "7f"},       {128, "8001"},
      {300, "ac02"},     {16383, "ff7f"},
      {16384, "808001"}, {std::numeric_limits<std::uint64_t>::max(), "ffffffffffffffffff01"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(to_hex(Encoder().varint(value).bytes()), text);
}

TEST(EncoderTest, WritesSmallNegativeNumbersShort) {
  EXPECT_EQ(to_hex(Encoder().zigzag(0).zigzag(-1).zigzag(1).zigzag(-2).bytes()), "00010203");
}

RC_GTEST_PROP(CodecTest, ReadsBackWhatItWrites,
              (std::uint8_t a, std::uint16_t b, std::uint32_t c, std::uint64_t d, std::int64_t e, const Bytes& f,
               const std::string& g)) {
  const std::uint64_t wide = d << (a % 64);  // numbers of all lengths
  Encoder out;
  out.u8(a).u16(b).u32(c).u64(d).i64(e).varint(wide).zigzag(e).string(f).string(g).raw(Digest{}.bytes);
  Decoder in(out.bytes());
  RC_ASSERT(in.u8() == a);
  RC_ASSERT(in.u16() == b);
  RC_ASSERT(in.u32() == c);
  RC_ASSERT(in.u64() == d);
  RC_ASSERT(in.i64() == e);
  RC_ASSERT(in.varint() == wide);
  RC_ASSERT(in.zigzag() == e);
  const ByteSpan string = in.string(f.size());
  RC_ASSERT(Bytes(string.begin(), string.end()) == f);
  RC_ASSERT(in.text(g.size()) == g);
  RC_ASSERT(in.digest() == Digest{});
  RC_ASSERT(in.finish("it").has_value());
}

TEST(CodecTest, ReadsBackTheEndsOfTheRange) {
  for (const std::int64_t value :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    const Bytes bytes = Encoder().zigzag(value).i64(value).take();
    Decoder in(bytes);
    EXPECT_EQ(in.zigzag(), value);
    EXPECT_EQ(in.i64(), value);
    EXPECT_TRUE(in.finish("it"));
  }
}

// Whatever number comes out, writing it gives the bytes that were read: one number has one form.
RC_GTEST_PROP(CodecTest, EveryNumberHasOneForm, (const Bytes& bytes)) {
  Decoder in(bytes);
  const std::uint64_t value = in.varint();
  RC_PRE(in.ok());
  const Bytes again = Encoder().varint(value).take();
  RC_ASSERT(again == Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(in.position())));
}

TEST(DecoderTest, RefusesOverlongAndOverwideNumbers) {
  for (const char* text :
       {"8000", "80808000", "ffffffffffffffffff02", "ffffffffffffffffff8100", "80808080808080808080", "80"}) {
    const Bytes bytes = *from_hex(text);
    Decoder in(bytes);
    EXPECT_EQ(in.varint(), 0u) << text;
    EXPECT_FALSE(in.ok()) << text;
  }
}

TEST(DecoderTest, TheFirstFailureSticks) {
  const Bytes bytes(10, 0x01);
  Decoder in(bytes);
  in.raw(11);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0);
  EXPECT_EQ(in.u64(), 0u);
  EXPECT_EQ(in.varint(), 0u);
  EXPECT_EQ(in.zigzag(), 0);
  EXPECT_EQ(in.count(1), 0u);
  EXPECT_TRUE(in.string(100).empty());
  EXPECT_TRUE(in.digest().is_zero());
  in.fail("a later problem");
  const Status status = in.finish("a thing");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kDamaged);
  EXPECT_EQ(status.error().message(), "a thing is damaged: it ends too early");
}

TEST(DecoderTest, EveryReadPastTheEndFails) {
  const auto fails = [](std::size_t size, auto read) {
    const Bytes bytes(size, 0x01);
    Decoder in(bytes);
    read(in);
    return !in.ok();
  };
  EXPECT_TRUE(fails(0, [](Decoder& in) { in.u8(); }));
  EXPECT_TRUE(fails(1, [](Decoder& in) { in.u16(); }));
  EXPECT_TRUE(fails(3, [](Decoder& in) { in.u32(); }));
  EXPECT_TRUE(fails(7, [](Decoder& in) { in.u64(); }));
  EXPECT_TRUE(fails(0, [](Decoder& in) { in.varint(); }));
  EXPECT_TRUE(fails(31, [](Decoder& in) { in.digest(); }));
  EXPECT_TRUE(fails(1, [](Decoder& in) { in.string(5); }));
  EXPECT_FALSE(fails(2, [](Decoder& in) { in.string(5); }));
}

TEST(DecoderTest, StringsLongerThanTheLimitAreRefused) {
  const Bytes bytes = Encoder().string("four").take();
  Decoder fits(bytes);
  EXPECT_EQ(fits.text(4), "four");
  Decoder too_long(bytes);
  EXPECT_EQ(too_long.text(3), "");
  EXPECT_FALSE(too_long.ok());
}

TEST(DecoderTest, CountsAreBoundedByTheBytesThatAreLeft) {
  const auto counted = [](std::uint64_t items, std::size_t each, std::size_t left) {
    const Bytes bytes = Encoder().varint(items).raw(Bytes(left)).take();
    Decoder in(bytes);
    const std::size_t count = in.count(each);
    return in.ok() ? std::optional(count) : std::nullopt;
  };
  EXPECT_EQ(counted(3, 4, 12), 3u);
  EXPECT_EQ(counted(3, 4, 11), std::nullopt);
  EXPECT_EQ(counted(0, 4, 0), 0u);
  EXPECT_EQ(counted(std::numeric_limits<std::uint64_t>::max(), 32, 1000), std::nullopt);
  EXPECT_EQ(counted((std::uint64_t{1} << 63) + 1, 2, 2), std::nullopt) << "no multiplication that overflows";
}

TEST(DecoderTest, LeftoverBytesAreDamage) {
  const Bytes bytes(3);
  Decoder in(bytes);
  in.u8();
  EXPECT_EQ(in.finish("a thing").error().message(), "a thing is damaged: 2 bytes are left over at its end");
  in.u16();
  EXPECT_TRUE(in.finish("a thing"));
}

RC_GTEST_PROP(DecoderTest, NeverReadsOutsideOfItsInput, (const Bytes& bytes, const std::vector<std::uint8_t>& reads)) {
  Decoder in(bytes);
  for (const std::uint8_t read : reads) {
    switch (read % 6) {
      case 0:
        in.u8();
        break;
      case 1:
        in.u32();
        break;
      case 2:
        in.varint();
        break;
      case 3:
        in.string(read);
        break;
      case 4:
        in.raw(in.count(1));
        break;
      default:
        in.digest();
        break;
    }
    RC_ASSERT(in.position() <= bytes.size());
  }
}

}  // namespace
}  // namespace kura::base
