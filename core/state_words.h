// The state's parts as 64-bit words, and back: the one list of what the digest covers and what an
// export holds. Ids stand for indices, so that the words do not depend on how a configuration is
// listed. Private to core.
//
// An order's links, level and slot are not among its words: the slot is in its id, its place in its
// level's queue follows from its id (check_invariants holds this up), and its place among the ended
// orders is ended_as.
//
// An order's words come in two halves: how it was entered, which never changes, and what became of
// it since. Its digest is the sum of the halves' digests, so a change costs the second half only;
// and the second half is left out of the sum as long as it says nothing (untouched).
//
// Whoever changes a list changes kStateFormat, too: digests and exports are then others.
#pragma once

#include <cstring>

#include "core/digest.h"
#include "core/input_record.h"
#include "core/order.h"
#include "core/session_table.h"

namespace shmatch::core {

inline constexpr std::uint64_t kStateFormat = 2;
inline constexpr std::uint64_t kStateMagic = 0x3145'5441'5453'4853;  // "SHSTATE1"

// What is once: format, sequence, last trade, last serial and stop reason, round and cursor of the
// ids, number of ended orders, state of the sweep.
using CounterWords = std::uint64_t[7];
// Of a whole export: OMS id; capacities for working and finished orders; working and finished
// orders; instruments and sessions in it.
using ExportHeadWords = std::uint64_t[4];
// Of a level in an export: instrument and side, price, time of the last change, number of orders.
using LevelWords = std::uint64_t[4];
// Id, last trade price, number of the book's changes.
using InstrumentWords = std::uint64_t[3];
using SessionWords = std::uint64_t[9];
using OrderHalf = std::uint64_t[8];
struct OrderWords {
  OrderHalf entered;
  OrderHalf since;
};

// The ids that an order's indices stand for.
struct OrderIds {
  AccountId account;
  InstrumentId instrument;
  UserId entered_by;
  UserId ended_by;               // 0 unless cancelled_by_user
  SessionSerial cancel_session;  // as OrderStore::Walk
};

constexpr std::uint64_t pack(std::uint64_t low, std::uint64_t high) noexcept {
  return low | (high << 32);
}
constexpr std::uint32_t low_half(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word);
}
constexpr std::uint32_t high_half(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word >> 32);
}
constexpr std::uint8_t byte_of(std::uint64_t word, unsigned place) noexcept {
  return static_cast<std::uint8_t>(word >> (8 * place));
}

// Whether nothing has happened to a resting order. Its second half then follows from the first, as
// as_entered says; check_invariants and import_state hold this up.
inline bool untouched(const Order& order) noexcept {
  return order.state == OrderState::kWorking && order.leaves == order.orig_quantity;
}
inline bool as_entered(const Order& order, const OrderDetail& detail) noexcept {
  return order.change_reason == ChangeReason::kNewInputAccepted &&
         order.cancel_reason == CancelReason::kNone && order.flags == kFlagAddedToBook &&
         detail.gross == 0 && detail.last_trade == 0 && detail.update_time == detail.receive_time;
}

inline void put_entered(const Order& order, const OrderDetail& detail, const OrderIds& ids,
                        OrderHalf& words) noexcept {
  words[0] = static_cast<std::uint64_t>(order.order_id);
  words[1] = static_cast<std::uint64_t>(order.cl_ord_id);
  words[2] = static_cast<std::uint64_t>(detail.price);
  words[3] = static_cast<std::uint64_t>(order.orig_quantity);
  words[4] = static_cast<std::uint64_t>(detail.receive_time);
  words[5] = static_cast<std::uint64_t>(ids.account);
  words[6] =
      pack(static_cast<std::uint64_t>(ids.instrument), static_cast<std::uint64_t>(ids.entered_by));
  words[7] = pack(kind_of(order.side, order.order_type, order.time_in_force), ids.cancel_session);
}

inline void put_since(const Order& order, const OrderDetail& detail, const OrderEnd& end,
                      UserId ended_by, OrderHalf& words) noexcept {
  words[0] = static_cast<std::uint64_t>(order.leaves);
  words[1] = low_word(detail.gross);
  words[2] = high_word(detail.gross);
  words[3] = static_cast<std::uint64_t>(end.update_time);
  words[4] = static_cast<std::uint64_t>(detail.last_trade);
  words[5] = end.end_sequence;
  words[6] = static_cast<std::uint64_t>(ended_by);
  words[7] = pack(static_cast<std::uint64_t>(order.state) |
                      static_cast<std::uint64_t>(order.change_reason) << 8 |
                      static_cast<std::uint64_t>(order.cancel_reason) << 16 |
                      static_cast<std::uint64_t>(order.flags) << 24,
                  ended_as(order));
}

// The inverse: all of the record but its indices, links, place and digest; `number` is ended_as.
// Values are taken as they come.
inline OrderIds get_order(const OrderWords& words, Order& order, OrderDetail& detail, OrderEnd& end,
                          std::uint32_t& number) noexcept {
  const OrderHalf& entered = words.entered;
  order.order_id = static_cast<OrderId>(entered[0]);
  order.cl_ord_id = static_cast<ClOrdId>(entered[1]);
  detail.price = static_cast<Ticks>(entered[2]);
  order.orig_quantity = static_cast<Lots>(entered[3]);
  detail.receive_time = static_cast<TimeNs>(entered[4]);
  order.side = static_cast<Side>(byte_of(entered[7], 0));
  order.order_type = static_cast<OrderType>(byte_of(entered[7], 1));
  order.time_in_force = static_cast<TimeInForce>(byte_of(entered[7], 2));
  const OrderHalf& since = words.since;
  order.leaves = static_cast<Lots>(since[0]);
  detail.gross = wide(since[1], since[2]);
  end.update_time = static_cast<TimeNs>(since[3]);
  detail.update_time = end.update_time;
  detail.last_trade = static_cast<TradeId>(since[4]);
  end.end_sequence = since[5];
  order.state = static_cast<OrderState>(byte_of(since[7], 0));
  order.change_reason = static_cast<ChangeReason>(byte_of(since[7], 1));
  order.cancel_reason = static_cast<CancelReason>(byte_of(since[7], 2));
  order.flags = byte_of(since[7], 3);
  number = high_half(since[7]);
  return {.account = static_cast<AccountId>(entered[5]),
          .instrument = low_half(entered[6]),
          .entered_by = high_half(entered[6]),
          .ended_by = low_half(since[6]),
          .cancel_session = high_half(entered[7])};
}

inline void put_session(SessionSlot slot, const Session& session, SessionWords& words) noexcept {
  words[0] =
      pack(slot, static_cast<std::uint64_t>(session.state) |
                     (session.entered_orders ? 1U : 0U) << 8 | logon_flags(session.logon) << 16);
  words[1] = session.serial;
  words[2] = static_cast<std::uint64_t>(session.logon.user_id);
  words[3] = static_cast<std::uint64_t>(session.theoretical_arrival);
  words[4] = session.last_request;
  std::memcpy(words + 5, session.logon.name, kSessionNameBytes);
}

// The inverse: all but the index of the user. Returns the slot.
inline SessionSlot get_session(const SessionWords& words, Session& session) noexcept {
  const std::uint32_t packed = high_half(words[0]);
  session.logon = logon_of(packed >> 16);
  session.state = static_cast<SessionState>(byte_of(packed, 0));
  session.entered_orders = byte_of(packed, 1) != 0;
  session.serial = low_half(words[1]);
  session.logon.user_id = static_cast<UserId>(words[2]);
  session.theoretical_arrival = static_cast<TimeNs>(words[3]);
  session.last_request = words[4];
  std::memcpy(session.logon.name, words + 5, kSessionNameBytes);
  return low_half(words[0]);
}

}  // namespace shmatch::core
