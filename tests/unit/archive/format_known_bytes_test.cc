// One object of each kind, byte by byte: a format that drifts fails here, even when writer and reader drift together.
#include <algorithm>

#include <gtest/gtest.h>

#include "support/archive/format_samples.h"
#include "support/hex.h"

namespace kura::archive {
namespace {

using base::Encoder;
using base::to_hex;
using kura::test::hex;
using test::digest_of;
using test::kCatalogKey;
using test::kSigningSeed;

constexpr std::string_view kConfigHex =
    "4b555241434f4e460100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa15cd853dfe9c9717ef38b4abd14b0a919cbe6839f6185b97"
    "d32607bee359c6c53c12cc7597867d59c050c5637a44fa8629fff3cccce2300cb362a63d99d95fc54145266f4332445a0102"
    "0000040000001000000040000102004000000000010000000400000000029314830e82279ddfb2398f2ef63a9e6fe8bd213f"
    "12ecee7a8b35dcbac2094ff5f3ccde160b01367322e331d8c148d09d1b9c506908440f82593a2321ca4b5004";
constexpr std::string_view kCertificateHex =
    "4b5552414b455953010002c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0fbffffffffffff"
    "ff04686f73742012cb90ca60e8e5d8daf66e2272d2233e0486d557e8c66141ed8920177d7eb7542918f1379907ad4c251cc9"
    "ef78108e346782dd59918778c2a444947a059359c06c84469643033ca4e84adc7d93b5077ee7a073270677691cb9b9beef9b"
    "c704";
// Of the passphrase "passphrase", sealed once with a random salt.
constexpr std::string_view kSlotHex =
    "4b5552414b455953010001c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c005000000000000"
    "00056c6162656cca8c076068a130992d54fddc3033c85101000000080000002dc183a1bff6cde4e739ba25e817a1140e4b27"
    "6f566bd86a76eb80c7d6d659cfc2f1e82d0d11aaae3126ac884ccbf5b9";
constexpr std::string_view kHeaderHex =
    "4b5552415041434b01000202aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    "bbbbbbbbbbbbbbbbbbbbdddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
    "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";
constexpr std::string_view kRecordHex =
    "02ec0b00020101010101010101010101010101010101010101010101010101010101010101e8070202020202020202020202"
    "020202020202020202020202020202020202020202f403ac0201010303030303030303030303030303030303030303030303"
    "03030303030303030380808008";
constexpr std::string_view kFooterHex =
    "c448463f293f2eee088d49d9268e0e3f8b8f5cfce2b5e3c7aa46053338f855e57170a60aab5be6cccfe1ad45f64f1c24242c"
    "e3b2b25708a7c1cdc0490d0ad21b96bdb9f90d0317dd5198a6848900afc26c201024b444996e24ba5f1d1a60dcf9bf634dc4"
    "7bf9ac75bc321f3b3020900ce8eb9b9e042c0ac8e8fb298cbb75dfa12b810000004b454e44";
constexpr std::string_view kIndexHex =
    "4b555241494e445801000100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa78f41fda3a9604536d1378beef15df4d699b7a189438"
    "00a86f2a103fc6e3f7cb0200000010101010101010101010101010101010101010101010101010101010101010102d080000"
    "000000001111111111111111111111111111111111111111111111111111111111111111f901000000000000ed4d4f9ca15d"
    "9af32a6b644af2beae2eb817b688a170c0998e1c7a5671261c73d455066c9a140cc687166e4f896cc4b097c8a5d96c42aa15"
    "19dfb598205654ee89700dd2fcbdc2e955fcbcadddfbc431f53b91e985205f55668572391478ccce3f6138f074b2a741e6ea"
    "37f97bfa788a052b5f413b23170c182c6cbebe384aab9c2c22c70a4807bb3a9075bb08d0f2e6d3428327858efaa8a47432c7"
    "9dcb71409afd12233e1980b74fc4";
constexpr std::string_view kSnapshotHex =
    "4b555241534e415001000100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2012cb90ca60e8e5d8daf66e2272d2233e0486d557e8"
    "c66141ed8920177d7eb702000000000000002020202020202020202020202020202020202020202020202020202020202020"
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee42000000000000000200000021212121212121212121212121212121212121212121"
    "2121212121212121212101000000032222222222222222222222222222222222222222222222222222222222222222000000"
    "006c2021358f65b7b001aba1ae21ba263d153691c880c4dcc5a4d7d699f4ca1a8b87000000a5e820c71e753b9664e42cfae3"
    "de10eef20b6609c788281fb02b8f79c44c25666d3863c3232aa82b1ca5dee426580dfc3e54aa5dd5c47d45b214a0907a111e"
    "87a8abd53789d9a79bd5c2718e545766649f6bb0f5b6308896e0a03447c772f942c511963524aec5c6b61e39471dd0d519c5"
    "c370588804323b923abc1c7da54531f3219a00ec2b024dcab1f88a001650014f512fdde59cece63ab2f75c796e9ca5b46eda"
    "0fa2ffd5e1883f4274145ccfb3db95ca26c4357aa36abfce217dcf79d76170c114223c04";
constexpr std::string_view kLabelHex =
    "0141010404040404040404040404040404040404040404040404040404040404040404050505050505050505050505050505"
    "0505050505050505050505050505050505020504686f7374030504757365720407022f61032f62ff0506056461696c790608"
    "4d000000000000000706010203900305080102";
constexpr std::string_view kEntryHex =
    "70010b7265706f7274ff2e747874a403e807ffffffff0f01ff93ebdc03010288270221000606060606060606060606060606"
    "0606060606060606060606060606060606060503616e6e0605737461666607020708081306757365722e6101310675736572"
    "2e620200780906000aa01fde07";
constexpr std::string_view kLeaseHex = "4b5552414c45415301000102030000000000000000000000000002020100000000000003000000";
constexpr std::string_view kCondemnedHex =
    "4b555241434f4e44010002000000010101010101010101010101010101010101010101010101010101010101010102020202"
    "0202020202020202020202020202020202020202020202020202020201000000030303030303030303030303030303030303"
    "0303030303030303030303030303";

const LeaseObject kLease{.session = {1, 2, 3}, .purpose = LeasePurpose::kCopy, .start = 0x0102, .renewals = 3};
const CondemnedObject kCondemned{.packs = {digest_of(1), digest_of(2)}, .indexes = {digest_of(3)}};

template <typename T>
std::string hex_of(const T& part) {
  Encoder out;
  part.encode(out);
  return to_hex(out.bytes());
}

TEST(KnownBytesTest, OfWhatIsWrittenTheSameEveryTime) {
  EXPECT_EQ(to_hex(test::sample_config().encode(kSigningSeed)), kConfigHex);
  EXPECT_EQ(to_hex(test::sample_certificate().encode(kSigningSeed)), kCertificateHex);
  EXPECT_EQ(to_hex(test::sample_header().encode()), kHeaderHex);
  EXPECT_EQ(hex_of(test::sample_record()), kRecordHex);
  EXPECT_EQ(to_hex(seal_footer(test::sample_header(), test::sample_record(), kCatalogKey)), kFooterHex);
  EXPECT_EQ(hex_of(test::sample_label()), kLabelHex);
  EXPECT_EQ(hex_of(test::sample_file()), kEntryHex);
  EXPECT_EQ(to_hex(kLease.encode()), kLeaseHex);
  EXPECT_EQ(to_hex(kCondemned.encode()), kCondemnedHex);
}

TEST(KnownBytesTest, OfASlotStillOpen) {
  const auto object = decode_key_object(hex(kSlotHex), digest_of(0xc0), crypto::ed25519_public(kSigningSeed));
  ASSERT_TRUE(object) << object.error().text();
  const auto recovery = std::get<RecoverySlot>(*object).open("passphrase");
  ASSERT_TRUE(recovery) << recovery.error().text();
  EXPECT_TRUE(std::ranges::equal(recovery->span(), test::kRecovery.span()));
}

TEST(KnownBytesTest, OfAnIndexStillOpen) {
  const auto index = Index::decode(hex(kIndexHex), &kCatalogKey);
  ASSERT_TRUE(index) << index.error().text();
  EXPECT_EQ(index->repository, test::sample_repository());
  ASSERT_EQ(index->packs.size(), 2U);
  EXPECT_EQ(index->packs[0].id, digest_of(0x10));
  EXPECT_EQ(index->packs[0].record, test::sample_record());
}

TEST(KnownBytesTest, OfASnapshotStillOpen) {
  const auto snapshot = Snapshot::decode(hex(kSnapshotHex), &kCatalogKey);
  ASSERT_TRUE(snapshot) << snapshot.error().text();
  EXPECT_EQ(snapshot->machine, test::sample_snapshot().machine);
  EXPECT_EQ(snapshot->needs, test::sample_snapshot().needs);
  EXPECT_EQ(snapshot->label, test::sample_label());
}

TEST(KnownBytesTest, OfTheSeriesAndTheFrameKey) {
  EXPECT_EQ(to_hex(series_of(test::key_of(1), "host", {"/b", "/a"})), "bd483cf9d1848de40223b087453972c2");
  EXPECT_EQ(to_hex(frame_key(test::key_of(1), test::sample_header()).span()),
            "3349309b7c1e541574749c306faa357c295182e83d7388b3a1bdb7dffe2647e9");
}

}  // namespace
}  // namespace kura::archive
