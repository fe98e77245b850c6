// One order's record, in two cache lines: what matching and cancelling need, and what only reports
// need. Records never move: an order keeps its slot from entry until it is forgotten.
#pragma once

#include <type_traits>

#include "core/configuration.h"
#include "core/types.h"

namespace shmatch::core {

struct alignas(64) Order {
  OrderId order_id;  // 0: the slot is free
  ClOrdId cl_ord_id;
  Ticks price;           // 0 for a market order
  Lots leaves;           // working: still open; ended: what was left then
  std::uint64_t digest;  // what the order adds to the state's digest, if that is kept
  Index next;            // while it rests: behind us in the level
  Index previous;
  Index level;               // kNoIndex unless the order rests
  std::uint16_t account;     // index of the account
  std::uint16_t instrument;  // index of the instrument
  Side side;
  OrderType order_type;
  TimeInForce time_in_force;
  OrderState state;
  ChangeReason change_reason;
  CancelReason cancel_reason;
  std::uint8_t flags;  // kFlag... of types.h
};
static_assert(sizeof(Order) == 64 && std::is_trivially_copyable_v<Order>);
static_assert(kAccountsMax <= 1U << 16 && kInstrumentsMax <= 1U << 16 && kUsersMax <= 1U << 16);

struct alignas(64) OrderDetail {
  Wide gross;  // ticks times lots executed
  Lots orig_quantity;
  TimeNs receive_time;
  TimeNs update_time;
  TradeId last_trade;
  Sequence end_sequence;     // input that ended the order
  std::uint16_t entered_by;  // index of the user
  std::uint16_t ended_by;    // index of the user who cancelled it (cancelled_by_user)
  std::uint32_t ended_as;    // ended: how many orders had ended before, modulo 2^32
};
static_assert(sizeof(OrderDetail) == 64 && std::is_trivially_copyable_v<OrderDetail>);

inline Lots executed(const Order& order, const OrderDetail& detail) noexcept {
  return detail.orig_quantity - order.leaves;
}

// Whether ended_by means anything.
inline bool cancelled_by_user(const Order& order) noexcept {
  return order.cancel_reason == CancelReason::kUserModified ||
         order.cancel_reason == CancelReason::kCancelOnDisconnect;
}

// What the API calls Quantity: what still works.
inline Lots open_quantity(const Order& order) noexcept {
  return order.state == OrderState::kWorking ? order.leaves : 0;
}

}  // namespace shmatch::core
