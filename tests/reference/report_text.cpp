#include "tests/reference/report_text.h"

#include <algorithm>
#include <sstream>

namespace shmatch::reference {

using namespace core;

namespace {

template <class Value>
auto number(Value value) {
  if constexpr (std::is_enum_v<Value>) {
    return static_cast<int>(value);
  } else if constexpr (sizeof(Value) == 1) {
    return static_cast<int>(value);
  } else {
    return value;
  }
}

// Writes "name" and then " field=value" for each field.
class Line {
 public:
  explicit Line(const char* name) { out_ << name; }
  template <class Value>
  Line& with(const char* field, Value value) {
    out_ << ' ' << field << '=' << number(value);
    return *this;
  }
  Line& with_wide(const char* field, std::uint64_t low, std::uint64_t high) {
    out_ << ' ' << field << '=' << wide_text(wide(low, high));
    return *this;
  }
  Line& with_header(const ReportHeader& header) {
    return with("sequence", header.engine_sequence).with("ordinal", header.ordinal);
  }
  Line& with_state(const ReportHeader& header) {
    return with("state", order_state(header))
        .with("reason", change_reason(header))
        .with("cancel_reason", cancel_reason(header));
  }
  Line& with_trade_side(const ReportHeader& header) {
    return with("side", trade_side(header))
        .with("direction", trade_direction(header))
        .with("maker", trade_is_maker(header));
  }
  std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
};

std::string text_of(const Receipt& m) {
  return Line("receipt")
      .with_header(m.header)
      .with("request", m.request_sequence)
      .with("code", m.code)
      .with("detail", m.detail)
      .with("request_type", m.request_type)
      .with("argument0", m.argument0)
      .with("argument1", m.argument1)
      .with("time", m.time_ns)
      .text();
}

std::string text_of(const OrderAccepted& m) {
  return Line("accepted")
      .with_header(m.header)
      .with("request", m.request_sequence)
      .with("order", m.order_id)
      .with("cl_ord_id", m.cl_ord_id)
      .with("time", m.time_ns)
      .text();
}

std::string text_of(const OrderEntered& m) {
  return Line("entered")
      .with_header(m.header)
      .with_state(m.header)
      .with("order", m.order_id)
      .with("cl_ord_id", m.cl_ord_id)
      .with("account", m.account_id)
      .with("instrument", m.instrument_id)
      .with("side", m.side)
      .with("type", m.order_type)
      .with("time_in_force", m.time_in_force)
      .with("price", m.price)
      .with("orig_quantity", m.orig_quantity)
      .with("executed", m.executed)
      .with_wide("gross", m.gross_low, m.gross_high)
      .with("flags", m.order_flags)
      .with("entered_by", m.entered_by)
      .with("time", m.time_ns)
      .text();
}

std::string text_of(const OrderChanged& m) {
  return Line("changed")
      .with_header(m.header)
      .with_state(m.header)
      .with("order", m.order_id)
      .with("cl_ord_id", m.cl_ord_id)
      .with("leaves", m.leaves)
      .with("executed", m.executed)
      .with("time", m.time_ns)
      .text();
}

std::string text_of(const Trade& m) {
  return Line("trade")
      .with_header(m.header)
      .with_trade_side(m.header)
      .with("trade", m.trade_id)
      .with("order", m.order_id)
      .with("price", m.price)
      .with("quantity", m.quantity)
      .with("time", m.time_ns)
      .text();
}

template <ReportType Type>
std::string text_of(const OrderObject<Type>& m) {
  return Line(Type == ReportType::kOrderStateWhole ? "order-state"
              : Type == ReportType::kOrderStatus   ? "order-status"
                                                   : "open-order")
      .with_header(m.header)
      .with_state(m.header)
      .with("request", m.request_sequence)
      .with("order", m.order_id)
      .with("cl_ord_id", m.cl_ord_id)
      .with("account", m.account_id)
      .with("instrument", m.instrument_id)
      .with("side", m.side)
      .with("type", m.order_type)
      .with("time_in_force", m.time_in_force)
      .with("price", m.price)
      .with("orig_quantity", m.orig_quantity)
      .with("leaves", m.leaves)
      .with("executed", m.executed)
      .with_wide("gross", m.gross_low, m.gross_high)
      .with("flags", m.order_flags)
      .with("entered_by", m.entered_by)
      .with("received", m.receive_time_ns)
      .with("updated", m.update_time_ns)
      .with("inside_bid", m.inside_bid)
      .with_wide("bid_size", m.inside_bid_size_low, m.inside_bid_size_high)
      .with("inside_ask", m.inside_ask)
      .with_wide("ask_size", m.inside_ask_size_low, m.inside_ask_size_high)
      .with("last_trade_price", m.last_trade_price)
      .text();
}

std::string text_of(const TradeWhole& m) {
  return Line("trade-whole")
      .with_header(m.header)
      .with_trade_side(m.header)
      .with("trade", m.trade_id)
      .with("order", m.order_id)
      .with("cl_ord_id", m.cl_ord_id)
      .with("account", m.account_id)
      .with("contra", m.contra_account_id)
      .with("instrument", m.instrument_id)
      .with("type", m.order_type)
      .with("price", m.price)
      .with("quantity", m.quantity)
      .with("leaves", m.leaves)
      .with("entered_by", m.entered_by)
      .with("time", m.time_ns)
      .text();
}

std::string text_of(const L2Rows& m) {
  Line line("levels");
  line.with_header(m.header)
      .with("request", m.request_sequence)
      .with("side", m.header.b)
      .with("md_update_id", m.md_update_id)
      .with("last_trade_price", m.last_trade_price);
  for (std::size_t i = 0; i < std::min<std::size_t>(m.header.a, kL2RowsPerMessage); ++i) {
    line.with("price", m.rows[i].price)
        .with_wide("quantity", m.rows[i].quantity_low, m.rows[i].quantity_high)
        .with("orders", m.rows[i].order_count)
        .with("accounts", m.rows[i].account_count)
        .with("time", m.rows[i].time_ns);
  }
  return line.text();
}

std::string text_of(const PageEnd& m) {
  return Line("page-end")
      .with_header(m.header)
      .with("request", m.request_sequence)
      .with("more", m.header.a)
      .with("continuation", m.continuation)
      .with("continuation_price", m.continuation_price)
      .with("md_update_id", m.md_update_id)
      .text();
}

std::string text_of(const Pong& m) {
  return Line("pong").with_header(m.header).with("request", m.request_sequence).text();
}

std::string text_of(const CancelOrder& m) {
  return Line("CancelOrder")
      .with("oms", m.oms_id)
      .with("account", m.account_id)
      .with("order", m.order_id)
      .with("cl_ord_id", m.cl_ord_id)
      .text();
}

std::string text_of(const NewOrder& m) {
  return Line("SendOrder")
      .with("oms", m.oms_id)
      .with("account", m.account_id)
      .with("instrument", m.instrument_id)
      .with("cl_ord_id", m.cl_ord_id)
      .with("side", m.side)
      .with("type", m.order_type)
      .with("time_in_force", m.time_in_force)
      .with("quantity_mantissa", m.quantity_mantissa)
      .with("quantity_exponent", m.quantity_exponent)
      .with("price_mantissa", m.limit_price_mantissa)
      .with("price_exponent", m.limit_price_exponent)
      .with("features", m.features)
      .text();
}

std::string text_of(const OrderStatusQuery& m) {
  return Line("GetOrderStatus")
      .with("oms", m.oms_id)
      .with("account", m.account_id)
      .with("order", m.order_id)
      .text();
}

std::string text_of(const OpenOrdersQuery& m) {
  return Line("GetOpenOrders")
      .with("oms", m.oms_id)
      .with("account", m.account_id)
      .with("continuation", m.continuation)
      .text();
}

std::string text_of(const L2Query& m) {
  return Line("GetL2Snapshot")
      .with("oms", m.oms_id)
      .with("instrument", m.instrument_id)
      .with("depth", m.depth)
      .with("continuation", m.continuation)
      .with("continuation_price", m.continuation_price)
      .text();
}

std::string text_of(const Ping&) { return "Ping"; }

// The text of `buffer` read as the first of `Messages` that it is.
template <class... Messages, class Buffer>
std::string text_of_any(const Buffer& buffer) {
  std::string text = "unknown type " + std::to_string(buffer.type());
  static_cast<void>(
      ((buffer.template is<Messages>() && (text = text_of(buffer.template as<Messages>()), true)) ||
       ...));
  return text;
}

}  // namespace

std::string wide_text(Wide value) {
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  return {digits.rbegin(), digits.rend()};
}

std::string to_text(const Report& report) {
  return text_of_any<Receipt, OrderAccepted, OrderEntered, OrderChanged, Trade, OrderStateWhole,
                     TradeWhole, OrderStatusReply, OpenOrderRow, L2Rows, PageEnd, Pong>(report);
}

std::string to_text(const Request& request) {
  return text_of_any<CancelOrder, NewOrder, OrderStatusQuery, OpenOrdersQuery, L2Query, Ping>(
      request);
}

}  // namespace shmatch::reference
