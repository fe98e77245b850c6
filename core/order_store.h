// Every order the engine knows: working ones, and the ended ones that it still remembers.
//
// An OrderId holds its order's slot in its low bits, so finding an order by id is one load and one
// comparison, no hash. Ids are handed out in increasing order: the cursor goes round the slots and
// skips taken ones; the high bits count the rounds. Ended orders stay in their slots, and a ring
// names these in the order in which they ended; when there are more than configured, the oldest has
// to be forgotten and its slot becomes free. Its record stays as it is: it would have to be fetched
// to be changed. That it is known no more follows from its number in the order of ends.
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
  Index find(OrderId order_id) const noexcept {
    if (order_id <= 0) return kNoIndex;
    const Index slot = slot_of(order_id);
    return orders_[slot].order_id == order_id && known(orders_[slot]) ? slot : kNoIndex;
  }
  Index find(Index account, ClOrdId cl_ord_id) const noexcept {
    return client_ids_.find(account, cl_ord_id);
  }
  ClientIdIndex& client_ids() noexcept { return client_ids_; }
  const ClientIdIndex& client_ids() const noexcept { return client_ids_; }
  // Whether the slot holds an order that works or is remembered.
  bool known(Index slot) const noexcept { return known(orders_[slot]); }

  // Whether the known orders are more than caches hold: then hints for free slots are worth their
  // time.
  bool outgrows_cache() const noexcept {
    return working_count_ + finished_count_ >= kOrdersInCache;
  }
  // Hints, for whoever knows what comes (core/look_ahead.h).
  void prefetch_order(Index slot) const noexcept { core::prefetch(&orders_[slot]); }
  void prefetch(Index slot) const noexcept {
    core::prefetch(&orders_[slot]);
    core::prefetch(&details_[slot]);
  }
  // For after a new order: has what others will need fetched. A free slot: these are taken in
  // order, but lie far apart once the engine has run for a time, and a record is written whole. And
  // the entries of the client order ids that come behind this one.
  void prefetch_next(Index account, ClOrdId cl_ord_id) noexcept {
    client_ids_.prefetch_following(account, cl_ord_id);
    if (outgrows_cache()) hint_free();
  }
  // Where the next hint for a free slot begins to look.
  Index hinted() const noexcept { return hinted_; }
  // Where the order with this id is, if it is known; below slot_count() in any case.
  Index slot_of(OrderId order_id) const noexcept {
    const Index slot = static_cast<Index>(order_id) & slot_mask_;
    return slot < slot_count_ ? slot : 0;
  }

  // True when the next order would need an id that JavaScript cannot hold.
  bool ids_used_up() const noexcept { return ids_used_up_; }

  struct Place {
    Index slot;
    OrderId order_id;
  };
  // Takes a slot for a new order, whose record holds anything yet: all of it has to be written.
  // Requires working_count() to be at most the capacity (one more than may rest) and ids_used_up()
  // to be false.
  Place allocate() noexcept;

  // The order in `slot` works no more, as `end` says; remembers it. One more order may then be
  // remembered than the capacity says: forget the oldest before the next order ends.
  void finish(Index slot, const OrderEnd& end) noexcept {
    Order& order = orders_[slot];
    SHMATCH_CHECK(order.state != OrderState::kWorking && order.level == kNoIndex);
    --working_count_;
    finished_[next_finished_] = {end, slot, ClientIdPlace{order.place_or_number}, 0};
    if (++next_finished_ == ring_size_) next_finished_ = 0;
    order.place_or_number = ended_count_++;
    ++finished_count_;
  }
  bool overfull() const noexcept { return finished_count_ > finished_capacity_; }
  // What the state's digest has of the order: it is kept where the rest of its state is.
  std::uint64_t& digest(Index slot) noexcept {
    const Order& order = orders_[slot];
    return order.state == OrderState::kWorking ? details_[slot].digest : ended(order).digest;
  }
  std::uint64_t digest(Index slot) const noexcept {
    const Order& order = orders_[slot];
    return order.state == OrderState::kWorking ? details_[slot].digest : ended(order).digest;
  }
  std::uint64_t oldest_digest() const noexcept { return finished_[oldest_finished_].digest; }
  // Slots of ended orders by age: 0 is the one that ended longest ago; below finished_count().
  Index finished(std::uint32_t age) const noexcept { return finished_entry(age).slot; }
  void forget_oldest() noexcept {
    const EndedOrder& ended = finished_[oldest_finished_];
    if (++oldest_finished_ == ring_size_) oldest_finished_ = 0;
    --finished_count_;
    if (ended.place != ClientIdPlace::kNone) client_ids_.erase(ended.place, ended.slot);
    free_.insert(ended.slot);
    // Its turn comes in a while, and its entries here and in the index are as cold as can be.
    if (finished_count_ > kEndedNearby) {
      core::prefetch(&finished_entry(kRingLead));
      const EndedOrder& later = finished_entry(kForgetLead);
      if (later.place != ClientIdPlace::kNone) client_ids_.prefetch(later.place);
      free_.prefetch(later.slot);
    }
  }

  // When the order changed last, and how it ended.
  OrderEnd end_of(Index slot) const noexcept {
    const Order& order = orders_[slot];
    if (order.state == OrderState::kWorking) return {details_[slot].update_time, 0};
    return ended(order).end;
  }

  Order& operator[](Index slot) noexcept { return orders_[slot]; }
  const Order& operator[](Index slot) const noexcept { return orders_[slot]; }
  OrderDetail& detail(Index slot) noexcept { return details_[slot]; }
  const OrderDetail& detail(Index slot) const noexcept { return details_[slot]; }
  std::span<Order> orders() noexcept { return {orders_, orders_ == nullptr ? 0 : slot_count_}; }

  // What walks over all orders look at first, apart from the records so that they read 6 bytes an
  // order.
  struct [[gnu::packed]] Walk {
    SessionSerial cancel_session;  // whose end cancels the order; 0: nobody's
    std::uint16_t account;

    Walk(SessionSerial session, Index account_index) noexcept
        : cancel_session(session), account(static_cast<std::uint16_t>(account_index)) {}
  };
  static_assert(sizeof(Walk) == 6);
  Walk& walk(Index slot) noexcept { return walks_[slot]; }
  const Walk& walk(Index slot) const noexcept { return walks_[slot]; }

  Index slot_count() const noexcept { return slot_count_; }
  std::uint32_t working_count() const noexcept { return working_count_; }
  std::uint32_t finished_count() const noexcept { return finished_count_; }
  std::uint32_t finished_capacity() const noexcept { return finished_capacity_; }

  // Where the ids and the numbers of ended orders stand.
  struct Counters {
    std::int64_t round;
    Index cursor;
    std::uint32_t ended_count;
  };
  Counters counters() const noexcept { return {round_, cursor_, ended_count_}; }

  // ---- putting exported orders back. In this order: the counters; each order claimed, its record
  // filled in, then indexed; those that have ended finished, oldest first.

  // False when they are not such as this store can have. Before the first order is finished, the
  // count of ended ones has to be taken back by as many as will be.
  bool restore(const Counters& counters) noexcept;
  void take_back_ended_count(std::uint32_t by) noexcept { ended_count_ -= by; }
  // Like allocate, for an order that has its id. kNoIndex when the id was never given out, or names
  // the slot of another order.
  Index claim(OrderId order_id) noexcept;
  // The order in `slot` has its ids: makes it findable. False when they contradict an order that
  // was indexed before.
  bool index_again(Index slot) noexcept;

  void check_invariants() const noexcept;

 private:
  // Known orders whose records and entries, 150 bytes each, are near enough without hints.
  static constexpr std::uint32_t kOrdersInCache = 20'000;
  // Ended orders whose entries are near enough without hints.
  static constexpr std::uint32_t kEndedNearby = 2'000;
  // Ended orders between a hint for one and its being forgotten: so many that it comes in time, and
  // not so many that what it fetched would be gone again. Its entry in the ring comes first.
  static constexpr std::uint32_t kForgetLead = 10;
  static constexpr std::uint32_t kRingLead = 32;
  static_assert(kForgetLead < kRingLead && kRingLead <= kEndedNearby);
  // Free slots between a hint for one and its being taken, and how many slots these may be apart.
  static constexpr unsigned kFreeLead = 10;
  static constexpr Index kFreeReach = 4'096;

  // Not inline: few orders pay nothing for it.
  [[gnu::noinline]] void hint_free() noexcept {
    if (hinted_ - cursor_ > kFreeReach) [[unlikely]] {
      lead_hints();
    }
    const Index slot = free_.at_or_after(hinted_);
    if (slot == kNoIndex) [[unlikely]] {
      return;
    }
    prefetch(slot);
    core::prefetch(&walks_[slot]);
    hinted_ = slot + 1;
  }
  // The hints for free slots begin anew, as far ahead as they should be.
  [[gnu::noinline]] void lead_hints() noexcept {
    hinted_ = cursor_;
    for (unsigned i = 0; i < kFreeLead; ++i) {
      const Index slot = free_.at_or_after(hinted_);
      if (slot == kNoIndex) return;
      hinted_ = slot + 1;
    }
  }
  // A whole round ahead: wherever the cursor finds its slot, the id is still below the bound.
  bool last_round() const noexcept { return ((round_ + 2) << slot_bits_) > kOrderIdEnd; }
  // A working order, or one whose number is among those of the remembered ones. Numbers are taken
  // modulo 2^32; a slot is used again long before so many others have ended.
  bool known(const Order& order) const noexcept {
    if (order.state == OrderState::kWorking) return true;
    return order.order_id != 0 && ended_count_ - order.place_or_number - 1 < finished_count_;
  }
  ClientIdPlace place_of(const Order& order) const noexcept {
    return client_ids_.locate(order.account, order.cl_ord_id).place;
  }
  EndedOrder& ended(const Order& order) const noexcept {
    return finished_entry(order.place_or_number - (ended_count_ - finished_count_));
  }
  EndedOrder& finished_entry(std::uint32_t age) const noexcept {
    const std::uint32_t place = oldest_finished_ + age;
    return finished_[place < ring_size_ ? place : place - ring_size_];
  }

  Index slot_count_;
  unsigned slot_bits_;
  Index slot_mask_;
  std::uint32_t finished_capacity_;
  std::uint32_t ring_size_;
  // Addresses only: none while the arena measures.
  Order* orders_;
  OrderDetail* details_;
  Walk* walks_;
  EndedOrder* finished_;
  std::uint32_t working_count_ = 0;
  std::uint32_t finished_count_ = 0;
  std::uint32_t oldest_finished_ = 0;  // places in the ring: of the one that ended longest ago,
  std::uint32_t next_finished_ = 0;    // and where the next one to end goes
  std::uint32_t ended_count_ = 0;
  std::int64_t round_ = 0;
  Index cursor_ = 1;  // OrderId 0 does not exist
  Index hinted_ = 0;  // see hinted()
  bool ids_used_up_;
  SlotBitmap free_;
  ClientIdIndex client_ids_;
};

}  // namespace shmatch::core
