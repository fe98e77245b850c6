// The books: one a instrument, two sides each, price levels in a tree, orders of a level in arrival
// order.
//
// A level exists exactly while orders rest at its price; it knows their number and their total
// quantity. The best level of each side is remembered, so that the touch costs one load. Totals are
// 128 bits wide: kAmountMax lots times the largest order capacity does not fit in 64.
//
// Orders are linked by slot numbers inside their own records; this file changes only the fields
// next, previous, level and leaves of an order. Thread: the core's. Worst case: a tree descent for
// the first and last order of a level; constant for all others.
#pragma once

#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/level_tree.h"
#include "core/order.h"

namespace shmatch::core {

struct alignas(64) Level {
  Wide quantity;  // sum of the resting orders' leaves
  Ticks price;
  TimeNs changed;  // time of the last change
  Index head;      // oldest order
  Index tail;
  std::uint32_t order_count;
  std::uint32_t side_index;  // 2 * instrument + Side
};
static_assert(sizeof(Level) == 64);

class OrderBooks {
 public:
  // `orders` are the records whose slots the books link.
  OrderBooks(Arena& arena, std::size_t instruments, std::size_t resting_max,
             std::span<Order> orders);

  // The order joins the end of the queue at its price.
  void add(Index slot, TimeNs now) noexcept;
  // The order leaves its queue; its leaves stay as they are.
  void remove(Index slot, TimeNs now) noexcept;
  // The resting order loses `quantity`, less than its leaves, to an execution; it keeps its place.
  void reduce(Index slot, Lots quantity, TimeNs now) noexcept;

  // Best level of a side, or null.
  const Level* best(Index instrument, Side side) const noexcept;
  // The level next in price behind `price` (which need not exist), or null.
  const Level* behind(Index instrument, Side side, Ticks price) const noexcept;
  const Level* at(Index instrument, Side side, Ticks price) const noexcept;

  // Whether orders opposite to `side`, no worse than `limit`, hold at least `quantity` lots.
  // O(levels looked at).
  bool can_fill(Index instrument, Side side, Ticks limit, Lots quantity) const noexcept;

  // Counts the changes of an instrument's book.
  std::uint64_t update_id(Index instrument) const noexcept { return updates_[instrument]; }

  // Ends the process if a link, total, order or bound is wrong. Returns the number of resting
  // orders.
  std::size_t check_invariants() const noexcept;

 private:
  struct BookSide {
    LevelTree tree;
    Index best_plus_one;
  };

  static Rank rank(Side side, Ticks price) noexcept { return side == Side::kBuy ? price : -price; }
  BookSide& side_of(Index instrument, Side side) noexcept {
    return sides_[instrument * 2 + static_cast<Index>(side)];
  }
  const BookSide& side_of(Index instrument, Side side) const noexcept {
    return sides_[instrument * 2 + static_cast<Index>(side)];
  }
  const Level* level(Index index) const noexcept {
    return index == kNoIndex ? nullptr : &levels_[index];
  }
  Index open_level(Index instrument, Side side, Ticks price) noexcept;
  void close_level(Index level) noexcept;
  std::size_t check_level(const Level& level) const noexcept;

  std::span<Order> orders_;
  std::span<BookSide> sides_;
  std::span<std::uint64_t> updates_;
  std::span<Level> levels_;
  LevelNodePool nodes_;
  Index fresh_level_ = 0;
  Index free_level_ = kNoIndex;  // list through head
};

// Whether a taker on `side` with `limit` may trade at `price`.
inline bool crosses(Side side, Ticks limit, Ticks price) noexcept {
  return side == Side::kBuy ? price <= limit : price >= limit;
}

}  // namespace shmatch::core
