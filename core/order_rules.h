// What can be judged of a new order by looking at it alone: rows 3, 6 and 7 of the table in
// docs/PROTOCOL.md "What a new order is answered". Row 3 comes before rows 4 and 5, which need
// the engine's tables, and these before rows 6 and 7.
//
// Thread: any; nothing here has state.
#pragma once

#include <cstddef>
#include <cstring>

#include "core/decimal.h"
#include "core/message.h"
#include "core/reject.h"

namespace shmatch::core {

constexpr Refusal invalid(Detail detail, std::int64_t argument0 = 0,
                          std::int64_t argument1 = 0) noexcept {
  return {ErrorCode::kInvalidRequest, detail, argument0, argument1};
}

constexpr Refusal missing(Field field) noexcept {
  return {ErrorCode::kInvalidRequest, Detail::kFieldMissing, static_cast<std::int64_t>(field), 0};
}

template <class Enum>
Refusal unknown(Field field, Enum value) noexcept {
  return invalid(Detail::kUnknownEnum, static_cast<std::int64_t>(field),
                 static_cast<std::int64_t>(value));
}

template <class Enum>
Refusal unsupported(Detail detail, Enum value) noexcept {
  return {ErrorCode::kNotSupported, detail, static_cast<std::int64_t>(value), 0};
}

// A new order's small fields, from its quantity's exponent on: one word of the message.
inline std::uint64_t small_fields(const NewOrder& request) noexcept {
  static_assert(offsetof(NewOrder, quantity_exponent) == 56 && offsetof(NewOrder, side) == 58 &&
                offsetof(NewOrder, order_type) == 59 && offsetof(NewOrder, time_in_force) == 60 &&
                sizeof(NewOrder) == 64);
  std::uint64_t word = 0;
  std::memcpy(&word, &request.quantity_exponent, sizeof word);
  return word;
}
// See order.h.
inline std::uint32_t kind_of(const NewOrder& request) noexcept {
  return static_cast<std::uint32_t>(small_fields(request) >> 16 & 0xFF'FFFF);
}

inline bool needs_limit_price(OrderType type) noexcept {
  return type == OrderType::kLimit || type == OrderType::kStopLimit;
}

// Whether what such an order does not trade at once stays in the book.
constexpr bool may_rest(OrderType type, TimeInForce time_in_force) noexcept {
  return type == OrderType::kLimit && time_in_force == TimeInForce::kGtc;
}

// Row 3: what must be there, and what its values may be.
inline Refusal judge_fields(const NewOrder& request) noexcept {
  if (request.account_id <= 0) return missing(Field::kAccountId);
  if (request.instrument_id <= 0) return missing(Field::kInstrumentId);
  if (request.side == Side::kAbsent) return missing(Field::kSide);
  if (request.order_type == OrderType::kAbsent) return missing(Field::kOrderType);
  if (request.quantity_exponent == kExponentAbsent) return missing(Field::kQuantity);
  if (needs_limit_price(request.order_type) && request.limit_price_exponent == kExponentAbsent) {
    return missing(Field::kLimitPrice);
  }
  if (request.side > Side::kShort) return unknown(Field::kSide, request.side);
  if (request.order_type == OrderType::kUnknown || request.order_type > OrderType::kBlockTrade) {
    return unknown(Field::kOrderType, request.order_type);
  }
  if (request.time_in_force == TimeInForce::kUnknown || request.time_in_force > TimeInForce::kGtd) {
    return unknown(Field::kTimeInForce, request.time_in_force);
  }
  return {};
}

// Row 6.
inline Refusal judge_amount(Field field, DecimalError error) noexcept {
  if (error == DecimalError::kNotPositive) {
    return invalid(Detail::kNotPositive, static_cast<std::int64_t>(field));
  }
  if (error == DecimalError::kNotMultiple) {
    return invalid(Detail::kNotMultiple, static_cast<std::int64_t>(field));
  }
  return {};
}

// Row 7.
inline Refusal judge_support(const NewOrder& request) noexcept {
  if (request.side == Side::kShort) return unsupported(Detail::kUnsupportedSide, request.side);
  if (request.order_type > OrderType::kLimit) {
    return unsupported(Detail::kUnsupportedType, request.order_type);
  }
  if (request.time_in_force != TimeInForce::kGtc && request.time_in_force != TimeInForce::kIoc &&
      request.time_in_force != TimeInForce::kFok) {
    return unsupported(Detail::kUnsupportedTimeInForce, request.time_in_force);
  }
  if (request.features != 0) return unsupported(Detail::kUnsupportedFeature, request.features);
  return {};
}

}  // namespace shmatch::core
