// The books: one a instrument, two sides each, orders of a price level in arrival order.
//
// A level exists exactly while orders rest at its price; it knows their number and their total
// quantity. The best level of each side is named by the side itself. All others are found by their
// price in an exact index (level_index.h), and a ladder a side knows which of their prices comes
// next (price_ladder.h): a level goes there when a better one opens, and comes back when that
// closes. Where most that happens is at the touch, or a side has one level, index and ladder have
// nothing to do. Totals are 128 bits wide: kAmountMax lots times the largest order capacity does
// not fit in 64.
//
// Orders are linked by slot numbers inside their own records; this file changes only the fields
// next, previous, level and leaves of an order. Thread: the core's. Worst case: a descent of the
// ladder for the first and last order of a level, which few levels need; constant for all others,
// but for the probe of the index.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/level_index.h"
#include "core/order.h"
#include "core/prefetch.h"
#include "core/price_ladder.h"

namespace shmatch::core {

class OrderBooks {
 public:
  // There is room for `levels_max` price levels. `orders` are the records whose slots the books
  // link.
  OrderBooks(Arena& arena, std::size_t instruments, std::size_t levels_max, std::span<Order> orders,
             std::uint64_t hash_salt, bool keep_digest);

  // Call once for each instrument, when the arena was real.
  void name(Index instrument, InstrumentId id) noexcept;

  // Where an order at this price would queue. Good until a level opens or closes.
  struct Queue {
    Index side_index;
    Index level;  // kNoIndex: there is none yet
    // Behind the best level: of the price, in the index of levels.
    std::uint32_t hash;
    std::uint32_t place;
  };
  // Also fetches the record at the end of the queue, which join would have to wait for.
  Queue queue_at(Index instrument, Side side, Ticks price) const noexcept;
  // What the order's record has to say of its place.
  struct Joined {
    Index level;
    Index previous;
  };
  // The order in `slot` joins the end of the queue at `price`, for which `queue` is; only its
  // neighbour's record is changed.
  Joined join(const Queue& queue, Index slot, Ticks price, Lots leaves, TimeNs now) noexcept;
  // Both, for an order whose record is complete.
  void add(Index slot, Ticks price, TimeNs now) noexcept;
  // The order leaves its queue; its leaves stay as they are.
  void remove(Index slot, TimeNs now) noexcept;
  // The resting order loses `quantity`, less than its leaves, to an execution; it keeps its place.
  void reduce(Index slot, Lots quantity, TimeNs now) noexcept;

  // Whether no level is left to be opened. The next order may then only join a level.
  bool full() const noexcept { return levels_used_ == levels_.size(); }
  std::uint32_t levels_used() const noexcept { return levels_used_; }
  // Whether the resting order's level will close when it leaves.
  bool alone(Index slot) const noexcept { return levels_[orders_[slot].level].order_count == 1; }

  // Whether an order opposite to `side` is there that a taker on `side` with this limit may have.
  bool meets(Index instrument, Side side, Ticks limit) const noexcept {
    const Index other = side_index(instrument, opposite(side));
    // The limit as the other side ranks it; of an empty side the best rank is below all.
    return sides_[other].best_rank >= rank(other, limit);
  }
  // Best level of a side, or null.
  const Level* best(Index instrument, Side side) const noexcept;
  // The level next in price behind `price` (which need not exist), or null.
  const Level* behind(Index instrument, Side side, Ticks price) const noexcept;
  const Level* at(Index instrument, Side side, Ticks price) const noexcept;

  // Whether orders opposite to `side`, no worse than `limit`, hold at least `quantity` lots.
  // O(levels looked at).
  bool can_fill(Index instrument, Side side, Ticks limit, Lots quantity) const noexcept;

  // Where the level at this price may be, or kNoIndex: for hints only.
  Index guess(Index instrument, Side side, Ticks price) const noexcept {
    const Index place = side_index(instrument, side);
    if (rank(place, price) == sides_[place].best_rank) return sides_[place].best_plus_one - 1;
    return index_.guess(place, price);
  }
  // Hints: an order will join the level soon; the second one when the first has had its time.
  void prefetch_level(Index level) const noexcept { core::prefetch(&levels_[level]); }
  void prefetch_tail(Index level) const noexcept {
    if (levels_[level].tail < orders_.size()) core::prefetch(&orders_[levels_[level].tail]);
  }
  // A hint: the order will leave its level soon. Any record does where it has no neighbour: whether
  // it has is a toss, and a wrong guess costs more.
  void prefetch(const Order& order) const noexcept {
    if (order.level >= levels_.size()) return;
    core::prefetch(&levels_[order.level]);
    const auto last = static_cast<Index>(orders_.size() - 1);
    core::prefetch(&orders_[std::min(order.previous, last)]);
    core::prefetch(&orders_[std::min(order.next, last)]);
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
  struct alignas(64) BookSide {
    PriceLadder ladder;  // of all levels but the best one, which the index does not have either
    Rank best_rank = kNoRank;
    Index best_plus_one = 0;
    std::uint32_t key = 0;  // 2 * instrument id + Side
  };
  static_assert(sizeof(BookSide) == 64);

  static Index side_index(Index instrument, Side side) noexcept {
    return instrument * 2 + static_cast<Index>(side);
  }
  // Bids are the better the higher they are, asks the lower: their complements. Its own inverse.
  static Rank rank(Index side_index, Ticks price) noexcept {
    return price ^ -static_cast<Rank>(side_index % 2);
  }
  const Level* level(Index index) const noexcept {
    return index == kNoIndex ? nullptr : &levels_[index];
  }
  const Level* at(Index side_index, Ticks price) const noexcept;
  Index open_level(const Queue& queue, Index slot, Ticks price, Lots leaves) noexcept;
  void close_level(Index index, Level& level) noexcept;
  void put_behind(BookSide& side) noexcept;
  void bring_to_front(BookSide& side, Index side_index) noexcept;
  void changed(Level& level, TimeNs now) noexcept;
  std::uint64_t walk_digest() const noexcept;
  std::size_t check_level(const Level& level) const noexcept;

  std::span<Order> orders_;
  std::span<BookSide> sides_;
  std::span<std::uint64_t> updates_;
  std::span<Level> levels_;
  LevelIndex index_;
  LadderNodes nodes_;
  bool keep_digest_;
  std::uint64_t digest_ = 0;
  std::uint32_t levels_used_ = 0;
  Index fresh_level_ = 0;
  Index free_level_ = kNoIndex;  // list through head
};

// Whether a taker on `side` with `limit` may trade at `price`.
inline bool crosses(Side side, Ticks limit, Ticks price) noexcept {
  return side == Side::kBuy ? price <= limit : price >= limit;
}

}  // namespace shmatch::core
