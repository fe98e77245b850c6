// One order's record, in two cache lines: what cancelling and the ends of a queue need, and what
// only matching, queries and some reports need. Records never move: an order keeps its slot from
// entry until it is forgotten.
//
// A cancel touches the first line alone. What is new about an order when it ends goes into the ring
// of ended orders (EndedOrder), whose entries lie one behind the other.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "core/configuration.h"
#include "core/types.h"

namespace shmatch::core {

// A place in the client id index, which knows what it means (core/client_id_index.h).
enum class ClientIdPlace : std::uint32_t { kNone = 0 };

struct alignas(64) Order {
  OrderId order_id;  // 0: the slot was never used
  ClOrdId cl_ord_id;
  Lots leaves;  // working: still open; ended: what was left then
  Lots orig_quantity;
  Index next;  // while it rests: behind us in the level
  Index previous;
  Index level;  // kNoIndex unless the order rests
  // Working: its ClientIdPlace, none without a client order id. Ended: how many orders had ended
  // before, modulo 2^32. Ask ended_as.
  std::uint32_t place_or_number;
  std::uint16_t account;     // index of the account
  std::uint16_t instrument;  // index of the instrument
  std::uint16_t entered_by;  // index of the user
  std::uint16_t ended_by;    // index of the user who cancelled it (cancelled_by_user)
  Side side;
  OrderType order_type;
  TimeInForce time_in_force;
  std::uint8_t flags;  // kFlag... of types.h
  OrderState state;
  ChangeReason change_reason;
  CancelReason cancel_reason;
};
static_assert(sizeof(Order) == 64 && std::is_trivially_copyable_v<Order>);
static_assert(kAccountsMax <= 1U << 16 && kInstrumentsMax <= 1U << 16 && kUsersMax <= 1U << 16);

struct alignas(64) OrderDetail {
  Wide gross;   // ticks times lots executed
  Ticks price;  // 0 for a market order
  TimeNs receive_time;
  TimeNs update_time;  // while it works; later EndedOrder's counts
  TradeId last_trade;
  // If the state's digest is kept: what the order adds to it, while it works, and the part of that
  // which never changes.
  std::uint64_t digest;
  std::uint64_t entered_digest;
};
static_assert(sizeof(OrderDetail) == 64 && std::is_trivially_copyable_v<OrderDetail>);

// What is known of an order's last change and end; of a working order end_sequence is 0.
struct OrderEnd {
  TimeNs update_time;
  Sequence end_sequence;  // input that ended the order
};

// An order in the ring of ended ones.
struct EndedOrder {
  OrderEnd end;
  Index slot;
  ClientIdPlace place;   // none: without a client order id, or a newer order has that
  std::uint64_t digest;  // what the order adds to the state's digest, if that is kept
};
static_assert(sizeof(EndedOrder) == 32);

// An order's side, type and time in force in one word, as its first event and its state's words
// have them.
constexpr std::uint32_t kind_of(Side side, OrderType type, TimeInForce time_in_force) noexcept {
  return static_cast<std::uint32_t>(side) | (static_cast<std::uint32_t>(type) << 8) |
         (static_cast<std::uint32_t>(time_in_force) << 16);
}

// A new order's fields from side on, whose kind_of is `kind`, in one store: what loads several of
// them soon after bytes were stored one by one would have to wait for each.
inline void set_kind_and_state(Order& order, std::uint32_t kind, std::uint8_t flags) noexcept {
  static_assert(offsetof(Order, order_type) == offsetof(Order, side) + 1 &&
                offsetof(Order, time_in_force) == offsetof(Order, side) + 2 &&
                offsetof(Order, flags) == offsetof(Order, side) + 3 &&
                offsetof(Order, state) == offsetof(Order, side) + 4 &&
                offsetof(Order, change_reason) == offsetof(Order, side) + 5 &&
                offsetof(Order, cancel_reason) == offsetof(Order, side) + 6 &&
                sizeof(Order) == offsetof(Order, side) + 8);
  constexpr std::uint64_t kState =
      static_cast<std::uint64_t>(OrderState::kWorking) << 32 |
      static_cast<std::uint64_t>(ChangeReason::kNewInputAccepted) << 40 |
      static_cast<std::uint64_t>(CancelReason::kNone) << 48;
  const std::uint64_t word = kState | std::uint64_t{flags} << 24 | kind;
  std::memcpy(reinterpret_cast<char*>(&order) + offsetof(Order, side), &word, sizeof word);
}

inline Lots executed(const Order& order) noexcept { return order.orig_quantity - order.leaves; }

// Whether ended_by means anything.
inline bool cancelled_by_user(const Order& order) noexcept {
  return order.cancel_reason == CancelReason::kUserModified ||
         order.cancel_reason == CancelReason::kCancelOnDisconnect;
}

// 0 unless it has ended.
inline std::uint32_t ended_as(const Order& order) noexcept {
  return order.state == OrderState::kWorking ? 0 : order.place_or_number;
}

// What the API calls Quantity: what still works.
inline Lots open_quantity(const Order& order) noexcept {
  return order.state == OrderState::kWorking ? order.leaves : 0;
}

}  // namespace shmatch::core
