// Looks at single orders and price levels of an engine, between two inputs: what a replay needs to
// explain a run. Nothing of it changes the engine, and nothing of it is on the engine's own path.
//
// Thread: the engine's.
#pragma once

#include "core/matching_engine.h"

namespace shmatch::core {

// An order that the engine knows, working or ended.
struct OrderView {
  OrderId order_id = 0;
  ClOrdId cl_ord_id = 0;
  AccountId account_id = 0;
  InstrumentId instrument_id = 0;
  Ticks price = 0;  // 0 for a market order
  Lots orig_quantity = 0;
  Lots leaves = 0;  // working: still open; ended: what was left then
  Lots executed = 0;
  Wide gross = 0;  // ticks times lots executed
  TimeNs receive_time = 0;
  TimeNs update_time = 0;
  TradeId last_trade = 0;
  Sequence end_sequence = 0;  // the input that ended it
  UserId entered_by = 0;
  UserId ended_by = 0;  // who cancelled it
  Side side = Side::kAbsent;
  OrderType order_type = OrderType::kAbsent;
  TimeInForce time_in_force = TimeInForce::kUnknown;
  OrderState state = OrderState::kUnknown;
  ChangeReason change_reason = ChangeReason::kUnknown;
  CancelReason cancel_reason = CancelReason::kNone;
  // Its neighbours in the queue of its price level; 0 where there is none, and once it has ended.
  OrderId ahead = 0;
  OrderId behind = 0;
};

struct LevelView {
  Ticks price = 0;
  Wide quantity = 0;
  std::uint32_t order_count = 0;
  TimeNs changed = 0;
  OrderId first = 0;  // the oldest order
};

class StateView {
 public:
  // `engine` must outlive the view.
  explicit StateView(const MatchingEngine& engine) noexcept : state_(*engine.state_) {}

  // False when the id was never issued, or its order is forgotten. O(1).
  bool find(OrderId order_id, OrderView& order) const noexcept;

  // False when no order rests at that price, or there is no such instrument.
  bool level(InstrumentId instrument, Side side, Ticks price, LevelView& level) const noexcept;

  // The level next behind `price` on its side, the best one for a price of 0. False when there is
  // none, or no such instrument.
  bool next_level(InstrumentId instrument, Side side, Ticks price, LevelView& level) const noexcept;

  // Counts the changes of an instrument's book; 0 when there is no such instrument.
  std::uint64_t update_id(InstrumentId instrument) const noexcept;

 private:
  const MatchingEngine::State& state_;
};

}  // namespace shmatch::core
