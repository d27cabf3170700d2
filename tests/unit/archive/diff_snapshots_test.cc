#include <gtest/gtest.h>

#include "archive/restore/diff.h"
#include "support/archive/format_samples.h"
#include "support/archive/opened_snapshot.h"
#include "support/archive/repository_builder.h"

namespace kura::archive::test {
namespace {

std::vector<std::string> diff(OpenedSnapshot& a, OpenedSnapshot& b) {
  std::vector<std::string> lines;
  const base::Status status =
      diff_trees(a.reader, a.root(), b.reader, b.root(), "/", [&](const Difference& difference) -> base::Status {
        lines.push_back(std::string(name_of(difference.change)) + " " + difference.path);
        EXPECT_EQ(difference.before.has_value(), difference.change != Change::kAdded);
        EXPECT_EQ(difference.after.has_value(), difference.change != Change::kRemoved);
        return {};
      });
  EXPECT_TRUE(status.has_value());
  return lines;
}

TEST(Diff, NamesWhatWasAddedRemovedAndChanged) {
  RepositoryBuilder builder;
  Entry touched = builder.file("touched", "same");
  OpenedSnapshot a(builder,
                   builder.commit({builder.file("changed", "1"), builder.folder("dir", {builder.file("in", "x")}),
                                   builder.folder("gone", {builder.file("in", "x")}), builder.file("kind", "k"),
                                   builder.file("same", "s"), touched}));
  touched.mode = 0600;
  OpenedSnapshot b(
      builder, builder.commit({builder.file("changed", "2"),
                               builder.folder("dir", {builder.file("in", "x"), builder.file("new", "n")}),
                               builder.folder("added", {builder.file("in", "x")}),
                               builder.folder("kind", {builder.file("in", "x")}), builder.file("same", "s"), touched}));
  EXPECT_EQ(diff(a, b), (std::vector<std::string>{"added /added", "added /added/in", "modified /changed",
                                                  "added /dir/new", "removed /gone", "removed /gone/in", "type /kind",
                                                  "added /kind/in", "metadata /touched"}));
  EXPECT_TRUE(diff(a, a).empty());
}

TEST(Diff, DoesNotReadFoldersThatAreEqual) {
  RepositoryBuilder builder;
  Entry unreadable = builder.folder("unreadable", {});
  unreadable.content.ids = {digest_of(5)};
  OpenedSnapshot a(builder, builder.commit({unreadable, builder.file("x", "1")}));
  OpenedSnapshot b(builder, builder.commit({unreadable, builder.file("x", "2")}));
  EXPECT_EQ(diff(a, b), (std::vector<std::string>{"modified /x"}));
}

TEST(Diff, NamesTheFolderThatCannotBeRead) {
  RepositoryBuilder builder;
  Entry unreadable = builder.folder("unreadable", {});
  OpenedSnapshot a(builder, builder.commit({unreadable}));
  unreadable.content.ids = {digest_of(5)};
  OpenedSnapshot b(builder, builder.commit({unreadable}));
  const base::Status status =
      diff_trees(a.reader, a.root(), b.reader, b.root(), "/", [](const Difference&) -> base::Status { return {}; });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code(), base::ErrorCode::kDamaged);
  EXPECT_TRUE(status.error().message().contains("/unreadable")) << status.error().text();
}

}  // namespace
}  // namespace kura::archive::test
