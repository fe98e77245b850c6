#include "core/reporter.h"

namespace shmatch::core {
namespace {

std::uint8_t state_and_cancel_reason(const Order& order) noexcept {
  return pack_nibbles(static_cast<std::uint8_t>(order.state),
                      static_cast<std::uint8_t>(order.cancel_reason));
}

}  // namespace

template <class Message>
void Reporter::stamp(Message& message, std::uint32_t ordinal) const noexcept {
  message.header.ordinal = ordinal;
  message.header.engine_sequence = sequence_;
}

template <class Message>
void Reporter::reply(SessionSlot to, Message message) noexcept {
  stamp(message, ordinal_++);
  Report report;
  report.assign(message);
  sink_->deliver(to, report);
}

// `compact` and `whole` make their form of the event.
template <class Compact, class Whole>
void Reporter::fan_out(Index account, SessionSlot also, Compact compact, Whole whole) noexcept {
  const std::uint32_t ordinal = ordinal_++;
  Report report;
  sessions_.for_each_receiver(account, also, [&](SessionSlot slot) noexcept {
    if (sessions_[slot].logon.whole_objects) [[unlikely]] {
      return deliver_whole(slot, ordinal, whole);
    }
    if (report.slots() == 0) {
      auto message = compact();
      stamp(message, ordinal);
      report.assign(message);
    }
    sink_->deliver(slot, report);
  });
}

// Not inline, and made anew for each session that wants it: what all others hear pays nothing for
// it.
template <class Whole>
void Reporter::deliver_whole(SessionSlot to, std::uint32_t ordinal, const Whole& whole) noexcept {
  auto message = whole();
  stamp(message, ordinal);
  Report report;
  report.assign(message);
  sink_->deliver(to, report);
}

void Reporter::receipt(SessionSlot to, Sequence request, RequestType type,
                       const Refusal& refusal) noexcept {
  Receipt message;
  message.request_sequence = request;
  message.code = refusal.code;
  message.detail = refusal.detail;
  message.request_type = static_cast<std::uint32_t>(type);
  message.argument0 = refusal.argument0;
  message.argument1 = refusal.argument1;
  message.time_ns = now_;
  reply(to, message);
}

void Reporter::accepted(SessionSlot to, Sequence request, OrderId order_id,
                        ClOrdId cl_ord_id) noexcept {
  OrderAccepted message;
  message.request_sequence = request;
  message.order_id = order_id;
  message.cl_ord_id = cl_ord_id;
  message.time_ns = now_;
  reply(to, message);
}

void Reporter::pong(SessionSlot to, Sequence request) noexcept {
  Pong message;
  message.request_sequence = request;
  reply(to, message);
}

void Reporter::order_status(SessionSlot to, Sequence request, Index order) noexcept {
  auto message = whole_order<OrderStatusReply>(order);
  message.request_sequence = request;
  reply(to, message);
}

void Reporter::open_order(SessionSlot to, Sequence request, Index order) noexcept {
  auto message = whole_order<OpenOrderRow>(order);
  message.request_sequence = request;
  reply(to, message);
}

void Reporter::page_end(SessionSlot to, PageEnd end, bool more) noexcept {
  end.header.a = more ? 1 : 0;
  reply(to, end);
}

void Reporter::l2_rows(SessionSlot to, const L2Rows& rows) noexcept { reply(to, rows); }

template <class Whole>
Whole Reporter::whole_order(Index index) const noexcept {
  const Order& order = store_[index];
  const OrderDetail& detail = store_.detail(index);
  Whole message;
  message.header.a = state_and_cancel_reason(order);
  message.header.b = static_cast<std::uint8_t>(order.change_reason);
  message.order_id = order.order_id;
  message.cl_ord_id = order.cl_ord_id;
  message.account_id = accounts_.account_id(order.account);
  message.price = order.price;
  message.orig_quantity = detail.orig_quantity;
  message.leaves = open_quantity(order);
  message.executed = executed(order, detail);
  message.gross_low = low_word(detail.gross);
  message.gross_high = high_word(detail.gross);
  message.receive_time_ns = detail.receive_time;
  message.update_time_ns = detail.update_time;
  if (const Level* bid = books_.best(order.instrument, Side::kBuy)) {
    message.inside_bid = bid->price;
    message.inside_bid_size_low = low_word(bid->quantity);
    message.inside_bid_size_high = high_word(bid->quantity);
  }
  if (const Level* ask = books_.best(order.instrument, Side::kSell)) {
    message.inside_ask = ask->price;
    message.inside_ask_size_low = low_word(ask->quantity);
    message.inside_ask_size_high = high_word(ask->quantity);
  }
  message.last_trade_price = instruments_[order.instrument].last_trade_price;
  message.instrument_id = static_cast<std::uint32_t>(instruments_[order.instrument].id);
  message.entered_by = static_cast<std::uint32_t>(accounts_.user_id(detail.entered_by));
  message.side = order.side;
  message.order_type = order.order_type;
  message.time_in_force = order.time_in_force;
  message.order_flags = order.flags;
  return message;
}

void Reporter::order_state(Index index, bool first, SessionSlot also) noexcept {
  const Order& order = store_[index];
  const OrderDetail& detail = store_.detail(index);
  const auto whole = [&]() noexcept { return whole_order<OrderStateWhole>(index); };
  const auto entered = [&]() noexcept {
    // All fields at once: g++ would clear the message first, with rep stos.
    return OrderEntered{
        .header = {.a = state_and_cancel_reason(order),
                   .b = static_cast<std::uint8_t>(order.change_reason)},
        .order_id = order.order_id,
        .cl_ord_id = order.cl_ord_id,
        .account_id = accounts_.account_id(order.account),
        .price = order.price,
        .orig_quantity = detail.orig_quantity,
        .executed = executed(order, detail),
        .time_ns = now_,
        .instrument_id = static_cast<std::uint32_t>(instruments_[order.instrument].id),
        .entered_by = static_cast<std::uint32_t>(accounts_.user_id(detail.entered_by)),
        .side = order.side,
        .order_type = order.order_type,
        .time_in_force = order.time_in_force,
        .order_flags = order.flags,
        .reserved = 0,
        .gross_low = low_word(detail.gross),
        .gross_high = high_word(detail.gross)};
  };
  const auto changed = [&]() noexcept {
    OrderChanged message;
    message.header.a = state_and_cancel_reason(order);
    message.header.b = static_cast<std::uint8_t>(order.change_reason);
    message.order_id = order.order_id;
    message.cl_ord_id = order.cl_ord_id;
    message.leaves = open_quantity(order);
    message.executed = executed(order, detail);
    message.time_ns = now_;
    return message;
  };
  if (first) {
    fan_out(order.account, also, entered, whole);
  } else {
    fan_out(order.account, also, changed, whole);
  }
}

void Reporter::trade(const Execution& execution, Index index, Index contra, bool maker,
                     SessionSlot also) noexcept {
  const Order& order = store_[index];
  const auto fill = [&](auto message) noexcept {
    message.header.a = pack_nibbles(static_cast<std::uint8_t>(order.side),
                                    static_cast<std::uint8_t>(execution.direction));
    message.header.b = maker ? 1 : 2;
    message.trade_id = execution.trade_id;
    message.order_id = order.order_id;
    message.price = execution.price;
    message.quantity = execution.quantity;
    message.time_ns = now_;
    return message;
  };
  const auto compact = [&]() noexcept { return fill(Trade{}); };
  const auto whole = [&]() noexcept {
    TradeWhole message = fill(TradeWhole{});
    message.cl_ord_id = order.cl_ord_id;
    message.account_id = accounts_.account_id(order.account);
    message.contra_account_id = accounts_.account_id(store_[contra].account);
    message.leaves = order.leaves;
    message.instrument_id = static_cast<std::uint32_t>(instruments_[order.instrument].id);
    message.entered_by =
        static_cast<std::uint32_t>(accounts_.user_id(store_.detail(index).entered_by));
    message.order_type = order.order_type;
    return message;
  };
  fan_out(order.account, also, compact, whole);
}

}  // namespace shmatch::core
