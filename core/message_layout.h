// Ties every field of every message to its byte. A failing assert here means that the wire format
// changed: then the protocol version changes with it, and docs/PROTOCOL.md.
//
// Only core/message.h includes this file, at its end.
#pragma once

#include <cstddef>
#include <type_traits>

#include "core/message.h"

namespace shmatch::core {

template <class Message>
constexpr bool crosses_rings() noexcept {
  return std::is_trivially_copyable_v<Message> && std::is_standard_layout_v<Message> &&
         alignof(Message) == 8 && sizeof(Message) % 8 == 0;
}

#define SHMATCH_MESSAGE(Message, bytes, slots)                    \
  static_assert(crosses_rings<Message>());                        \
  static_assert(sizeof(Message) == (bytes), "size of " #Message); \
  static_assert(slots_of<Message>() == (slots), "slots of " #Message)
#define SHMATCH_FIELD(Message, field, byte, bytes)                                       \
  static_assert(offsetof(Message, field) == (byte) && sizeof(Message::field) == (bytes), \
                #Message "::" #field)

SHMATCH_FIELD(RequestHeader, type, 0, 1);
SHMATCH_FIELD(RequestHeader, slots, 1, 1);
SHMATCH_FIELD(RequestHeader, flags, 2, 2);
SHMATCH_FIELD(RequestHeader, reserved, 4, 4);
static_assert(crosses_rings<ReportHeader>() && sizeof(ReportHeader) == 16);
static_assert(std::is_trivially_copyable_v<RequestHeader> &&
              std::is_standard_layout_v<RequestHeader> && sizeof(RequestHeader) == 8);

SHMATCH_MESSAGE(CancelOrder, 40, 1);
SHMATCH_FIELD(CancelOrder, header, 0, 8);
SHMATCH_FIELD(CancelOrder, oms_id, 8, 8);
SHMATCH_FIELD(CancelOrder, account_id, 16, 8);
SHMATCH_FIELD(CancelOrder, order_id, 24, 8);
SHMATCH_FIELD(CancelOrder, cl_ord_id, 32, 8);

SHMATCH_MESSAGE(NewOrder, 64, 2);
SHMATCH_FIELD(NewOrder, header, 0, 8);
SHMATCH_FIELD(NewOrder, oms_id, 8, 8);
SHMATCH_FIELD(NewOrder, account_id, 16, 8);
SHMATCH_FIELD(NewOrder, instrument_id, 24, 8);
SHMATCH_FIELD(NewOrder, cl_ord_id, 32, 8);
SHMATCH_FIELD(NewOrder, quantity_mantissa, 40, 8);
SHMATCH_FIELD(NewOrder, limit_price_mantissa, 48, 8);
SHMATCH_FIELD(NewOrder, quantity_exponent, 56, 1);
SHMATCH_FIELD(NewOrder, limit_price_exponent, 57, 1);
SHMATCH_FIELD(NewOrder, side, 58, 1);
SHMATCH_FIELD(NewOrder, order_type, 59, 1);
SHMATCH_FIELD(NewOrder, time_in_force, 60, 1);
SHMATCH_FIELD(NewOrder, reserved, 61, 1);
SHMATCH_FIELD(NewOrder, features, 62, 2);

SHMATCH_MESSAGE(OrderStatusQuery, 32, 1);
SHMATCH_FIELD(OrderStatusQuery, header, 0, 8);
SHMATCH_FIELD(OrderStatusQuery, oms_id, 8, 8);
SHMATCH_FIELD(OrderStatusQuery, account_id, 16, 8);
SHMATCH_FIELD(OrderStatusQuery, order_id, 24, 8);

SHMATCH_MESSAGE(OpenOrdersQuery, 32, 1);
SHMATCH_FIELD(OpenOrdersQuery, header, 0, 8);
SHMATCH_FIELD(OpenOrdersQuery, oms_id, 8, 8);
SHMATCH_FIELD(OpenOrdersQuery, account_id, 16, 8);
SHMATCH_FIELD(OpenOrdersQuery, continuation, 24, 8);

SHMATCH_MESSAGE(L2Query, 48, 1);
SHMATCH_FIELD(L2Query, header, 0, 8);
SHMATCH_FIELD(L2Query, oms_id, 8, 8);
SHMATCH_FIELD(L2Query, instrument_id, 16, 8);
SHMATCH_FIELD(L2Query, depth, 24, 8);
SHMATCH_FIELD(L2Query, continuation, 32, 8);
SHMATCH_FIELD(L2Query, continuation_price, 40, 8);

SHMATCH_MESSAGE(Ping, 16, 1);
SHMATCH_FIELD(Ping, header, 0, 8);
SHMATCH_FIELD(Ping, fence, 8, 8);

SHMATCH_FIELD(ReportHeader, type, 0, 1);
SHMATCH_FIELD(ReportHeader, slots, 1, 1);
SHMATCH_FIELD(ReportHeader, a, 2, 1);
SHMATCH_FIELD(ReportHeader, b, 3, 1);
SHMATCH_FIELD(ReportHeader, ordinal, 4, 4);
SHMATCH_FIELD(ReportHeader, engine_sequence, 8, 8);

SHMATCH_MESSAGE(Receipt, 56, 1);
SHMATCH_FIELD(Receipt, header, 0, 16);
SHMATCH_FIELD(Receipt, request_sequence, 16, 8);
SHMATCH_FIELD(Receipt, code, 24, 2);
SHMATCH_FIELD(Receipt, detail, 26, 2);
SHMATCH_FIELD(Receipt, request_type, 28, 4);
SHMATCH_FIELD(Receipt, argument0, 32, 8);
SHMATCH_FIELD(Receipt, argument1, 40, 8);
SHMATCH_FIELD(Receipt, time_ns, 48, 8);

SHMATCH_MESSAGE(OrderAccepted, 48, 1);
SHMATCH_FIELD(OrderAccepted, header, 0, 16);
SHMATCH_FIELD(OrderAccepted, request_sequence, 16, 8);
SHMATCH_FIELD(OrderAccepted, order_id, 24, 8);
SHMATCH_FIELD(OrderAccepted, cl_ord_id, 32, 8);
SHMATCH_FIELD(OrderAccepted, time_ns, 40, 8);

SHMATCH_MESSAGE(OrderEntered, 104, 2);
SHMATCH_FIELD(OrderEntered, header, 0, 16);
SHMATCH_FIELD(OrderEntered, order_id, 16, 8);
SHMATCH_FIELD(OrderEntered, cl_ord_id, 24, 8);
SHMATCH_FIELD(OrderEntered, account_id, 32, 8);
SHMATCH_FIELD(OrderEntered, price, 40, 8);
SHMATCH_FIELD(OrderEntered, orig_quantity, 48, 8);
SHMATCH_FIELD(OrderEntered, executed, 56, 8);
SHMATCH_FIELD(OrderEntered, time_ns, 64, 8);
SHMATCH_FIELD(OrderEntered, instrument_id, 72, 4);
SHMATCH_FIELD(OrderEntered, entered_by, 76, 4);
SHMATCH_FIELD(OrderEntered, side, 80, 1);
SHMATCH_FIELD(OrderEntered, order_type, 81, 1);
SHMATCH_FIELD(OrderEntered, time_in_force, 82, 1);
SHMATCH_FIELD(OrderEntered, order_flags, 83, 1);
SHMATCH_FIELD(OrderEntered, reserved, 84, 4);
SHMATCH_FIELD(OrderEntered, gross_low, 88, 8);
SHMATCH_FIELD(OrderEntered, gross_high, 96, 8);

SHMATCH_MESSAGE(OrderChanged, 56, 1);
SHMATCH_FIELD(OrderChanged, header, 0, 16);
SHMATCH_FIELD(OrderChanged, order_id, 16, 8);
SHMATCH_FIELD(OrderChanged, cl_ord_id, 24, 8);
SHMATCH_FIELD(OrderChanged, leaves, 32, 8);
SHMATCH_FIELD(OrderChanged, executed, 40, 8);
SHMATCH_FIELD(OrderChanged, time_ns, 48, 8);

SHMATCH_MESSAGE(Trade, 56, 1);
SHMATCH_FIELD(Trade, header, 0, 16);
SHMATCH_FIELD(Trade, trade_id, 16, 8);
SHMATCH_FIELD(Trade, order_id, 24, 8);
SHMATCH_FIELD(Trade, price, 32, 8);
SHMATCH_FIELD(Trade, quantity, 40, 8);
SHMATCH_FIELD(Trade, time_ns, 48, 8);

// The three uses of OrderObject are one layout.
SHMATCH_MESSAGE(OrderStateWhole, 184, 4);
SHMATCH_MESSAGE(OrderStatusReply, 184, 4);
SHMATCH_MESSAGE(OpenOrderRow, 184, 4);
SHMATCH_FIELD(OrderStateWhole, header, 0, 16);
SHMATCH_FIELD(OrderStateWhole, request_sequence, 16, 8);
SHMATCH_FIELD(OrderStateWhole, order_id, 24, 8);
SHMATCH_FIELD(OrderStateWhole, cl_ord_id, 32, 8);
SHMATCH_FIELD(OrderStateWhole, account_id, 40, 8);
SHMATCH_FIELD(OrderStateWhole, price, 48, 8);
SHMATCH_FIELD(OrderStateWhole, orig_quantity, 56, 8);
SHMATCH_FIELD(OrderStateWhole, leaves, 64, 8);
SHMATCH_FIELD(OrderStateWhole, executed, 72, 8);
SHMATCH_FIELD(OrderStateWhole, gross_low, 80, 8);
SHMATCH_FIELD(OrderStateWhole, gross_high, 88, 8);
SHMATCH_FIELD(OrderStateWhole, receive_time_ns, 96, 8);
SHMATCH_FIELD(OrderStateWhole, update_time_ns, 104, 8);
SHMATCH_FIELD(OrderStateWhole, inside_bid, 112, 8);
SHMATCH_FIELD(OrderStateWhole, inside_ask, 120, 8);
SHMATCH_FIELD(OrderStateWhole, inside_bid_size_low, 128, 8);
SHMATCH_FIELD(OrderStateWhole, inside_bid_size_high, 136, 8);
SHMATCH_FIELD(OrderStateWhole, inside_ask_size_low, 144, 8);
SHMATCH_FIELD(OrderStateWhole, inside_ask_size_high, 152, 8);
SHMATCH_FIELD(OrderStateWhole, last_trade_price, 160, 8);
SHMATCH_FIELD(OrderStateWhole, instrument_id, 168, 4);
SHMATCH_FIELD(OrderStateWhole, entered_by, 172, 4);
SHMATCH_FIELD(OrderStateWhole, side, 176, 1);
SHMATCH_FIELD(OrderStateWhole, order_type, 177, 1);
SHMATCH_FIELD(OrderStateWhole, time_in_force, 178, 1);
SHMATCH_FIELD(OrderStateWhole, order_flags, 179, 1);
SHMATCH_FIELD(OrderStateWhole, reserved, 180, 4);

SHMATCH_MESSAGE(TradeWhole, 104, 2);
SHMATCH_FIELD(TradeWhole, header, 0, 16);
SHMATCH_FIELD(TradeWhole, trade_id, 16, 8);
SHMATCH_FIELD(TradeWhole, order_id, 24, 8);
SHMATCH_FIELD(TradeWhole, price, 32, 8);
SHMATCH_FIELD(TradeWhole, quantity, 40, 8);
SHMATCH_FIELD(TradeWhole, time_ns, 48, 8);
SHMATCH_FIELD(TradeWhole, cl_ord_id, 56, 8);
SHMATCH_FIELD(TradeWhole, account_id, 64, 8);
SHMATCH_FIELD(TradeWhole, contra_account_id, 72, 8);
SHMATCH_FIELD(TradeWhole, leaves, 80, 8);
SHMATCH_FIELD(TradeWhole, instrument_id, 88, 4);
SHMATCH_FIELD(TradeWhole, entered_by, 92, 4);
SHMATCH_FIELD(TradeWhole, order_type, 96, 1);
SHMATCH_FIELD(TradeWhole, reserved, 97, 7);

static_assert(crosses_rings<L2Row>() && sizeof(L2Row) == 40);
SHMATCH_FIELD(L2Row, price, 0, 8);
SHMATCH_FIELD(L2Row, quantity_low, 8, 8);
SHMATCH_FIELD(L2Row, quantity_high, 16, 8);
SHMATCH_FIELD(L2Row, order_count, 24, 4);
SHMATCH_FIELD(L2Row, account_count, 28, 4);
SHMATCH_FIELD(L2Row, time_ns, 32, 8);

SHMATCH_MESSAGE(L2Rows, 200, 4);
SHMATCH_FIELD(L2Rows, header, 0, 16);
SHMATCH_FIELD(L2Rows, request_sequence, 16, 8);
SHMATCH_FIELD(L2Rows, md_update_id, 24, 8);
SHMATCH_FIELD(L2Rows, last_trade_price, 32, 8);
SHMATCH_FIELD(L2Rows, rows, 40, 160);

SHMATCH_MESSAGE(PageEnd, 48, 1);
SHMATCH_FIELD(PageEnd, header, 0, 16);
SHMATCH_FIELD(PageEnd, request_sequence, 16, 8);
SHMATCH_FIELD(PageEnd, continuation, 24, 8);
SHMATCH_FIELD(PageEnd, continuation_price, 32, 8);
SHMATCH_FIELD(PageEnd, md_update_id, 40, 8);

SHMATCH_MESSAGE(Resumed, 48, 1);
SHMATCH_FIELD(Resumed, header, 0, 16);
SHMATCH_FIELD(Resumed, last_request, 16, 8);
SHMATCH_FIELD(Resumed, missed, 24, 8);
SHMATCH_FIELD(Resumed, gap_end_sequence, 32, 8);
SHMATCH_FIELD(Resumed, gap_end_ordinal, 40, 4);
SHMATCH_FIELD(Resumed, reserved, 44, 4);

SHMATCH_MESSAGE(Pong, 24, 1);
SHMATCH_FIELD(Pong, header, 0, 16);
SHMATCH_FIELD(Pong, request_sequence, 16, 8);

#undef SHMATCH_MESSAGE
#undef SHMATCH_FIELD

// No message outgrows its buffer.
static_assert(sizeof(Request::words) == sizeof(Report::words));
static_assert(sizeof(OrderStateWhole) <= sizeof(Report::words));
static_assert(sizeof(L2Rows) <= sizeof(Report::words));

}  // namespace shmatch::core
