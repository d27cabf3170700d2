#include "detect/text/ransom_note.h"

#include <array>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "detect/text/addresses.h"
#include "detect/text/phrases.h"

namespace kura::detect::ransom_note_test {
namespace {

// The Tor project's own, and the first block's.
constexpr std::string_view kOnion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid";
constexpr std::string_view kWallet = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";

TEST(PhraseFinder, CountsAPhraseOnceWhereverItStands) {
  constexpr std::array<std::string_view, 3> kPhrases = {"abc", "bcd", "a long phrase of some words"};
  const std::array<std::span<const std::string_view>, 1> groups = {kPhrases};
  const note::PhraseFinder finder(groups);
  for (std::size_t at = 0; at < 100; ++at) {
    std::string text(100, '.');
    text.insert(at, "a long phrase of some words");
    EXPECT_EQ(finder.count(text)[0], 1U) << at;
    text.insert(at / 2, "abcd");
    EXPECT_EQ(finder.count(text)[0], 3U) << at;
  }
  EXPECT_EQ(finder.count("abc")[0], 1U);
  EXPECT_EQ(finder.count("")[0], 0U);
}

TEST(RansomNote, AddressesAreProvenByTheirChecksums) {
  EXPECT_TRUE(text::is_onion_name(kOnion));
  EXPECT_FALSE(text::is_onion_name("3gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"));
  EXPECT_TRUE(text::is_bitcoin_address(kWallet));
  EXPECT_FALSE(text::is_bitcoin_address("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"));
  EXPECT_TRUE(text::is_bitcoin_address("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"));  // BIP 173
  EXPECT_FALSE(text::is_bitcoin_address("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"));
}

TEST(RansomNote, NotesInEveryLanguageAreKnown) {
  for (const std::string_view text : {
           "All your files have been encrypted. To decrypt them, download Tor Browser and send us bitcoin. Do not "
           "rename files.",
           "Ihre Dateien wurden verschlüsselt! Zum Entschlüsseln kontaktieren Sie uns. Bezahlung in Bitcoin. Nicht "
           "umbenennen, "
           "sonst werden sie veröffentlicht.",
           "Tous vos fichiers ont été chiffrés. Pour les déchiffrer, contactez-nous par Tor Browser. Paiement en "
           "bitcoin. Ne renommez pas.",
           "Todos sus archivos han sido cifrados. Para recuperar y descifrar, contacte por Tor Browser. Pago en "
           "bitcoin. No renombre.",
           "Все ваши файлы зашифрованы. Для расшифровки напишите нам, оплата в биткоин. Не переименовывайте файлы.",
           "あなたのファイルは暗号化されました。復号するには Tor Browser "
           "で連絡してください。ビットコインで支払い。名前を変更しないでください。",
           "您的文件已被加密。要解密和恢复，请用 Tor Browser 联系我们。比特币付款。不要重命名文件。",
           "您的檔案已被加密。要解密和恢復，請用 Tor Browser 聯絡我們。比特幣付款。不要重新命名。",
           "당신의 파일이 암호화되었습니다. 복호화하려면 Tor Browser 로 연락하세요. 비트코인 지불. 이름을 변경하지 "
           "마세요. 복구",
       }) {
    const RansomNote note = judge_note(text, "README.txt");
    EXPECT_TRUE(note.is_note) << text << ' ' << note.score;
    EXPECT_FALSE(note.evidence.empty());
  }
}

TEST(RansomNote, OneKindOfSignIsNotEnough) {
  const std::string news =
      "Researchers say that the gang encrypted the victims' files and demanded a ransom in bitcoin. The decryptor was "
      "sold "
      "on an onion service; data were leaked. Contact us at the editorial desk.";
  EXPECT_FALSE(judge_note(news, "news.html").is_note);
  EXPECT_FALSE(
      judge_note("My wallet: " + std::string(kWallet) + "\nMy site: " + std::string(kOnion) + ".onion\n", "README.txt")
          .is_note);
  EXPECT_FALSE(
      judge_note("Your files are encrypted with your own key before they leave the machine. Keep the private key safe.",
                 "README.md")
          .is_note);
}

TEST(RansomNote, MarkupAndWideTextsAreReadThrough) {
  const std::string_view text =
      "<html><b>All your\nfiles</b> have been encrypted.<br>To decrypt, use Tor Browser. Pay in bitcoin. Do not "
      "rename.</html>";
  EXPECT_TRUE(judge_note(text, "how_to_decrypt.hta").is_note);
  std::string wide = "\xff\xfe";
  for (const char c : text) wide += {c, '\0'};
  MemoryInput input(base::as_bytes(wide));
  Window window(input);
  EXPECT_TRUE(judge_note(window, "how_to_decrypt.hta").is_note);
}

}  // namespace
}  // namespace kura::detect::ransom_note_test
