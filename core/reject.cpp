#include "core/reject.h"

#include <string>
#include <system_error>

namespace shmatch::core {

namespace {

std::string number(std::int64_t value) { return std::to_string(value); }

// Sequence numbers travel in a signed argument.
std::string sequence(std::int64_t value) {
  return "engine sequence " + std::to_string(static_cast<std::uint64_t>(value));
}

std::string field(std::int64_t value) { return std::string(field_name(static_cast<Field>(value))); }

std::string feature_names(std::int64_t bits) {
  struct Name {
    std::uint16_t bit;
    std::string_view text;
  };
  constexpr Name kNames[] = {{kFeatureDisplayQuantity, "UseDisplayQuantity"},
                             {kFeaturePostOnly, "PostOnly"},
                             {kFeatureOco, "OrderIdOCO"},
                             {kFeatureValue, "Value"}};
  std::string names;
  for (const Name& name : kNames) {
    if ((bits & name.bit) == 0) continue;
    if (!names.empty()) names += ", ";
    names += name.text;
  }
  return names.empty() ? number(bits) : names;
}

}  // namespace

std::string_view error_text(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kOk:
      return "";
    case ErrorCode::kNotAuthorized:
      return "Not Authorized";
    case ErrorCode::kInvalidRequest:
      return "Invalid Request";
    case ErrorCode::kOperationFailed:
      return "Operation Failed";
    case ErrorCode::kServerError:
      return "Server Error";
    case ErrorCode::kNotFound:
      return "Resource Not Found";
    case ErrorCode::kNotSupported:
      return "Operation Not Supported";
  }
  return "";
}

std::string_view field_name(Field field) noexcept {
  switch (field) {
    case Field::kOmsId:
      return "OMSId";
    case Field::kAccountId:
      return "AccountId";
    case Field::kInstrumentId:
      return "InstrumentId";
    case Field::kSide:
      return "Side";
    case Field::kOrderType:
      return "OrderType";
    case Field::kTimeInForce:
      return "TimeInForce";
    case Field::kQuantity:
      return "Quantity";
    case Field::kLimitPrice:
      return "LimitPrice";
    case Field::kOrderId:
      return "OrderId";
    case Field::kDepth:
      return "Depth";
  }
  return "";
}

std::string_view order_reject_text(Detail detail) noexcept {
  switch (detail) {
    case Detail::kDuplicateClOrdId:
      return "Invalid_ClientOrderId";
    case Detail::kMaxWorkingOrders:
      return "Max_Working_Orders";
    case Detail::kMaxQuantity:
      return "Max_Quantity";
    case Detail::kMaxPrice:
      return "Max_Price";
    case Detail::kMaxOrderIds:
      return "Max_Order_Ids";
    case Detail::kMaxPriceLevels:
      return "Max_Price_Levels";
    default:
      return "";
  }
}

std::string describe(const Refusal& refusal, std::string_view (*user_name)(UserId, const void*),
                     const void* context) {
  const std::int64_t a = refusal.argument0;
  const std::int64_t b = refusal.argument1;
  const auto user = [&](std::int64_t id) {
    const std::string_view name = user_name == nullptr ? "" : user_name(id, context);
    return "user " + (name.empty() ? number(id) : std::string(name));
  };
  switch (refusal.detail) {
    case Detail::kNone:
      return "";
    case Detail::kStopping:
      return "the engine is stopping";
    case Detail::kJournalFailed:
      return "the journal failed (" +
             (a > 0 ? std::generic_category().message(static_cast<int>(a))
                    : "see the engine's log") +
             "): nothing is accepted any more";
    case Detail::kRateLimited:
      return "more than " + number(a) + " requests a second in this session";
    case Detail::kWrongOms:
      return "Invalid OMSId: " + number(a);
    case Detail::kNoOrderKey:
      return "OrderId, or AccountId with ClOrderId, is required";
    case Detail::kNoAccountForClOrdId:
      return "ClOrderId does not identify an order without AccountId";
    case Detail::kNoPermission:
      return "the user has neither the Trading nor the Operator permission";
    case Detail::kForeignAccount:
      return "the user is not associated with account " + number(a);
    case Detail::kForeignOrder:
      return "order " + number(a) + " belongs to an account that the user is not associated with";
    case Detail::kUnknownOrder:
      return "order " + number(a) + " was never issued, or ended too long ago to be remembered";
    case Detail::kUnknownClOrdId:
      return "account " + number(b) + " has no order with ClOrderId " + number(a);
    case Detail::kKeysDisagree:
      return "the keys disagree: order " + number(a) + " has another AccountId or ClOrderId";
    case Detail::kFilled:
      return "the order was filled by trade " + number(a) + ", " + sequence(b);
    case Detail::kCanceledByUser:
      return "the order was canceled by " + user(a) + ", " + sequence(b);
    case Detail::kNoMoreMarket:
      return "the order found no more market and was canceled by the system, " + sequence(a);
    case Detail::kCanceledOnDisconnect:
      return "the order was canceled when the session of " + user(a) + " ended, " + sequence(b);
    case Detail::kNotCancellable:
      return "the order cannot be canceled now";
    case Detail::kFieldMissing:
      return field(a) + " is required";
    case Detail::kUnknownEnum:
      return "Invalid " + field(a) + ": " + number(b);
    case Detail::kUnknownAccount:
      return "account " + number(a) + " is not configured";
    case Detail::kUnknownInstrument:
      return "Invalid InstrumentId: " + number(a);
    case Detail::kNotPositive:
      return field(a) + " must be positive";
    case Detail::kNotMultiple:
      return field(a) + " is not a multiple of the instrument's increment";
    case Detail::kUnsupportedSide:
      return "Side " + number(a) + " is not supported";
    case Detail::kUnsupportedType:
      return "OrderType " + number(a) + " is not supported";
    case Detail::kUnsupportedTimeInForce:
      return "TimeInForce " + number(a) + " is not supported";
    case Detail::kUnsupportedFeature:
      return feature_names(a) + " is not supported";
    case Detail::kDuplicateClOrdId:
      return "another working order of the account has ClientOrderId " + number(a);
    case Detail::kMaxWorkingOrders:
      return "the engine has room for " + number(a) + " working orders, and all of it is taken";
    case Detail::kMaxQuantity:
      return "Quantity exceeds the largest that an order can have";
    case Detail::kMaxPrice:
      return "LimitPrice exceeds the largest that an order can have";
    case Detail::kMaxOrderIds:
      return "the engine has issued every order id it can";
    case Detail::kMalformed:
      return "the request is malformed";
    case Detail::kMaxPriceLevels:
      return "the engine has room for " + number(a) +
             " price levels, all of it is taken, and the order would need one of its own";
  }
  return "";
}

}  // namespace shmatch::core
