// From the engine's reports to the API's own JSON: objects of replies and events, and the frames
// around them. Keys, their case and their order are AlphaPoint's. Every text is one line.
//
// Decimals are exact JSON numbers without exponent; times are POSIX milliseconds, or .NET ticks
// (100 ns since the year 1) in keys that end in Ticks and in TradeTime.
//
// Thread: pure functions, any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/message.h"
#include "ipc/reference_data.h"

namespace shmatch::tools {

// ---- objects

// {"result","errormsg","errorcode","detail"}; `detail` is null when empty, `errormsg` null on
// success.
std::string generic_json(core::ErrorCode code, std::string_view detail);

// The receipt of CancelOrder, and every refusal; SendOrder's limits and duplicates have their own
// form,
// {"status":"Rejected","errormsg","errorcode"}.
std::string receipt_json(const core::Receipt& receipt, const ReferenceData& reference);

// {"status":"Accepted","errormsg":"","OrderId"}
std::string accepted_json(const core::OrderAccepted& accepted);

// {"msg":"PONG"}
std::string pong_json();

// The order object with all its fields.
std::string order_json(const core::OrderStateWhole& order, const ReferenceData& reference);
std::string order_json(const core::OrderStatusReply& order, const ReferenceData& reference);
std::string order_json(const core::OpenOrderRow& order, const ReferenceData& reference);

// [order, ...]
std::string open_orders_json(std::span<const core::OpenOrderRow> rows,
                             const ReferenceData& reference);

// The object of an OrderTradeEvent.
std::string trade_json(const core::TradeWhole& trade, const ReferenceData& reference);

// The book of one instant, as a reply to GetL2Snapshot: bids from the best down, asks from the best
// up.
struct BookView {
  core::InstrumentId instrument_id = 0;
  std::uint64_t md_update_id = 0;
  core::Ticks last_trade_price = 0;
  std::span<const core::L2Row> bids;  // best first
  std::span<const core::L2Row> asks;  // best first
};
std::string l2_snapshot_json(const BookView& book, const ReferenceData& reference);

// ---- frames

// {"m":1,"i","n","o"}. `sequence` and `payload` are JSON already, `function` is plain text.
std::string reply_frame(std::string_view sequence, std::string_view function,
                        std::string_view payload);

// {"m":5,"i","n","o"} with plain text in `o`.
std::string error_frame(std::string_view sequence, std::string_view function,
                        std::string_view text);

// {"m":3,"n","o"} for a whole order state or trade; nothing for any other report.
std::optional<std::string> event_frame(const core::Report& report, const ReferenceData& reference);

}  // namespace shmatch::tools
