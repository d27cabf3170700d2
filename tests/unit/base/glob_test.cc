#include "base/glob.h"

#include <ctime>
#include <regex>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kura::base {
namespace {

bool matches(std::string_view pattern, std::string_view path, bool is_directory = false) {
  return Glob::create(pattern).value().matches(path, is_directory);
}

TEST(GlobTest, APatternWithoutSlashIsForTheLastComponentAnywhere) {
  EXPECT_TRUE(matches("*.tmp", "a.tmp"));
  EXPECT_TRUE(matches("*.tmp", "/srv/deep/a.tmp"));
  EXPECT_FALSE(matches("*.tmp", "/srv/a.tmp/b"));
  EXPECT_FALSE(matches("*.tmp", "a.tmpx"));
  EXPECT_TRUE(matches("core", "/var/core"));
  EXPECT_FALSE(matches("core", "/var/score"));
}

TEST(GlobTest, ALeadingSlashTiesItToTheRoot) {
  EXPECT_TRUE(matches("/srv/cache", "/srv/cache"));
  EXPECT_TRUE(matches("/srv/cache", "srv/cache/"));
  EXPECT_FALSE(matches("/srv/cache", "/mnt/srv/cache"));
  EXPECT_FALSE(matches("/srv/cache", "/srv/cache/file"));
  EXPECT_TRUE(matches("/*", "/srv"));
  EXPECT_FALSE(matches("/*", "/srv/file"));
}

TEST(GlobTest, AnInnerSlashMatchesAtAnyDepth) {
  EXPECT_TRUE(matches("node_modules/.cache", "/home/a/node_modules/.cache"));
  EXPECT_TRUE(matches("node_modules/.cache", "node_modules/.cache"));
  EXPECT_FALSE(matches("node_modules/.cache", "/my_node_modules/.cache"));
}

TEST(GlobTest, ATrailingSlashMeansFoldersOnly) {
  EXPECT_TRUE(matches("build/", "/a/build", true));
  EXPECT_FALSE(matches("build/", "/a/build", false));
  EXPECT_TRUE(matches("/a/build/", "/a/build", true));
}

TEST(GlobTest, AStarStaysInItsFolderAndTwoStarsDoNot) {
  EXPECT_TRUE(matches("/home/*/tmp", "/home/a/tmp"));
  EXPECT_FALSE(matches("/home/*/tmp", "/home/a/b/tmp"));
  EXPECT_TRUE(matches("/home/**/tmp", "/home/tmp"));
  EXPECT_TRUE(matches("/home/**/tmp", "/home/a/b/tmp"));
  EXPECT_FALSE(matches("/home/**/tmp", "/home/a/xtmp"));
  EXPECT_TRUE(matches("/srv/**", "/srv/a/b"));
  EXPECT_FALSE(matches("/srv/**", "/srv"));
  EXPECT_TRUE(matches("**/logs", "logs"));
  EXPECT_TRUE(matches("**/logs", "a/logs"));
  EXPECT_TRUE(matches("/a**z", "/a/b/z"));
}

TEST(GlobTest, OneCharacterIsACodePointOrAnInvalidByte) {
  EXPECT_TRUE(matches("?.txt", "ü.txt"));
  EXPECT_TRUE(matches("??.txt", "蔵守.txt"));
  EXPECT_TRUE(matches("?.txt", "\xff.txt"));
  EXPECT_FALSE(matches("?.txt", "ab.txt"));
  EXPECT_FALSE(matches("/a?b", "/a/b"));
  EXPECT_TRUE(matches("*\xff", "a\xff"));
}

TEST(GlobTest, ClassesListCharactersAndRanges) {
  EXPECT_TRUE(matches("[a-c]x", "bx"));
  EXPECT_FALSE(matches("[a-c]x", "dx"));
  EXPECT_TRUE(matches("[!a-c]x", "dx"));
  EXPECT_FALSE(matches("[^a-c]x", "ax"));
  EXPECT_TRUE(matches("[]x]", "]"));
  EXPECT_TRUE(matches("[a-]", "-"));
  EXPECT_TRUE(matches("[\\]]", "]"));
  EXPECT_TRUE(matches("[ä-ü]", "ö"));
  EXPECT_FALSE(matches("/a[!b]c", "/a/c")) << "no class holds a slash";
}

TEST(GlobTest, ABackslashTakesTheNextCharacterAsItIs) {
  EXPECT_TRUE(matches("\\*", "*"));
  EXPECT_FALSE(matches("\\*", "a"));
  EXPECT_TRUE(matches("\\!a", "!a"));
  EXPECT_TRUE(matches("\\[x\\]", "[x]"));
}

TEST(GlobTest, UnusablePatternsAreRefusedWithAReason) {
  for (const std::string& pattern :
       {std::string(), std::string("/"), std::string("//"), std::string("!a"), std::string("[a"), std::string("["),
        std::string("[]"), std::string("[a-"), std::string("a\\"), std::string(Glob::kLongest + 1, 'a')}) {
    const auto glob = Glob::create(pattern);
    ASSERT_FALSE(glob) << pattern;
    EXPECT_EQ(glob.error().code(), ErrorCode::kUsage);
  }
}

// The same pattern as a regular expression, for patterns of a, b, /, ? and stars.
std::regex as_regex(std::string pattern) {
  const bool anchored = pattern.starts_with('/');
  pattern.erase(0, pattern.find_first_not_of('/'));
  const bool last_only = !anchored && !pattern.contains('/');
  std::string out = anchored ? "^" : last_only ? "^(?:.*/)?" : "^(?:[^/]+/)*";
  for (std::size_t i = 0; i < pattern.size();) {
    const std::size_t stars = std::min(pattern.find_first_not_of('*', i), pattern.size()) - i;
    const bool starts = i == 0 || pattern[i - 1] == '/';
    if (stars >= 2 && starts && i + stars < pattern.size() && pattern[i + stars] == '/') {
      out += "(?:[^/]+/)*";
      i += stars + 1;
    } else if (stars > 0) {
      out += stars == 1 || last_only ? "[^/]*" : ".*";
      i += stars;
    } else {
      out += pattern[i] == '?' ? std::string("[^/]") : std::string(1, pattern[i]);
      ++i;
    }
  }
  return std::regex(out + "$");
}

RC_GTEST_PROP(GlobTest, AgreesWithRegularExpressions, ()) {
  // Short ones: std::regex backtracks, and takes minutes for a few dozen stars.
  std::string pattern =
      *rc::gen::resize(12, rc::gen::container<std::string>(rc::gen::element('a', 'b', '/', '*', '*', '?')));
  while (pattern.contains("//")) pattern.replace(pattern.find("//"), 2, "/");
  if (pattern.ends_with('/')) pattern.pop_back();
  RC_PRE(!pattern.empty());
  const auto names = *rc::gen::container<std::vector<std::string>>(
      *rc::gen::inRange<std::size_t>(1, 5),
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', 'b'))));
  std::string path;
  for (const std::string& name : names) path += (path.empty() ? "" : "/") + name;
  RC_ASSERT(matches(pattern, path) == std::regex_match(path, as_regex(pattern)));
}

RC_GTEST_PROP(GlobTest, AnyBytesAsPatternAndPathAreHarmless, ()) {
  const auto bytes = rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::arbitrary<char>(), rc::gen::element('*', '?', '[', ']', '!', '-', '\\', '/')));
  const std::string pattern = *bytes;
  const std::string path = *bytes;
  const auto glob = Glob::create(pattern);
  RC_PRE(glob.has_value());
  glob->matches(path, true);
}

TEST(GlobTest, HostilePatternsCostNoMoreThanLengthTimesLength) {
  std::string stars, double_stars, folders;
  while (stars.size() < Glob::kLongest - 3) stars += "a*";
  while (double_stars.size() < Glob::kLongest - 4) double_stars += "a**";
  while (folders.size() < Glob::kLongest - 6) folders += "**/a/";
  const std::string name(4000, 'a');
  std::string deep;
  while (deep.size() < 4000) deep += "a/";
  const std::clock_t start = std::clock();  // processor time: other work on the machine does not count
  EXPECT_FALSE(matches(stars + "b", name));
  EXPECT_FALSE(matches("/" + double_stars + "b", name));
  EXPECT_FALSE(matches(folders + "b", deep + "a"));
  // About 4000 * 1000 steps each; exponential or even cubic matching would take minutes.
  EXPECT_LT(std::clock() - start, 20 * CLOCKS_PER_SEC);
}

TEST(GlobSetTest, AnyPatternMayMatch) {
  const std::string patterns[] = {"*.tmp", "/srv/cache/"};
  const GlobSet set = GlobSet::create(patterns).value();
  EXPECT_TRUE(set.matches("/a/b.tmp", false));
  EXPECT_TRUE(set.matches("/srv/cache", true));
  EXPECT_FALSE(set.matches("/srv/cache/x", false));
  EXPECT_FALSE(set.matches("/a/b", false));
  EXPECT_FALSE(GlobSet().matches("a", false));
  EXPECT_TRUE(GlobSet().empty());
}

TEST(GlobSetTest, CoversWhatLiesBelowAMatch) {
  const std::string patterns[] = {"/srv/cache/", "docs"};
  const GlobSet set = GlobSet::create(patterns).value();
  EXPECT_TRUE(set.covers("/srv/cache/x/y", false));
  EXPECT_TRUE(set.covers("/srv/cache", true));
  EXPECT_FALSE(set.covers("/srv/cache", false)) << "a file of that name";
  EXPECT_TRUE(set.covers("/a/docs/b", false));
  EXPECT_TRUE(set.covers("docs", false));
  EXPECT_FALSE(set.covers("/srv", true));
  EXPECT_FALSE(GlobSet().covers("/a", false));
}

TEST(GlobSetTest, OneBadPatternFailsTheSet) {
  const std::string patterns[] = {"good", "[bad"};
  EXPECT_FALSE(GlobSet::create(patterns));
}

}  // namespace
}  // namespace kura::base
