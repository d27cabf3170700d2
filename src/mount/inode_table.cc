#include "mount/inode_table.h"

#include <algorithm>
#include <utility>

namespace kura::mount {
namespace {

using archive::Entry;

// Of a node in memory, with what the containers need for it.
std::size_t bytes_of(const Entry& entry) {
  std::size_t bytes = sizeof(Node) + 200;
  bytes += entry.name.size() + entry.target.size() + entry.user.size() + entry.group.size();
  bytes += entry.content.ids.size() * sizeof(archive::ChunkId);
  for (const auto& [name, value] : entry.xattrs) bytes += name.size() + value.size() + 64;
  if (entry.extents) bytes += entry.extents->size() * sizeof(archive::Extent);
  return bytes;
}

}  // namespace

InodeTable::InodeTable(NodeFacts top, std::size_t limit) : limit_(limit) { add(*state_.lock(), std::move(top)); }

NodePtr InodeTable::add(State& state, NodeFacts facts) {
  const NodeId id = state.next++;
  state.by_key.emplace(facts.key, id);
  const std::size_t bytes = bytes_of(facts.entry);
  auto node = std::make_shared<Node>(id, std::move(facts));
  state.nodes.emplace(id, Counted{.node = node, .count = 1, .bytes = bytes});
  state.bytes += bytes;
  return node;
}

NodePtr InodeTable::find(NodeId id) const {
  const auto state = state_.lock();
  const auto found = state->nodes.find(id);
  return found == state->nodes.end() ? nullptr : found->second.node;
}

NodePtr InodeTable::look_up(NodeFacts facts) {
  const auto state = state_.lock();
  const auto known = state->by_key.find(facts.key);
  if (known == state->by_key.end()) return add(*state, std::move(facts));
  Counted& counted = state->nodes.at(known->second);
  ++counted.count;
  return counted.node;
}

void InodeTable::forget(NodeId id, std::uint64_t count) {
  NodePtr gone;  // destroyed without the lock
  const auto state = state_.lock();
  const auto found = state->nodes.find(id);
  if (found == state->nodes.end() || id == kTopNode) return;
  Counted& counted = found->second;
  counted.count -= std::min(count, counted.count);
  if (counted.count > 0) return;
  state->bytes -= counted.bytes;
  state->by_key.erase(counted.node->key);
  gone = std::move(counted.node);
  state->nodes.erase(found);
}

bool InodeTable::is_over_limit() const { return state_.lock()->bytes > limit_; }

bool InodeTable::is_full() const { return state_.lock()->bytes > 2 * limit_; }

std::vector<NodePtr> InodeTable::oldest_files(NodeId after, std::size_t count) const {
  std::vector<NodePtr> oldest;
  const auto state = state_.lock();
  for (auto at = state->nodes.upper_bound(after); at != state->nodes.end() && oldest.size() < count; ++at) {
    if (at->second.node->entry.type != archive::EntryType::kFolder) oldest.push_back(at->second.node);
  }
  return oldest;
}

std::string InodeTable::path_of(const Node& node) const {
  std::string path = node.entry.name;
  const auto state = state_.lock();
  for (NodeId id = node.parent; id != kTopNode;) {
    const auto found = state->nodes.find(id);
    if (found == state->nodes.end()) break;
    path.insert(0, "/").insert(0, found->second.node->entry.name);
    id = found->second.node->parent;
  }
  return path;
}

}  // namespace kura::mount
