// Every order the engine knows: working ones, and the ended ones that it still remembers.
//
// An OrderId holds its order's slot in its low bits, so finding an order by id is one load and one
// comparison, no hash. Ids are handed out in increasing order: the cursor goes round the slots and
// skips taken ones; the high bits count the rounds. Ended orders stay in their slots, queued by the
// time they ended; when there are more than configured, the oldest is forgotten and its slot
// becomes free.
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

  // True when the next order would need an id that JavaScript cannot hold.
  bool ids_used_up() const noexcept;

  // Takes a slot for a new order; its id is set, all else is zero. Requires working_count() to be
  // at most the capacity (one more than may rest) and ids_used_up() to be false.
  Index allocate() noexcept;

  // The order in `slot` has its account and client order id now: make it findable.
  void index(Index slot) noexcept;

  // The order is working no more; remembers it, and may forget the order that ended longest ago
  // (with a capacity of 0: this one, so read what you need of it before).
  void finish(Index slot) noexcept;

  Order& operator[](Index slot) noexcept { return orders_[slot]; }
  const Order& operator[](Index slot) const noexcept { return orders_[slot]; }
  OrderDetail& detail(Index slot) noexcept { return details_[slot]; }
  const OrderDetail& detail(Index slot) const noexcept { return details_[slot]; }
  std::span<Order> orders() noexcept { return orders_; }

  // Which session's end cancels the order; 0 for none. Kept apart from the records so that the
  // sweep after a session's end reads 4 bytes an order.
  SessionSerial& cancel_session(Index slot) noexcept { return cancel_sessions_[slot]; }
  // The order's account, again apart, for walks over one account's orders.
  Index& walk_account(Index slot) noexcept { return walk_accounts_[slot]; }

  Index slot_count() const noexcept { return slot_count_; }
  std::uint32_t working_count() const noexcept { return working_count_; }
  std::uint32_t finished_count() const noexcept { return finished_count_; }

  void check_invariants() const noexcept;

 private:
  void forget_oldest() noexcept;

  Index slot_count_;
  std::uint32_t finished_capacity_;
  unsigned slot_bits_;
  std::span<Order> orders_;
  std::span<OrderDetail> details_;
  std::span<SessionSerial> cancel_sessions_;
  std::span<Index> walk_accounts_;
  SlotBitmap free_;
  ClientIdIndex client_ids_;
  std::int64_t round_ = 0;
  Index cursor_ = 1;  // OrderId 0 does not exist
  std::uint32_t working_count_ = 0;
  std::uint32_t finished_count_ = 0;
  Index oldest_finished_ = kNoIndex;
  Index newest_finished_ = kNoIndex;
};

}  // namespace shmatch::core
