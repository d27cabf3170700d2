#include <gtest/gtest.h>

#include "archive/restore/dump.h"
#include "support/archive/format_samples.h"
#include "support/archive/repository_builder.h"

namespace kura::archive::test {
namespace {

base::Result<std::string> dump(RepositoryBuilder& builder, const Entry& file) {
  const StoredSnapshot snapshot = builder.commit({file});
  std::vector<DamagedObject> damaged;
  const ChunkIndex index = load_index(builder.repository(), snapshot, damaged).value();
  PackReader reader(builder.repository(), index);
  std::string out;
  KURA_TRY(dump_file(reader, file, [&](base::ByteSpan bytes) -> base::Status {
    out += base::as_text(bytes);
    return {};
  }));
  return out;
}

TEST(Dump, GivesAFilesBytesInOrder) {
  RepositoryBuilder builder;
  std::string text;
  for (int line = 0; line < 5000; ++line) text += std::to_string(line);
  EXPECT_EQ(dump(builder, builder.file("f", text, 300)).value(), text);
  EXPECT_EQ(dump(builder, builder.file("empty", "")).value(), "");
}

TEST(Dump, GivesHolesAsZeros) {
  RepositoryBuilder builder;
  Entry sparse = builder.file("sparse", "abcdef", 4);
  sparse.size = 200'010;
  sparse.extents = {{{.gap = 100'000, .size = 5}, {.gap = 100'000, .size = 1}}};
  EXPECT_EQ(dump(builder, sparse).value(),
            std::string(100'000, '\0') + "abcde" + std::string(100'000, '\0') + "f" + std::string(4, '\0'));
}

TEST(Dump, EndsWithTheErrorOfTheSinkOrOfTheDamage) {
  RepositoryBuilder builder;
  Entry file = builder.file("f", "x");
  file.content.ids = {digest_of(4)};
  expect_error(dump(builder, file), base::ErrorCode::kDamaged);
  expect_error(dump(builder, builder.folder("d", {})), base::ErrorCode::kUsage);
  const StoredSnapshot snapshot = builder.commit({file});
  std::vector<DamagedObject> damaged;
  const ChunkIndex index = load_index(builder.repository(), snapshot, damaged).value();
  PackReader reader(builder.repository(), index);
  const base::Status status = dump_file(reader, builder.file("f", ""), [](base::ByteSpan) -> base::Status {
    return base::fail(base::ErrorCode::kIo, "pipe closed");
  });
  EXPECT_TRUE(status.has_value());  // nothing to give, nothing asked of the sink
}

TEST(Dump, StopsAtTheFirstRefusalOfItsSink) {
  RepositoryBuilder builder;
  const Entry file = builder.file("f", std::string(5'000, 'x'), 500);
  const StoredSnapshot snapshot = builder.commit({file});
  std::vector<DamagedObject> damaged;
  const ChunkIndex index = load_index(builder.repository(), snapshot, damaged).value();
  PackReader reader(builder.repository(), index);
  int calls = 0;
  const base::Status status = dump_file(reader, file, [&](base::ByteSpan) -> base::Status {
    return ++calls == 2 ? base::Status(base::fail(base::ErrorCode::kIo, "pipe closed")) : base::Status();
  });
  EXPECT_EQ(calls, 2);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code(), base::ErrorCode::kIo);
}

}  // namespace
}  // namespace kura::archive::test
