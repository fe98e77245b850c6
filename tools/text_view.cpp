#include "tools/text_view.h"

#include <ctime>

#include "tools/amounts.h"
#include "tools/enum_names.h"
#include "tools/text_table.h"

namespace shmatch::tools {

namespace {

// A price, or the word for an order that has none.
std::string price_text(core::OrderType type, core::Ticks price, const Amounts& amounts) {
  return type == core::OrderType::kMarket ? "market" : amounts.price(price);
}

void add_levels(TextTable& table, std::span<const core::L2Row> rows, std::string_view side,
                bool worst_first, const Amounts& amounts) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const core::L2Row& row = worst_first ? rows[rows.size() - 1 - i] : rows[i];
    table.add({std::string(side), amounts.price(row.price),
               amounts.quantity(row.quantity_low, row.quantity_high),
               std::to_string(row.order_count), std::to_string(row.account_count)});
  }
}

}  // namespace

std::string symbol_of(core::InstrumentId id, const ReferenceData& reference) {
  const core::Instrument* instrument = reference.instrument(id);
  return instrument != nullptr ? instrument->symbol : "instrument " + std::to_string(id);
}

std::string utc_time(core::TimeNs time_ns) {
  constexpr core::TimeNs kNsPerSecond = 1'000'000'000;
  const auto seconds = static_cast<std::time_t>(time_ns / kNsPerSecond);
  std::tm utc{};
  char text[32] = {};
  if (gmtime_r(&seconds, &utc) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &utc) == 0) {
    return std::to_string(time_ns) + " ns";
  }
  const std::string fraction = std::to_string(kNsPerSecond + time_ns % kNsPerSecond).substr(1, 6);
  return std::string(text) + "." + fraction + " UTC";
}

std::string refusal_sentence(const core::Receipt& receipt, const ReferenceData& reference) {
  std::string sentence = "Refused: ";
  sentence += core::error_text(receipt.code);
  sentence += " (" + std::to_string(static_cast<int>(receipt.code)) + ")";
  const std::string detail = reference.describe(receipt.refusal());
  if (!detail.empty()) sentence += ", " + detail;
  return sentence;
}

std::string order_sentence(const core::OrderStateWhole& order, const ReferenceData& reference) {
  const Amounts amounts(reference, order.instrument_id);
  std::string sentence = "Order " + std::to_string(order.order_id) + " (";
  sentence += name_of(order.side);
  sentence += " " + amounts.quantity(order.orig_quantity) + " ";
  sentence += symbol_of(order.instrument_id, reference) + " at ";
  sentence += price_text(order.order_type, order.price, amounts);
  sentence += ", account " + std::to_string(order.account_id);
  if (order.cl_ord_id != 0) sentence += ", ClOrderId " + std::to_string(order.cl_ord_id);
  sentence += "): ";
  sentence += name_of(order_state(order.header));
  sentence += ", ";
  // A cancellation's own reason says more: it also tells a disconnect.
  const std::string_view canceled = cancel_reason_text(cancel_reason(order.header));
  sentence += canceled.empty() ? name_of(change_reason(order.header)) : canceled;
  sentence += ", " + amounts.quantity(order.leaves) + " remaining, ";
  sentence += amounts.quantity(order.executed) + " executed";
  return sentence;
}

std::string trade_sentence(const core::TradeWhole& trade, const ReferenceData& reference) {
  const Amounts amounts(reference, trade.instrument_id);
  std::string sentence = "Trade " + std::to_string(trade.trade_id) + ": order ";
  sentence += std::to_string(trade.order_id);
  sentence += trade_side(trade.header) == core::Side::kBuy ? " bought " : " sold ";
  sentence += amounts.quantity(trade.quantity) + " " + symbol_of(trade.instrument_id, reference);
  sentence += " at " + amounts.price(trade.price);
  sentence += trade_is_maker(trade.header) ? " as maker" : " as taker";
  sentence += ", account " + std::to_string(trade.account_id);
  sentence += ", " + amounts.quantity(trade.leaves) + " remaining";
  return sentence;
}

std::string order_details(const core::OrderStatusReply& order, const ReferenceData& reference) {
  const Amounts amounts(reference, order.instrument_id);
  const core::Wide gross = core::wide(order.gross_low, order.gross_high);
  TextTable table({{"OrderId", false}, {std::to_string(order.order_id), false}});
  const auto add = [&](std::string_view name, std::string_view value) {
    table.add({std::string(name), std::string(value)});
  };
  add("OrderState", name_of(order_state(order.header)));
  add("ChangeReason", name_of(change_reason(order.header)));
  const std::string_view canceled = cancel_reason_text(cancel_reason(order.header));
  if (!canceled.empty()) add("CancelReason", canceled);
  add("Account", std::to_string(order.account_id));
  add("ClientOrderId", std::to_string(order.cl_ord_id));
  add("Instrument", symbol_of(order.instrument_id, reference));
  add("Side", name_of(order.side));
  add("OrderType", name_of(order.order_type));
  add("TimeInForce", name_of(order.time_in_force));
  add("Price", price_text(order.order_type, order.price, amounts));
  add("Quantity", amounts.quantity(order.leaves));
  add("OrigQuantity", amounts.quantity(order.orig_quantity));
  add("QuantityExecuted", amounts.quantity(order.executed));
  add("AvgPrice", amounts.average_price(gross, order.executed));
  add("EnteredBy", reference.user_name(order.entered_by));
  add("ReceiveTime", utc_time(order.receive_time_ns));
  add("LastUpdatedTime", utc_time(order.update_time_ns));
  return table.text();
}

std::string orders_table(std::span<const core::OpenOrderRow> rows, const ReferenceData& reference) {
  if (rows.empty()) return "No working orders.\n";
  TextTable table({{"OrderId"},
                   {"ClOrderId"},
                   {"Instrument", false},
                   {"Side", false},
                   {"OrderType", false},
                   {"Price"},
                   {"Quantity"},
                   {"Executed"}});
  for (const core::OpenOrderRow& row : rows) {
    const Amounts amounts(reference, row.instrument_id);
    table.add({std::to_string(row.order_id), std::to_string(row.cl_ord_id),
               symbol_of(row.instrument_id, reference), std::string(name_of(row.side)),
               std::string(name_of(row.order_type)), price_text(row.order_type, row.price, amounts),
               amounts.quantity(row.leaves), amounts.quantity(row.executed)});
  }
  return table.text();
}

std::string book_ladder(const BookView& book, const ReferenceData& reference) {
  if (reference.instrument(book.instrument_id) == nullptr) {
    return "There is no instrument " + std::to_string(book.instrument_id) + ".\n";
  }
  const std::string symbol = symbol_of(book.instrument_id, reference);
  const Amounts amounts(reference, book.instrument_id);
  const std::string last =
      book.last_trade_price == 0
          ? symbol + ", no trade yet\n"
          : symbol + ", last trade at " + amounts.price(book.last_trade_price) + "\n";
  if (book.bids.empty() && book.asks.empty()) return last + "The book is empty.\n";
  TextTable table({{"Side", false}, {"Price"}, {"Quantity"}, {"Orders"}, {"Accounts"}});
  add_levels(table, book.asks, "ask", true, amounts);
  add_levels(table, book.bids, "bid", false, amounts);
  return last + table.text();
}

}  // namespace shmatch::tools
