#include "core/order_book.h"

#include <algorithm>
#include <bit>

#include "core/check.h"
#include "core/digest.h"

namespace shmatch::core {
namespace {

// Entries of the table of levels met lately: as many as levels may exist, but no more than fit in a
// part of the second cache.
constexpr unsigned kCacheBitsMax = 14;

unsigned cache_bits(std::size_t levels) noexcept {
  return std::min(kCacheBitsMax, static_cast<unsigned>(std::bit_width(levels)) + 1);
}

std::uint64_t level_digest(const Level& level) noexcept {
  return digest_of(level.side_key, {static_cast<std::uint64_t>(level.price),
                                    static_cast<std::uint64_t>(level.changed)});
}

}  // namespace

OrderBooks::OrderBooks(Arena& arena, std::size_t instruments, std::size_t resting_max,
                       std::span<Order> orders, bool keep_digest)
    : orders_(orders),
      sides_(arena.take<BookSide>(instruments * 2)),
      updates_(arena.take<std::uint64_t>(instruments)),
      levels_(arena.take<Level>(resting_max)),
      nodes_(arena, resting_max, instruments * 2),
      cache_shift_(64 - cache_bits(resting_max)),
      level_cache_(arena.take<Index>(std::size_t{1} << cache_bits(resting_max))),
      keep_digest_(keep_digest) {}

void OrderBooks::name(Index instrument, InstrumentId id) noexcept {
  for (const Side side : {Side::kBuy, Side::kSell}) {
    side_of(instrument, side).key =
        2 * static_cast<std::uint32_t>(id) + static_cast<std::uint32_t>(side);
  }
}

// The level has its first order, or another total than before.
void OrderBooks::changed(Level& level, TimeNs now) noexcept {
  level.changed = now;
  if (!keep_digest_) return;
  digest_ -= level.digest;
  level.digest = level_digest(level);
  digest_ += level.digest;
}

std::uint64_t OrderBooks::walk_digest() const noexcept {
  std::uint64_t sum = 0;
  for_each_level([&sum](const Level& level) noexcept { sum += level_digest(level); });
  return sum;
}

Index OrderBooks::level_of(const Order& order, Ticks price) noexcept {
  Index& cached = level_cache_[cache_place(order.instrument, order.side, price)];
  if (cached != 0) {
    const Level& level = levels_[cached - 1];
    // Closed levels hold no orders, and others may have their place by now.
    if (level.price == price && level.order_count != 0 &&
        level.side_index == side_index(order.instrument, order.side)) {
      return cached - 1;
    }
  }
  const Index found =
      side_of(order.instrument, order.side).tree.find(nodes_, rank(order.side, price));
  if (found != kNoIndex) cached = found + 1;
  return found;
}

void OrderBooks::expect(Index slot, Ticks price) noexcept {
  expected_ = slot;
  expected_level_ = level_of(orders_[slot], price);
  if (expected_level_ != kNoIndex) core::prefetch(&orders_[levels_[expected_level_].tail]);
}

void OrderBooks::add(Index slot, Ticks price, TimeNs now) noexcept {
  Order& order = orders_[slot];
  Index index = slot == expected_ ? expected_level_ : level_of(order, price);
  expected_ = kNoIndex;
  if (index == kNoIndex) index = open_level(order.instrument, order.side, price);
  Level& level = levels_[index];
  order.level = index;
  order.next = kNoIndex;
  order.previous = level.tail;
  if (level.tail == kNoIndex) {
    level.head = slot;
  } else {
    orders_[level.tail].next = slot;
  }
  level.tail = slot;
  level.quantity += static_cast<Wide>(order.leaves);
  changed(level, now);
  ++level.order_count;
  ++updates_[order.instrument];
}

void OrderBooks::remove(Index slot, TimeNs now) noexcept {
  Order& order = orders_[slot];
  Level& level = levels_[order.level];
  const Wide left = level.quantity - static_cast<Wide>(order.leaves);
  SHMATCH_CHECK(level.order_count > 0 && left <= level.quantity);
  (order.previous == kNoIndex ? level.head : orders_[order.previous].next) = order.next;
  (order.next == kNoIndex ? level.tail : orders_[order.next].previous) = order.previous;
  level.quantity = left;
  ++updates_[order.instrument];
  if (--level.order_count == 0) {
    close_level(order.level);
  } else {
    changed(level, now);
  }
  order.level = kNoIndex;
}

void OrderBooks::reduce(Index slot, Lots quantity, TimeNs now) noexcept {
  Order& order = orders_[slot];
  SHMATCH_CHECK(quantity < order.leaves);
  Level& level = levels_[order.level];
  order.leaves -= quantity;
  level.quantity -= static_cast<Wide>(quantity);
  changed(level, now);
  ++updates_[order.instrument];
}

Index OrderBooks::open_level(Index instrument, Side side, Ticks price) noexcept {
  Index index = free_level_;
  if (index != kNoIndex) {
    free_level_ = levels_[index].head;
  } else {
    SHMATCH_CHECK(fresh_level_ < levels_.size());
    index = fresh_level_++;
  }
  BookSide& book_side = side_of(instrument, side);
  levels_[index] = Level{.quantity = 0,
                         .price = price,
                         .changed = 0,
                         .head = kNoIndex,
                         .tail = kNoIndex,
                         .order_count = 0,
                         .side_index = side_index(instrument, side),
                         .side_key = book_side.key,
                         .digest = 0};
  book_side.tree.insert(nodes_, rank(side, price), index);
  level_cache_[cache_place(instrument, side, price)] = index + 1;
  const Index best = book_side.best_plus_one - 1;
  if (best == kNoIndex || rank(side, price) > rank(side, levels_[best].price)) {
    book_side.best_plus_one = index + 1;
  }
  return index;
}

void OrderBooks::close_level(Index index) noexcept {
  Level& level = levels_[index];
  SHMATCH_CHECK(level.quantity == 0);
  digest_ -= level.digest;
  BookSide& side = sides_[level.side_index];
  side.tree.erase(nodes_, rank(static_cast<Side>(level.side_index % 2), level.price));
  if (side.best_plus_one == index + 1) side.best_plus_one = side.tree.best(nodes_) + 1;
  level.head = free_level_;
  free_level_ = index;
}

const Level* OrderBooks::best(Index instrument, Side side) const noexcept {
  return level(side_of(instrument, side).best_plus_one - 1);
}

const Level* OrderBooks::behind(Index instrument, Side side, Ticks price) const noexcept {
  return level(side_of(instrument, side).tree.below(nodes_, rank(side, price)));
}

const Level* OrderBooks::at(Index instrument, Side side, Ticks price) const noexcept {
  return level(side_of(instrument, side).tree.find(nodes_, rank(side, price)));
}

bool OrderBooks::can_fill(Index instrument, Side side, Ticks limit, Lots quantity) const noexcept {
  auto missing = static_cast<Wide>(quantity);
  const Side other = opposite(side);
  for (const Level* level = best(instrument, other); level != nullptr;
       level = behind(instrument, other, level->price)) {
    if (!crosses(side, limit, level->price)) return false;
    if (level->quantity >= missing) return true;
    missing -= level->quantity;
  }
  return false;
}

std::size_t OrderBooks::check_invariants() const noexcept {
  std::size_t resting = 0;
  for (Index instrument = 0; instrument < updates_.size(); ++instrument) {
    for (const Side side : {Side::kBuy, Side::kSell}) {
      std::size_t levels = 0;
      for (const Level* level = best(instrument, side); level != nullptr;
           level = behind(instrument, side, level->price)) {
        SHMATCH_CHECK(at(instrument, side, level->price) == level);
        SHMATCH_CHECK(level->side_index == side_index(instrument, side));
        resting += check_level(*level);
        ++levels;
      }
      SHMATCH_CHECK(side_of(instrument, side).tree.check_invariants(nodes_) == levels);
    }
    const Level* bid = best(instrument, Side::kBuy);
    const Level* ask = best(instrument, Side::kSell);
    SHMATCH_CHECK(bid == nullptr || ask == nullptr || bid->price < ask->price);
  }
  SHMATCH_CHECK(digest() == walk_digest());
  return resting;
}

std::size_t OrderBooks::check_level(const Level& level) const noexcept {
  SHMATCH_CHECK(level.order_count > 0);
  Wide quantity = 0;
  std::size_t count = 0;
  Index previous = kNoIndex;
  for (Index slot = level.head; slot != kNoIndex; slot = orders_[slot].next) {
    const Order& order = orders_[slot];
    SHMATCH_CHECK(order.state == OrderState::kWorking && order.leaves > 0);
    SHMATCH_CHECK(order.previous == previous && &levels_[order.level] == &level);
    // Ids grow and nothing moves within a queue, so the orders' ids say their priority: the digest
    // need not cover the queue.
    SHMATCH_CHECK(previous == kNoIndex || orders_[previous].order_id < order.order_id);
    SHMATCH_CHECK(order.instrument * 2U + static_cast<Index>(order.side) == level.side_index);
    quantity += static_cast<Wide>(order.leaves);
    previous = slot;
    ++count;
  }
  SHMATCH_CHECK(previous == level.tail && quantity == level.quantity);
  SHMATCH_CHECK(count == level.order_count);
  return count;
}

}  // namespace shmatch::core
