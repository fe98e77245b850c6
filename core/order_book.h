// The books: one a instrument, two sides each, price levels in a tree, orders of a level in arrival
// order.
//
// A level exists exactly while orders rest at its price; it knows their number and their total
// quantity. The best level of each side is remembered, so that the touch costs one load. Totals are
// 128 bits wide: kAmountMax lots times the largest order capacity does not fit in 64.
//
// The tree is searched for levels that are new or were not met for a while: a small table remembers
// where the level of a price was found last, and the level itself says whether it still is that
// one.
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
#include "core/prefetch.h"

namespace shmatch::core {

struct alignas(64) Level {
  Wide quantity;  // sum of the resting orders' leaves
  Ticks price;
  TimeNs changed;  // time of the last change
  Index head;      // oldest order
  Index tail;
  std::uint32_t order_count;
  std::uint32_t side_index;  // 2 * instrument + Side
  std::uint32_t side_key;    // 2 * instrument id + Side
  std::uint64_t digest;      // what the level adds to OrderBooks::digest
};
static_assert(sizeof(Level) == 64);

class OrderBooks {
 public:
  // `orders` are the records whose slots the books link.
  OrderBooks(Arena& arena, std::size_t instruments, std::size_t resting_max,
             std::span<Order> orders, bool keep_digest);

  // Call once for each instrument, when the arena was real.
  void name(Index instrument, InstrumentId id) noexcept;

  // The order may be added before any other order of its side is added or removed: finds its level
  // now, and fetches the record at the end of that queue, which add would have to wait for.
  void expect(Index slot, Ticks price) noexcept;
  // The order joins the end of the queue at its price.
  void add(Index slot, Ticks price, TimeNs now) noexcept;
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

  // Where the level at this price may be, kNoIndex when nothing is known of it: for hints only.
  Index guess(Index instrument, Side side, Ticks price) const noexcept {
    const Index index = level_cache_[cache_place(instrument, side, price)] - 1;
    return index < levels_.size() ? index : kNoIndex;
  }
  // Hints: an order will join the level soon; the second one when the first has had its time.
  void prefetch_level(Index level) const noexcept { core::prefetch(&levels_[level]); }
  void prefetch_tail(Index level) const noexcept {
    if (levels_[level].tail < orders_.size()) core::prefetch(&orders_[levels_[level].tail]);
  }
  // A hint: the order will leave its level soon.
  void prefetch(const Order& order) const noexcept {
    if (order.level >= levels_.size()) return;
    core::prefetch(&levels_[order.level]);
    if (order.previous < orders_.size()) core::prefetch(&orders_[order.previous]);
    if (order.next < orders_.size()) core::prefetch(&orders_[order.next]);
  }

  // Counts the changes of an instrument's book.
  std::uint64_t update_id(Index instrument) const noexcept { return updates_[instrument]; }
  // Exported orders have been put back by add: the count is not of those calls.
  void restore_update_id(Index instrument, std::uint64_t id) noexcept { updates_[instrument] = id; }

  // Calls f(level) for each level: by instrument, bids before asks, best first.
  template <class F>
  void for_each_level(F f) const noexcept {
    for (Index instrument = 0; instrument < updates_.size(); ++instrument) {
      for (const Side side : {Side::kBuy, Side::kSell}) {
        for (const Level* level = best(instrument, side); level != nullptr;
             level = behind(instrument, side, level->price)) {
          f(*level);
        }
      }
    }
  }

  // Of what the levels know beyond their orders: the time of their last change. O(1) when it is
  // kept, else O(levels).
  std::uint64_t digest() const noexcept { return keep_digest_ ? digest_ : walk_digest(); }

  // Ends the process if a link, total, order or bound is wrong. Returns the number of resting
  // orders.
  std::size_t check_invariants() const noexcept;

 private:
  struct BookSide {
    LevelTree tree;
    Index best_plus_one;
    std::uint32_t key;  // 2 * instrument id + Side
  };

  static Rank rank(Side side, Ticks price) noexcept { return side == Side::kBuy ? price : -price; }
  BookSide& side_of(Index instrument, Side side) noexcept {
    return sides_[side_index(instrument, side)];
  }
  const BookSide& side_of(Index instrument, Side side) const noexcept {
    return sides_[side_index(instrument, side)];
  }
  const Level* level(Index index) const noexcept {
    return index == kNoIndex ? nullptr : &levels_[index];
  }
  // The level at the order's price, or kNoIndex.
  Index level_of(const Order& order, Ticks price) noexcept;
  static Index side_index(Index instrument, Side side) noexcept {
    return instrument * 2 + static_cast<Index>(side);
  }
  // Multiplied by the golden ratio, prices in a row and prices far apart alike are spread evenly.
  std::size_t cache_place(Index instrument, Side side, Ticks price) const noexcept {
    const std::uint64_t key =
        static_cast<std::uint64_t>(price) + (std::uint64_t{side_index(instrument, side)} << 40);
    return (key * 0x9E37'79B9'7F4A'7C15U) >> cache_shift_;
  }
  Index open_level(Index instrument, Side side, Ticks price) noexcept;
  void close_level(Index level) noexcept;
  void changed(Level& level, TimeNs now) noexcept;
  std::uint64_t walk_digest() const noexcept;
  std::size_t check_level(const Level& level) const noexcept;

  std::span<Order> orders_;
  std::span<BookSide> sides_;
  std::span<std::uint64_t> updates_;
  std::span<Level> levels_;
  LevelNodePool nodes_;
  unsigned cache_shift_;
  std::span<Index> level_cache_;  // level plus one, by cache_place
  bool keep_digest_;
  std::uint64_t digest_ = 0;
  Index expected_ = kNoIndex;        // the order that expect was told of last,
  Index expected_level_ = kNoIndex;  // and its level; kNoIndex: there is none yet
  Index fresh_level_ = 0;
  Index free_level_ = kNoIndex;  // list through head
};

// Whether a taker on `side` with `limit` may trade at `price`.
inline bool crosses(Side side, Ticks limit, Ticks price) noexcept {
  return side == Side::kBuy ? price <= limit : price >= limit;
}

}  // namespace shmatch::core
