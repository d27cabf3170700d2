#include "detect/text/ransom_note.h"

#include <algorithm>
#include <array>
#include <span>

#include "detect/text/addresses.h"
#include "detect/text/encoding.h"
#include "detect/text/phrases.h"

namespace kura::detect {
namespace note {
namespace {

// Lower case in ASCII. To whoever reads it: articles say "the victim's files".
constexpr std::string_view kDone[] = {"your files have been encrypted",
                                      "your files are encrypted",
                                      "your files were encrypted",
                                      "all your files",
                                      "your network has been",
                                      "your data has been",
                                      "your data is encrypted",
                                      "your data are stolen",
                                      "your documents, photos",
                                      "your company has been",
                                      "your important files",
                                      "your computers and servers are encrypted",
                                      "we have encrypted your",
                                      "we encrypted your",
                                      "your systems have been",
                                      "your personal files",
                                      "your data are encrypted",
                                      "have downloaded your",
                                      "has been locked",
                                      "files are locked",
                                      "ファイルは暗号化されました",
                                      "ファイルが暗号化されました",
                                      "ファイルはすべて暗号化",
                                      "あなたのファイル",
                                      "お客様のファイル",
                                      "你的文件",
                                      "您的文件",
                                      "文件已被加密",
                                      "文件被加密",
                                      "您的檔案",
                                      "你的檔案",
                                      "檔案已被加密",
                                      "檔案被加密",
                                      "파일이 암호화",
                                      "파일은 암호화",
                                      "당신의 파일",
                                      "귀하의 파일",
                                      "ihre dateien wurden verschl",
                                      "ihre dateien sind verschl",
                                      "alle ihre dateien",
                                      "deine dateien",
                                      "ihre daten wurden verschl",
                                      "vos fichiers ont",
                                      "vos fichiers sont",
                                      "tous vos fichiers",
                                      "vos données ont",
                                      "vos documents, photos",
                                      "sus archivos han sido",
                                      "tus archivos han sido",
                                      "todos sus archivos",
                                      "todos tus archivos",
                                      "sus archivos est",
                                      "ваши файлы",
                                      "все ваши файлы",
                                      "ваши данные",
                                      "файлы зашифрованы",
                                      "файлы были зашифрованы"};

constexpr std::string_view kBack[] = {"decrypt your",
                                      "decrypt all",
                                      "decryptor",
                                      "decryption key",
                                      "decryption tool",
                                      "decryption software",
                                      "recover your files",
                                      "restore your files",
                                      "recover all your",
                                      "private key",
                                      "decrypt one file",
                                      "test decryption",
                                      "decrypt for free",
                                      "unlock your",
                                      "return your files",
                                      "decrypt files",
                                      "guarantee that you can",
                                      "get them back",
                                      "to decrypt",
                                      "recover your data",
                                      "復号",
                                      "復元",
                                      "解密",
                                      "恢复",
                                      "恢復",
                                      "복호화",
                                      "복구",
                                      "entschlüssel",
                                      "wiederherstell",
                                      "déchiffr",
                                      "décrypt",
                                      "récupérer",
                                      "descifrar",
                                      "desencriptar",
                                      "recuperar",
                                      "расшифров",
                                      "восстанов",
                                      "дешифр"};

constexpr std::string_view kReach[] = {
    "tor browser",    "torproject.org", "tox id",    "tox chat",  "qtox",       "contact us",   "write to us",
    "write us",       "our email",      "e-mail us", "send us",   "session id", "telegram",     "jabber",
    "onionmail",      "protonmail",     "tutanota",  "cock.li",   "live chat",  "our support",  "get in touch",
    "連絡",           "联系",           "聯繫",      "聯絡",      "연락",       "kontaktieren", "contactez",
    "nous contacter", "contáct",        "contacte",  "свяжитесь", "напишите",   "пишите",       "связаться"};

constexpr std::string_view kPay[] = {
    "bitcoin",     "btc",    "monero",          "xmr",          "cryptocurrency", "ransom",
    "the payment", "pay us", "you have to pay", "you must pay", "price",          "ビットコイン",
    "支払",        "比特币", "比特幣",          "付款",         "支付",           "비트코인",
    "지불",        "bezahl", "zahlung",         "lösegeld",     "paiement",       "payer",
    "rançon",      "pago",   "pagar",           "rescate",      "биткоин",        "биткойн",
    "оплат",       "выкуп"};

constexpr std::string_view kThreat[] = {"do not rename",
                                        "don't rename",
                                        "do not try to decrypt",
                                        "do not modify",
                                        "don't try to",
                                        "do not attempt",
                                        "will be published",
                                        "will be leaked",
                                        "publish your",
                                        "leak your",
                                        "permanent data loss",
                                        "permanently lost",
                                        "third party software",
                                        "third-party software",
                                        "will be destroyed",
                                        "will be deleted",
                                        "hours to",
                                        "days to",
                                        "price will",
                                        "do not contact the police",
                                        "sold to",
                                        "on our blog",
                                        "recovery compan",
                                        "will be lost",
                                        "do not turn off",
                                        "do not delete",
                                        "your reputation",
                                        "名前を変更しない",
                                        "公開され",
                                        "公開し",
                                        "不要重命名",
                                        "不要修改",
                                        "公开",
                                        "不要重新命名",
                                        "公開",
                                        "공개",
                                        "변경하지",
                                        "nicht umbenennen",
                                        "veröffentlich",
                                        "verändern sie nicht",
                                        "ne renommez pas",
                                        "publié",
                                        "ne modifiez",
                                        "no cambie",
                                        "no renombre",
                                        "publicad",
                                        "не переименовывайте",
                                        "опубликован",
                                        "не пытайтесь"};

constexpr std::string_view kNames[] = {"how_to",  "how to",    "howto",   "decrypt", "restore",   "recover",
                                       "readme",  "read_me",   "read me", "help_",   "_help",     "your_files",
                                       "warning", "important", "ransom",  "unlock",  "attention", "!!!"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

// Without tags and with single blanks, so that phrases broken over lines are found.
std::string flattened(std::string_view text) {
  std::string out(text.size(), ' ');
  std::size_t size = 0;
  bool tag = false;
  bool was_blank = true;
  for (const char c : text) {
    if (c == '<') tag = true;
    const bool blank = tag || c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (c == '>') tag = false;
    if (!blank || !was_blank) out[size++] = blank ? ' ' : lower(c);
    was_blank = blank;
  }
  out.resize(size);
  return out;
}

int count(std::string_view text, std::span<const std::string_view> phrases) {
  return static_cast<int>(
      std::ranges::count_if(phrases, [&](std::string_view p) { return text.find(p) != std::string_view::npos; }));
}

const PhraseFinder& finder() {
  static constexpr std::array<std::span<const std::string_view>, 5> kGroups = {kDone, kBack, kReach, kPay, kThreat};
  static const PhraseFinder kFinder(kGroups);
  return kFinder;
}

struct Found {
  bool onion = false;
  bool wallet = false;
  int wallets = 0;
};

bool is_address_sign(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Every word of letters and digits that is as long as an address.
Found addresses_in(std::string_view text) {
  Found found;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_address_sign(text[end])) ++end;
    const std::string_view word = text.substr(i, end - i);
    if (word.size() == 56 && text.substr(end, 6) == ".onion") found.onion = found.onion || text::is_onion_name(word);
    if (word.size() >= 26 && (text::is_bitcoin_address(word) || text::looks_like_monero(word))) ++found.wallets;
    i = end + 1;
  }
  found.wallet = found.wallets > 0;
  return found;
}

std::string utf8_of_utf16(base::ByteSpan bytes, bool little_endian) {
  std::string out;
  for (std::size_t i = 0; i + 2 <= bytes.size(); i += 2) {
    const unsigned value = little_endian ? little<std::uint16_t>(bytes, i) : big<std::uint16_t>(bytes, i);
    if (value < 0x80) {
      out.push_back(static_cast<char>(value));
    } else if (value < 0x800) {
      out.push_back(static_cast<char>(0xc0 | value >> 6));
      out.push_back(static_cast<char>(0x80 | (value & 0x3f)));
    } else if (value != 0xfeff) {  // halves of pairs come out wrong, and no phrase has them
      out.push_back(static_cast<char>(0xe0 | value >> 12));
      out.push_back(static_cast<char>(0x80 | (value >> 6 & 0x3f)));
      out.push_back(static_cast<char>(0x80 | (value & 0x3f)));
    }
  }
  return out;
}

}  // namespace
}  // namespace note

RansomNote judge_note(std::string_view text, std::string_view name) {
  RansomNote result;
  if (text.size() > kLargestNote || text.size() < 40) return result;
  const auto [done, back, reach, pay, threat, rest1, rest2, rest3] = note::finder().count(note::flattened(text));
  if (done == 0 || back == 0) return result;  // nearly all texts
  const note::Found found = note::addresses_in(text);
  const bool named = note::count(note::lowered(name), note::kNames) > 0;
  const auto add = [&](int points, const char* what) {
    result.score += points;
    result.evidence.emplace_back(what);
  };
  if (done > 0) add(done > 1 ? 3 : 2, "it tells its reader that his files are encrypted or taken");
  if (back > 0) add(back > 1 ? 2 : 1, "it offers to decrypt");
  if (reach > 0) add(1, "it says how to reach somebody");
  if (pay > 0) add(1, "it speaks of payment");
  if (threat > 0) add(threat > 1 ? 2 : 1, "it threatens");
  if (found.onion) add(3, "it names an onion service");
  // A list of wallets is somebody's book-keeping.
  if (found.wallet && found.wallets < 5) add(2, "it names a wallet");
  if (named) add(1, "it is named like one");
  // Long texts hold many phrases by chance.
  const int needed = text.size() > (16U << 10) ? 9 : 6;
  const bool whom = found.onion || found.wallet || reach > 0;
  result.is_note = done > 0 && back > 0 && whom && result.score >= needed;
  return result;
}

RansomNote judge_note(Window& in, std::string_view name) {
  if (in.size() > 2 * kLargestNote) return {};
  const text::Encoding encoding = text::encoding_of(in);
  const base::ByteSpan bytes = in.at(0, 2 * kLargestNote);
  const bool little_endian = encoding == text::Encoding::kUtf16Little;
  if (encoding == text::Encoding::kNone) return {};
  if (little_endian || encoding == text::Encoding::kUtf16Big)
    return judge_note(note::utf8_of_utf16(bytes, little_endian), name);
  return judge_note(base::as_text(bytes), name);
}

}  // namespace kura::detect
