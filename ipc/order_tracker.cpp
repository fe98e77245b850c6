#include "ipc/order_tracker.h"

#include <cstring>
#include <utility>

namespace shmatch {
namespace {

using core::OrderStateWhole;

// The three uses of OrderObject share one layout (core/message_layout.h).
template <class Object>
OrderStateWhole as_state(const Object& object) {
  static_assert(sizeof(Object) == sizeof(OrderStateWhole));
  OrderStateWhole state;
  std::memcpy(static_cast<void*>(&state), &object, sizeof state);
  state.request_sequence = 0;
  return state;
}

// A query's answer includes every report up to its own sequence number, also those that still wait
// to be polled: they must not count twice.
bool is_news(const core::ReportHeader& report, const OrderStateWhole& known) {
  return report.engine_sequence > known.header.engine_sequence;
}

}  // namespace

const OrderStateWhole* OrderTracker::apply(const core::Report& report) {
  if (report.is<core::OrderEntered>()) return enter(report.as<core::OrderEntered>());
  if (report.is<core::OrderChanged>()) return change(report.as<core::OrderChanged>());
  if (report.is<OrderStateWhole>()) {
    const auto state = report.as<OrderStateWhole>();
    OrderStateWhole& order = orders_[state.order_id];
    if (is_news(state.header, order)) order = state;
    return &order;
  }
  // An incoming order's executions precede its entry, which counts them itself: only known orders,
  // that is makers, take them from here. Whole order states carry the sum.
  if (report.is<core::Trade>()) {
    const auto trade = report.as<core::Trade>();
    add_execution(trade);
  }
  return nullptr;
}

const OrderStateWhole* OrderTracker::enter(const core::OrderEntered& event) {
  OrderStateWhole& order = orders_[event.order_id];
  if (!is_news(event.header, order)) return &order;
  order = OrderStateWhole{};
  order.header = event.header;
  order.order_id = event.order_id;
  order.cl_ord_id = event.cl_ord_id;
  order.account_id = event.account_id;
  order.price = event.price;
  order.orig_quantity = event.orig_quantity;
  const bool works = core::order_state(event.header) == core::OrderState::kWorking;
  order.leaves = works ? event.orig_quantity - event.executed : 0;
  order.executed = event.executed;
  order.gross_low = event.gross_low;
  order.gross_high = event.gross_high;
  order.receive_time_ns = event.time_ns;
  order.update_time_ns = event.time_ns;
  order.instrument_id = event.instrument_id;
  order.entered_by = event.entered_by;
  order.side = event.side;
  order.order_type = event.order_type;
  order.time_in_force = event.time_in_force;
  order.order_flags = event.order_flags;
  return &order;
}

const OrderStateWhole* OrderTracker::change(const core::OrderChanged& event) {
  const auto found = orders_.find(event.order_id);
  if (found == orders_.end()) return nullptr;
  OrderStateWhole& order = found->second;
  if (!is_news(event.header, order)) return &order;
  order.header = event.header;
  order.leaves = event.leaves;
  order.executed = event.executed;
  order.update_time_ns = event.time_ns;
  // An order that changes after its entry rested until then.
  if (core::order_state(event.header) != core::OrderState::kWorking) {
    order.order_flags |= core::kFlagRemovedFromBook;
  }
  return &order;
}

void OrderTracker::add_execution(const core::Trade& trade) {
  const auto found = orders_.find(trade.order_id);
  if (found == orders_.end() || !is_news(trade.header, found->second)) return;
  OrderStateWhole& order = found->second;
  const core::Wide gross =
      core::wide(order.gross_low, order.gross_high) +
      static_cast<core::Wide>(trade.price) * static_cast<core::Wide>(trade.quantity);
  order.gross_low = core::low_word(gross);
  order.gross_high = core::high_word(gross);
  order.last_trade_price = trade.price;
}

void OrderTracker::learn(const core::OrderStatusReply& order) {
  orders_[order.order_id] = as_state(order);
}

void OrderTracker::learn(const core::OpenOrderRow& order) {
  orders_[order.order_id] = as_state(order);
}

const OrderStateWhole* OrderTracker::find(core::OrderId order_id) const {
  const auto found = orders_.find(order_id);
  return found == orders_.end() ? nullptr : &found->second;
}

void OrderTracker::forget_ended() {
  std::erase_if(orders_, [](const auto& entry) {
    return core::order_state(entry.second.header) != core::OrderState::kWorking;
  });
}

}  // namespace shmatch
