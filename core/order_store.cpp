#include "core/order_store.h"

#include <bit>

namespace shmatch::core {
namespace {

// Free slots beyond the capacities. They keep the cursor's steps short when the store is full, so
// that ids are not used up by skipping: on average it skips at most 16 slots an order.
Index slots_for(const Capacities& capacities) noexcept {
  const Index needed = capacities.working_orders + capacities.finished_orders;
  return needed + needed / 16 + 64;
}

}  // namespace

OrderStore::OrderStore(Arena& arena, const Capacities& capacities, std::uint64_t hash_salt)
    : slot_count_(slots_for(capacities)),
      finished_capacity_(capacities.finished_orders),
      slot_bits_(static_cast<unsigned>(std::bit_width(slot_count_ - 1))),
      orders_(arena.take<Order>(slot_count_)),
      details_(arena.take<OrderDetail>(slot_count_)),
      cancel_sessions_(arena.take<SessionSerial>(slot_count_)),
      walk_accounts_(arena.take<Index>(slot_count_)),
      finished_(arena.take<Index>(std::size_t{finished_capacity_} + 1)),
      free_(arena, slot_count_),
      client_ids_(arena, slot_count_, orders_, hash_salt) {}

void OrderStore::reset() noexcept {
  for (Index slot = 0; slot < slot_count_; ++slot) free_.insert(slot);
}

Index OrderStore::find(OrderId order_id) const noexcept {
  if (order_id <= 0) return kNoIndex;
  const auto slot = static_cast<Index>(static_cast<std::uint64_t>(order_id) &
                                       ((std::uint64_t{1} << slot_bits_) - 1));
  if (slot >= slot_count_ || orders_[slot].order_id != order_id) return kNoIndex;
  return slot;
}

bool OrderStore::ids_used_up() const noexcept {
  // A whole round ahead: wherever the cursor finds its slot, the id is still below the bound.
  return ((counters_.round + 2) << slot_bits_) > kOrderIdEnd;
}

Index OrderStore::allocate() noexcept {
  Index slot = free_.at_or_after(counters_.cursor);
  if (slot == kNoIndex) {
    ++counters_.round;
    slot = free_.at_or_after(0);
    SHMATCH_CHECK(slot != kNoIndex);
  }
  counters_.cursor = slot + 1;
  return take(slot, (counters_.round << slot_bits_) | slot);
}

Index OrderStore::take(Index slot, OrderId order_id) noexcept {
  free_.erase(slot);
  orders_[slot] = Order{};
  orders_[slot].order_id = order_id;
  orders_[slot].level = kNoIndex;
  orders_[slot].state = OrderState::kWorking;
  details_[slot] = OrderDetail{};
  cancel_sessions_[slot] = 0;
  ++working_count_;
  return slot;
}

void OrderStore::index(Index slot) noexcept {
  const Order& order = orders_[slot];
  walk_accounts_[slot] = order.account;
  if (order.cl_ord_id != 0) client_ids_.put(order.account, order.cl_ord_id, slot);
}

void OrderStore::finish(Index slot) noexcept {
  SHMATCH_CHECK(orders_[slot].state != OrderState::kWorking && orders_[slot].level == kNoIndex);
  --working_count_;
  const std::size_t place = std::size_t{first_finished_} + finished_count_++;
  finished_[place < finished_.size() ? place : place - finished_.size()] = slot;
  details_[slot].ended_as = counters_.ended_count++;
}

void OrderStore::forget_oldest() noexcept {
  const Index slot = finished(0);
  Order& order = orders_[slot];
  if (++first_finished_ == finished_.size()) first_finished_ = 0;
  // The next one to go was last touched when it ended, long ago.
  if (--finished_count_ > 0) prefetch_order(finished(0));
  if (order.cl_ord_id != 0) client_ids_.erase(order.account, order.cl_ord_id, slot);
  order.order_id = 0;
  free_.insert(slot);
}

bool OrderStore::restore(const Counters& counters) noexcept {
  const bool possible = counters.round >= 0 && counters.round <= (kOrderIdEnd >> slot_bits_) &&
                        counters.cursor >= 1 && counters.cursor <= slot_count_;
  if (possible) counters_ = counters;
  return possible;
}

Index OrderStore::claim(OrderId order_id) noexcept {
  const auto id = static_cast<std::uint64_t>(order_id);
  const std::uint64_t slot = id & ((std::uint64_t{1} << slot_bits_) - 1);
  // The cursor has passed the slot in this round, or only in the one before.
  const std::int64_t last_round = counters_.round - (slot < counters_.cursor ? 0 : 1);
  const bool given_out = order_id > 0 && slot < slot_count_ &&
                         static_cast<std::int64_t>(id >> slot_bits_) <= last_round;
  if (!given_out || !free_.contains(static_cast<Index>(slot))) return kNoIndex;
  return take(static_cast<Index>(slot), order_id);
}

bool OrderStore::index_again(Index slot) noexcept {
  const Order& order = orders_[slot];
  walk_accounts_[slot] = order.account;
  if (order.cl_ord_id == 0) return true;
  const Index named = find(order.account, order.cl_ord_id);
  const bool newest = named == kNoIndex || orders_[named].order_id < order.order_id;
  // A pair is free for a new order only when the one before has ended; so of several orders with
  // the same pair only the newest can be working, and they end in the order of their ids.
  const Index older = newest ? named : slot;
  const bool older_ended = older == kNoIndex || orders_[older].state != OrderState::kWorking;
  const bool newer_came_first = !newest && orders_[named].state != OrderState::kWorking;
  const bool possible = older_ended && !newer_came_first;
  if (possible && newest) index(slot);
  return possible;
}

void OrderStore::check_invariants() const noexcept {
  std::uint32_t working = 0;
  std::uint32_t finished = 0;
  for (Index slot = 0; slot < slot_count_; ++slot) {
    const Order& order = orders_[slot];
    SHMATCH_CHECK(free_.contains(slot) == (order.order_id == 0));
    if (order.order_id == 0) continue;
    SHMATCH_CHECK(find(order.order_id) == slot);
    (order.state == OrderState::kWorking ? working : finished) += 1;
    if (order.cl_ord_id == 0) continue;
    const Index named = client_ids_.find(order.account, order.cl_ord_id);
    SHMATCH_CHECK(named != kNoIndex);
    const bool newer = orders_[named].order_id > order.order_id;
    SHMATCH_CHECK(named == slot || (newer && order.state != OrderState::kWorking));
  }
  SHMATCH_CHECK(working == working_count_ && finished == finished_count_);
  SHMATCH_CHECK(finished_count_ <= finished_capacity_);
  std::uint32_t number = counters_.ended_count - finished_count_;
  for (std::uint32_t age = 0; age < finished_count_; ++age) {
    SHMATCH_CHECK(orders_[this->finished(age)].state != OrderState::kWorking);
    SHMATCH_CHECK(details_[this->finished(age)].ended_as == number++);
  }
  SHMATCH_CHECK(number == counters_.ended_count);
}

}  // namespace shmatch::core
