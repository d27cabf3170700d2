#include "base/escape.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/utf8.h"

namespace kura::base {
namespace {

TEST(PrintableTest, NamesOfPeopleStayAsTheyAre) {
  for (const char* name : {"", "plain.txt", "Über straße.doc", "蔵守 バックアップ.xlsx", "file\\with\\backslash",
                           "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80.png"}) {
    EXPECT_EQ(printable(name), name);
  }
}

TEST(PrintableTest, WhatDrivesATerminalIsSpelledOut) {
  EXPECT_EQ(printable("\x1b[2J\a\r\n\x7f"), "\\x1b[2J\\x07\\x0d\\x0a\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m")
      << "U+009B is an escape sequence too";
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "cod.exe"),
            "\\xe2\\x80\\xaecod.exe")
      << "U+202E turns the direction";
  EXPECT_EQ(printable("a\xff\xc3(b"), "a\\xff\\xc3(b");
}

TEST(PrintableTest, AnEscapeCannotBeForged) { EXPECT_EQ(printable("\\x1b"), "\\x5cx1b"); }

RC_GTEST_PROP(PrintableTest, AnyBytesBecomeSafeUtf8FromWhichTheyCanBeReadBack, ()) {
  const auto bytes = *rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::arbitrary<char>(), rc::gen::element('\\', 'x', '\xe2', '\x80', '\xae', '\xf0', '\xc2')));
  const std::string text = printable(bytes);
  RC_ASSERT(is_utf8(text));
  std::string back;
  for (std::size_t i = 0; i < text.size(); ++i) {
    RC_ASSERT(static_cast<unsigned char>(text[i]) >= 0x20);
    RC_ASSERT(text[i] != '\x7f');
    if (text.compare(i, 2, "\\x") == 0) {
      back += static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16));
      i += 3;
    } else {
      back += text[i];
    }
  }
  RC_ASSERT(back == bytes);
  RC_ASSERT(is_utf8(utf8_or_escaped(bytes)));
}

TEST(Utf8OrEscapedTest, ChangesOnlyWhatIsNotUtf8) {
  EXPECT_EQ(utf8_or_escaped("蔵\x1b\n\\x00"), "蔵\x1b\n\\x00");
  EXPECT_EQ(utf8_or_escaped("蔵\xff"
                            "a"),
            "蔵\\xff"
            "a");
}

TEST(Utf8Test, RefusesOverlongFormsSurrogatesAndWhatIsTooLarge) {
  for (const char* text : {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80", "\xe2\x82", "\xff"}) {
    EXPECT_FALSE(is_utf8(text)) << printable(text);
  }
  for (const char* text :
       {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << printable(text);
  }
}

}  // namespace
}  // namespace kura::base
