#include <string>

#include <gtest/gtest.h>

#include "detect/ciphers/base64.h"
#include "detect/ciphers/ciphers_kinds.h"
#include "support/detect/archive_samples.h"

namespace kura::detect::ciphers_test {
namespace {

samples::Judged judged(const base::Bytes& file) { return samples::judge(ciphers_kinds(), file); }

samples::Judged judged(std::string_view text) { return judged(base::Bytes(text.begin(), text.end())); }

constexpr std::string_view kAgeHeader =
    "age-encryption.org/v1\n"
    "-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc\n"
    "EmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U\n"
    "--- Vn+54jqiiUCE+WZcEVY3f1sqHjlu/z1LCQ/T7Xm7qI0\n";

base::Bytes age_of(std::size_t payload) {
  base::Bytes file(kAgeHeader.begin(), kAgeHeader.end());
  const base::Bytes noise = samples::noise(payload);
  file.insert(file.end(), noise.begin(), noise.end());
  return file;
}

TEST(Age, OneOfRightSizeIsACipher) {
  EXPECT_EQ(judged(age_of(16 + 65536 + 16 + 100 + 16)).report.finding, Finding::kCipher);
  EXPECT_EQ(judged(age_of(16 + 16)).report.finding, Finding::kCipher);
}

TEST(Age, AHeaderOrAChunkCutShortIsFound) {
  EXPECT_TRUE(judged(age_of(16 + 65536 + 16 + 7)).found());
  for (std::size_t size = 1; size < kAgeHeader.size(); ++size) {
    EXPECT_TRUE(judged(kAgeHeader.substr(0, size)).found()) << size;
  }
}

TEST(OpenPgp, ASignatureIsWholeAndNoCipher) {
  const auto said = judged(samples::kPgpSignature);
  EXPECT_EQ(said.kind, "openpgp");
  EXPECT_EQ(said.report.finding, Finding::kWhole);
}

TEST(OpenPgp, ASignedMessageIsUnpackedToItsEnd) {
  const auto said = judged(samples::kSignedMessage);
  EXPECT_EQ(said.kind, "openpgp");
  EXPECT_EQ(said.report.finding, Finding::kWhole) << said.report.evidence;
  for (std::size_t size = 2; size < samples::kSignedMessage.size(); size += 5) {
    const auto end = samples::kSignedMessage.begin() + static_cast<std::ptrdiff_t>(size);
    EXPECT_TRUE(judged(base::Bytes(samples::kSignedMessage.begin(), end)).found()) << size;
  }
  for (std::size_t at = 0; at + 16 <= samples::kSignedMessage.size(); at += 16) {
    base::Bytes file = samples::kSignedMessage;
    const base::Bytes noise = samples::noise(16, static_cast<unsigned>(at));
    std::ranges::copy(noise, file.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_TRUE(judged(file).found()) << at;
  }
}

TEST(OpenPgp, ACompressedPacketInAnotherOneIsRefused) {
  // Packed by zlib: a literal packet of ten digits, and a compressed one of nothing.
  const auto said = judged(samples::hex("a30278da3b2d90c40002068646c626a666e616968b19991900303e03f2"));
  EXPECT_EQ(said.kind, "openpgp");
  EXPECT_EQ(said.report.evidence, "a compressed packet is in another one");
}

TEST(SExpression, AKeyOfAnAgentIsWholeAndOneThatIsCutOrDamagedIsFound) {
  const std::string key = "(21:protected-private-key(3:ecc(5:curve7:Ed25519)(1:q3:\x01\x02\x03))(7:comment1:n))";
  const auto said = judged(key);
  EXPECT_EQ(said.kind, "s-expression");
  EXPECT_EQ(said.report.finding, Finding::kWhole);
  for (std::size_t size = 1; size < key.size(); ++size) EXPECT_TRUE(judged(key.substr(0, size)).found()) << size;
  EXPECT_TRUE(judged(key.substr(0, 26) + std::string(16, '\x9f') + key.substr(42)).found());
}

TEST(OpenPgp, AnyHeaderOverCiphertextIsNoMessage) {
  // A packet of a session key, and then what is no packet.
  base::Bytes file = samples::hex("8c0d04090302");
  const base::Bytes noise = samples::noise(4096);
  file.insert(file.end(), noise.begin(), noise.end());
  file[15] = 0x11;
  EXPECT_TRUE(judged(file).found());
}

TEST(OpenPgp, AMessageWithAPasswordIsACipher) {
  base::Bytes file = samples::hex("8c0d04090302000102030405060760d23a01");
  const base::Bytes noise = samples::noise(57);
  file.insert(file.end(), noise.begin(), noise.end());
  const auto said = judged(file);
  EXPECT_EQ(said.kind, "openpgp");
  EXPECT_EQ(said.report.finding, Finding::kCipher) << said.report.evidence;
  file.pop_back();
  EXPECT_TRUE(judged(file).found());
}

TEST(Cms, AnEncryptedMessageIsACipherAndCutShortIsFound) {
  EXPECT_EQ(judged(samples::kEncryptedCms).report.finding, Finding::kCipher);
  for (std::size_t size = 1; size < samples::kEncryptedCms.size(); size += 7) {
    const auto end = samples::kEncryptedCms.begin() + static_cast<std::ptrdiff_t>(size);
    EXPECT_TRUE(judged(base::Bytes(samples::kEncryptedCms.begin(), end)).found()) << size;
  }
}

TEST(X509, ACertificateIsWhole) {
  const auto said = judged(samples::kCertificate);
  EXPECT_EQ(said.kind, "x509");
  EXPECT_EQ(said.report.finding, Finding::kWhole);
}

TEST(Pem, AKeyOfRandomBytesIsFound) {
  EXPECT_TRUE(judged("-----BEGIN CERTIFICATE-----\nq83vEjRWeJq83vEjRWeJqw==\n-----END CERTIFICATE-----\n").found());
  EXPECT_TRUE(judged("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END PRIVATE KEY-----\n").found());
  EXPECT_TRUE(judged("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n").found());
  EXPECT_EQ(judged("-----BEGIN X-----\nMAMCAQE=\n-----END X-----\n").report.finding, Finding::kWhole);
}

TEST(AnsibleVault, OnlyHexDigitsOfHexDigitsAreOne) {
  std::string text = "$ANSIBLE_VAULT;1.1;AES256\n";
  for (int i = 0; i < 6; ++i) text += std::string(20, '3') + std::string(60, '3') + "\n";
  EXPECT_EQ(judged(text).report.finding, Finding::kCipher);
  text[60] = 'z';
  EXPECT_EQ(judged(text).report.finding, Finding::kBroken);
}

TEST(OpensslEnc, OneIsACipherWithADenseStretch) {
  const std::string text = "Salted__" + std::string(40, 'x');
  const auto said = judged(text);
  EXPECT_EQ(said.report.finding, Finding::kCipher);
  EXPECT_EQ(said.report.stretches, (std::vector<Stretch>{{{16, 32}, Density::kDense}}));
  EXPECT_EQ(judged("U2FsdGVkX1+AAAAA\nAA$A\n").report.finding, Finding::kBroken);
}

TEST(Base64, ItIsWholeOnlyWithRightPadding) {
  const auto ends_well = [](std::string_view text) {
    base64::Decoder decoder;
    base::Bytes out;
    return decoder.feed(text, out) && decoder.ends_well();
  };
  for (const std::string_view good : {"", "AAAA", "AAA=", "AA==", "AAA", "AA\nAA"})
    EXPECT_TRUE(ends_well(good)) << good;
  for (const std::string_view bad : {"A", "AA=", "AAA==", "AA==A", "A-AA", "AAB="}) EXPECT_FALSE(ends_well(bad)) << bad;
}

}  // namespace
}  // namespace kura::detect::ciphers_test
