// The plain book of the reference engine: price levels in a std::map, orders of a level in a
// std::list in order of arrival. It is written to be read and to be obviously right; nothing in it
// is fast.
#pragma once

#include <list>
#include <map>
#include <optional>

#include "core/matching_engine.h"
#include "core/types.h"

namespace shmatch::reference {

// Everything the reference remembers of one order, from its acceptance until it is forgotten.
struct Order {
  core::OrderId order_id = 0;
  core::ClOrdId cl_ord_id = 0;
  core::AccountId account_id = 0;
  core::InstrumentId instrument_id = 0;
  core::UserId entered_by = 0;
  core::SessionSerial session = 0;
  core::Side side = core::Side::kAbsent;
  core::OrderType type = core::OrderType::kAbsent;
  core::TimeInForce time_in_force = core::TimeInForce::kGtc;
  core::Ticks price = 0;  // 0 for a market order
  core::Lots orig_quantity = 0;
  core::Lots leaves = 0;
  core::Lots executed = 0;
  core::Wide gross = 0;
  core::TimeNs receive_time = 0;
  core::TimeNs update_time = 0;
  core::OrderState state = core::OrderState::kWorking;
  core::ChangeReason change_reason = core::ChangeReason::kUnknown;
  core::CancelReason cancel_reason = core::CancelReason::kNone;
  std::uint8_t flags = 0;
  bool entered_reported = false;  // its first state event has been made
  core::TradeId last_trade = 0;
  core::UserId ended_by = 0;
  core::Sequence ended_sequence = 0;
};

struct Level {
  std::list<Order*> orders;
  core::TimeNs changed = 0;

  core::Wide quantity() const;
  std::uint32_t account_count() const;
};

class Book {
 public:
  // Best price first, on either side.
  using Levels = std::map<core::Ticks, Level, bool (*)(core::Ticks, core::Ticks)>;

  Book();

  const Levels& levels(core::Side side) const;
  core::Touch best(core::Side side) const;

  // The order that an incoming order would meet first, or none: the oldest order at the best price
  // of the other side, if that price is good enough for `taker`.
  Order* first_maker(const Order& taker);
  // Whether the other side holds all that `taker` wants, at prices that it accepts.
  bool can_fill(const Order& taker) const;

  void add(Order& order, core::TimeNs now);
  void remove(Order& order, core::TimeNs now);
  void trade(const Order& maker, core::TimeNs now);

  core::Ticks last_trade_price = 0;
  std::uint64_t change_count = 0;

 private:
  Levels& levels_of(core::Side side);

  Levels bids_;
  Levels asks_;
};

}  // namespace shmatch::reference
