#include "mount/catalog.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kura::mount::test {
namespace {

using archive::StoredSnapshot;
using archive::Verdict;

constexpr std::int64_t kSecond = 1'000'000'000;

StoredSnapshot snapshot(std::int64_t started, std::uint8_t id, const std::string& host = "host",
                        Verdict verdict = Verdict::kUnjudged) {
  StoredSnapshot made;
  made.id.bytes.fill(id);
  made.snapshot.started = started;
  archive::SnapshotLabel label;
  label.host = host;
  label.verdict = verdict;
  made.snapshot.label = label;
  return made;
}

std::vector<std::string> names(const CatalogView::Items& items) {
  std::vector<std::string> found;
  for (const CatalogItem& item : items) found.push_back(item.entry.name);
  return found;
}

std::string target(const CatalogView::Items& items, const std::string& name) {
  const CatalogItem* item = CatalogView::find(items, name);
  return item != nullptr ? item->entry.target : "not there";
}

using Names = std::vector<std::string>;

TEST(SnapshotNames, AreTimesAndUnique) {
  EXPECT_EQ(snapshot_names({snapshot(0, 1), snapshot(kSecond, 2), snapshot(kSecond + 5, 0xab)}),
            (Names{"1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z", "1970-01-01T00:00:01Z-abababab"}));
}

TEST(SnapshotNames, StayWhenLaterSnapshotsCome) {
  std::vector<StoredSnapshot> snapshots;
  Names before;
  for (std::uint8_t id = 1; id < 20; ++id) {
    snapshots.push_back(snapshot(id / 3 * kSecond, id));
    const Names now = snapshot_names(snapshots);
    EXPECT_TRUE(std::equal(before.begin(), before.end(), now.begin()));
    before = now;
  }
}

TEST(SnapshotNames, AreUniqueEvenForIdsThatBeginAlike) {
  std::vector<StoredSnapshot> snapshots(3, snapshot(0, 7));
  snapshots[2].id.bytes[31] = 9;
  const Names found = snapshot_names(snapshots);
  EXPECT_NE(found[1], found[2]);
}

TEST(Catalog, LeadsToTheNewestAndTheNewestCleanSnapshot) {
  const CatalogView view =
      make_catalog({snapshot(1 * kSecond, 1, "a", Verdict::kClean), snapshot(2 * kSecond, 2, "a", Verdict::kClean),
                    snapshot(3 * kSecond, 3, "b")});
  EXPECT_EQ(names(view.top), (Names{"clean", "hosts", "ids", "latest", "snapshots"}));
  EXPECT_EQ(target(view.top, "latest"), "snapshots/1970-01-01T00:00:03Z");
  EXPECT_EQ(target(view.top, "clean"), "snapshots/1970-01-01T00:00:02Z");
  EXPECT_EQ(target(view.ids, "02020202"), "../snapshots/1970-01-01T00:00:02Z");
  EXPECT_EQ(target(*view.items(Place::kHost, "a"), "latest"), "1970-01-01T00:00:02Z");
  EXPECT_EQ(names(*view.items(Place::kHost, "b")), (Names{"1970-01-01T00:00:03Z", "latest"}));
  EXPECT_EQ(view.items(Place::kHost, "c"), nullptr);
}

TEST(Catalog, HasNoLinksThatLeadNowhere) {
  EXPECT_EQ(names(make_catalog({}).top), (Names{"hosts", "ids", "snapshots"}));
  EXPECT_EQ(names(make_catalog({snapshot(0, 1)}).top), (Names{"hosts", "ids", "latest", "snapshots"}));
}

TEST(Catalog, NamesHostsSafely) {
  const CatalogView view =
      make_catalog({snapshot(0, 1, "../x"), snapshot(0, 2, ".."), snapshot(0, 3, ""),
                    snapshot(0, 4, std::string("a\0b\n", 4)), snapshot(0, 5, std::string(999, 'h'))});
  EXPECT_EQ(names(view.hosts), (Names{".._x", "_", "a_b_", std::string(255, 'h')}));
}

TEST(Catalog, ShowsTimesBeforeTheEpoch) {
  const CatalogView view = make_catalog({snapshot(-1, 1)});
  EXPECT_EQ(view.snapshots[0].entry.mtime_seconds, -1);
  EXPECT_EQ(view.snapshots[0].entry.mtime_nanoseconds, 999'999'999U);
}

}  // namespace
}  // namespace kura::mount::test
