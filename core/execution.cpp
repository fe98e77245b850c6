// Entering, matching and cancelling orders. Everything here comes after the request was judged, and
// cannot fail.
#include "core/engine_state.h"

namespace shmatch::core {

namespace {

bool may_rest(const Order& order) noexcept {
  return order.order_type == OrderType::kLimit && order.time_in_force == TimeInForce::kGtc;
}

}  // namespace

void MatchingEngine::State::cancel_order(const Origin& origin, const CancelOrder& request,
                                         TimeNs now) noexcept {
  // Both lines of the record at once, while the rules are looked at.
  if (request.order_id > 0) store_.prefetch(store_.slot_of(request.order_id));
  const JudgedCancel judged = judge_cancel(origin.slot, request, now);
  reporter_.receipt(origin.slot, origin.request, RequestType::kCancelOrder, judged.refusal);
  if (judged.refusal.code != ErrorCode::kOk) return;
  cancel_working(judged.order, CancelReason::kUserModified, sessions_[origin.slot].user,
                 origin.slot, now);
}

void MatchingEngine::State::cancel_working(Index order, CancelReason reason, Index by_user,
                                           SessionSlot also, TimeNs now) noexcept {
  books_.remove(order, now);
  store_[order].flags |= kFlagRemovedFromBook;
  store_.detail(order).ended_by = static_cast<std::uint16_t>(by_user);
  end_order(order, OrderState::kCanceled, ChangeReason::kUserModified, reason, now);
  reporter_.order_state(order, false, also);
  remember(order);
}

// The order has ended and everyone has heard of it. It joins those that stay known, and the oldest
// of them may have to go.
void MatchingEngine::State::remember(Index order) noexcept {
  store_.finish(order);
  renew_digest(order);
  if (!store_.overfull()) return;
  orders_digest_ -= store_[store_.finished(0)].digest;
  store_.forget_oldest();
}

void MatchingEngine::State::end_order(Index index, OrderState state, ChangeReason reason,
                                      CancelReason cancel_reason, TimeNs now) noexcept {
  Order& order = store_[index];
  order.state = state;
  order.change_reason = reason;
  order.cancel_reason = cancel_reason;
  OrderDetail& detail = store_.detail(index);
  detail.update_time = now;
  detail.end_sequence = sequence_;
}

void MatchingEngine::State::new_order(const Origin& origin, const NewOrder& request,
                                      TimeNs now) noexcept {
  JudgedOrder judged{judge_acceptance(origin.slot, now)};
  if (judged.refusal.code == ErrorCode::kOk) judged = judge_new_order(origin.slot, request);
  if (judged.refusal.code != ErrorCode::kOk) {
    reporter_.receipt(origin.slot, origin.request, RequestType::kNewOrder, judged.refusal);
    return;
  }
  start_order(origin, request, judged, now);
}

void MatchingEngine::State::start_order(const Origin& origin, const NewOrder& request,
                                        const JudgedOrder& judged, TimeNs now) noexcept {
  const Index order = enter(origin.slot, request, judged, now);
  if (may_rest(store_[order])) books_.expect(order, judged.price);
  reporter_.accepted(origin.slot, origin.request, store_[order].order_id, store_[order].cl_ord_id);
  match(order, origin.slot, now);
  settle(order, origin.slot, now);
}

Index MatchingEngine::State::enter(SessionSlot slot, const NewOrder& request,
                                   const JudgedOrder& judged, TimeNs now) noexcept {
  Session& session = sessions_[slot];
  const Index index = store_.allocate();
  Order& order = store_[index];
  order.cl_ord_id = request.cl_ord_id > 0 ? request.cl_ord_id : 0;
  order.price = judged.price;
  order.leaves = judged.quantity;
  order.account = static_cast<std::uint16_t>(judged.account);
  order.instrument = static_cast<std::uint16_t>(judged.instrument);
  order.side = request.side;
  order.order_type = request.order_type;
  order.time_in_force = request.time_in_force;
  order.change_reason = ChangeReason::kNewInputAccepted;
  OrderDetail& detail = store_.detail(index);
  detail.orig_quantity = judged.quantity;
  detail.receive_time = now;
  detail.update_time = now;
  detail.entered_by = static_cast<std::uint16_t>(session.user);
  if (session.marks_orders()) {
    session.entered_orders = true;
    store_.cancel_session(index) = session.serial;
  }
  store_.index(index);
  return index;
}

void MatchingEngine::State::match(Index taker, SessionSlot origin, TimeNs now) noexcept {
  const Order& order = store_[taker];
  const Side other = opposite(order.side);
  // A market order takes any price.
  Ticks limit = order.price;
  if (order.order_type == OrderType::kMarket) limit = order.side == Side::kBuy ? INT64_MAX : 0;
  if (order.time_in_force == TimeInForce::kFok &&
      !books_.can_fill(order.instrument, order.side, limit, order.leaves)) {
    return;
  }
  while (order.leaves > 0) {
    const Level* level = books_.best(order.instrument, other);
    if (level == nullptr || !crosses(order.side, limit, level->price)) return;
    execute(taker, level->head, origin, now);
  }
}

void MatchingEngine::State::execute(Index taker, Index maker, SessionSlot origin,
                                    TimeNs now) noexcept {
  Order& taking = store_[taker];
  Order& making = store_[maker];
  InstrumentEntry& instrument = instruments_[making.instrument];
  const Lots quantity = taking.leaves < making.leaves ? taking.leaves : making.leaves;
  const Ticks price = making.price;
  const Ticks last = instrument.last_trade_price;
  const Reporter::Execution execution{.trade_id = ++last_trade_,
                                      .price = price,
                                      .quantity = quantity,
                                      .direction = last == 0 || price == last ? Direction::kNoChange
                                                   : price > last             ? Direction::kUpTick
                                                                  : Direction::kDownTick};
  instrument.last_trade_price = price;

  taking.leaves -= quantity;
  const bool maker_filled = quantity == making.leaves;
  if (maker_filled) {
    books_.remove(maker, now);
    making.leaves = 0;
    making.flags |= kFlagRemovedFromBook;
    // Whoever takes next meets this one, which rests there since long ago.
    if (const Level* best = books_.best(making.instrument, making.side)) {
      store_.prefetch(best->head);
    }
    end_order(maker, OrderState::kFullyExecuted, ChangeReason::kTrade, CancelReason::kNone, now);
  } else {
    books_.reduce(maker, quantity, now);
    making.change_reason = ChangeReason::kTrade;
    store_.detail(maker).update_time = now;
  }
  const Wide value = static_cast<Wide>(price) * static_cast<Wide>(quantity);
  for (const Index order : {taker, maker}) {
    store_.detail(order).gross += value;
    store_.detail(order).last_trade = execution.trade_id;
  }
  reporter_.trade(execution, taker, maker, false, origin);
  reporter_.trade(execution, maker, taker, true, kNoSession);
  reporter_.order_state(maker, false, kNoSession);
  if (maker_filled) {
    remember(maker);
  } else {
    renew_digest(maker);
  }
}

// The new order has traded what it could: it ends, or it rests. Either way its one state event says
// so, and the digest covers it from now on.
void MatchingEngine::State::settle(Index index, SessionSlot origin, TimeNs now) noexcept {
  Order& order = store_[index];
  const bool traded = order.leaves != store_.detail(index).orig_quantity;
  bool ended = true;
  if (order.leaves == 0) {
    end_order(index, OrderState::kFullyExecuted, ChangeReason::kTrade, CancelReason::kNone, now);
  } else if (may_rest(order)) {
    ended = false;
    if (traded) order.change_reason = ChangeReason::kTrade;
    order.flags |= kFlagAddedToBook;
    books_.add(index, order.price, now);
  } else {
    end_order(index, OrderState::kCanceled, ChangeReason::kNoMoreMarket,
              CancelReason::kNoMoreMarket, now);
  }
  reporter_.order_state(index, true, origin);
  if (ended) {
    remember(index);
  } else {
    renew_digest(index);
  }
}

}  // namespace shmatch::core
