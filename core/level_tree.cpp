#include "core/level_tree.h"

#include <algorithm>

#include "core/check.h"

namespace shmatch::core {
namespace {

constexpr std::uint32_t kMergeBelow = kNodeEntries / 2 + 1;  // siblings merge when they sum to this

// How many keys are not above `rank`. The search halves without branches that depend on the keys.
std::uint32_t places_up_to(const LevelNode& node, Rank rank) noexcept {
  const Rank* base = node.keys;
  std::uint32_t left = node.count;
  while (left > 1) {
    const std::uint32_t half = left / 2;
    base += base[half - 1] <= rank ? half : 0;
    left -= half;
  }
  return static_cast<std::uint32_t>(base - node.keys) + (left == 1 && *base <= rank ? 1U : 0U);
}

void insert_at(LevelNode& node, std::uint32_t place, Rank key, Index child) noexcept {
  std::copy_backward(node.keys + place, node.keys + node.count, node.keys + node.count + 1);
  std::copy_backward(node.children + place, node.children + node.count,
                     node.children + node.count + 1);
  node.keys[place] = key;
  node.children[place] = child;
  ++node.count;
}

void erase_at(LevelNode& node, std::uint32_t place) noexcept {
  std::copy(node.keys + place + 1, node.keys + node.count, node.keys + place);
  std::copy(node.children + place + 1, node.children + node.count, node.children + place);
  --node.count;
}

void append(LevelNode& to, const LevelNode& from, std::uint32_t begin) noexcept {
  std::copy(from.keys + begin, from.keys + from.count, to.keys + to.count);
  std::copy(from.children + begin, from.children + from.count, to.children + to.count);
  to.count = static_cast<std::uint16_t>(to.count + from.count - begin);
}

// Checks the subtree, all of whose ranks must be in [low, high); returns its number of levels.
std::size_t check_node(const LevelNodePool& pool, Index index, Rank low, Rank high) noexcept {
  const LevelNode& node = pool[index];
  SHMATCH_CHECK(node.count > 0 && node.count <= kNodeEntries);
  std::size_t levels = 0;
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const Rank end = i + 1 < node.count ? node.keys[i + 1] : high;
    SHMATCH_CHECK(node.keys[i] >= low && node.keys[i] < end);
    levels += node.is_leaf != 0 ? 1 : check_node(pool, node.children[i], node.keys[i], end);
    low = end;
  }
  return levels;
}

}  // namespace

LevelNodePool::LevelNodePool(Arena& arena, std::size_t levels, std::size_t trees)
    : nodes_(arena.take<LevelNode>(levels / 4 + trees * 4 + 64)) {}

Index LevelNodePool::take(bool is_leaf) noexcept {
  Index node = free_;
  if (node != kNoIndex) {
    free_ = nodes_[node].children[0];
  } else {
    SHMATCH_CHECK(fresh_ < nodes_.size());
    node = fresh_++;
  }
  ++used_;
  nodes_[node].count = 0;
  nodes_[node].is_leaf = is_leaf ? 1 : 0;
  return node;
}

void LevelNodePool::give(Index node) noexcept {
  nodes_[node].children[0] = free_;
  free_ = node;
  --used_;
}

Index LevelTree::best(const LevelNodePool& pool) const noexcept {
  if (empty()) return kNoIndex;
  const LevelNode* node = &pool[root()];
  while (node->is_leaf == 0) node = &pool[node->children[node->count - 1]];
  return node->children[node->count - 1];
}

Index LevelTree::find(const LevelNodePool& pool, Rank rank) const noexcept {
  if (empty()) return kNoIndex;
  const LevelNode* node = &pool[root()];
  for (;;) {
    const std::uint32_t places = places_up_to(*node, rank);
    if (places == 0) return kNoIndex;
    if (node->is_leaf != 0) {
      return node->keys[places - 1] == rank ? node->children[places - 1] : kNoIndex;
    }
    node = &pool[node->children[places - 1]];
  }
}

Index LevelTree::below(const LevelNodePool& pool, Rank rank) const noexcept {
  if (empty()) return kNoIndex;
  // Keys of inner nodes may be lower than what their child holds, so the descent can end before the
  // first entry of a leaf; the answer then is the last level of the nearest subtree to the left.
  Index left = kNoIndex;
  const LevelNode* node = &pool[root()];
  for (;;) {
    const std::uint32_t places = places_up_to(*node, rank - 1);
    if (node->is_leaf != 0) {
      if (places > 0) return node->children[places - 1];
      break;
    }
    if (places == 0) break;
    if (places > 1) left = node->children[places - 2];
    node = &pool[node->children[places - 1]];
  }
  if (left == kNoIndex) return kNoIndex;
  node = &pool[left];
  while (node->is_leaf == 0) node = &pool[node->children[node->count - 1]];
  return node->children[node->count - 1];
}

LevelTree::Path LevelTree::descend(const LevelNodePool& pool, Rank rank) const noexcept {
  Path path;
  Index at = root();
  for (;;) {
    SHMATCH_CHECK(path.depth < kHeightMax);
    const LevelNode& node = pool[at];
    const std::uint32_t places = places_up_to(node, rank);
    if (node.is_leaf != 0) {
      path.steps[path.depth++] = Step{at, places};
      return path;
    }
    // A rank below all keys belongs to the first child; its key is lowered by the insert.
    const std::uint32_t place = places == 0 ? 0 : places - 1;
    path.steps[path.depth++] = Step{at, place};
    at = node.children[place];
  }
}

void LevelTree::insert(LevelNodePool& pool, Rank rank, Index level) noexcept {
  if (empty()) root_plus_one_ = pool.take(true) + 1;
  const Path path = descend(pool, rank);
  for (unsigned depth = 0; depth + 1 < path.depth; ++depth) {
    Rank& key = pool[path.steps[depth].node].keys[path.steps[depth].place];
    key = std::min(key, rank);
  }
  Rank key = rank;
  Index child = level;
  std::uint32_t place = path.steps[path.depth - 1].place;
  for (unsigned depth = path.depth; depth-- > 0;) {
    LevelNode& node = pool[path.steps[depth].node];
    if (node.count < kNodeEntries) {
      insert_at(node, place, key, child);
      return;
    }
    const Index right_index = pool.take(node.is_leaf != 0);
    LevelNode& right = pool[right_index];
    const std::uint16_t half = kNodeEntries / 2;
    append(right, node, half);
    node.count = half;
    if (place <= half) {
      insert_at(node, place, key, child);
    } else {
      insert_at(right, place - half, key, child);
    }
    key = right.keys[0];
    child = right_index;
    if (depth == 0) {
      grow_root(pool, right_index);
      return;
    }
    place = path.steps[depth - 1].place + 1;
  }
}

void LevelTree::grow_root(LevelNodePool& pool, Index right) noexcept {
  const Index old_root = root();
  const Index new_root = pool.take(false);
  insert_at(pool[new_root], 0, pool[old_root].keys[0], old_root);
  insert_at(pool[new_root], 1, pool[right].keys[0], right);
  root_plus_one_ = new_root + 1;
}

void LevelTree::erase(LevelNodePool& pool, Rank rank) noexcept {
  const Path path = descend(pool, rank);
  LevelNode& leaf = pool[path.steps[path.depth - 1].node];
  const std::uint32_t places = path.steps[path.depth - 1].place;
  SHMATCH_CHECK(places > 0 && leaf.keys[places - 1] == rank);
  erase_at(leaf, places - 1);
  for (unsigned depth = path.depth - 1; depth > 0; --depth) {
    const Index node = path.steps[depth].node;
    LevelNode& parent = pool[path.steps[depth - 1].node];
    const std::uint32_t place = path.steps[depth - 1].place;
    if (pool[node].count == 0) {
      pool.give(node);
      erase_at(parent, place);
    } else if (!merge_with_neighbour(pool, parent, place)) {
      return;
    }
  }
  while (pool[root()].is_leaf == 0 && pool[root()].count == 1) {
    const Index only = pool[root()].children[0];
    pool.give(root());
    root_plus_one_ = only + 1;
  }
  if (pool[root()].count == 0) {
    pool.give(root());
    root_plus_one_ = 0;
  }
}

bool LevelTree::merge_with_neighbour(LevelNodePool& pool, LevelNode& parent,
                                     std::uint32_t place) noexcept {
  const auto mergeable = [&](std::uint32_t left) {
    return pool[parent.children[left]].count + pool[parent.children[left + 1]].count <=
           static_cast<int>(kMergeBelow);
  };
  std::uint32_t left = place;
  if (place + 1 < parent.count && mergeable(place)) {
    left = place;
  } else if (place > 0 && mergeable(place - 1)) {
    left = place - 1;
  } else {
    return false;
  }
  const Index gone = parent.children[left + 1];
  append(pool[parent.children[left]], pool[gone], 0);
  pool.give(gone);
  erase_at(parent, left + 1);
  return true;
}

std::size_t LevelTree::check_invariants(const LevelNodePool& pool) const noexcept {
  return empty() ? 0 : check_node(pool, root(), INT64_MIN, INT64_MAX);
}

}  // namespace shmatch::core
