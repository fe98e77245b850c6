// Refusals: the API's error codes with their fixed texts, and the details that say which rule a
// request broke or how the order it named had ended. On the rings a refusal is two small numbers
// and two arguments; the sentences below exist once, here, and are made by whoever shows them to a
// person.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/types.h"

namespace shmatch::core {

// The API's error codes (AlphaPoint CancelOrder page). The client's action stands behind each.
enum class ErrorCode : std::uint16_t {
  kOk = 0,
  kNotAuthorized = 20,     // use a user with the right, or the right account
  kInvalidRequest = 100,   // mend the request; the same one will fail again
  kOperationFailed = 101,  // a limit: slow down, or reduce what you hold
  kServerError = 102,      // the engine cannot keep its promises: stop, and look at its log
  kNotFound = 104,         // nothing to act on; `detail` says how the order ended
  kNotSupported = 106,     // this engine does not offer it
};

// `errormsg` of a code, to the letter.
std::string_view error_text(ErrorCode code) noexcept;

// Fields that a refusal can name.
enum class Field : std::uint8_t {
  kOmsId = 0,
  kAccountId,
  kInstrumentId,
  kSide,
  kOrderType,
  kTimeInForce,
  kQuantity,
  kLimitPrice,
  kOrderId,
  kDepth,
};

std::string_view field_name(Field field) noexcept;

// Why. Each line: the code it comes with; arguments. Values travel in receipts, so they never
// change.
enum class Detail : std::uint16_t {
  kNone = 0,
  kStopping = 1,                 // 102
  kJournalFailed = 2,            // 102; the kernel's error number, or -1
  kRateLimited = 3,              // 101; requests a second
  kWrongOms = 4,                 // 100; the id given
  kNoOrderKey = 5,               // 100
  kNoAccountForClOrdId = 6,      // 100
  kNoPermission = 7,             // 20
  kForeignAccount = 8,           // 20; account
  kForeignOrder = 9,             // 20; order
  kUnknownOrder = 10,            // 104; order
  kUnknownClOrdId = 11,          // 104; client order id, account
  kKeysDisagree = 12,            // 104; order
  kFilled = 13,                  // 104; last trade, sequence
  kCanceledByUser = 14,          // 104; user, sequence
  kNoMoreMarket = 15,            // 104; sequence
  kCanceledOnDisconnect = 16,    // 104; user, sequence
  kNotCancellable = 17,          // 106
  kFieldMissing = 18,            // 100; Field
  kUnknownEnum = 19,             // 100; Field, value
  kUnknownAccount = 20,          // 104; account
  kUnknownInstrument = 21,       // 100; instrument
  kNotPositive = 22,             // 100; Field
  kNotMultiple = 23,             // 100; Field
  kUnsupportedSide = 24,         // 106; value
  kUnsupportedType = 25,         // 106; value
  kUnsupportedTimeInForce = 26,  // 106; value
  kUnsupportedFeature = 27,      // 106; Feature bits
  kDuplicateClOrdId = 28,        // 101; client order id; errormsg Invalid_ClientOrderId
  kMaxWorkingOrders = 29,        // 101; the capacity
  kMaxQuantity = 30,             // 101
  kMaxPrice = 31,                // 101
  kMaxOrderIds = 32,             // 101
  kMalformed = 33,               // 100; not sent by the engine: the codec's own refusal
  kMaxPriceLevels = 34,          // 101; the capacity
};
inline constexpr Detail kDetailLast = Detail::kMaxPriceLevels;

// Names of the API's requests options that this engine refuses (bits of NewOrder::features).
inline constexpr std::uint16_t kFeatureDisplayQuantity = 1;
inline constexpr std::uint16_t kFeaturePostOnly = 2;
inline constexpr std::uint16_t kFeatureOco = 4;
inline constexpr std::uint16_t kFeatureValue = 8;
inline constexpr std::uint16_t kFeaturesAll = 15;

// A refusal as receipts carry it.
struct Refusal {
  ErrorCode code = ErrorCode::kOk;
  Detail detail = Detail::kNone;
  std::int64_t argument0 = 0;
  std::int64_t argument1 = 0;

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

// True when SendOrder answers this refusal with {"status":"Rejected",...} instead of the generic
// object.
constexpr bool is_order_reject(Detail detail) noexcept {
  return detail == Detail::kDuplicateClOrdId || detail == Detail::kMaxPriceLevels ||
         (detail >= Detail::kMaxWorkingOrders && detail <= Detail::kMaxOrderIds);
}

// `errormsg` of a SendOrder reject: "Invalid_ClientOrderId", or the name of the limit.
std::string_view order_reject_text(Detail detail) noexcept;

// The sentence for `detail`; empty for kNone. `user_name` resolves a user id for "cancelled by"; it
// may return an empty view.
std::string describe(const Refusal& refusal, std::string_view (*user_name)(UserId, const void*),
                     const void* context);

}  // namespace shmatch::core
