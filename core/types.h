// The words of the domain: identifiers, amounts and the API's enumerations.
//
// Shapes and ranges. Identifiers are positive 64-bit integers; 0 always means "absent" (the API's
// null, 0 and missing key are one thing). Prices are counted in ticks and quantities in lots of
// their instrument; both are exact integers in 1..kAmountMax. Times are nanoseconds since the POSIX
// epoch and enter the core only as a field of an input.
//
// The numeric values of the enumerations are the API's own (AlphaPoint's published enumerations);
// they travel on the rings and in logs, so they never change.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shmatch::core {

using OmsId = std::int64_t;
using AccountId = std::int64_t;
using InstrumentId = std::int64_t;
using UserId = std::int64_t;
using ClOrdId = std::int64_t;
using OrderId = std::int64_t;
using TradeId = std::int64_t;
using Ticks = std::int64_t;
using Lots = std::int64_t;
using TimeNs = std::int64_t;
using Sequence = std::uint64_t;

// Sums of lots over a price level, and of ticks times lots over an order, need more than 64 bits:
// kAmountMax squared is 10^30 and fits in 100.
__extension__ using Wide = unsigned __int128;
__extension__ using SignedWide = __int128;

// A session's place in the session table: 0..Configuration::sessions_max - 1.
using SessionSlot = std::uint32_t;
// Names one session among all that ever were in an engine's life. 0 is no session.
using SessionSerial = std::uint32_t;
// Room for a session's name: at most 31 characters, then zeros.
inline constexpr std::size_t kSessionNameBytes = 32;

// One run of an engine, from its start to its end. Inputs that a run took can be lost with it
// (durability async), and the next run may then begin with the same number.
struct EngineRun {
  Sequence first = 0;      // the number of its first input; 0: no run
  std::uint64_t name = 0;  // tells runs apart that began with the same number

  friend bool operator==(const EngineRun&, const EngineRun&) = default;
};

// Index into one of the core's fixed arrays; kNoIndex stands for "no such element".
using Index = std::uint32_t;
inline constexpr Index kNoIndex = 0xFFFF'FFFF;

// Largest order quantity in lots and largest price in ticks. Below 2^53, so that every JavaScript
// client reads each amount exactly.
inline constexpr std::int64_t kAmountMax = 1'000'000'000'000'000;
// OrderIds stay below this bound for the same readers.
inline constexpr OrderId kOrderIdEnd = 1'000'000'000'000'000;
// The API calls these ids "int": configuration refuses larger ones.
inline constexpr std::int64_t kConfiguredIdMax = 2'147'483'647;

enum class Side : std::uint8_t { kBuy = 0, kSell = 1, kShort = 2, kUnknown = 3, kAbsent = 255 };

enum class OrderType : std::uint8_t {
  kUnknown = 0,
  kMarket = 1,
  kLimit = 2,
  kStopMarket = 3,
  kStopLimit = 4,
  kTrailingStopMarket = 5,
  kTrailingStopLimit = 6,
  kBlockTrade = 7,
  kAbsent = 255,
};

enum class TimeInForce : std::uint8_t {
  kUnknown = 0,
  kGtc = 1,
  kOpg = 2,
  kIoc = 3,
  kFok = 4,
  kGtx = 5,
  kGtd = 6,
};

enum class OrderState : std::uint8_t {
  kUnknown = 0,
  kWorking = 1,
  kRejected = 2,
  kCanceled = 3,
  kExpired = 4,
  kFullyExecuted = 5,
};

enum class ChangeReason : std::uint8_t {
  kUnknown = 0,
  kNewInputAccepted = 1,
  kNewInputRejected = 2,
  kOtherRejected = 3,
  kExpired = 4,
  kTrade = 5,
  kNoMoreMarket = 6,
  kBelowMinimum = 7,
  kPriceCollar = 8,
  kMarginFailed = 9,
  kUserModified = 100,
};

// Why an order ended by cancellation; the API prints it as the free text `CancelReason`.
enum class CancelReason : std::uint8_t {
  kNone = 0,
  kUserModified = 1,
  kNoMoreMarket = 2,
  kCancelOnDisconnect = 3,
};

// Bits of the API's OrderFlag.
inline constexpr std::uint8_t kFlagAddedToBook = 2;
inline constexpr std::uint8_t kFlagRemovedFromBook = 4;

// Price movement of a trade against the instrument's previous trade.
enum class Direction : std::uint8_t { kNoChange = 0, kUpTick = 1, kDownTick = 2 };

// What a user may do. Trading reaches the user's own accounts, Operator all of them.
inline constexpr std::uint8_t kPermissionTrading = 1;
inline constexpr std::uint8_t kPermissionOperator = 2;
inline constexpr std::uint8_t kPermissionAccountReadOnly = 4;

constexpr Side opposite(Side side) noexcept {
  return side == Side::kBuy ? Side::kSell : Side::kBuy;
}

}  // namespace shmatch::core
