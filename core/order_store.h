// Every order the engine knows: working ones, and the ended ones that it still remembers.
//
// An OrderId holds its order's slot in its low bits, so finding an order by id is one load and one
// comparison, no hash. Ids are handed out in increasing order: the cursor goes round the slots and
// skips taken ones; the high bits count the rounds. Ended orders stay in their slots, and a ring
// names these in the order in which they ended; when there are more than configured, the oldest has
// to be forgotten and its slot becomes free.
//
// Invariants: (1) slots = working + finished + free, and there are enough slots that one is free
// whenever fewer orders work than the capacity says, plus one for an order that never rests; (2)
// ids only grow; (3) a client id pair of a known order finds that order or a newer one with the
// same pair. Thread: the core's. Worst case of each operation: constant, but for the probe of the
// client id index.
#pragma once

#include <span>

#include "core/client_id_index.h"
#include "core/configuration.h"
#include "core/order.h"
#include "core/prefetch.h"
#include "core/slot_bitmap.h"

namespace shmatch::core {

class OrderStore {
 public:
  OrderStore(Arena& arena, const Capacities& capacities, std::uint64_t hash_salt);

  // Call once, when the arena was real: frees all slots.
  void reset() noexcept;

  // The slot of a known order, or kNoIndex: never issued, or forgotten.
  Index find(OrderId order_id) const noexcept;
  Index find(Index account, ClOrdId cl_ord_id) const noexcept {
    return client_ids_.find(account, cl_ord_id);
  }

  // Hints, for whoever knows what comes (core/look_ahead.h).
  void prefetch_order(Index slot) const noexcept { core::prefetch(&orders_[slot]); }
  void prefetch(Index slot) const noexcept {
    core::prefetch(&orders_[slot]);
    core::prefetch(&details_[slot]);
  }
  void prefetch(Index account, ClOrdId cl_ord_id) const noexcept {
    client_ids_.prefetch(account, cl_ord_id);
  }
  // The ended order in `slot` will be forgotten, and its record has been fetched.
  void prefetch_forgetting(Index slot) const noexcept {
    const Order& order = orders_[slot];
    if (order.cl_ord_id != 0) client_ids_.prefetch(order.account, order.cl_ord_id);
    free_.prefetch(slot);
  }
  // The slot will be taken by a new order.
  void prefetch_free(Index slot) const noexcept {
    prefetch(slot);
    core::prefetch(&cancel_sessions_[slot]);
    core::prefetch(&walk_accounts_[slot]);
  }
  // Where the order with this id is, if it is known; below slot_count() in any case.
  Index slot_of(OrderId order_id) const noexcept {
    const auto slot = static_cast<Index>(static_cast<std::uint64_t>(order_id) &
                                         ((std::uint64_t{1} << slot_bits_) - 1));
    return slot < slot_count_ ? slot : 0;
  }
  // The first free slot at or behind `slot`, or kNoIndex.
  Index free_from(Index slot) const noexcept { return free_.at_or_after(slot); }

  // True when the next order would need an id that JavaScript cannot hold.
  bool ids_used_up() const noexcept;

  // Takes a slot for a new order; its id is set, all else is zero. Requires working_count() to be
  // at most the capacity (one more than may rest) and ids_used_up() to be false.
  Index allocate() noexcept;

  // The order in `slot` has its account and client order id now: make it findable.
  void index(Index slot) noexcept;

  // The order is working no more; remembers it. One more order may then be remembered than the
  // capacity says: forget the oldest before the next order ends.
  void finish(Index slot) noexcept;
  bool overfull() const noexcept { return finished_count_ > finished_capacity_; }
  // Slots of ended orders by age: 0 is the one that ended longest ago; below finished_count().
  Index finished(std::uint32_t age) const noexcept {
    const std::size_t place = std::size_t{first_finished_} + age;
    return finished_[place < finished_.size() ? place : place - finished_.size()];
  }
  void forget_oldest() noexcept;

  Order& operator[](Index slot) noexcept { return orders_[slot]; }
  const Order& operator[](Index slot) const noexcept { return orders_[slot]; }
  OrderDetail& detail(Index slot) noexcept { return details_[slot]; }
  const OrderDetail& detail(Index slot) const noexcept { return details_[slot]; }
  std::span<Order> orders() noexcept { return orders_; }

  // Which session's end cancels the order; 0 for none. Kept apart from the records so that the
  // sweep after a session's end reads 4 bytes an order.
  SessionSerial& cancel_session(Index slot) noexcept { return cancel_sessions_[slot]; }
  SessionSerial cancel_session(Index slot) const noexcept { return cancel_sessions_[slot]; }
  // The order's account, again apart, for walks over one account's orders.
  Index& walk_account(Index slot) noexcept { return walk_accounts_[slot]; }

  Index slot_count() const noexcept { return slot_count_; }
  std::uint32_t working_count() const noexcept { return working_count_; }
  std::uint32_t finished_count() const noexcept { return finished_count_; }
  std::uint32_t finished_capacity() const noexcept { return finished_capacity_; }

  // Where the ids and the numbers of ended orders stand.
  struct Counters {
    std::int64_t round = 0;
    Index cursor = 1;  // OrderId 0 does not exist
    std::uint32_t ended_count = 0;
  };
  const Counters& counters() const noexcept { return counters_; }

  // ---- putting exported orders back. In this order: the counters; each order claimed, its record
  // filled in, then indexed; those that have ended finished, oldest first.

  // False when they are not such as this store can have. Before the first order is finished, the
  // count of ended ones has to be taken back by as many as will be.
  bool restore(const Counters& counters) noexcept;
  void take_back_ended_count(std::uint32_t by) noexcept { counters_.ended_count -= by; }
  // Like allocate, for an order that has its id. kNoIndex when the id was never given out, or names
  // the slot of another order.
  Index claim(OrderId order_id) noexcept;
  // Like index. False when the pair of keys contradicts an order that was indexed before.
  bool index_again(Index slot) noexcept;

  void check_invariants() const noexcept;

 private:
  Index take(Index slot, OrderId order_id) noexcept;

  Index slot_count_;
  std::uint32_t finished_capacity_;
  unsigned slot_bits_;
  std::span<Order> orders_;
  std::span<OrderDetail> details_;
  std::span<SessionSerial> cancel_sessions_;
  std::span<Index> walk_accounts_;
  std::span<Index> finished_;
  SlotBitmap free_;
  ClientIdIndex client_ids_;
  Counters counters_;
  std::uint32_t working_count_ = 0;
  std::uint32_t finished_count_ = 0;
  Index first_finished_ = 0;  // the oldest one's place in the ring
};

}  // namespace shmatch::core
