// Every message that crosses the rings, byte by byte. docs/PROTOCOL.md describes the same tables in
// prose; the asserts of core/message_layout.h are what ties both to the compiler.
//
// A message is a run of 64-bit little-endian words, 7 to a slot of the ring (the slot's eighth word
// is the ring's own sequence word, ipc/ring.h), one to four slots. The first word starts with
// `type` and `slots`. All integers are two's complement, all padding is zero, nothing is ever a
// pointer.
//
// Requests go from client to engine, reports from engine to client. A request is named by its place
// in its session's request stream (1, 2, 3 ...): no field carries it, replies name it as
// `request_sequence`.
//
// Everything in a request is client memory: the engine copies it once and believes nothing of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/decimal.h"
#include "core/reject.h"
#include "core/types.h"

namespace shmatch::core {

inline constexpr std::uint32_t kSlotWords = 7;  // payload words of a slot
inline constexpr std::uint32_t kSlotsPerMessageMax = 4;
inline constexpr std::uint32_t kMessageWordsMax = kSlotWords * kSlotsPerMessageMax;

enum class RequestType : std::uint8_t {
  kNone = 0,
  kCancelOrder = 1,
  kNewOrder = 2,
  kOrderStatus = 3,
  kOpenOrders = 4,
  kL2Snapshot = 5,
  kPing = 6,
};

enum class ReportType : std::uint8_t {
  kNone = 0,
  kReceipt = 1,          // the API's generic object: reply to CancelOrder, and every refusal
  kOrderAccepted = 2,    // SendOrder's {"status":"Accepted"}
  kOrderEntered = 3,     // OrderStateEvent, first of an order: everything fixed about it
  kOrderChanged = 4,     // OrderStateEvent, later ones: what changed
  kTrade = 5,            // OrderTradeEvent: what one side of an execution needs
  kOrderStateWhole = 6,  // OrderStateEvent, for sessions that asked for whole objects
  kTradeWhole = 7,       // OrderTradeEvent, for sessions that asked for whole objects
  kOrderStatus = 8,      // reply to OrderStatus
  kOpenOrder = 9,        // a row of the reply to OpenOrders
  kL2Rows = 10,          // rows of the reply to L2Snapshot
  kPageEnd = 11,         // ends one page of OpenOrders or L2Snapshot
  kPong = 12,
  kResumed = 13,  // first report of a session that was resumed
};

// ---------------------------------------------------------------------------------------- requests

struct RequestHeader {
  std::uint8_t type = 0;    // RequestType
  std::uint8_t slots = 0;   // slots of the whole message
  std::uint16_t flags = 0;  // kReplyInPlace or 0; the transport's, 0 in what the core is given
  std::uint32_t reserved = 0;
};
// The reply is wanted in the request's own cache line as well (ipc/reply_in_place.h).
inline constexpr std::uint16_t kReplyInPlace = 1;

// These two may be read where they lie, as words (message_at in core/message.h).
struct [[gnu::may_alias]] CancelOrder {
  static constexpr RequestType kType = RequestType::kCancelOrder;
  RequestHeader header{};
  OmsId oms_id = 0;
  AccountId account_id = 0;
  OrderId order_id = 0;
  ClOrdId cl_ord_id = 0;
};

struct [[gnu::may_alias]] NewOrder {
  static constexpr RequestType kType = RequestType::kNewOrder;
  RequestHeader header{};
  OmsId oms_id = 0;
  AccountId account_id = 0;
  InstrumentId instrument_id = 0;
  ClOrdId cl_ord_id = 0;
  std::int64_t quantity_mantissa = 0;
  std::int64_t limit_price_mantissa = 0;
  std::int8_t quantity_exponent = kExponentAbsent;
  std::int8_t limit_price_exponent = kExponentAbsent;
  Side side = Side::kAbsent;
  OrderType order_type = OrderType::kAbsent;
  TimeInForce time_in_force = TimeInForce::kGtc;
  std::uint8_t reserved = 0;
  std::uint16_t features = 0;  // kFeature... bits the client asked for; any of them is refused

  Decimal quantity() const noexcept { return {quantity_mantissa, quantity_exponent}; }
  Decimal limit_price() const noexcept { return {limit_price_mantissa, limit_price_exponent}; }
  void set_quantity(Decimal value) noexcept {
    quantity_mantissa = value.mantissa;
    quantity_exponent = value.exponent;
  }
  void set_limit_price(Decimal value) noexcept {
    limit_price_mantissa = value.mantissa;
    limit_price_exponent = value.exponent;
  }
};

struct OrderStatusQuery {
  static constexpr RequestType kType = RequestType::kOrderStatus;
  RequestHeader header{};
  OmsId oms_id = 0;
  AccountId account_id = 0;
  OrderId order_id = 0;
};

// One page of an account's working orders. `continuation` is 0 for the first page and then what the
// last PageEnd said. Rows come in no useful order; sort by OrderId after the last page.
struct OpenOrdersQuery {
  static constexpr RequestType kType = RequestType::kOpenOrders;
  RequestHeader header{};
  OmsId oms_id = 0;
  AccountId account_id = 0;
  std::uint64_t continuation = 0;
};

// One page of a book: bids from the best down, then asks from the best up, `depth` levels a side.
struct L2Query {
  static constexpr RequestType kType = RequestType::kL2Snapshot;
  RequestHeader header{};
  OmsId oms_id = 0;
  InstrumentId instrument_id = 0;
  std::int64_t depth = 0;
  std::uint64_t continuation = 0;  // of the last PageEnd; 0 starts
  Ticks continuation_price = 0;    // of the last PageEnd
};

struct Ping {
  static constexpr RequestType kType = RequestType::kPing;
  RequestHeader header{};
  // 1: a fence that the client needs for itself; captures of what users asked leave it out. Else 0.
  std::uint64_t fence = 0;
};

// ----------------------------------------------------------------------------------------- reports

// `engine_sequence` is the input that caused the report (for queries: the newest input they saw),
// `ordinal` counts the reports of that input from 0. The same event keeps both on every session
// that receives it.
struct ReportHeader {
  std::uint8_t type = 0;  // ReportType
  std::uint8_t slots = 0;
  std::uint8_t a = 0;  // by type, see below
  std::uint8_t b = 0;
  std::uint32_t ordinal = 0;
  Sequence engine_sequence = 0;
};

struct Receipt {
  static constexpr ReportType kType = ReportType::kReceipt;
  ReportHeader header;
  Sequence request_sequence = 0;
  ErrorCode code = ErrorCode::kOk;
  Detail detail = Detail::kNone;
  std::uint32_t request_type = 0;  // RequestType of what is answered
  std::int64_t argument0 = 0;
  std::int64_t argument1 = 0;
  TimeNs time_ns = 0;

  Refusal refusal() const noexcept { return {code, detail, argument0, argument1}; }
};

struct OrderAccepted {
  static constexpr ReportType kType = ReportType::kOrderAccepted;
  ReportHeader header;
  Sequence request_sequence = 0;
  OrderId order_id = 0;
  ClOrdId cl_ord_id = 0;
  TimeNs time_ns = 0;
};

// In all three forms of the order state header.a is the OrderState in the low 4 bits and the
// CancelReason in the high 4, header.b the ChangeReason.
struct OrderEntered {
  static constexpr ReportType kType = ReportType::kOrderEntered;
  ReportHeader header;
  OrderId order_id = 0;
  ClOrdId cl_ord_id = 0;
  AccountId account_id = 0;
  Ticks price = 0;  // 0 for a market order
  Lots orig_quantity = 0;
  Lots executed = 0;
  TimeNs time_ns = 0;
  std::uint32_t instrument_id = 0;
  std::uint32_t entered_by = 0;
  Side side = Side::kAbsent;
  OrderType order_type = OrderType::kAbsent;
  TimeInForce time_in_force = TimeInForce::kGtc;
  std::uint8_t order_flags = 0;
  std::uint32_t reserved = 0;
  // Ticks times lots executed so far: low and high word.
  std::uint64_t gross_low = 0;
  std::uint64_t gross_high = 0;
};

struct OrderChanged {
  static constexpr ReportType kType = ReportType::kOrderChanged;
  ReportHeader header;
  OrderId order_id = 0;
  ClOrdId cl_ord_id = 0;
  Lots leaves = 0;  // what is still working; 0 once the order has ended
  Lots executed = 0;
  TimeNs time_ns = 0;
};

// header.a: Side of this order in the low 4 bits, Direction in the high 4; header.b: 1 maker, 2
// taker.
struct Trade {
  static constexpr ReportType kType = ReportType::kTrade;
  ReportHeader header;
  TradeId trade_id = 0;
  OrderId order_id = 0;
  Ticks price = 0;
  Lots quantity = 0;
  TimeNs time_ns = 0;
};

// The whole order, as queries and whole-object sessions get it. The book's best prices and the last
// trade are those right after the change (queries: at the query); 0 where there is none.
template <ReportType Type>
struct OrderObject {
  static constexpr ReportType kType = Type;
  ReportHeader header;
  Sequence request_sequence = 0;  // 0 in events
  OrderId order_id = 0;
  ClOrdId cl_ord_id = 0;
  AccountId account_id = 0;
  Ticks price = 0;
  Lots orig_quantity = 0;
  Lots leaves = 0;
  Lots executed = 0;
  std::uint64_t gross_low = 0;
  std::uint64_t gross_high = 0;
  TimeNs receive_time_ns = 0;
  TimeNs update_time_ns = 0;
  Ticks inside_bid = 0;
  Ticks inside_ask = 0;
  std::uint64_t inside_bid_size_low = 0;
  std::uint64_t inside_bid_size_high = 0;
  std::uint64_t inside_ask_size_low = 0;
  std::uint64_t inside_ask_size_high = 0;
  Ticks last_trade_price = 0;
  std::uint32_t instrument_id = 0;
  std::uint32_t entered_by = 0;
  Side side = Side::kAbsent;
  OrderType order_type = OrderType::kAbsent;
  TimeInForce time_in_force = TimeInForce::kGtc;
  std::uint8_t order_flags = 0;
  std::uint32_t reserved = 0;
};

using OrderStateWhole = OrderObject<ReportType::kOrderStateWhole>;
using OrderStatusReply = OrderObject<ReportType::kOrderStatus>;
using OpenOrderRow = OrderObject<ReportType::kOpenOrder>;

// header.a, header.b as in Trade.
struct TradeWhole {
  static constexpr ReportType kType = ReportType::kTradeWhole;
  ReportHeader header;
  TradeId trade_id = 0;
  OrderId order_id = 0;
  Ticks price = 0;
  Lots quantity = 0;
  TimeNs time_ns = 0;
  ClOrdId cl_ord_id = 0;
  AccountId account_id = 0;
  AccountId contra_account_id = 0;
  Lots leaves = 0;  // of this order, after the execution
  std::uint32_t instrument_id = 0;
  std::uint32_t entered_by = 0;
  OrderType order_type = OrderType::kAbsent;
  std::uint8_t reserved[7] = {};
};

struct L2Row {
  Ticks price = 0;
  std::uint64_t quantity_low = 0;
  std::uint64_t quantity_high = 0;
  std::uint32_t order_count = 0;
  // Accounts with orders in the level; where a page meets more than 4,096 orders, those among the
  // ones it looked at, oldest first.
  std::uint32_t account_count = 0;
  TimeNs time_ns = 0;  // of the level's last change
};
inline constexpr std::uint32_t kL2RowsPerMessage = 4;

// header.a is the number of rows used, header.b their Side.
struct L2Rows {
  static constexpr ReportType kType = ReportType::kL2Rows;
  ReportHeader header;
  Sequence request_sequence = 0;
  std::uint64_t md_update_id = 0;
  Ticks last_trade_price = 0;
  L2Row rows[kL2RowsPerMessage];
};

// header.a is 1 when more pages follow: ask again with these continuation values.
struct PageEnd {
  static constexpr ReportType kType = ReportType::kPageEnd;
  ReportHeader header;
  Sequence request_sequence = 0;
  std::uint64_t continuation = 0;
  Ticks continuation_price = 0;
  std::uint64_t md_update_id =
      0;  // L2Snapshot only: pages with different values are different books
};

struct Pong {
  static constexpr ReportType kType = ReportType::kPong;
  ReportHeader header;
  Sequence request_sequence = 0;
};

// Comes before everything else when a session is resumed. header.a is 1 when there is a gap: some
// of the reports that the client has not seen are not kept any more. The kept ones follow, as they
// were, with their own engine sequence numbers; then come new ones.
struct Resumed {
  static constexpr ReportType kType = ReportType::kResumed;
  ReportHeader header;
  // The newest SendOrder or CancelOrder of this session that the engine has executed or refused,
  // 0 for none. Requests with larger numbers never were; new ones are numbered from here on.
  Sequence last_request = 0;
  std::uint64_t missed = 0;  // how many kept reports follow
  // With a gap: reports named before this are not kept any more.
  Sequence gap_end_sequence = 0;
  std::uint32_t gap_end_ordinal = 0;
  std::uint32_t reserved = 0;
};

}  // namespace shmatch::core
