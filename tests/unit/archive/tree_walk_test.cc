#include <gtest/gtest.h>

#include "archive/repo/tree.h"
#include "support/archive/format_samples.h"
#include "support/archive/opened_snapshot.h"
#include "support/archive/repository_builder.h"

namespace kura::archive::test {
namespace {

using base::ErrorCode;

std::vector<std::string> walk(PackReader& reader, const Entry& folder, const std::string& path,
                              std::vector<std::string>& damaged, Visit answer = Visit::kContinue) {
  std::vector<std::string> seen;
  const base::Status status = walk_tree(
      reader, folder, path,
      [&](const std::string& at, const Entry&) -> base::Result<Visit> {
        seen.push_back(at);
        return answer;
      },
      [&](const std::string& at, const base::Error&) { damaged.push_back(at); });
  EXPECT_TRUE(status.has_value());
  return seen;
}

TEST(Tree, IsWalkedFoldersFirstInTheOrderOfNames) {
  RepositoryBuilder builder;
  OpenedSnapshot tree(
      builder,
      builder.commit({builder.folder("b", {builder.folder("c", {builder.file("d", "1")}), builder.file("e", "2")}),
                      builder.file("a", "3"), builder.file("b.txt", "4")}));
  std::vector<std::string> damaged;
  const Entry root = find_entry(tree.reader, tree.root(), "/").value();
  EXPECT_EQ(walk(tree.reader, root, "/", damaged),
            (std::vector<std::string>{"/a", "/b", "/b/c", "/b/c/d", "/b/e", "/b.txt"}));
  const Entry b = find_entry(tree.reader, tree.root(), "/b").value();
  EXPECT_EQ(walk(tree.reader, b, "/b", damaged), (std::vector<std::string>{"/b/c", "/b/c/d", "/b/e"}));
  EXPECT_EQ(walk(tree.reader, root, "/", damaged, Visit::kSkipFolder),
            (std::vector<std::string>{"/a", "/b", "/b.txt"}));
  EXPECT_EQ(walk(tree.reader, root, "/", damaged, Visit::kStop), (std::vector<std::string>{"/a"}));
  EXPECT_TRUE(damaged.empty());
}

TEST(Tree, FindsEntriesByTheirPath) {
  RepositoryBuilder builder;
  OpenedSnapshot tree(builder,
                      builder.commit({builder.folder("b", {builder.file("e", "22")}), builder.file("a", "1")}));
  EXPECT_EQ(find_entry(tree.reader, tree.root(), "/b/e")->size, 2U);
  EXPECT_EQ(find_entry(tree.reader, tree.root(), "b//e/")->size, 2U);
  EXPECT_EQ(find_entry(tree.reader, tree.root(), "/")->type, EntryType::kFolder);
  expect_error(find_entry(tree.reader, tree.root(), "/b/x/y"), ErrorCode::kNotFound, "/b/x ");
  expect_error(find_entry(tree.reader, tree.root(), "/a/x"), ErrorCode::kNotFound, "/a is not a folder");
  expect_error(find_entry(tree.reader, tree.root(), "/b/.."), ErrorCode::kNotFound);
}

TEST(Tree, ReadsListingsOfManyChunks) {
  RepositoryBuilder builder;
  std::vector<Entry> files;
  for (int number = 0; number < 3000; ++number) files.push_back(builder.file(std::to_string(number), "x"));
  OpenedSnapshot tree(builder, builder.commit(files));
  std::vector<std::string> damaged;
  EXPECT_EQ(walk(tree.reader, find_entry(tree.reader, tree.root(), "/").value(), "/", damaged).size(), 3000U);
}

TEST(Tree, GoesOnPastAFolderThatIsDamaged) {
  RepositoryBuilder builder;
  Entry lost = builder.folder("lost", {});
  lost.content.ids = {digest_of(7)};
  OpenedSnapshot tree(builder,
                      builder.commit({lost, builder.file("a", "1"), builder.folder("z", {builder.file("y", "2")})}));
  std::vector<std::string> damaged;
  EXPECT_EQ(walk(tree.reader, find_entry(tree.reader, tree.root(), "/").value(), "/", damaged),
            (std::vector<std::string>{"/a", "/lost", "/z", "/z/y"}));
  EXPECT_EQ(damaged, (std::vector<std::string>{"/lost"}));
}

TEST(Tree, RefusesListingsThatNoBackupWrites) {
  const auto encoded = [](const std::string& name) {
    base::Encoder out;
    RepositoryBuilder::entry(EntryType::kFifo, name, 0600).encode(out);
    return std::string(base::as_text(out.bytes()));
  };
  std::string parent_folder = encoded("..");
  for (const std::string& listing :
       {encoded("b") + encoded("a"), encoded("a") + encoded("a"), encoded("a").substr(0, 9), parent_folder,
        encoded("x/y"), std::string("\xff\xff\xff\xff\xff\xff\xff\xff\x7f")}) {
    RepositoryBuilder builder;
    Entry folder = builder.folder("f", {});
    folder.content = builder.content(Content::kListing, listing);
    OpenedSnapshot tree(builder, builder.commit({folder}));
    std::vector<std::string> damaged;
    walk(tree.reader, find_entry(tree.reader, tree.root(), "/").value(), "/", damaged);
    EXPECT_EQ(damaged, (std::vector<std::string>{"/f"}));
  }
}

}  // namespace
}  // namespace kura::archive::test
