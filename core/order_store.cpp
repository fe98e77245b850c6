#include "core/order_store.h"

#include <bit>

namespace shmatch::core {
namespace {

// Free slots beyond the capacities. They keep the cursor's steps short when the store is full, so
// that ids are not used up by skipping: on average it skips at most 16 slots an order in a small
// store. In a large one, where free slots are much memory, it skips at most 64, one word of the
// bitmap, and ids still last for 10^13 orders. Ids depend on this number: an engine with another
// one cannot replay what this one wrote.
Index slots_for(const Capacities& capacities) noexcept {
  constexpr Index kSmall = 1U << 16;
  const Index needed = capacities.working_orders + capacities.finished_orders;
  const Index beyond = needed > kSmall ? needed - kSmall : 0;
  return needed + (needed - beyond) / 16 + beyond / 64 + 64;
}

}  // namespace

OrderStore::OrderStore(Arena& arena, const Capacities& capacities, std::uint64_t hash_salt)
    : slot_count_(slots_for(capacities)),
      slot_bits_(static_cast<unsigned>(std::bit_width(slot_count_ - 1))),
      slot_mask_(static_cast<Index>((std::uint64_t{1} << slot_bits_) - 1)),
      finished_capacity_(capacities.finished_orders),
      ring_size_(finished_capacity_ + 1),
      orders_(arena.take<Order>(slot_count_).data()),
      details_(arena.take<OrderDetail>(slot_count_).data()),
      walks_(arena.take<Walk>(slot_count_).data()),
      finished_(arena.take<EndedOrder>(ring_size_).data()),
      ids_used_up_(last_round()),
      free_(arena, slot_count_),
      client_ids_(arena, slot_count_, orders(), hash_salt) {}

void OrderStore::reset() noexcept {
  for (Index slot = 0; slot < slot_count_; ++slot) free_.insert(slot);
}

OrderStore::Place OrderStore::allocate() noexcept {
  Index slot = free_.at_or_after(cursor_);
  if (slot == kNoIndex) [[unlikely]] {
    ++round_;
    hinted_ = 0;
    ids_used_up_ = last_round();
    slot = free_.at_or_after(0);
    SHMATCH_CHECK(slot != kNoIndex);
  }
  cursor_ = slot + 1;
  free_.erase(slot);
  ++working_count_;
  return {slot, (round_ << slot_bits_) | slot};
}

bool OrderStore::restore(const Counters& counters) noexcept {
  const bool possible = counters.round >= 0 && counters.round <= (kOrderIdEnd >> slot_bits_) &&
                        counters.cursor >= 1 && counters.cursor <= slot_count_;
  if (possible) {
    round_ = counters.round;
    ids_used_up_ = last_round();
    cursor_ = counters.cursor;
    ended_count_ = counters.ended_count;
  }
  return possible;
}

Index OrderStore::claim(OrderId order_id) noexcept {
  const auto id = static_cast<std::uint64_t>(order_id);
  const std::uint64_t slot = id & ((std::uint64_t{1} << slot_bits_) - 1);
  // The cursor has passed the slot in this round, or only in the one before.
  const std::int64_t last_round = round_ - (slot < cursor_ ? 0 : 1);
  const bool given_out = order_id > 0 && slot < slot_count_ &&
                         static_cast<std::int64_t>(id >> slot_bits_) <= last_round;
  if (!given_out || !free_.contains(static_cast<Index>(slot))) return kNoIndex;
  free_.erase(static_cast<Index>(slot));
  ++working_count_;
  return static_cast<Index>(slot);
}

bool OrderStore::index_again(Index slot) noexcept {
  Order& order = orders_[slot];
  order.place_or_number = static_cast<std::uint32_t>(ClientIdPlace::kNone);
  if (order.cl_ord_id == 0) return true;
  const Index named = find(order.account, order.cl_ord_id);
  const bool newest = named == kNoIndex || orders_[named].order_id < order.order_id;
  // A pair is free for a new order only when the one before has ended; so of several orders with
  // the same pair only the newest can be working, and they end in the order of their ids.
  const Index older = newest ? named : slot;
  const bool older_ended = older == kNoIndex || orders_[older].state != OrderState::kWorking;
  const bool newer_came_first = !newest && orders_[named].state != OrderState::kWorking;
  const bool possible = older_ended && !newer_came_first;
  if (possible && newest) {
    order.place_or_number =
        static_cast<std::uint32_t>(client_ids_.put(order.account, order.cl_ord_id, slot));
  }
  return possible;
}

void OrderStore::check_invariants() const noexcept {
  std::uint32_t working = 0;
  std::uint32_t finished = 0;
  std::size_t named_ones = 0;
  for (Index slot = 0; slot < slot_count_; ++slot) {
    const Order& order = orders_[slot];
    SHMATCH_CHECK(free_.contains(slot) == !known(order));
    if (!known(order)) continue;
    SHMATCH_CHECK(find(order.order_id) == slot);
    const bool works = order.state == OrderState::kWorking;
    (works ? working : finished) += 1;
    if (order.cl_ord_id == 0) {
      SHMATCH_CHECK(!works || ClientIdPlace{order.place_or_number} == ClientIdPlace::kNone);
      continue;
    }
    const Index named = client_ids_.find(order.account, order.cl_ord_id);
    SHMATCH_CHECK(named != kNoIndex);
    const bool newer = orders_[named].order_id > order.order_id;
    SHMATCH_CHECK(named == slot || (newer && !works));
    named_ones += named == slot ? 1 : 0;
    if (works) SHMATCH_CHECK(ClientIdPlace{order.place_or_number} == place_of(order));
  }
  SHMATCH_CHECK(named_ones == client_ids_.count());
  SHMATCH_CHECK(working == working_count_ && finished == finished_count_);
  SHMATCH_CHECK(finished_count_ <= finished_capacity_);
  std::uint32_t number = ended_count_ - finished_count_;
  for (std::uint32_t age = 0; age < finished_count_; ++age) {
    const EndedOrder& entry = finished_entry(age);
    const Order& order = orders_[entry.slot];
    SHMATCH_CHECK(order.state != OrderState::kWorking && order.place_or_number == number++);
    if (order.cl_ord_id == 0) {
      SHMATCH_CHECK(entry.place == ClientIdPlace::kNone);
    } else if (find(order.account, order.cl_ord_id) == entry.slot) {
      SHMATCH_CHECK(entry.place == place_of(order));
    }
  }
  SHMATCH_CHECK(number == ended_count_);
}

}  // namespace shmatch::core
