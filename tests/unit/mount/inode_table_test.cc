// The table of what the kernel knows, against a map of counts.
#include "mount/inode_table.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "mount/attributes.h"

namespace kura::mount::test {
namespace {

using archive::EntryType;

NodeFacts facts(std::uint8_t key, NodeId parent = kTopNode, EntryType type = EntryType::kFile) {
  NodeFacts made;
  made.key.bytes.fill(key);
  made.parent = parent;
  made.entry.type = type;
  made.entry.name = "n" + std::to_string(key);
  return made;
}

RC_GTEST_PROP(InodeTable, KnowsExactlyWhatTheKernelCounts, (const std::vector<std::pair<std::uint8_t, bool>>& steps)) {
  InodeTable table(facts(255, kTopNode, EntryType::kFolder), 1 << 20);
  std::map<std::uint8_t, std::uint64_t> counts;  // by key
  std::map<std::uint8_t, NodeId> ids;
  std::map<NodeId, std::uint8_t> used;
  for (const auto& [value, is_look_up] : steps) {
    const auto key = static_cast<std::uint8_t>(value % 16);
    if (is_look_up || !ids.contains(key)) {
      const NodePtr node = table.look_up(facts(key));
      RC_ASSERT(!ids.contains(key) || ids[key] == node->id);
      RC_ASSERT(ids.contains(key) || !used.contains(node->id));
      ids[key] = node->id;
      used[node->id] = key;
      ++counts[key];
    } else {
      const std::uint64_t count = value % 3U + 1;
      table.forget(ids[key], count);
      counts[key] -= std::min(count, counts[key]);
      if (counts[key] == 0) ids.erase(key);
    }
    RC_ASSERT(table.size() == ids.size() + 1);
    for (const auto& [id, of] : used) RC_ASSERT((table.find(id) != nullptr) == (ids.contains(of) && ids[of] == id));
  }
}

TEST(InodeTable, NeverForgetsTheTop) {
  InodeTable table(facts(1), 1000);
  table.forget(kTopNode, 100);
  EXPECT_NE(table.find(kTopNode), nullptr);
  table.forget(12345, 1);  // a number that was never given out
}

TEST(InodeTable, TellsWhenItHasGrownTooLargeAndWhichFilesAreOldest) {
  InodeTable table(facts(0, kTopNode, EntryType::kFolder), 20'000);
  EXPECT_FALSE(table.is_over_limit());
  EXPECT_FALSE(table.is_full());
  const NodePtr folder = table.look_up(facts(1, kTopNode, EntryType::kFolder));
  for (std::uint8_t key = 2; key < 100; ++key) table.look_up(facts(key, folder->id));
  EXPECT_TRUE(table.is_over_limit());
  EXPECT_TRUE(table.is_full());
  NodeId after = 0;
  while (table.is_over_limit()) {
    const std::vector<NodePtr> oldest = table.oldest_files(after, 10);
    ASSERT_FALSE(oldest.empty());
    for (const NodePtr& node : oldest) {
      EXPECT_GT(node->id, after);
      EXPECT_EQ(node->entry.type, EntryType::kFile);
      after = node->id;
      table.forget(node->id, 1);
    }
  }
  EXPECT_FALSE(table.is_full());
  EXPECT_NE(table.find(folder->id), nullptr);
}

TEST(InodeTable, IsFullOnlyWellBeyondWhereForgettingBegins) {
  InodeTable table(facts(0), 50'000);  // of some 700 bytes each: keys are one byte
  std::uint8_t key = 1;
  for (; key < 250 && !table.is_over_limit(); ++key) table.look_up(facts(key));
  EXPECT_FALSE(table.is_full());
  const std::size_t at_limit = table.size();
  for (; key < 250 && !table.is_full(); ++key) table.look_up(facts(key));
  EXPECT_TRUE(table.is_full());
  EXPECT_GE(table.size() + 2, 2 * at_limit);
}

TEST(InodeTable, NamesPathsAsFarAsItKnowsThem) {
  InodeTable table(facts(0, kTopNode, EntryType::kFolder), 1000);
  const NodePtr a = table.look_up(facts(1, kTopNode, EntryType::kFolder));
  const NodePtr b = table.look_up(facts(2, a->id, EntryType::kFolder));
  const NodePtr c = table.look_up(facts(3, b->id));
  EXPECT_EQ(table.path_of(*c), "n1/n2/n3");
  table.forget(a->id, 1);
  EXPECT_EQ(table.path_of(*c), "n2/n3");
}

TEST(NodeKey, IsOneForTheNamesOfAFileAndAnotherForAllElse) {
  const auto snapshot = std::make_shared<const archive::StoredSnapshot>();
  NodeFacts parent = facts(1, kTopNode, EntryType::kFolder);
  parent.snapshot = snapshot;
  NodeFacts other = parent;
  other.key.bytes.fill(2);
  archive::Entry first = facts(3).entry;
  archive::Entry second = first;
  second.name = "another name";
  EXPECT_NE(key_of(parent, snapshot, first), key_of(parent, snapshot, second));
  EXPECT_NE(key_of(parent, snapshot, first), key_of(other, snapshot, first));
  first.hard_link = second.hard_link = {1, 2};
  EXPECT_EQ(key_of(parent, snapshot, first), key_of(other, snapshot, second));
  second.size = 1;  // it was changed between the two looks
  EXPECT_NE(key_of(parent, snapshot, first), key_of(other, snapshot, second));
}

}  // namespace
}  // namespace kura::mount::test
