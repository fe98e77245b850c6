#include "tests/process/event_stream.h"

#include <stdexcept>
#include <vector>

#include "tests/process/process.h"

namespace shmatch::process_test {

namespace {

using core::OrderState;

template <class Message>
Event event_of(const Message& message) {
  Event event;
  event.sequence = message.header.engine_sequence;
  event.ordinal = message.header.ordinal;
  event.a = message.header.a;
  event.b = message.header.b;
  event.order = message.order_id;
  return event;
}

template <class Message>
Event state_event(const Message& message, core::AccountId account) {
  Event event = event_of(message);
  event.executed = message.executed;
  event.account = account;
  return event;
}

template <class Message>
Event trade_event(const Message& message, core::AccountId account) {
  Event event = event_of(message);
  event.trade = true;
  event.account = account;
  event.trade_id = message.trade_id;
  event.price = message.price;
  event.quantity = message.quantity;
  return event;
}

void require(bool holds, const char* what, const Event& event) {
  if (holds) return;
  throw std::runtime_error(std::string(what) + ": order " + std::to_string(event.order) +
                           ", engine sequence " + std::to_string(event.sequence) + ", ordinal " +
                           std::to_string(event.ordinal));
}

void require_same(bool same, const char* what, core::OrderId order) {
  if (!same) throw std::runtime_error(std::string(what) + ": order " + std::to_string(order));
}

bool ended(OrderState state) {
  return state == OrderState::kCanceled || state == OrderState::kFullyExecuted;
}

}  // namespace

core::Side Event::side() const noexcept { return static_cast<core::Side>(core::low_nibble(a)); }

OrderState Event::state() const noexcept { return static_cast<OrderState>(core::low_nibble(a)); }

std::optional<Event> as_event(const core::Report& report) {
  if (report.is<core::OrderEntered>()) {
    const auto message = report.as<core::OrderEntered>();
    return state_event(message, message.account_id);
  }
  if (report.is<core::OrderChanged>()) return state_event(report.as<core::OrderChanged>(), 0);
  if (report.is<core::OrderStateWhole>()) {
    const auto message = report.as<core::OrderStateWhole>();
    return state_event(message, message.account_id);
  }
  if (report.is<core::Trade>()) return trade_event(report.as<core::Trade>(), 0);
  if (report.is<core::TradeWhole>()) {
    const auto message = report.as<core::TradeWhole>();
    return trade_event(message, message.account_id);
  }
  return std::nullopt;
}

void EventDigest::mix(std::uint64_t value) {
  hash_ = (hash_ ^ value) * 0x9E37'79B9'7F4A'7C15;
  hash_ ^= hash_ >> 29;
}

void EventDigest::add(const Event& event) {
  ++count_;
  mix(event.sequence);
  mix(event.ordinal);
  mix(static_cast<std::uint64_t>(event.order));
  mix(static_cast<std::uint64_t>(event.trade) << 16 | static_cast<std::uint64_t>(event.a) << 8 |
      event.b);
  mix(static_cast<std::uint64_t>(event.executed));
  mix(static_cast<std::uint64_t>(event.trade_id));
  mix(static_cast<std::uint64_t>(event.price));
  mix(static_cast<std::uint64_t>(event.quantity));
}

void EventStream::take(const Event& event) {
  require(event.account == 0 || event.account == account_, "a foreign event", event);
  require(event.sequence > sequence_ || (event.sequence == sequence_ && event.ordinal > ordinal_),
          "an event twice or out of order", event);
  sequence_ = event.sequence;
  ordinal_ = event.ordinal;
  digest_.add(event);
  // A new order's trades come before its own state event, but within the same input.
  require(entering_ == 0 || entering_sequence_ == event.sequence, "an order that never entered",
          event);
  const bool known = orders_.contains(event.order);
  Order& order = orders_[event.order];
  require(!ended(order.state), "an event of an order that has ended", event);
  if (!event.trade) {
    require(known || event.account != 0, "a change of an order never seen", event);
    take_state(event, order);
    return;
  }
  if (!known) {
    require(entering_ == 0, "a trade of an order never seen", event);
    entering_ = event.order;
    entering_sequence_ = event.sequence;
  }
  order.filled += event.quantity;
}

void EventStream::take_state(const Event& event, Order& order) {
  require(event.executed == order.filled, "fills that do not add up", event);
  order.executed = event.executed;
  order.state = event.state();
  if (entering_ == event.order) entering_ = 0;
}

void EventStream::compare(Client& client) const {
  std::vector<core::OpenOrderRow> rows;
  core::Receipt refused;
  if (const Failure failure = client.open_orders(1, account_, rows, refused, kPatience)) {
    throw std::runtime_error("open orders: " + failure.text);
  }
  std::size_t open = 0;
  for (const auto& [id, order] : orders_) {
    core::Report reply;
    const Failure failure =
        client.call(core::OrderStatusQuery{.oms_id = 1, .order_id = id}, reply, kPatience);
    if (failure) throw std::runtime_error("order status: " + failure.text);
    require_same(reply.is<core::OrderStatusReply>(), "an order that the engine does not know", id);
    const auto status = reply.as<core::OrderStatusReply>();
    require_same(core::order_state(status.header) == order.state, "another state", id);
    require_same(status.executed == order.filled, "fills that the status does not have", id);
    require_same(status.account_id == account_, "an order of another account", id);
    if (order.state == OrderState::kWorking) ++open;
  }
  if (open != rows.size()) {
    throw std::runtime_error(std::to_string(rows.size()) + " open orders instead of " +
                             std::to_string(open));
  }
  for (const core::OpenOrderRow& row : rows) {
    require_same(orders_.contains(row.order_id), "an open order never seen", row.order_id);
  }
}

}  // namespace shmatch::process_test
