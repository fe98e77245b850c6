#include "core/price_ladder.h"

#include <algorithm>

namespace shmatch::core {
namespace {

// Two siblings become one when together they have no more entries than this; if they have more,
// halves of them are full enough.
constexpr std::uint32_t kMergedMax = 2 * kFillMin - 1;
static_assert(kMergedMax < kNodeEntries && (kNodeEntries + 1) / 2 > kFillMin);

// Entries were taken away behind `node.count`.
void mark_end(LadderNode& node, std::uint32_t taken) noexcept {
  for (std::uint32_t i = 0; i < taken; ++i) node.entries[node.count + i].key = kEndKey;
}

void insert_at(LadderNode& node, std::uint32_t place, LadderEntry entry) noexcept {
  std::copy_backward(node.entries + place, node.entries + node.count,
                     node.entries + node.count + 1);
  node.entries[place] = entry;
  ++node.count;
}

void erase_at(LadderNode& node, std::uint32_t place) noexcept {
  std::copy(node.entries + place + 1, node.entries + node.count, node.entries + place);
  --node.count;
  mark_end(node, 1);
}

// The first `count` entries of `from` go behind those of `to`.
void move_to_end(LadderNode& from, LadderNode& to, std::uint32_t count) noexcept {
  std::copy(from.entries, from.entries + count, to.entries + to.count);
  std::copy(from.entries + count, from.entries + from.count, from.entries);
  to.count += count;
  from.count -= count;
  mark_end(from, count);
}

// The last `count` entries of `from` go before those of `to`.
void move_to_front(LadderNode& from, LadderNode& to, std::uint32_t count) noexcept {
  std::copy_backward(to.entries, to.entries + to.count, to.entries + to.count + count);
  from.count -= count;
  std::copy(from.entries + from.count, from.entries + from.count + count, to.entries);
  to.count += count;
  mark_end(from, count);
}

// The child at `place` has too few entries: it gets some of a sibling's, or the two become one.
void refill(LadderNodes& nodes, LadderNode& parent, std::uint32_t place) noexcept {
  const std::uint32_t left_place = place == 0 ? 0 : place - 1;
  const std::uint64_t right_index = parent.entries[left_place + 1].value;
  LadderNode& left = nodes[parent.entries[left_place].value];
  LadderNode& right = nodes[right_index];
  const std::uint32_t both = left.count + right.count;
  if (both <= kMergedMax) {
    move_to_end(right, left, right.count);
    nodes.give(static_cast<Index>(right_index));
    erase_at(parent, left_place + 1);
    return;
  }
  if (left.count < right.count) {
    move_to_end(right, left, both / 2 - left.count);
  } else {
    move_to_front(left, right, both / 2 - right.count);
  }
  parent.entries[left_place + 1].key = right.entries[0].key;
}

}  // namespace

Index LadderNodes::take(bool is_leaf) noexcept {
  Index node = free_;
  if (node != kNoIndex) {
    free_ = nodes_[node].next_free;
  } else {
    SHMATCH_CHECK(fresh_ < nodes_.size());
    node = fresh_++;
  }
  ++used_;
  nodes_[node].count = 0;
  for (LadderEntry& entry : nodes_[node].entries) entry.key = kEndKey;
  nodes_[node].is_leaf = is_leaf;
  return node;
}

void LadderNodes::give(Index node) noexcept {
  nodes_[node].next_free = free_;
  free_ = node;
  --used_;
}

Rank PriceLadder::greatest_under(const LadderNodes& nodes, Index index) noexcept {
  const LadderNode* node = &nodes[index];
  if (node->count == 0) return kNoRank;
  while (!node->is_leaf) node = &nodes[node->entries[node->count - 1].value];
  return greatest_of(node->entries[node->count - 1]);
}

// The only leaf that may have the block. There must be a root.
LadderNode& PriceLadder::leaf_for(LadderNodes& nodes, Rank block) const noexcept {
  LadderNode* node = &nodes[root()];
  while (!node->is_leaf) {
    const std::uint32_t places = places_up_to(*node, block);
    node = &nodes[node->entries[places == 0 ? 0 : places - 1].value];
  }
  return *node;
}

// The block must be in the ladder.
[[gnu::noinline]] void PriceLadder::use(LadderNodes& nodes, Rank block) noexcept {
  SHMATCH_CHECK(root_plus_one_ != 0);
  LadderNode& leaf = leaf_for(nodes, block);
  const std::uint32_t places = places_up_to(leaf, block);
  SHMATCH_CHECK(places > 0 && leaf.entries[places - 1].key == block);
  used_block_ = block;
  used_entry_ = &leaf.entries[places - 1];
  used_leaf_ = &leaf;
}

// Into another block than the used one.
[[gnu::noinline]] void PriceLadder::insert_elsewhere(LadderNodes& nodes, Rank rank) noexcept {
  const Rank block = rank >> kBlockBits;
  if (root_plus_one_ == 0) return insert_deep(nodes, LadderEntry{block, bit(rank)});
  LadderNode& leaf = leaf_for(nodes, block);
  std::uint32_t place = places_up_to(leaf, block);
  if (place > 0 && leaf.entries[place - 1].key == block) {
    --place;
    SHMATCH_CHECK((leaf.entries[place].value & bit(rank)) == 0);
    leaf.entries[place].value |= bit(rank);
  } else if (leaf.count < kNodeEntries && (place > 0 || &leaf == &nodes[root()])) {
    insert_at(leaf, place, LadderEntry{block, bit(rank)});
  } else {
    return insert_deep(nodes, LadderEntry{block, bit(rank)});
  }
  used_block_ = block;
  used_entry_ = &leaf.entries[place];
  used_leaf_ = &leaf;
}

Rank PriceLadder::below(const LadderNodes& nodes, Rank rank) const noexcept {
  if (root_plus_one_ == 0) return kNoRank;
  const Rank block = rank >> kBlockBits;
  // Keys of inner nodes may be lower than what their child holds, so the descent can end before the
  // first entry of a leaf, or at it without a rank that is low enough; the answer then is the
  // greatest rank of the nearest subtree to the left.
  std::uint64_t left = kNoIndex;
  const LadderNode* node = &nodes[root()];
  for (;;) {
    std::uint32_t places = places_up_to(*node, block);
    if (node->is_leaf) {
      if (places > 0 && node->entries[places - 1].key == block) {
        const std::uint64_t lower = node->entries[places - 1].value & (bit(rank) - 1);
        if (lower != 0) return greatest_of({block, lower});
        --places;
      }
      if (places > 0) return greatest_of(node->entries[places - 1]);
      break;
    }
    if (places == 0) break;
    if (places > 1) left = node->entries[places - 2].value;
    node = &nodes[node->entries[places - 1].value];
  }
  return left == kNoIndex ? kNoRank : greatest_under(nodes, static_cast<Index>(left));
}

// The used one, which has no ranks left.
[[gnu::noinline]] void PriceLadder::erase_block(LadderNodes& nodes) noexcept {
  const Rank block = used_block_;
  used_block_ = kNoRank;
  if (used_leaf_->count <= kFillMin && used_leaf_ != &nodes[root()])
    return erase_deep(nodes, block);
  erase_at(*used_leaf_, static_cast<std::uint32_t>(used_entry_ - used_leaf_->entries));
}

PriceLadder::Path PriceLadder::descend(const LadderNodes& nodes, Rank block) const noexcept {
  Path path;
  Index at = root();
  for (;;) {
    SHMATCH_CHECK(path.depth < kHeightMax);
    const LadderNode& node = nodes[at];
    const std::uint32_t places = places_up_to(node, block);
    if (node.is_leaf) {
      path.steps[path.depth++] = Step{at, places};
      return path;
    }
    // A block below all keys belongs to the first child; its key is lowered by the insert.
    const std::uint32_t place = places == 0 ? 0 : places - 1;
    path.steps[path.depth++] = Step{at, place};
    at = static_cast<Index>(node.entries[place].value);
  }
}

// The rare ways of insert_elsewhere and erase_block, which would else save registers for these.
[[gnu::noinline]] void PriceLadder::insert_deep(LadderNodes& nodes, LadderEntry entry) noexcept {
  if (root_plus_one_ == 0) root_plus_one_ = nodes.take(true) + 1;
  used_block_ = kNoRank;
  const Path path = descend(nodes, entry.key);
  for (unsigned depth = 0; depth + 1 < path.depth; ++depth) {
    Rank& key = nodes[path.steps[depth].node].entries[path.steps[depth].place].key;
    key = std::min(key, entry.key);
  }
  std::uint32_t place = path.steps[path.depth - 1].place;
  for (unsigned depth = path.depth; depth-- > 0;) {
    LadderNode& node = nodes[path.steps[depth].node];
    if (node.count < kNodeEntries) return insert_at(node, place, entry);
    const Index right_index = nodes.take(node.is_leaf);
    LadderNode& right = nodes[right_index];
    const std::uint32_t half = kNodeEntries / 2;
    move_to_front(node, right, kNodeEntries - half);
    // Into the smaller one unless its place is behind.
    if (place <= half) {
      insert_at(node, place, entry);
    } else {
      insert_at(right, place - half, entry);
    }
    entry = LadderEntry{right.entries[0].key, right_index};
    if (depth == 0) return grow_root(nodes, right_index);
    place = path.steps[depth - 1].place + 1;
  }
}

void PriceLadder::grow_root(LadderNodes& nodes, Index right) noexcept {
  const Index old_root = root();
  const Index new_root = nodes.take(false);
  insert_at(nodes[new_root], 0, LadderEntry{nodes[old_root].entries[0].key, old_root});
  insert_at(nodes[new_root], 1, LadderEntry{nodes[right].entries[0].key, right});
  root_plus_one_ = new_root + 1;
}

[[gnu::noinline]] void PriceLadder::erase_deep(LadderNodes& nodes, Rank block) noexcept {
  const Path path = descend(nodes, block);
  LadderNode& leaf = nodes[path.steps[path.depth - 1].node];
  const std::uint32_t places = path.steps[path.depth - 1].place;
  SHMATCH_CHECK(places > 0 && leaf.entries[places - 1].key == block);
  erase_at(leaf, places - 1);
  for (unsigned depth = path.depth - 1; depth > 0; --depth) {
    if (nodes[path.steps[depth].node].count >= kFillMin) return;
    refill(nodes, nodes[path.steps[depth - 1].node], path.steps[depth - 1].place);
  }
  const LadderNode& top = nodes[root()];
  if (top.is_leaf || top.count > 1) return;
  const auto only = static_cast<Index>(top.entries[0].value);
  nodes.give(root());
  root_plus_one_ = only + 1;
}

// Checks the subtree, all of whose keys must be in [low, high).
std::size_t PriceLadder::check_node(const LadderNodes& nodes, Index index, Rank low,
                                    Rank high) const noexcept {
  const LadderNode& node = nodes[index];
  SHMATCH_CHECK(node.count <= kNodeEntries);
  SHMATCH_CHECK(node.count >= (index != root() ? kFillMin : node.is_leaf ? 0 : 2));
  for (std::uint32_t i = node.count; i < kNodeEntries; ++i) {
    SHMATCH_CHECK(node.entries[i].key == kEndKey);
  }
  std::size_t ranks = 0;
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const LadderEntry& entry = node.entries[i];
    const Rank end = i + 1 < node.count ? node.entries[i + 1].key : high;
    SHMATCH_CHECK(entry.key >= low && entry.key < end);
    if (node.is_leaf) {
      SHMATCH_CHECK(entry.value != 0);
      SHMATCH_CHECK(entry.key != used_block_ || &entry == used_entry_);
      ranks += static_cast<std::size_t>(std::popcount(entry.value));
    } else {
      ranks += check_node(nodes, static_cast<Index>(entry.value), entry.key, end);
    }
    low = end;
  }
  return ranks;
}

std::size_t PriceLadder::check_invariants(const LadderNodes& nodes) const noexcept {
  return root_plus_one_ == 0 ? 0 : check_node(nodes, root(), INT64_MIN, INT64_MAX);
}

}  // namespace shmatch::core
