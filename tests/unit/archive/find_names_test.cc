#include <gtest/gtest.h>

#include "archive/restore/find.h"
#include "support/archive/format_samples.h"
#include "support/archive/repository_builder.h"

namespace kura::archive::test {
namespace {

struct Found {
  std::vector<std::string> paths;
  std::vector<std::string> damaged;
};

Found search(Finder& finder, const RepositoryBuilder& builder, const StoredSnapshot& snapshot) {
  std::vector<DamagedObject> damaged;
  const ChunkIndex index = load_index(builder.repository(), snapshot, damaged).value();
  PackReader reader(builder.repository(), index);
  Found found;
  const base::Status status = finder.search(
      reader, snapshot.snapshot.label->root,
      [&](const std::string& path, const Entry&) -> base::Status {
        found.paths.push_back(path);
        return {};
      },
      [&](const std::string& path, const base::Error&) { found.damaged.push_back(path); });
  EXPECT_TRUE(status.has_value());
  return found;
}

TEST(Find, MatchesNamesAndPathsInEverySnapshot) {
  RepositoryBuilder builder;
  const Entry docs = builder.folder("docs", {builder.file("a.odt", "1"), builder.file("b.txt", "2")});
  const Entry music = builder.folder("music", {builder.folder("x", {builder.file("c.ogg", "3")})});
  const StoredSnapshot first = builder.commit({docs, music});
  const StoredSnapshot second = builder.commit({docs, music, builder.file("d.odt", "4")});
  Finder by_name(base::Glob::create("*.odt").value());
  EXPECT_EQ(search(by_name, builder, first).paths, (std::vector<std::string>{"/docs/a.odt"}));
  EXPECT_EQ(search(by_name, builder, second).paths, (std::vector<std::string>{"/d.odt", "/docs/a.odt"}));
  Finder by_path(base::Glob::create("/music/x").value());
  EXPECT_EQ(search(by_path, builder, first).paths, (std::vector<std::string>{"/music/x"}));
  EXPECT_EQ(search(by_path, builder, second).paths, (std::vector<std::string>{"/music/x"}));
}

TEST(Find, FindsAMovedFolderUnderItsNewPath) {
  RepositoryBuilder builder;
  const Entry inner = builder.folder("inner", {builder.file("file", "1")});
  const StoredSnapshot first = builder.commit({builder.folder("old", {inner})});
  const StoredSnapshot second = builder.commit({builder.folder("new", {inner})});
  Finder finder(base::Glob::create("/new/inner/file").value());
  EXPECT_TRUE(search(finder, builder, first).paths.empty());
  EXPECT_EQ(search(finder, builder, second).paths, (std::vector<std::string>{"/new/inner/file"}));
}

TEST(Find, DoesNotReadAgainWhatHadNoMatch) {
  RepositoryBuilder builder;
  const Entry without = builder.folder("without", {builder.file("x", "1")});
  builder.end_pack(Content::kListing);
  const StoredSnapshot first = builder.commit({without});
  const StoredSnapshot second = builder.commit({without, builder.file("y", "2")});
  Finder finder(base::Glob::create("y").value());
  EXPECT_TRUE(search(finder, builder, first).paths.empty());
  // The folder's listing can no longer be read, and need not be.
  builder.damage(store::Kind::kPack, builder.packs()[0], kPackHeaderSize + 1);
  const Found found = search(finder, builder, second);
  EXPECT_EQ(found.paths, (std::vector<std::string>{"/y"}));
  EXPECT_TRUE(found.damaged.empty());
}

TEST(Find, TellsOfDamageInEverySnapshotThatHasIt) {
  RepositoryBuilder builder;
  Entry lost = builder.folder("lost", {});
  lost.content.ids = {digest_of(3)};
  const Entry above = builder.folder("above", {lost});
  const StoredSnapshot first = builder.commit({above});
  const StoredSnapshot second = builder.commit({above, builder.file("y", "2")});
  Finder finder(base::Glob::create("nothing").value());
  EXPECT_EQ(search(finder, builder, first).damaged, (std::vector<std::string>{"/above/lost"}));
  EXPECT_EQ(search(finder, builder, second).damaged, (std::vector<std::string>{"/above/lost"}));
}

}  // namespace
}  // namespace kura::archive::test
