#include "tests/process/api_text.h"

#include <stdexcept>

namespace shmatch::process_test {

using core::Increment;
using core::Side;
using core::Wide;

namespace {

constexpr const char* kSides[] = {"Buy", "Sell"};
constexpr const char* kTypes[] = {"Unknown", "Market", "Limit"};
constexpr const char* kStates[] = {"Unknown",  "Working", "Rejected",
                                   "Canceled", "Expired", "FullyExecuted"};
constexpr const char* kDirections[] = {"NoChange", "UpTick", "DownTick"};
constexpr const char* kFlags[] = {"0", "AddedToBook", "RemovedFromBook",
                                  "AddedToBook, RemovedFromBook"};

// Members of one object, or elements of one array.
class List {
 public:
  List& add(const std::string& json) {
    text_ += (text_.empty() ? "" : ",") + json;
    return *this;
  }
  List& member(const char* key, const std::string& json) {
    return add("\"" + std::string(key) + "\":" + json);
  }
  List& number(const char* key, std::int64_t value) { return member(key, std::to_string(value)); }
  List& string(const char* key, std::string_view value) {
    return member(key, "\"" + std::string(value) + "\"");
  }
  List& time(const char* key) { return string(key, "*"); }
  std::string object() const { return "{" + text_ + "}"; }
  std::string array() const { return "[" + text_ + "]"; }

 private:
  std::string text_;
};

std::string digits(Wide value) {
  std::string text;
  do {
    text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  return text;
}

std::string decimal(Wide mantissa, int exponent) {
  return digits(mantissa) + "e" + std::to_string(exponent);
}

std::string amount(Wide count, Increment increment) {
  return decimal(count * static_cast<Wide>(increment.mantissa), increment.exponent);
}

std::string amount(std::int64_t count, Increment increment) {
  return amount(static_cast<Wide>(count), increment);
}

std::string value(Wide gross, const core::Instrument& instrument) {
  return decimal(gross * static_cast<Wide>(instrument.tick.mantissa) *
                     static_cast<Wide>(instrument.lot.mantissa),
                 instrument.tick.exponent + instrument.lot.exponent);
}

// Eight digits more than the tick has, half to even.
std::string average_price(Wide gross, core::Lots executed, Increment tick) {
  if (executed == 0) return "0";
  const auto divisor = static_cast<Wide>(executed);
  const Wide scaled = gross * static_cast<Wide>(tick.mantissa) * 100'000'000;
  Wide quotient = scaled / divisor;
  const Wide twice_rest = scaled % divisor * 2;
  if (twice_rest > divisor || (twice_rest == divisor && quotient % 2 == 1)) ++quotient;
  return decimal(quotient, tick.exponent - 8);
}

const char* change_reason(core::ChangeReason reason) {
  switch (reason) {
    case core::ChangeReason::kNewInputAccepted:
      return "NewInputAccepted";
    case core::ChangeReason::kTrade:
      return "Trade";
    case core::ChangeReason::kNoMoreMarket:
      return "SystemCanceled_NoMoreMarket";
    case core::ChangeReason::kUserModified:
      return "UserModified";
    default:
      throw std::runtime_error("a change reason that this product does not have");
  }
}

const char* cancel_reason(core::CancelReason reason) {
  switch (reason) {
    case core::CancelReason::kNone:
      return "";
    case core::CancelReason::kUserModified:
      return "UserModified";
    case core::CancelReason::kNoMoreMarket:
      return "SystemCanceled_NoMoreMarket";
    case core::CancelReason::kCancelOnDisconnect:
      return "CancelOnDisconnect";
  }
  return "";
}

template <class Enum, std::size_t Size>
const char* name(const char* const (&names)[Size], Enum value) {
  const auto index = static_cast<std::size_t>(value);
  if (index >= Size) throw std::runtime_error("a number without a name: " + std::to_string(index));
  return names[index];
}

std::string text_or_null(std::string_view text) {
  return text.empty() ? "null" : "\"" + std::string(text) + "\"";
}

}  // namespace

ApiText::ApiText(const core::Configuration& configuration)
    : configuration_(configuration), reference_(configuration) {}

const core::Instrument& ApiText::instrument(core::InstrumentId id) const {
  for (const core::Instrument& each : configuration_.instruments) {
    if (each.id == id) return each;
  }
  throw std::runtime_error("an instrument that is not configured: " + std::to_string(id));
}

template <class Order>
std::string ApiText::order(const Order& order) const {
  const core::Instrument& traded = instrument(order.instrument_id);
  const Wide gross = core::wide(order.gross_low, order.gross_high);
  List list;
  list.string("Side", name(kSides, order.side)).number("OrderId", order.order_id);
  list.member("Price", amount(order.price, traded.tick));
  list.member("Quantity", amount(order.leaves, traded.lot));
  list.member("DisplayQuantity", amount(order.leaves, traded.lot));
  list.number("Instrument", order.instrument_id).number("Account", order.account_id);
  list.string("AccountName", "").string("OrderType", name(kTypes, order.order_type));
  list.number("ClientOrderId", order.cl_ord_id);
  list.string("OrderState", name(kStates, core::order_state(order.header)));
  list.time("ReceiveTime").time("ReceiveTimeTicks");
  list.time("LastUpdatedTime").time("LastUpdatedTimeTicks");
  list.member("OrigQuantity", amount(order.orig_quantity, traded.lot));
  list.member("QuantityExecuted", amount(order.executed, traded.lot));
  list.member("GrossValueExecuted", value(gross, traded)).number("ExecutableValue", 0);
  list.member("AvgPrice", average_price(gross, order.executed, traded.tick));
  list.number("CounterPartyId", 0);
  list.string("ChangeReason", change_reason(core::change_reason(order.header)));
  list.number("OrigOrderId", order.order_id).number("OrigClOrdId", order.cl_ord_id);
  list.number("EnteredBy", order.entered_by);
  list.string("UserName", reference_.user_name(order.entered_by)).member("IsQuote", "false");
  list.member("InsideAsk", amount(order.inside_ask, traded.tick));
  list.member(
      "InsideAskSize",
      amount(core::wide(order.inside_ask_size_low, order.inside_ask_size_high), traded.lot));
  list.member("InsideBid", amount(order.inside_bid, traded.tick));
  list.member(
      "InsideBidSize",
      amount(core::wide(order.inside_bid_size_low, order.inside_bid_size_high), traded.lot));
  list.member("LastTradePrice", amount(order.last_trade_price, traded.tick));
  list.string("RejectReason", "").member("IsLockedIn", "false");
  list.string("CancelReason", cancel_reason(core::cancel_reason(order.header)));
  list.string("OrderFlag", name(kFlags, order.order_flags / core::kFlagAddedToBook));
  list.member("UseMargin", "false").number("StopPrice", 0).string("PegPriceType", "Last");
  list.number("PegOffset", 0).number("PegLimitOffset", 0).member("IpAddress", "null");
  list.number("IPv6a", 0).number("IPv6b", 0).member("ClientOrderIdUuid", "null");
  return list.number("OMSId", configuration_.oms_id).object();
}

std::string ApiText::trade(const core::TradeWhole& trade) const {
  const core::Instrument& traded = instrument(trade.instrument_id);
  const Wide gross = static_cast<Wide>(trade.price) * static_cast<Wide>(trade.quantity);
  List list;
  list.number("OMSId", configuration_.oms_id).number("TradeId", trade.trade_id);
  list.number("OrderId", trade.order_id).number("AccountId", trade.account_id);
  list.number("ClientOrderId", trade.cl_ord_id).number("InstrumentId", trade.instrument_id);
  list.string("Side", name(kSides, core::trade_side(trade.header)));
  list.member("Quantity", amount(trade.quantity, traded.lot));
  list.member("Price", amount(trade.price, traded.tick)).member("Value", value(gross, traded));
  list.time("TradeTime").number("ContraAcctId", trade.contra_account_id);
  list.number("OrderTradeRevision", 1);
  list.string("Direction", name(kDirections, core::trade_direction(trade.header)));
  list.number("CounterPartyClientUserId", 0).number("NotionalProductId", 0);
  list.number("NotionalRate", 0).number("NotionalValue", 0);
  list.string("MakerTaker", core::trade_is_maker(trade.header) ? "Maker" : "Taker");
  list.member("RemainingQuantity", amount(trade.leaves, traded.lot)).time("TradeTimeMS");
  return list.object();
}

std::string ApiText::receipt(const core::Receipt& receipt) const {
  List list;
  const bool order =
      receipt.request_type == static_cast<std::uint32_t>(core::RequestType::kNewOrder);
  if (order && core::is_order_reject(receipt.detail)) {
    list.string("status", "Rejected");
    list.string("errormsg", core::order_reject_text(receipt.detail));
    return list.number("errorcode", static_cast<std::int64_t>(receipt.code)).object();
  }
  list.member("result", receipt.code == core::ErrorCode::kOk ? "true" : "false");
  list.member("errormsg", text_or_null(core::error_text(receipt.code)));
  list.number("errorcode", static_cast<std::int64_t>(receipt.code));
  return list.member("detail", text_or_null(reference_.describe(receipt.refusal()))).object();
}

std::string ApiText::book(const core::Instrument& traded,
                          const std::vector<core::Report>& replies) const {
  List rows;
  for (const core::Report& report : replies) {
    if (!report.is<core::L2Rows>()) continue;
    const auto page = report.as<core::L2Rows>();
    for (std::uint32_t i = 0; i < page.header.a; ++i) {
      const core::L2Row& row = page.rows[i];
      List list;
      // MDUpdateId only has to grow; the engines count the changes of a book in their own ways.
      list.add("\"*\"").add(std::to_string(row.account_count));
      list.add("\"*\"").add("0").add(amount(page.last_trade_price, traded.tick));
      list.add(std::to_string(row.order_count)).add(amount(row.price, traded.tick));
      list.add(std::to_string(traded.id));
      list.add(amount(core::wide(row.quantity_low, row.quantity_high), traded.lot));
      rows.add(list.add(std::to_string(page.header.b)).array());
    }
  }
  return rows.array();
}

std::string ApiText::reply(const core::Request& request,
                           const std::vector<core::Report>& replies) const {
  const core::Report& first = replies.at(0);
  if (first.is<core::Receipt>()) return receipt(first.as<core::Receipt>());
  if (first.is<core::OrderStatusReply>()) return order(first.as<core::OrderStatusReply>());
  if (first.is<core::Pong>()) return R"({"msg":"PONG"})";
  if (first.is<core::OrderAccepted>()) {
    List list;
    list.string("status", "Accepted").string("errormsg", "");
    return list.number("OrderId", first.as<core::OrderAccepted>().order_id).object();
  }
  if (first.is<core::L2Rows>()) {
    return book(instrument(request.as<core::L2Query>().instrument_id), replies);
  }
  List rows;
  for (const core::Report& report : replies) {
    if (report.is<core::OpenOrderRow>()) rows.add(order(report.as<core::OpenOrderRow>()));
  }
  return rows.array();
}

std::string ApiText::event(const core::Report& report) const {
  const bool state = report.is<core::OrderStateWhole>();
  List frame;
  frame.number("m", 3).string("n", state ? "OrderStateEvent" : "OrderTradeEvent");
  frame.member("o", state ? order(report.as<core::OrderStateWhole>())
                          : trade(report.as<core::TradeWhole>()));
  return frame.object();
}

std::string refusal_text(core::ErrorCode code) {
  List list;
  list.member("result", "false").string("errormsg", core::error_text(code));
  return list.number("errorcode", static_cast<std::int64_t>(code)).string("detail", "*").object();
}

}  // namespace shmatch::process_test
