// Exact decimals: what a request carries, and how it becomes ticks or lots.
//
// A Decimal is mantissa * 10^exponent. Values are judged, not spellings: 2, 2.0 and 20e-1 are the
// same decimal, because parsing strips trailing zeros. Nothing here rounds: a value that is not a
// whole number of increments is refused.
//
// Thread: pure functions, any thread. No allocation but in format_decimal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/types.h"

namespace shmatch::core {

struct Decimal {
  std::int64_t mantissa = 0;
  std::int8_t exponent = 0;

  friend bool operator==(const Decimal&, const Decimal&) = default;
};

// Exponents that are no powers of ten but say what the mantissa is.
inline constexpr std::int8_t kExponentAbsent = 127;   // the field was not given
inline constexpr std::int8_t kExponentInvalid = 126;  // a number that 64 bits cannot hold exactly
inline constexpr std::int8_t kExponentHuge = 124;     // a whole number beyond 64 bits
inline constexpr std::int8_t kExponentIncrements = 125;  // mantissa counts ticks or lots already
inline constexpr std::int8_t kExponentMax = 40;
inline constexpr std::int8_t kExponentMin = -40;

inline constexpr Decimal kDecimalAbsent{0, kExponentAbsent};
inline constexpr Decimal kDecimalInvalid{0, kExponentInvalid};
// A positive whole number that is too large to be carried, and so above every limit.
inline constexpr Decimal kDecimalHuge{1, kExponentHuge};

// A decimal that counts increments (ticks, lots) instead of currency units: what a client that
// knows the instrument sends, because it costs the engine no division.
constexpr Decimal in_increments(std::int64_t count) noexcept {
  return Decimal{count, kExponentIncrements};
}

// Size of one tick or lot: `mantissa` in 1..1000, exponent in -18..6.
struct Increment {
  std::int32_t mantissa = 1;
  std::int8_t exponent = 0;

  friend bool operator==(const Increment&, const Increment&) = default;
};

enum class DecimalError : std::uint8_t {
  kNone,
  kNotPositive,   // zero or negative
  kNotMultiple,   // not a whole number of increments, or a number with too many digits
  kAboveMaximum,  // a whole number of increments, but more than kAmountMax
};

struct Increments {
  std::int64_t count = 0;
  DecimalError error = DecimalError::kNone;
};

// As to_increments, of any decimal.
Increments scale_to_increments(Decimal value, Increment increment) noexcept;

// Whether a count of increments may be an order's: 1 to kAmountMax.
constexpr bool is_amount(std::int64_t count) noexcept {
  return static_cast<std::uint64_t>(count) - 1 < static_cast<std::uint64_t>(kAmountMax);
}

// How many increments `value` is. `count` is in 1..kAmountMax exactly when `error` is kNone.
// Absent and invalid decimals are kNotMultiple.
inline Increments to_increments(Decimal value, Increment increment) noexcept {
  if (value.exponent == kExponentIncrements && is_amount(value.mantissa)) {
    return {value.mantissa, DecimalError::kNone};
  }
  return scale_to_increments(value, increment);
}

// Reads a JSON-style number: [+-]digits[.digits][e[+-]digits]. False when `text` is anything else.
// A number that is well formed but too long for 64 bits yields true and kDecimalHuge, when it is a
// positive whole number, else kDecimalInvalid.
bool parse_decimal(std::string_view text, Decimal& out) noexcept;

// The increment that `text` spells ("0.01"), or false when it is not positive or out of range.
bool parse_increment(std::string_view text, Increment& out) noexcept;

// `count` increments as decimal text without exponent and without trailing zeros: "236.47", "2",
// "0".
std::string format_increments(Wide count, Increment increment);

// The same for a product of two amounts (ticks times lots), e.g. an order's gross value.
std::string format_product(Wide count, Increment a, Increment b);

// gross / quantity as a price, rounded half to even to the tick's digits plus eight: the only
// rounded number in the product (AvgPrice). `quantity` in lots; 0 gives "0".
std::string format_average_price(Wide gross, Lots quantity, Increment tick);

}  // namespace shmatch::core
