#include "core/state_view.h"

#include "core/engine_state.h"

namespace shmatch::core {
namespace {

LevelView view_of(const Level& level, const OrderStore& store) noexcept {
  return {.price = level.price,
          .quantity = level.quantity,
          .order_count = level.order_count,
          .changed = level.changed,
          .first = store[level.head].order_id};
}

}  // namespace

bool StateView::find(OrderId order_id, OrderView& view) const noexcept {
  const OrderStore& store = state_.store_;
  const Index slot = order_id > 0 ? store.find(order_id) : kNoIndex;
  if (slot == kNoIndex) return false;
  const Order& order = store[slot];
  const OrderDetail& detail = store.detail(slot);
  const OrderEnd end = store.end_of(slot);
  view = {.order_id = order.order_id,
          .cl_ord_id = order.cl_ord_id,
          .account_id = state_.accounts_.account_id(order.account),
          .instrument_id = state_.instruments_[order.instrument].id,
          .price = detail.price,
          .orig_quantity = order.orig_quantity,
          .leaves = order.leaves,
          .executed = executed(order),
          .gross = detail.gross,
          .receive_time = detail.receive_time,
          .update_time = end.update_time,
          .last_trade = detail.last_trade,
          .end_sequence = end.end_sequence,
          .entered_by = state_.accounts_.user_id(order.entered_by),
          .ended_by = 0,
          .side = order.side,
          .order_type = order.order_type,
          .time_in_force = order.time_in_force,
          .state = order.state,
          .change_reason = order.change_reason,
          .cancel_reason = order.cancel_reason,
          .ahead = 0,
          .behind = 0};
  if (order.cancel_reason == CancelReason::kUserModified ||
      order.cancel_reason == CancelReason::kCancelOnDisconnect) {
    view.ended_by = state_.accounts_.user_id(order.ended_by);
  }
  // An ended order's links are those of its last day in a queue.
  if (order.state == OrderState::kWorking) {
    if (order.previous != kNoIndex) view.ahead = store[order.previous].order_id;
    if (order.next != kNoIndex) view.behind = store[order.next].order_id;
  }
  return true;
}

bool StateView::level(InstrumentId instrument, Side side, Ticks price,
                      LevelView& view) const noexcept {
  const Index index = state_.instrument_map_.find(instrument);
  const Level* level = index == kNoIndex ? nullptr : state_.books_.at(index, side, price);
  if (level == nullptr) return false;
  view = view_of(*level, state_.store_);
  return true;
}

bool StateView::next_level(InstrumentId instrument, Side side, Ticks price,
                           LevelView& view) const noexcept {
  const Index index = state_.instrument_map_.find(instrument);
  if (index == kNoIndex) return false;
  const Level* level =
      price == 0 ? state_.books_.best(index, side) : state_.books_.behind(index, side, price);
  if (level == nullptr) return false;
  view = view_of(*level, state_.store_);
  return true;
}

std::uint64_t StateView::update_id(InstrumentId instrument) const noexcept {
  const Index index = state_.instrument_map_.find(instrument);
  return index == kNoIndex ? 0 : state_.books_.update_id(index);
}

}  // namespace shmatch::core
