#include <algorithm>

#include <gtest/gtest.h>

#include "archive/format/limits.h"
#include "support/archive/cheap_passphrase.h"
#include "support/archive/format_samples.h"

namespace kura::archive {
namespace {

using base::Bytes;
using base::ErrorCode;
using test::digest_of;
using test::expect_error;
using test::kCheapPassphrase;
using test::kRecovery;
using test::kSigningSeed;

const store::ObjectId kConfig = digest_of(0xc0);

base::Result<KeyObject> decode_key(base::ByteSpan object) {
  return decode_key_object(object, kConfig, crypto::ed25519_public(kSigningSeed));
}
base::Status decode_key_status(base::ByteSpan object) { return test::status_of(decode_key(object)); }

Bytes sample_slot() {
  return RecoverySlot::seal(kConfig, 5, "label", kRecovery, "passphrase", kCheapPassphrase).value();
}
bool same(const base::Key& a, const base::Key& b) { return std::ranges::equal(a.span(), b.span()); }

TEST(RecoverySlotTest, OpensWithItsPassphraseAlone) {
  const auto object = decode_key(sample_slot());
  ASSERT_TRUE(object) << object.error().text();
  const auto& slot = std::get<RecoverySlot>(*object);
  EXPECT_EQ(slot.label, "label");
  EXPECT_EQ(slot.created, 5);
  EXPECT_EQ(slot.config, kConfig);
  const auto recovery = slot.open("passphrase");
  ASSERT_TRUE(recovery) << recovery.error().text();
  EXPECT_TRUE(same(*recovery, kRecovery));
  expect_error(slot.open("Passphrase"), ErrorCode::kWrongKey);
  expect_error(slot.open(""), ErrorCode::kWrongKey);
}

TEST(RecoverySlotTest, DoesNotOpenWhenAnyOtherByteOfItWasChanged) {
  const Bytes object = sample_slot();
  for (std::size_t i = 8 + 2 + 1 + 32; i < object.size(); ++i) {
    Bytes changed = object;
    changed[i] ^= 1;
    const auto slot = decode_key(changed);
    if (slot) EXPECT_FALSE(std::get<RecoverySlot>(*slot).open("passphrase")) << i;
  }
}

TEST(RecoverySlotTest, RefusesACostThatWouldKeepAReaderBusy) {
  auto slot = std::get<RecoverySlot>(decode_key(sample_slot()).value());
  slot.cost.passes = crypto::kPassphraseCostLimit.passes + 1;
  expect_error(slot.open("passphrase"), ErrorCode::kUnsupported);
}

TEST(RecoverySlotTest, RefusesALabelThatIsTooLong) {
  expect_error(RecoverySlot::seal(kConfig, 5, std::string(256, 'x'), kRecovery, "passphrase", kCheapPassphrase),
               ErrorCode::kUsage);
  EXPECT_TRUE(RecoverySlot::seal(kConfig, 5, std::string(255, 'x'), kRecovery, "passphrase", kCheapPassphrase));
}

TEST(RecoverySlotTest, NeverSealsTwiceTheSameWay) { EXPECT_NE(sample_slot(), sample_slot()); }

TEST(KeyObjectTest, RefusesWhatIsNoKeyObjectOfThisVersion) {
  test::expect_object_refusals(sample_slot(), kKeyLimit, decode_key_status);
  test::expect_object_refusals(test::sample_certificate().encode(kSigningSeed), kKeyLimit, decode_key_status);
}

TEST(KeyObjectTest, RefusesAnUnknownType) {
  Bytes object = sample_slot();
  object[10] = 3;
  expect_error(decode_key(object), ErrorCode::kUnsupported, "type 3");
}

TEST(KeyObjectTest, TellsWhatIsForAnotherConfig) {
  const auto key = crypto::ed25519_public(kSigningSeed);
  expect_error(decode_key_object(sample_slot(), digest_of(1), key), ErrorCode::kNotFound);
  expect_error(decode_key_object(test::sample_certificate().encode(kSigningSeed), digest_of(1), key),
               ErrorCode::kNotFound);
}

TEST(MachineCertificateTest, ReadsBackWhatItWrites) {
  const MachineCertificate certificate = test::sample_certificate();
  const auto object = decode_key(certificate.encode(kSigningSeed));
  ASSERT_TRUE(object) << object.error().text();
  const auto& back = std::get<MachineCertificate>(*object);
  EXPECT_EQ(back.label, certificate.label);
  EXPECT_EQ(back.created, certificate.created);
  EXPECT_EQ(back.machine, certificate.machine);
}

TEST(MachineCertificateTest, RefusesAnyChangedBitAndAnyOtherSigner) {
  test::expect_every_bit_guarded(test::sample_certificate().encode(kSigningSeed), decode_key_status);
  expect_error(decode_key(test::sample_certificate().encode(test::kMachineSeed)), ErrorCode::kDamaged, "not signed");
}

TEST(RecoveryKeyFileTest, ReadsBackWhatItWrites) {
  const std::string text = RecoveryKeyFile{.config = kConfig, .recovery = kRecovery}.encode();
  const auto back = RecoveryKeyFile::decode(text);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->config, kConfig);
  EXPECT_TRUE(same(back->recovery, kRecovery));
}

TEST(RecoveryKeyFileTest, ForgivesWhatEditorsAndPrintersDo) {
  std::string text = RecoveryKeyFile{.config = kConfig, .recovery = kRecovery}.encode();
  std::string windows = "\r\n# my note\r\n";
  for (const char c : text) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_TRUE(RecoveryKeyFile::decode(windows));
  text.pop_back();
  EXPECT_TRUE(RecoveryKeyFile::decode(text + "  "));
}

TEST(RecoveryKeyFileTest, NoticesAnyMistypedDigitAndSaysNoSecret) {
  const std::string text = RecoveryKeyFile{.config = kConfig, .recovery = kRecovery}.encode();
  const std::size_t line = text.find("KURA-RECOVERY-KEY-1");
  for (std::size_t i = line; i + 1 < text.size(); ++i) {
    std::string mistyped = text;
    mistyped[i] = mistyped[i] == '7' ? '8' : '7';
    const auto back = RecoveryKeyFile::decode(mistyped);
    ASSERT_FALSE(back) << i;
    EXPECT_FALSE(back.error().text().contains("5454545454")) << back.error().text();
  }
}

TEST(RecoveryKeyFileTest, RefusesOtherVersionsByNumberAndWhatIsNoKeyFile) {
  std::string text = RecoveryKeyFile{.config = kConfig, .recovery = kRecovery}.encode();
  expect_error(RecoveryKeyFile::decode(""), ErrorCode::kDamaged);
  expect_error(RecoveryKeyFile::decode("# nothing\n"), ErrorCode::kDamaged);
  expect_error(RecoveryKeyFile::decode("passphrase\n"), ErrorCode::kDamaged);
  expect_error(RecoveryKeyFile::decode(text + text), ErrorCode::kDamaged, "more than one line");
  expect_error(RecoveryKeyFile::decode(text.replace(text.find("KEY-1"), 5, "KEY-2")), ErrorCode::kUnsupported,
               "version 2");
}

}  // namespace
}  // namespace kura::archive
