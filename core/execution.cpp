// Entering, matching and cancelling orders. Everything here comes after the request was judged, and
// cannot fail.
#include "core/engine_state.h"

namespace shmatch::core {

// Everything that a request usually leads to is one function: what is on its way is in registers
// then, not in memory. It is a sixth of a cancel's cost.
[[gnu::flatten]] void MatchingEngine::State::cancel_order(Origin origin,
                                                          const std::uint64_t* message,
                                                          TimeNs now) noexcept {
  const auto& request = message_at<CancelOrder>(message);
  Refusal refusal;
  const Index order = judge_cancel(origin.slot, request, now, refusal);
  if (order == kNoIndex) [[unlikely]] {
    return report_receipt(origin.slot, origin.request, RequestType::kCancelOrder, refusal);
  }
  report_receipt(origin.slot, origin.request, RequestType::kCancelOrder, Refusal{});
  cancel_working(order, CancelReason::kUserModified, sessions_[origin.slot].user, origin.slot, now);
}

void MatchingEngine::State::cancel_working(Index index, CancelReason reason, Index by_user,
                                           SessionSlot also, TimeNs now) noexcept {
  books_.remove(index, now);
  Order& order = store_[index];
  order.flags |= kFlagRemovedFromBook;
  order.ended_by = static_cast<std::uint16_t>(by_user);
  end_order(index, OrderState::kCanceled, ChangeReason::kUserModified, reason, now);
  report_changed(index, also);
  remember(index);
}

// The order has ended, its record says how, and everyone has heard of it: the oldest of those that
// stay known may have to go.
void MatchingEngine::State::remember(Index order) noexcept {
  renew_digest(order);
  if (!store_.overfull()) return;
  if (keep_digest_) orders_digest_ -= store_.oldest_digest();
  store_.forget_oldest();
}

void MatchingEngine::State::end_order(Index index, OrderState state, ChangeReason reason,
                                      CancelReason cancel_reason, TimeNs now) noexcept {
  Order& order = store_[index];
  order.state = state;
  order.change_reason = reason;
  order.cancel_reason = cancel_reason;
  store_.finish(index, {now, sequence_});
  if (keep_digest_) store_.digest(index) = store_.detail(index).digest;
}

[[gnu::flatten]] void MatchingEngine::State::new_order(Origin origin, const std::uint64_t* message,
                                                       TimeNs now) noexcept {
  const auto& request = message_at<NewOrder>(message);
  Refusal refusal;
  JudgedOrder judged;
  if (!may_accept(origin.slot, now, refusal) ||
      !judge_new_order(origin.slot, request, kNoIndex, judged, refusal)) [[unlikely]] {
    return report_receipt(origin.slot, origin.request, RequestType::kNewOrder, refusal);
  }
  start_order(origin, request, judged, now);
  store_.prefetch_next(judged.account, request.cl_ord_id);
}

void MatchingEngine::State::start_order(const Origin& origin, const NewOrder& request,
                                        const JudgedOrder& judged, TimeNs now) noexcept {
  const Index instrument = judged.instrument;
  const bool rests = judged.rests;
  OrderBooks::Queue queue{};
  if (rests) queue = books_.queue_at(instrument, request.side, judged.price);
  const OrderStore::Place place = store_.allocate();
  const ClOrdId cl_ord_id = request.cl_ord_id > 0 ? request.cl_ord_id : 0;
  report_accepted(origin.slot, origin.request, place.order_id, cl_ord_id);

  Session& session = sessions_[origin.slot];
  const std::uint32_t kind = kind_of(request);
  const Ticks limit = judged.limit;
  const bool meets_nobody = !books_.meets(instrument, request.side, limit);
  OrderBooks::Joined joined{kNoIndex, kNoIndex};
  if (meets_nobody && rests) {
    joined = books_.join(queue, place.slot, judged.price, judged.quantity, now);
  }
  // Written where they stay: a record that is put together elsewhere field by field and then copied
  // has to wait for its fields.
  Order& order = store_[place.slot];
  order.order_id = place.order_id;
  order.cl_ord_id = cl_ord_id;
  order.leaves = judged.quantity;
  order.orig_quantity = judged.quantity;
  order.next = kNoIndex;
  order.previous = joined.previous;
  order.level = joined.level;
  order.place_or_number = static_cast<std::uint32_t>(judged.place);
  order.account = static_cast<std::uint16_t>(judged.account);
  order.instrument = static_cast<std::uint16_t>(instrument);
  order.entered_by = static_cast<std::uint16_t>(session.user);
  order.ended_by = 0;
  set_kind_and_state(order, kind, joined.level == kNoIndex ? std::uint8_t{0} : kFlagAddedToBook);
  OrderDetail& detail = store_.detail(place.slot);
  detail = {.gross = 0,
            .price = judged.price,
            .receive_time = now,
            .update_time = now,
            .last_trade = 0,
            .digest = 0,
            .entered_digest = 0};
  const bool marks = session.marks_orders();
  if (marks) session.entered_orders = true;
  store_.walk(place.slot) = {marks ? session.serial : 0, judged.account};
  start_digest(place.slot);
  if (cl_ord_id != 0) {
    store_.client_ids().put(judged.place, judged.tag, judged.account, cl_ord_id, place.slot);
  }
  if (meets_nobody && rests) [[likely]] {
    report_resting(place, request, judged, kind, origin.slot);
    renew_digest(place.slot);
    return;
  }
  if (!meets_nobody) match(place.slot, limit, origin.slot, now);
  settle(place.slot, kind, origin.slot, now);
}

// Not inline, and settle neither: what comes to rest at once pays nothing for what does not.
[[gnu::noinline, gnu::flatten]] void MatchingEngine::State::match(Index taker, Ticks limit,
                                                                  SessionSlot origin,
                                                                  TimeNs now) noexcept {
  const Order& order = store_[taker];
  const Side other = opposite(order.side);
  if (order.time_in_force == TimeInForce::kFok &&
      !books_.can_fill(order.instrument, order.side, limit, order.leaves)) {
    return;
  }
  while (order.leaves > 0) {
    const Level* level = books_.best(order.instrument, other);
    if (level == nullptr || !crosses(order.side, limit, level->price)) return;
    execute(taker, *level, origin, now);
  }
}

void MatchingEngine::State::execute(Index taker, const Level& level, SessionSlot origin,
                                    TimeNs now) noexcept {
  const Index maker = level.head;
  Order& taking = store_[taker];
  Order& making = store_[maker];
  InstrumentEntry& instrument = instruments_[making.instrument];
  const Lots quantity = taking.leaves < making.leaves ? taking.leaves : making.leaves;
  const Ticks price = level.price;
  const Ticks last = instrument.last_trade_price;
  const Execution execution{.trade_id = ++last_trade_,
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
  report_trade(execution, taker, maker, false, origin);
  report_trade(execution, maker, taker, true, kNoSession);
  report_changed(maker, kNoSession);
  if (maker_filled) {
    remember(maker);
  } else {
    renew_digest(maker);
  }
}

// The new order has traded what it could: it ends, or it rests. Either way its one state event says
// so, and the digest covers it from now on.
[[gnu::noinline, gnu::flatten]] void MatchingEngine::State::settle(Index index, std::uint32_t kind,
                                                                   SessionSlot origin,
                                                                   TimeNs now) noexcept {
  Order& order = store_[index];
  if (order.leaves > 0 && may_rest(order.order_type, order.time_in_force)) [[likely]] {
    if (executed(order) != 0) order.change_reason = ChangeReason::kTrade;
    order.flags |= kFlagAddedToBook;
    books_.add(index, store_.detail(index).price, now);
    report_entered(index, order, store_.detail(index), kind, origin);
    renew_digest(index);
    return;
  }
  if (order.leaves == 0) {
    end_order(index, OrderState::kFullyExecuted, ChangeReason::kTrade, CancelReason::kNone, now);
  } else {
    end_order(index, OrderState::kCanceled, ChangeReason::kNoMoreMarket,
              CancelReason::kNoMoreMarket, now);
  }
  report_entered(index, order, store_.detail(index), kind, origin);
  remember(index);
}

}  // namespace shmatch::core
