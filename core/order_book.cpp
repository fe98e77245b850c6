#include "core/order_book.h"

#include <algorithm>

#include "core/check.h"
#include "core/digest.h"

namespace shmatch::core {
namespace {

// Lots are never negative; said so, the upper half costs nothing.
Wide wide(Lots lots) noexcept { return static_cast<std::uint64_t>(lots); }

// Without a branch, for what is a toss (whether an order stands at an end of its queue): both
// places are worked out before the choice, so there is nothing to jump over.
Index* select(bool first, Index* one, Index* other) noexcept {
  asm("" : "+r"(one), "+r"(other));
  return first ? one : other;
}

std::uint64_t level_digest(const Level& level) noexcept {
  return digest_of(level.side_key, {static_cast<std::uint64_t>(level.price),
                                    static_cast<std::uint64_t>(level.changed)});
}

}  // namespace

OrderBooks::OrderBooks(Arena& arena, std::size_t instruments, std::size_t levels_max,
                       std::span<Order> orders, std::uint64_t hash_salt, bool keep_digest)
    : orders_(orders),
      sides_(arena.take<BookSide>(instruments * 2)),
      updates_(arena.take<std::uint64_t>(instruments)),
      levels_(arena.take<Level>(levels_max)),
      index_(arena, levels_, levels_max, hash_salt),
      nodes_(arena, levels_max, instruments * 2),
      keep_digest_(keep_digest) {}

void OrderBooks::name(Index instrument, InstrumentId id) noexcept {
  for (const Side side : {Side::kBuy, Side::kSell}) {
    BookSide& named = sides_[side_index(instrument, side)];
    named = BookSide{};
    named.key = 2 * static_cast<std::uint32_t>(id) + static_cast<std::uint32_t>(side);
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

OrderBooks::Queue OrderBooks::queue_at(Index instrument, Side side, Ticks price) const noexcept {
  Queue queue{side_index(instrument, side), kNoIndex, 0, 0};
  const BookSide& book = sides_[queue.side_index];
  const Rank wanted = rank(queue.side_index, price);
  if (wanted == book.best_rank) {
    queue.level = book.best_plus_one - 1;
  } else if (wanted < book.best_rank) {
    queue.hash = index_.hash(queue.side_index, price);
    queue.place = index_.locate(queue.hash, queue.side_index, price);
    queue.level = index_.at(queue.place);
  }
  if (queue.level != kNoIndex) core::prefetch(&orders_[levels_[queue.level].tail]);
  return queue;
}

OrderBooks::Joined OrderBooks::join(const Queue& queue, Index slot, Ticks price, Lots leaves,
                                    TimeNs now) noexcept {
  ++updates_[queue.side_index / 2];
  if (queue.level == kNoIndex) {
    const Index opened = open_level(queue, slot, price, leaves);
    changed(levels_[opened], now);
    return {opened, kNoIndex};
  }
  Level& level = levels_[queue.level];
  SHMATCH_CHECK(level.price == price && level.order_count > 0);
  const Index previous = level.tail;
  orders_[previous].next = slot;
  level.tail = slot;
  level.quantity += wide(leaves);
  ++level.order_count;
  changed(level, now);
  return {queue.level, previous};
}

void OrderBooks::add(Index slot, Ticks price, TimeNs now) noexcept {
  Order& order = orders_[slot];
  const Queue queue = queue_at(order.instrument, order.side, price);
  const Joined joined = join(queue, slot, price, order.leaves, now);
  order.next = kNoIndex;
  order.level = joined.level;
  order.previous = joined.previous;
}

void OrderBooks::remove(Index slot, TimeNs now) noexcept {
  Order& order = orders_[slot];
  const Index index = order.level;
  Level& level = levels_[index];
  const Wide leaves = wide(order.leaves);
  ++updates_[order.instrument];
  order.level = kNoIndex;
  if (level.order_count <= 1) {
    SHMATCH_CHECK(level.order_count == 1 && level.quantity == leaves);
    return close_level(index, level);
  }
  level.quantity -= leaves;
  // No sum of orders comes near half of what a Wide holds: only less than nothing does.
  SHMATCH_CHECK(static_cast<std::int64_t>(level.quantity >> 64) >= 0);
  const Index previous = order.previous;
  const Index next = order.next;
  const auto last = static_cast<Index>(orders_.size() - 1);
  *select(previous == kNoIndex, &level.head, &orders_[std::min(previous, last)].next) = next;
  *select(next == kNoIndex, &level.tail, &orders_[std::min(next, last)].previous) = previous;
  --level.order_count;
  changed(level, now);
}

void OrderBooks::reduce(Index slot, Lots quantity, TimeNs now) noexcept {
  Order& order = orders_[slot];
  SHMATCH_CHECK(quantity < order.leaves);
  Level& level = levels_[order.level];
  order.leaves -= quantity;
  level.quantity -= wide(quantity);
  changed(level, now);
  ++updates_[order.instrument];
}

// The level that `queue` is for, with its first order.
Index OrderBooks::open_level(const Queue& queue, Index slot, Ticks price, Lots leaves) noexcept {
  Index index = free_level_;
  if (index != kNoIndex) {
    free_level_ = levels_[index].head;
  } else {
    SHMATCH_CHECK(fresh_level_ < levels_.size());
    index = fresh_level_++;
  }
  ++levels_used_;
  const Index side_index = queue.side_index;
  BookSide& side = sides_[side_index];
  levels_[index] = Level{.quantity = wide(leaves),
                         .price = price,
                         .changed = 0,
                         .head = slot,
                         .tail = slot,
                         .order_count = 1,
                         .side_index = side_index,
                         .side_key = side.key,
                         .hash = queue.hash,
                         .digest = 0};
  const Rank rank = OrderBooks::rank(side_index, price);
  if (rank > side.best_rank) {
    if (side.best_plus_one != 0) put_behind(side);
    side.best_rank = rank;
    side.best_plus_one = index + 1;
  } else {
    index_.put(queue.place, queue.hash, index);
    side.ladder.insert(nodes_, rank);
  }
  return index;
}

// The side's best level will not be that any more, but stays.
[[gnu::noinline]] void OrderBooks::put_behind(BookSide& side) noexcept {
  const Index index = side.best_plus_one - 1;
  Level& level = levels_[index];
  level.hash = index_.hash(level.side_index, level.price);
  index_.put(index_.locate(level.hash, level.side_index, level.price), level.hash, index);
  side.ladder.insert(nodes_, side.best_rank);
}

// The side's best level is none any more: the next one takes its place, if there is one.
void OrderBooks::bring_to_front(BookSide& side, Index side_index) noexcept {
  side.best_plus_one = 0;
  side.best_rank = side.ladder.greatest(nodes_);
  if (side.best_rank == kNoRank) return;
  const Index index = index_.find(side_index, OrderBooks::rank(side_index, side.best_rank));
  SHMATCH_CHECK(index != kNoIndex);
  side.ladder.erase(nodes_, side.best_rank);
  index_.erase(levels_[index].hash, index);
  side.best_plus_one = index + 1;
}

void OrderBooks::close_level(Index index, Level& level) noexcept {
  level.order_count = 0;
  digest_ -= level.digest;
  BookSide& side = sides_[level.side_index];
  if (side.best_plus_one == index + 1) {
    bring_to_front(side, level.side_index);
  } else {
    index_.erase(level.hash, index);
    side.ladder.erase(nodes_, rank(level.side_index, level.price));
  }
  --levels_used_;
  level.head = free_level_;
  free_level_ = index;
}

const Level* OrderBooks::best(Index instrument, Side side) const noexcept {
  return level(sides_[side_index(instrument, side)].best_plus_one - 1);
}

const Level* OrderBooks::behind(Index instrument, Side side, Ticks price) const noexcept {
  const Index place = side_index(instrument, side);
  const Rank from = rank(place, price);
  if (from > sides_[place].best_rank) return best(instrument, side);
  const Rank below = sides_[place].ladder.below(nodes_, from);
  return below == kNoRank ? nullptr : at(place, rank(place, below));
}

const Level* OrderBooks::at(Index side_index, Ticks price) const noexcept {
  const BookSide& side = sides_[side_index];
  if (rank(side_index, price) == side.best_rank) return level(side.best_plus_one - 1);
  return level(index_.find(side_index, price));
}

const Level* OrderBooks::at(Index instrument, Side side, Ticks price) const noexcept {
  return at(side_index(instrument, side), price);
}

bool OrderBooks::can_fill(Index instrument, Side side, Ticks limit, Lots quantity) const noexcept {
  Wide missing = wide(quantity);
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
  std::size_t levels = 0;
  std::size_t in_index = 0;
  for (Index instrument = 0; instrument < updates_.size(); ++instrument) {
    for (const Side side : {Side::kBuy, Side::kSell}) {
      const Index place = side_index(instrument, side);
      std::size_t side_levels = 0;
      for (const Level* level = best(instrument, side); level != nullptr;
           level = behind(instrument, side, level->price)) {
        SHMATCH_CHECK(level->side_index == place);
        const bool is_best = side_levels == 0;
        SHMATCH_CHECK(is_best || level->hash == index_.hash(place, level->price));
        resting += check_level(*level);
        ++side_levels;
      }
      const Level* greatest = best(instrument, side);
      const Rank best_rank = greatest == nullptr ? kNoRank : rank(place, greatest->price);
      const std::size_t behind_best = side_levels == 0 ? 0 : side_levels - 1;
      const PriceLadder& ladder = sides_[place].ladder;
      SHMATCH_CHECK(sides_[place].best_rank == best_rank);
      SHMATCH_CHECK(ladder.check_invariants(nodes_) == behind_best);
      SHMATCH_CHECK(behind_best == 0 || ladder.greatest(nodes_) < best_rank);
      levels += side_levels;
      in_index += behind_best;
    }
    const Level* bid = best(instrument, Side::kBuy);
    const Level* ask = best(instrument, Side::kSell);
    SHMATCH_CHECK(bid == nullptr || ask == nullptr || bid->price < ask->price);
  }
  SHMATCH_CHECK(index_.count() == in_index && levels_used_ == levels);
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
    quantity += wide(order.leaves);
    previous = slot;
    ++count;
  }
  SHMATCH_CHECK(previous == level.tail && quantity == level.quantity);
  SHMATCH_CHECK(count == level.order_count);
  return count;
}

}  // namespace shmatch::core
