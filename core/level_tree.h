// The ordered companion of the price levels: one B+tree a book side, keyed by rank, so that the
// best level, the next worse one and the level at a price are each a short descent, for dense
// ladders and for prices far apart alike.
//
// Rank is the price for bids and its negative for asks: the best level always has the greatest
// rank.
//
// All trees of an engine share one pool of nodes. Siblings are merged whenever together they would
// fill half a node, so nodes never number more than a quarter of the levels plus a few a tree: the
// pool cannot run out before the levels do. Thread: the core's. Worst case of each operation: the
// tree's height, at most 8 nodes for 2^26 levels.
#pragma once

#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/types.h"

namespace shmatch::core {

using Rank = std::int64_t;

inline constexpr std::uint32_t kNodeEntries = 31;

struct alignas(64) LevelNode {
  Rank keys[kNodeEntries];       // ascending; of an inner node: no more than its child's ranks
  Index children[kNodeEntries];  // inner: nodes; leaf: levels
  std::uint16_t count;
  std::uint16_t is_leaf;
};
static_assert(sizeof(LevelNode) == 384);

class LevelNodePool {
 public:
  // Enough nodes for `levels` levels in `trees` trees.
  LevelNodePool(Arena& arena, std::size_t levels, std::size_t trees);

  Index take(bool is_leaf) noexcept;
  void give(Index node) noexcept;
  LevelNode& operator[](Index node) noexcept { return nodes_[node]; }
  const LevelNode& operator[](Index node) const noexcept { return nodes_[node]; }
  Index used() const noexcept { return used_; }

 private:
  std::span<LevelNode> nodes_;
  Index fresh_ = 0;        // nodes from here on were never used
  Index free_ = kNoIndex;  // list through children[0]
  Index used_ = 0;
};

// One side of one book. A plain value of one index; the pool is passed in.
class LevelTree {
 public:
  bool empty() const noexcept { return root_plus_one_ == 0; }

  // The level of greatest rank, or kNoIndex.
  Index best(const LevelNodePool& pool) const noexcept;
  // The level at `rank`, or kNoIndex.
  Index find(const LevelNodePool& pool, Rank rank) const noexcept;
  // The level of the greatest rank below `rank`, or kNoIndex.
  Index below(const LevelNodePool& pool, Rank rank) const noexcept;

  // `rank` must not be in the tree.
  void insert(LevelNodePool& pool, Rank rank, Index level) noexcept;
  // `rank` must be in the tree.
  void erase(LevelNodePool& pool, Rank rank) noexcept;

  // Ends the process if order, separators or fill are wrong. Returns the number of levels.
  std::size_t check_invariants(const LevelNodePool& pool) const noexcept;

 private:
  static constexpr unsigned kHeightMax = 10;
  struct Step {
    Index node;
    std::uint32_t place;
  };
  struct Path {
    Step steps[kHeightMax];
    unsigned depth = 0;
  };

  Index root() const noexcept { return root_plus_one_ - 1; }
  Path descend(const LevelNodePool& pool, Rank rank) const noexcept;
  void grow_root(LevelNodePool& pool, Index right) noexcept;
  bool merge_with_neighbour(LevelNodePool& pool, LevelNode& parent, std::uint32_t place) noexcept;

  Index root_plus_one_ = 0;  // zeroed memory is an empty tree
};

}  // namespace shmatch::core
