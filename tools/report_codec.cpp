#include "tools/report_codec.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "tools/amounts.h"
#include "tools/enum_names.h"

namespace shmatch::tools {

namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kNsPerDotnetTick = 100;
constexpr std::int64_t kDotnetTicksAtEpoch = 621'355'968'000'000'000;

std::int64_t milliseconds(core::TimeNs time_ns) noexcept { return time_ns / kNsPerMs; }

std::int64_t dotnet_ticks(core::TimeNs time_ns) noexcept {
  return time_ns / kNsPerDotnetTick + kDotnetTicksAtEpoch;
}

// RapidJSON's writer with one call for each field.
class JsonWriter {
 public:
  JsonWriter() : writer_(buffer_) {}

  void begin_object() { writer_.StartObject(); }
  void end_object() { writer_.EndObject(); }
  void begin_array() { writer_.StartArray(); }
  void end_array() { writer_.EndArray(); }

  void key(std::string_view name) { writer_.Key(name.data(), size_of(name)); }
  void text(std::string_view value) { writer_.String(value.data(), size_of(value)); }
  void integer(std::int64_t value) { writer_.Int64(value); }
  void raw(std::string_view json) {
    writer_.RawValue(json.data(), json.size(), rapidjson::kNumberType);
  }

  void text(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  void integer(std::string_view name, std::int64_t value) {
    key(name);
    integer(value);
  }
  void raw(std::string_view name, std::string_view json) {
    key(name);
    raw(json);
  }
  void boolean(std::string_view name, bool value) {
    key(name);
    writer_.Bool(value);
  }
  void null(std::string_view name) {
    key(name);
    writer_.Null();
  }
  void text_or_null(std::string_view name, std::string_view value) {
    if (value.empty()) {
      null(name);
    } else {
      text(name, value);
    }
  }

  std::string take() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  static rapidjson::SizeType size_of(std::string_view text) noexcept {
    return static_cast<rapidjson::SizeType>(text.size());
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

template <class Order>
void write_order_identity(JsonWriter& json, const Order& order, const Amounts& amounts) {
  json.text("Side", name_of(order.side));
  json.integer("OrderId", order.order_id);
  json.raw("Price", amounts.price(order.price));
  json.raw("Quantity", amounts.quantity(order.leaves));
  json.raw("DisplayQuantity", amounts.quantity(order.leaves));
  json.integer("Instrument", order.instrument_id);
  json.integer("Account", order.account_id);
  json.text("AccountName", "");
  json.text("OrderType", name_of(order.order_type));
  json.integer("ClientOrderId", order.cl_ord_id);
  json.text("OrderState", name_of(order_state(order.header)));
  json.integer("ReceiveTime", milliseconds(order.receive_time_ns));
  json.integer("ReceiveTimeTicks", dotnet_ticks(order.receive_time_ns));
  json.integer("LastUpdatedTime", milliseconds(order.update_time_ns));
  json.integer("LastUpdatedTimeTicks", dotnet_ticks(order.update_time_ns));
}

template <class Order>
void write_order_execution(JsonWriter& json, const Order& order, const Amounts& amounts) {
  const core::Wide gross = core::wide(order.gross_low, order.gross_high);
  json.raw("OrigQuantity", amounts.quantity(order.orig_quantity));
  json.raw("QuantityExecuted", amounts.quantity(order.executed));
  json.raw("GrossValueExecuted", amounts.value(gross));
  json.integer("ExecutableValue", 0);
  json.raw("AvgPrice", amounts.average_price(gross, order.executed));
  json.integer("CounterPartyId", 0);
  json.text("ChangeReason", name_of(change_reason(order.header)));
}

template <class Order>
void write_order_market(JsonWriter& json, const Order& order, const Amounts& amounts) {
  json.raw("InsideAsk", amounts.price(order.inside_ask));
  json.raw("InsideAskSize",
           amounts.quantity(order.inside_ask_size_low, order.inside_ask_size_high));
  json.raw("InsideBid", amounts.price(order.inside_bid));
  json.raw("InsideBidSize",
           amounts.quantity(order.inside_bid_size_low, order.inside_bid_size_high));
  json.raw("LastTradePrice", amounts.price(order.last_trade_price));
}

// Fields of features that this engine does not have keep the API's neutral values.
void write_order_tail(JsonWriter& json, const core::ReportHeader& header, std::uint8_t flags,
                      core::OmsId oms_id) {
  json.text("RejectReason", "");
  json.boolean("IsLockedIn", false);
  json.text("CancelReason", cancel_reason_text(cancel_reason(header)));
  json.text("OrderFlag", order_flag_text(flags));
  json.boolean("UseMargin", false);
  json.integer("StopPrice", 0);
  json.text("PegPriceType", "Last");
  json.integer("PegOffset", 0);
  json.integer("PegLimitOffset", 0);
  json.null("IpAddress");
  json.integer("IPv6a", 0);
  json.integer("IPv6b", 0);
  json.null("ClientOrderIdUuid");
  json.integer("OMSId", oms_id);
}

template <class Order>
void write_order(JsonWriter& json, const Order& order, const ReferenceData& reference) {
  const Amounts amounts(reference, order.instrument_id);
  json.begin_object();
  write_order_identity(json, order, amounts);
  write_order_execution(json, order, amounts);
  json.integer("OrigOrderId", order.order_id);
  json.integer("OrigClOrdId", order.cl_ord_id);
  json.integer("EnteredBy", order.entered_by);
  json.text("UserName", reference.user_name(order.entered_by));
  json.boolean("IsQuote", false);
  write_order_market(json, order, amounts);
  write_order_tail(json, order.header, order.order_flags, reference.oms_id());
  json.end_object();
}

template <class Order>
std::string whole_order(const Order& order, const ReferenceData& reference) {
  JsonWriter json;
  write_order(json, order, reference);
  return json.take();
}

void write_l2_row(JsonWriter& json, const BookView& book, const core::L2Row& row, core::Side side,
                  const Amounts& amounts) {
  constexpr int kActionNew = 0;
  json.begin_array();
  json.raw(std::to_string(book.md_update_id));
  json.integer(row.account_count);
  json.integer(milliseconds(row.time_ns));
  json.integer(kActionNew);
  json.raw(amounts.price(book.last_trade_price));
  json.integer(row.order_count);
  json.raw(amounts.price(row.price));
  json.integer(book.instrument_id);
  json.raw(amounts.quantity(row.quantity_low, row.quantity_high));
  json.integer(static_cast<std::uint8_t>(side));
  json.end_array();
}

std::string event_of(std::string_view name, std::string_view payload) {
  JsonWriter json;
  json.begin_object();
  json.integer("m", 3);
  json.text("n", name);
  json.raw("o", payload);
  json.end_object();
  return json.take();
}

}  // namespace

std::string generic_json(core::ErrorCode code, std::string_view detail) {
  JsonWriter json;
  json.begin_object();
  json.boolean("result", code == core::ErrorCode::kOk);
  json.text_or_null("errormsg", core::error_text(code));
  json.integer("errorcode", static_cast<std::int64_t>(code));
  json.text_or_null("detail", detail);
  json.end_object();
  return json.take();
}

std::string receipt_json(const core::Receipt& receipt, const ReferenceData& reference) {
  const bool answers_send =
      receipt.request_type == static_cast<std::uint32_t>(core::RequestType::kNewOrder);
  if (!answers_send || !core::is_order_reject(receipt.detail)) {
    return generic_json(receipt.code, reference.describe(receipt.refusal()));
  }
  JsonWriter json;
  json.begin_object();
  json.text("status", "Rejected");
  json.text("errormsg", core::order_reject_text(receipt.detail));
  json.integer("errorcode", static_cast<std::int64_t>(receipt.code));
  json.end_object();
  return json.take();
}

std::string accepted_json(const core::OrderAccepted& accepted) {
  JsonWriter json;
  json.begin_object();
  json.text("status", "Accepted");
  json.text("errormsg", "");
  json.integer("OrderId", accepted.order_id);
  json.end_object();
  return json.take();
}

std::string pong_json() { return R"({"msg":"PONG"})"; }

std::string order_json(const core::OrderStateWhole& order, const ReferenceData& reference) {
  return whole_order(order, reference);
}

std::string order_json(const core::OrderStatusReply& order, const ReferenceData& reference) {
  return whole_order(order, reference);
}

std::string order_json(const core::OpenOrderRow& order, const ReferenceData& reference) {
  return whole_order(order, reference);
}

std::string open_orders_json(std::span<const core::OpenOrderRow> rows,
                             const ReferenceData& reference) {
  JsonWriter json;
  json.begin_array();
  for (const core::OpenOrderRow& row : rows) write_order(json, row, reference);
  json.end_array();
  return json.take();
}

std::string trade_json(const core::TradeWhole& trade, const ReferenceData& reference) {
  const Amounts amounts(reference, trade.instrument_id);
  const core::Wide gross =
      static_cast<core::Wide>(trade.price) * static_cast<core::Wide>(trade.quantity);
  JsonWriter json;
  json.begin_object();
  json.integer("OMSId", reference.oms_id());
  json.integer("TradeId", trade.trade_id);
  json.integer("OrderId", trade.order_id);
  json.integer("AccountId", trade.account_id);
  json.integer("ClientOrderId", trade.cl_ord_id);
  json.integer("InstrumentId", trade.instrument_id);
  json.text("Side", name_of(trade_side(trade.header)));
  json.raw("Quantity", amounts.quantity(trade.quantity));
  json.raw("Price", amounts.price(trade.price));
  json.raw("Value", amounts.value(gross));
  json.integer("TradeTime", dotnet_ticks(trade.time_ns));
  json.integer("ContraAcctId", trade.contra_account_id);
  json.integer("OrderTradeRevision", 1);
  json.text("Direction", name_of(trade_direction(trade.header)));
  json.integer("CounterPartyClientUserId", 0);
  json.integer("NotionalProductId", 0);
  json.integer("NotionalRate", 0);
  json.integer("NotionalValue", 0);
  json.text("MakerTaker", trade_is_maker(trade.header) ? "Maker" : "Taker");
  json.raw("RemainingQuantity", amounts.quantity(trade.leaves));
  json.integer("TradeTimeMS", milliseconds(trade.time_ns));
  json.end_object();
  return json.take();
}

std::string l2_snapshot_json(const BookView& book, const ReferenceData& reference) {
  const Amounts amounts(reference, book.instrument_id);
  JsonWriter json;
  json.begin_array();
  for (const core::L2Row& row : book.bids) {
    write_l2_row(json, book, row, core::Side::kBuy, amounts);
  }
  for (const core::L2Row& row : book.asks) {
    write_l2_row(json, book, row, core::Side::kSell, amounts);
  }
  json.end_array();
  return json.take();
}

std::string reply_frame(std::string_view sequence, std::string_view function,
                        std::string_view payload) {
  JsonWriter json;
  json.begin_object();
  json.integer("m", 1);
  json.raw("i", sequence);
  json.text("n", function);
  json.raw("o", payload);
  json.end_object();
  return json.take();
}

std::string error_frame(std::string_view sequence, std::string_view function,
                        std::string_view text) {
  JsonWriter json;
  json.begin_object();
  json.integer("m", 5);
  json.raw("i", sequence);
  json.text("n", function);
  json.text("o", text);
  json.end_object();
  return json.take();
}

std::optional<std::string> event_frame(const core::Report& report, const ReferenceData& reference) {
  if (report.is<core::OrderStateWhole>()) {
    return event_of("OrderStateEvent", order_json(report.as<core::OrderStateWhole>(), reference));
  }
  if (report.is<core::TradeWhole>()) {
    return event_of("OrderTradeEvent", trade_json(report.as<core::TradeWhole>(), reference));
  }
  return std::nullopt;
}

}  // namespace shmatch::tools
