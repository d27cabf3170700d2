#include "base/error.h"

#include <cerrno>
#include <memory>
#include <set>

#include <gtest/gtest.h>

namespace kura::base {
namespace {

TEST(ErrorTest, NamesTheActionTheObjectAndTheReason) {
  const Error error = Error::from_errno("cannot write /srv/x/packs/ab", ENOSPC);
  EXPECT_EQ(error.code(), ErrorCode::kNoSpace);
  EXPECT_EQ(error.message(), "cannot write /srv/x/packs/ab: No space left on device");
  EXPECT_EQ(error.text(), error.message() + ". Free some space on this file system and run again");
  EXPECT_FALSE(error.hint().empty());
}

TEST(ErrorTest, ChoosesTheCodeFromErrno) {
  const std::pair<int, ErrorCode> cases[] = {
      {ENOENT, ErrorCode::kNotFound},   {EEXIST, ErrorCode::kExists},          {EACCES, ErrorCode::kDenied},
      {EPERM, ErrorCode::kDenied},      {EROFS, ErrorCode::kDenied},           {ENOSPC, ErrorCode::kNoSpace},
      {EDQUOT, ErrorCode::kNoSpace},    {EFBIG, ErrorCode::kNoSpace},          {EIO, ErrorCode::kIo},
      {EINTR, ErrorCode::kInterrupted}, {EOPNOTSUPP, ErrorCode::kUnsupported}, {EBUSY, ErrorCode::kConflict},
  };
  for (const auto& [value, code] : cases) EXPECT_EQ(Error::from_errno("x", value).code(), code) << value;
}

TEST(ErrorTest, KeepsCodeAndHintOnTheWayUp) {
  const Error error = Error(ErrorCode::kDamaged, "bad checksum", "run check").within("reading pack 7");
  EXPECT_EQ(error.text(), "reading pack 7: bad checksum. Run check");
  EXPECT_EQ(error.code(), ErrorCode::kDamaged);
  EXPECT_EQ(Error(ErrorCode::kIo, "m").with_hint("h").text(), "m. H");
}

TEST(ErrorTest, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  const int last = static_cast<int>(ErrorCode::kConflict);
  for (int code = 0; code <= last; ++code) names.insert(name_of(static_cast<ErrorCode>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(last + 1));
}

Result<int> half_of(int number) {
  if (number % 2 != 0) return fail(ErrorCode::kUsage, "odd");
  return number / 2;
}
Result<int> quarter_of(int number) { return KURA_TRY(half_of(KURA_TRY(half_of(number)))); }
Status check_quarter(int number) {
  KURA_TRY_AS(quarter_of(number), "quartering");
  return {};
}
Result<std::unique_ptr<int>> boxed(int number) {
  KURA_TRY(check_quarter(number));
  return std::make_unique<int>(number);
}
Result<std::unique_ptr<int>> passed_on(int number) {
  auto box = KURA_TRY(boxed(number));
  return box;
}

TEST(TryTest, GivesTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter_of(8).value(), 2);
  EXPECT_EQ(quarter_of(6).error().message(), "odd");
  EXPECT_TRUE(check_quarter(4));
  EXPECT_EQ(check_quarter(6).error().message(), "quartering: odd");
  EXPECT_EQ(**passed_on(4), 4);
  EXPECT_EQ(passed_on(5).error().message(), "quartering: odd");
}

}  // namespace
}  // namespace kura::base
