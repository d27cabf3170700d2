// The files and folders that the kernel knows, by the numbers it knows them by.
//
// The kernel counts how often a number was given to it and says when it forgets; a node goes with its last count. Every
// name of a hard-linked file leads to the same node. Since a kernel with memory to spare forgets nothing, the table
// tells when it has grown beyond its bound, and what the kernel can be asked to forget.
//
// Thread-safe; nodes do not change, but for what is guarded in them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "archive/format/entry.h"
#include "base/guarded.h"
#include "mount/catalog.h"
#include "mount/file_table.h"
#include "mount/folder.h"

namespace kura::mount {

using NodeId = std::uint64_t;  // never used again for another node
inline constexpr NodeId kTopNode = 1;

// What a node is, whenever and however often it is looked up.
using NodeKey = base::Digest;

struct NodeFacts {
  NodeKey key;
  NodeId parent = kTopNode;  // by the name it was first looked up by, `entry.name`
  Place place = Place::kInSnapshot;
  SnapshotPtr snapshot;  // in a snapshot: which
  archive::Entry entry;
};

struct Node : NodeFacts {
  Node(NodeId number, NodeFacts facts) : NodeFacts(std::move(facts)), id(number) {}

  const NodeId id;
  // Made when first wanted: of a file while it is open, of a folder for as long as the node is there.
  base::Guarded<std::weak_ptr<const FileTable>> table;
  base::Guarded<std::shared_ptr<Folder>> folder;
};
using NodePtr = std::shared_ptr<Node>;

class InodeTable {
 public:
  // `limit` in bytes that nodes take, roughly.
  explicit InodeTable(NodeFacts top, std::size_t limit);

  // Null for a number that is not there (any more).
  NodePtr find(NodeId id) const;
  // The node of `facts.key`, new or known; the kernel is going to count it once more.
  NodePtr look_up(NodeFacts facts);
  void forget(NodeId id, std::uint64_t count);
  std::size_t size() const { return state_.lock()->nodes.size(); }
  bool is_over_limit() const;  // the kernel is to forget some
  bool is_full() const;        // twice as many: it does not forget fast enough
  // Up to `count` nodes that are no folders, after number `after`, the oldest first.
  std::vector<NodePtr> oldest_files(NodeId after, std::size_t count) const;
  // Below the mount point, for messages: "latest/srv/a". As much of it as is known.
  std::string path_of(const Node& node) const;

 private:
  struct Counted {
    NodePtr node;
    std::uint64_t count = 0;
    std::size_t bytes = 0;
  };
  struct State {
    std::map<NodeId, Counted> nodes;
    std::unordered_map<NodeKey, NodeId, base::DigestHash> by_key;
    NodeId next = kTopNode;
    std::size_t bytes = 0;
  };
  static NodePtr add(State& state, NodeFacts facts);

  const std::size_t limit_;
  base::Guarded<State> state_;
};

}  // namespace kura::mount
