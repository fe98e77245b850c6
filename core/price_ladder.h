// The ordered companion of the price levels: which prices of one book side have a level behind the
// best one, so that the next worse one is cheap to find, for dense ladders and for prices far apart
// alike.
//
// Rank is the price for bids and its complement for asks: the better level has the greater rank. A
// ladder knows its ranks by blocks of 64 neighbours, one bit each, and keeps the blocks that have
// any in a B+tree. Most openings and closings of levels are therefore one bit in a block that is
// there already; the tree changes when a block gets its first rank or loses its last. A side of a
// dense book is a few blocks, in one leaf. The block that was used last is remembered.
//
// All ladders of an engine share one pool of nodes. Every node that is no root is at least kFillMin
// of kNodeEntries full. So m of them hold kFillMin * m entries or more, at most m of which stand
// for these nodes; the others are blocks, each with a level: m is at most the number of levels
// divided by kFillMin - 1. The pool cannot run out before the levels do, and a level costs at most
// 40 bytes of it. Between merging and splitting there is room, so that one price that comes and
// goes does not move half a node each time.
//
// Thread: the core's. Worst case of each operation: the tree's height, at most 6 nodes for 2^26
// levels, and the moving of a node's entries at each.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/check.h"
#include "core/types.h"

namespace shmatch::core {

using Rank = std::int64_t;
inline constexpr Rank kNoRank = INT64_MIN;  // below all ranks that there are

inline constexpr unsigned kBlockBits = 6;
inline constexpr std::uint32_t kNodeEntries = 63;  // one less than a power of two
inline constexpr std::uint32_t kFillMin = 27;
inline constexpr Rank kEndKey = INT64_MAX;  // above all keys that there are

struct LadderEntry {
  Rank key;             // leaf: rank >> kBlockBits; inner: no more than its child's keys
  std::uint64_t value;  // leaf: the ranks of the block, never 0; inner: the child's node
};

struct alignas(64) LadderNode {
  std::uint32_t count;
  Index next_free;  // while the node is unused
  bool is_leaf;
  LadderEntry entries[kNodeEntries];  // by ascending key; behind the last one kEndKey
};
static_assert(sizeof(LadderNode) == 1024);

class LadderNodes {
 public:
  // Enough for `levels` levels in `ladders` ladders.
  LadderNodes(Arena& arena, std::size_t levels, std::size_t ladders)
      : nodes_(arena.take<LadderNode>(levels / (kFillMin - 1) + ladders)) {}

  Index take(bool is_leaf) noexcept;
  void give(Index node) noexcept;
  LadderNode& operator[](std::uint64_t node) noexcept { return nodes_[node]; }
  const LadderNode& operator[](std::uint64_t node) const noexcept { return nodes_[node]; }
  Index used() const noexcept { return used_; }

 private:
  std::span<LadderNode> nodes_;
  Index fresh_ = 0;  // nodes from here on were never used
  Index free_ = kNoIndex;
  Index used_ = 0;
};

// One side of one book; the pool is passed in.
class PriceLadder {
 public:
  // `rank` must not be in the ladder.
  void insert(LadderNodes& nodes, Rank rank) noexcept {
    if (rank >> kBlockBits != used_block_) return insert_elsewhere(nodes, rank);
    SHMATCH_CHECK((used_entry_->value & bit(rank)) == 0);
    used_entry_->value |= bit(rank);
  }
  // `rank` must be in the ladder.
  void erase(LadderNodes& nodes, Rank rank) noexcept {
    if (rank >> kBlockBits != used_block_) use(nodes, rank >> kBlockBits);
    SHMATCH_CHECK((used_entry_->value & bit(rank)) != 0);
    used_entry_->value ^= bit(rank);
    if (used_entry_->value == 0) erase_block(nodes);
  }

  // kNoRank when there is none.
  Rank greatest(const LadderNodes& nodes) const noexcept {
    return root_plus_one_ == 0 ? kNoRank : greatest_under(nodes, root());
  }
  // The greatest rank below `rank`, or kNoRank.
  Rank below(const LadderNodes& nodes, Rank rank) const noexcept;

  // Ends the process if order, keys or fill are wrong. Returns the number of ranks.
  std::size_t check_invariants(const LadderNodes& nodes) const noexcept;

 private:
  static constexpr unsigned kHeightMax = 8;
  struct Step {
    Index node;
    std::uint32_t place;
  };
  struct Path {
    Step steps[kHeightMax];
    unsigned depth = 0;
  };

  static std::uint64_t bit(Rank rank) noexcept {
    return std::uint64_t{1} << (static_cast<std::uint64_t>(rank) % 64);
  }
  static Rank greatest_of(const LadderEntry& entry) noexcept {
    return entry.key * 64 + (63 - std::countl_zero(entry.value));
  }
  static Rank greatest_under(const LadderNodes& nodes, Index node) noexcept;

  // How many keys are not above `key`. Most of what happens is near the best price, which is last.
  // Elsewhere the search has always as many steps: behind the last entry all keys are kEndKey.
  // Shifted and added, a comparison is no branch, which would be guessed wrong every other time.
  static std::uint32_t places_up_to(const LadderNode& node, Rank key) noexcept {
    if (node.count == 0 || node.entries[node.count - 1].key <= key) return node.count;
    std::size_t places = 0;
    for (int power = std::bit_width(kNodeEntries) - 1; power >= 0; --power) {
      const std::size_t last = places + (std::size_t{1} << power) - 1;
      places += std::size_t{node.entries[last].key <= key} << power;
    }
    return static_cast<std::uint32_t>(places);
  }
  Index root() const noexcept { return root_plus_one_ - 1; }
  LadderNode& leaf_for(LadderNodes& nodes, Rank block) const noexcept;
  void use(LadderNodes& nodes, Rank block) noexcept;
  void insert_elsewhere(LadderNodes& nodes, Rank rank) noexcept;
  void erase_block(LadderNodes& nodes) noexcept;
  Path descend(const LadderNodes& nodes, Rank block) const noexcept;
  void insert_deep(LadderNodes& nodes, LadderEntry entry) noexcept;
  void erase_deep(LadderNodes& nodes, Rank block) noexcept;
  void grow_root(LadderNodes& nodes, Index right) noexcept;
  std::size_t check_node(const LadderNodes& nodes, Index index, Rank low, Rank high) const noexcept;

  // The block that was used last, until blocks come or go.
  Rank used_block_ = kNoRank;
  LadderEntry* used_entry_ = nullptr;
  LadderNode* used_leaf_ = nullptr;
  Index root_plus_one_ = 0;  // 0: there was no rank yet
};

}  // namespace shmatch::core
