#include "mount/catalog.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <unordered_set>
#include <utility>

#include "archive/format/limits.h"
#include "base/time.h"

namespace kura::mount {
namespace {

using archive::Entry;
using archive::EntryType;
using archive::StoredSnapshot;
using base::Result;
using store::ObjectId;

constexpr std::int64_t kLookAgain = 3'000'000'000;  // ns
constexpr std::size_t kShortId = 8;                 // digits, as `kura snapshots` shows

std::int64_t steady_ns() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

Entry entry_at(EntryType type, std::string name, std::int64_t time) {
  static const uid_t user = ::getuid();  // asked once: there are four items a snapshot
  static const gid_t group = ::getgid();
  Entry entry;
  entry.type = type;
  entry.name = std::move(name);
  entry.mode = type == EntryType::kSymlink ? 0777 : 0555;
  entry.uid = user;
  entry.gid = group;
  entry.mtime_nanoseconds = static_cast<std::uint32_t>((time % base::kSecond + base::kSecond) % base::kSecond);
  entry.mtime_seconds = (time - entry.mtime_nanoseconds) / base::kSecond;
  return entry;
}

CatalogItem link(std::string name, std::string target, std::int64_t time) {
  CatalogItem item{.entry = entry_at(EntryType::kSymlink, std::move(name), time), .place = {}, .snapshot = nullptr};
  item.entry.target = std::move(target);
  return item;
}

CatalogItem folder(std::string name, Place place, std::int64_t time) {
  return {.entry = entry_at(EntryType::kFolder, std::move(name), time), .place = place, .snapshot = nullptr};
}

// A host is called anything; this is fit for a folder.
std::string host_name(const std::string& host) {
  std::string name = host.substr(0, archive::kNameLimit);
  for (char& byte : name) {
    if (byte == '/' || static_cast<unsigned char>(byte) < ' ' || byte == '\x7f') byte = '_';
  }
  return archive::is_safe_name(name) ? name : "_";
}

void sort_by_name(CatalogView::Items& items) {
  std::ranges::sort(items, {}, [](const CatalogItem& item) -> std::string_view { return item.entry.name; });
  const auto same = std::ranges::unique(items, {}, [](const CatalogItem& item) { return item.entry.name; });
  items.erase(same.begin(), same.end());
}

}  // namespace

const CatalogView::Items* CatalogView::items(Place place, const std::string& name) const {
  switch (place) {
    case Place::kTop:
      return &top;
    case Place::kSnapshots:
      return &snapshots;
    case Place::kIds:
      return &ids;
    case Place::kHosts:
      return &hosts;
    case Place::kHost:
      if (const auto found = of_host.find(name); found != of_host.end()) return &found->second;
      return nullptr;
    case Place::kInSnapshot:
      return nullptr;
  }
  return nullptr;
}

const CatalogItem* CatalogView::find(const Items& items, std::string_view name) {
  const auto name_of = [](const CatalogItem& item) -> std::string_view { return item.entry.name; };
  const auto found = std::ranges::lower_bound(items, name, {}, name_of);
  return found != items.end() && found->entry.name == name ? &*found : nullptr;
}

std::vector<std::string> snapshot_names(const std::vector<StoredSnapshot>& snapshots) {
  std::vector<std::string> names;
  std::unordered_set<std::string> taken;
  for (const StoredSnapshot& each : snapshots) {
    const std::string time = base::format_rfc3339(each.snapshot.started);
    std::string name = time;
    for (std::size_t digits = kShortId; !taken.insert(name).second; digits += kShortId) {
      name = time + "-" + each.id.hex().substr(0, digits);
    }
    names.push_back(std::move(name));
  }
  return names;
}

CatalogView make_catalog(std::vector<StoredSnapshot> snapshots) {
  CatalogView view;
  const std::vector<std::string> names = snapshot_names(snapshots);
  std::int64_t newest = 0;
  std::map<std::string, CatalogItem> latest, latest_of_host;  // by link and by host: the last one stays
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const auto snapshot = std::make_shared<const StoredSnapshot>(std::move(snapshots[i]));
    const std::int64_t time = snapshot->snapshot.started;
    newest = std::max(newest, time);
    const archive::SnapshotLabel& label = *snapshot->snapshot.label;

    CatalogItem item = folder(names[i], Place::kInSnapshot, time);
    item.entry.content = label.root;
    item.snapshot = snapshot;
    view.snapshots.push_back(std::move(item));
    view.ids.push_back(link(snapshot->id.hex().substr(0, kShortId), "../snapshots/" + names[i], time));
    const std::string host = host_name(label.host);
    view.of_host[host].push_back(link(names[i], "../../snapshots/" + names[i], time));
    latest_of_host.insert_or_assign(host, link("latest", names[i], time));
    latest.insert_or_assign("latest", link("latest", "snapshots/" + names[i], time));
    if (label.verdict == archive::Verdict::kClean) {
      latest.insert_or_assign("clean", link("clean", "snapshots/" + names[i], time));
    }
    view.latest = snapshot;
  }
  for (auto& [name, item] : latest) view.top.push_back(std::move(item));
  for (auto& [host, items] : view.of_host) {
    items.push_back(std::move(latest_of_host.at(host)));
    view.hosts.push_back(folder(host, Place::kHost, newest));
    sort_by_name(items);
  }
  view.top.push_back(folder("snapshots", Place::kSnapshots, newest));
  view.top.push_back(folder("ids", Place::kIds, newest));
  view.top.push_back(folder("hosts", Place::kHosts, newest));
  for (CatalogView::Items* items : {&view.top, &view.snapshots, &view.ids, &view.hosts}) sort_by_name(*items);
  return view;
}

base::Status Catalog::load() {
  const std::lock_guard lock(looking_);
  archive::SnapshotList list = KURA_TRY(repository_.snapshots());
  for (const archive::DamagedObject& object : list.damaged) troubles_.met("", object.error);
  known_.clear();
  for (const StoredSnapshot& each : list.snapshots) known_.push_back(each.id);
  for (const archive::DamagedObject& object : list.damaged) known_.push_back(object.id);
  std::ranges::sort(known_);
  std::erase_if(list.snapshots, [](const StoredSnapshot& each) { return !each.snapshot.label.has_value(); });
  *view_.lock() = std::make_shared<const CatalogView>(make_catalog(std::move(list.snapshots)));
  looked_ = steady_ns();
  return {};
}

void Catalog::refresh() {
  bool is_changed = false;
  {
    const std::unique_lock lock(looking_, std::try_to_lock);
    if (!lock || steady_ns() - looked_ < kLookAgain || !watch_.is_worth_asking()) return;
    const auto listed = repository_.store().list(store::Kind::kSnapshot);
    looked_ = steady_ns();
    if (!listed) {
      if (watch_.is_there()) troubles_.met("", listed.error());
      return;
    }
    watch_.answered();
    std::vector<ObjectId> ids;
    for (const store::ObjectInfo& each : *listed) ids.push_back(each.id);
    std::ranges::sort(ids);
    is_changed = ids != known_;
  }
  if (!is_changed) return;
  if (const base::Status loaded = load(); !loaded && watch_.is_there()) troubles_.met("", loaded.error());
}

std::shared_ptr<const CatalogView> Catalog::look() {
  refresh();
  return *view_.lock();
}

}  // namespace kura::mount
