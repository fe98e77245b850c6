// Orders, trades, books and refusals as people read them: a sentence, or a table.
//
// Thread: pure functions, any thread. Every text that is not a sentence ends with a line feed.
#pragma once

#include <span>
#include <string>

#include "core/message.h"
#include "ipc/reference_data.h"
#include "tools/report_codec.h"

namespace shmatch::tools {

// The instrument's symbol; "instrument 9" for one that is not known.
std::string symbol_of(core::InstrumentId id, const ReferenceData& reference);

// "2026-11-22 14:03:07.123456 UTC"
std::string utc_time(core::TimeNs time_ns);

// "Refused: Resource Not Found (104), the order was filled by trade 7, engine sequence 19"
std::string refusal_sentence(const core::Receipt& receipt, const ReferenceData& reference);

// "Order 42 (Buy 2 TEST at 100, account 1): Working, NewInputAccepted, 2 remaining, 0 executed"
std::string order_sentence(const core::OrderStateWhole& order, const ReferenceData& reference);

// "Trade 7: order 42 bought 1 TEST at 100 as maker, account 1, 1 remaining"
std::string trade_sentence(const core::TradeWhole& trade, const ReferenceData& reference);

// The fields of one order, one a line.
std::string order_details(const core::OrderStatusReply& order, const ReferenceData& reference);

// A line for each order under a heading.
std::string orders_table(std::span<const core::OpenOrderRow> rows, const ReferenceData& reference);

// Asks above bids, the best prices in the middle.
std::string book_ladder(const BookView& book, const ReferenceData& reference);

}  // namespace shmatch::tools
