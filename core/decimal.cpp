#include "core/decimal.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace shmatch::core {

namespace {

constexpr int kExponentTextMax =
    1'000'000'000;  // beyond it every exponent is equally far out of range

constexpr std::uint64_t power_of_ten(int exponent) noexcept {
  constexpr auto kPowers = [] {
    std::array<std::uint64_t, 20> powers{1};
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
  }();
  return kPowers[static_cast<std::size_t>(exponent)];
}

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Reads the digits of a number one by one into mantissa and exponent. Zeros at the end of the
// number wait in `pending_zeros_` until a digit other than 0 follows, so that they never overflow
// anything.
class DigitCollector {
 public:
  void add(char c, bool fraction) noexcept {
    if (fraction) ++fraction_digits_;
    if (c == '0') {
      if (mantissa_ != 0) ++pending_zeros_;
      return;
    }
    for (; pending_zeros_ > 0 && !overflow_; --pending_zeros_) push(0);
    pending_zeros_ = 0;
    push(static_cast<std::uint64_t>(c - '0'));
  }

  Decimal finish(bool negative, std::int64_t text_exponent) const noexcept {
    if (mantissa_ == 0) return Decimal{};
    const std::int64_t exponent = text_exponent - fraction_digits_ + pending_zeros_;
    if (overflow_ || exponent < kExponentMin || exponent > kExponentMax) {
      return exponent >= 0 && !negative ? kDecimalHuge : kDecimalInvalid;
    }
    const auto magnitude = static_cast<std::int64_t>(mantissa_);
    return Decimal{negative ? -magnitude : magnitude, static_cast<std::int8_t>(exponent)};
  }

 private:
  void push(std::uint64_t digit) noexcept {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (overflow_ || mantissa_ > (kMax - digit) / 10) {
      overflow_ = true;
    } else {
      mantissa_ = mantissa_ * 10 + digit;
    }
  }

  std::uint64_t mantissa_ = 0;
  std::int64_t fraction_digits_ = 0;
  std::int64_t pending_zeros_ = 0;
  bool overflow_ = false;
};

// Consumes digits from `text` and hands each to `sink`; false when there is none.
template <class Sink>
bool take_digits(std::string_view& text, Sink sink) noexcept {
  std::size_t count = 0;
  for (; count < text.size() && is_digit(text[count]); ++count) sink(text[count]);
  text.remove_prefix(count);
  return count > 0;
}

bool take(std::string_view& text, char c) noexcept {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool take_sign(std::string_view& text) noexcept {
  if (take(text, '-')) return true;
  take(text, '+');
  return false;
}

// digits * 10^exponent as plain text.
std::string format_scaled(Wide digits, int exponent) {
  if (digits == 0) return "0";
  for (; exponent < 0 && digits % 10 == 0; ++exponent) digits /= 10;
  std::string text;  // backwards
  for (; digits > 0; digits /= 10) {
    text.push_back(static_cast<char>('0' + static_cast<int>(digits % 10)));
  }
  if (exponent < 0) {
    const auto decimals = static_cast<std::size_t>(-exponent);
    if (text.size() <= decimals) text.append(decimals + 1 - text.size(), '0');
    text.insert(decimals, 1, '.');
  }
  std::reverse(text.begin(), text.end());
  if (exponent > 0) text.append(static_cast<std::size_t>(exponent), '0');
  return text;
}

Increments judge(Wide count) noexcept {
  if (count > static_cast<Wide>(kAmountMax)) return {0, DecimalError::kAboveMaximum};
  return {static_cast<std::int64_t>(count), DecimalError::kNone};
}

}  // namespace

Increments scale_to_increments(Decimal value, Increment increment) noexcept {
  if (value == kDecimalHuge) return {0, DecimalError::kAboveMaximum};
  const bool counted = value.exponent == kExponentIncrements;
  if (!counted && (value.exponent < kExponentMin || value.exponent > kExponentMax)) {
    return {0, DecimalError::kNotMultiple};
  }
  if (value.mantissa <= 0) return {0, DecimalError::kNotPositive};
  const auto mantissa = static_cast<std::uint64_t>(value.mantissa);
  if (counted) return judge(mantissa);

  // Divisions of 64 bits wherever the numbers allow them: those of 128 take ten times as long.
  constexpr Wide kNarrow = ~std::uint64_t{0};
  const auto step = static_cast<std::uint64_t>(increment.mantissa);
  const int shift = value.exponent - increment.exponent;
  if (shift >= 0) {
    // 10^19 holds every factor 2 and 5 that a step up to 1000 can have, and already exceeds
    // kAmountMax steps: a larger power changes neither answer, and the product still fits 128 bits.
    const Wide scaled = static_cast<Wide>(mantissa) * power_of_ten(std::min(shift, 19));
    if (scaled > kNarrow) {
      if (scaled % step != 0) return {0, DecimalError::kNotMultiple};
      return judge(scaled / step);
    }
    const auto narrow = static_cast<std::uint64_t>(scaled);
    if (narrow % step != 0) return {0, DecimalError::kNotMultiple};
    return judge(narrow / step);
  }
  // Every mantissa is below 10^19, so it is no multiple of that or of any larger number.
  if (shift < -18) return {0, DecimalError::kNotMultiple};
  const Wide divisor = static_cast<Wide>(power_of_ten(-shift)) * step;
  if (divisor > kNarrow) return {0, DecimalError::kNotMultiple};
  const auto narrow = static_cast<std::uint64_t>(divisor);
  if (mantissa % narrow != 0) return {0, DecimalError::kNotMultiple};
  return judge(mantissa / narrow);
}

bool parse_decimal(std::string_view text, Decimal& out) noexcept {
  const bool negative = take_sign(text);
  DigitCollector digits;
  if (!take_digits(text, [&](char c) { digits.add(c, false); })) return false;
  if (take(text, '.') && !take_digits(text, [&](char c) { digits.add(c, true); })) return false;

  std::int64_t exponent = 0;
  if (take(text, 'e') || take(text, 'E')) {
    const bool exponent_negative = take_sign(text);
    const bool any = take_digits(text, [&](char c) {
      exponent = std::min<std::int64_t>(exponent * 10 + (c - '0'), kExponentTextMax);
    });
    if (!any) return false;
    if (exponent_negative) exponent = -exponent;
  }
  if (!text.empty()) return false;
  out = digits.finish(negative, exponent);
  return true;
}

bool parse_increment(std::string_view text, Increment& out) noexcept {
  constexpr std::int64_t kMantissaMax = 1000;
  constexpr int kIncrementExponentMax = 6;
  constexpr int kIncrementExponentMin = -18;
  Decimal value;
  if (!parse_decimal(text, value) || value.mantissa <= 0) return false;
  std::int64_t mantissa = value.mantissa;
  int exponent = value.exponent;
  for (; exponent > kIncrementExponentMax && mantissa <= kMantissaMax; --exponent) mantissa *= 10;
  if (mantissa > kMantissaMax || exponent < kIncrementExponentMin) return false;
  out = Increment{static_cast<std::int32_t>(mantissa), static_cast<std::int8_t>(exponent)};
  return true;
}

std::string format_increments(Wide count, Increment increment) {
  return format_scaled(count * static_cast<Wide>(increment.mantissa), increment.exponent);
}

std::string format_product(Wide count, Increment a, Increment b) {
  const Wide step = static_cast<Wide>(a.mantissa) * static_cast<Wide>(b.mantissa);
  return format_scaled(count * step, a.exponent + b.exponent);
}

std::string format_average_price(Wide gross, Lots quantity, Increment tick) {
  constexpr int kExtraDigits = 8;
  if (quantity <= 0) return "0";
  const int decimals = std::max(0, -tick.exponent) + kExtraDigits;
  const Wide scale = static_cast<Wide>(tick.mantissa) * power_of_ten(tick.exponent + decimals);
  const auto divisor = static_cast<Wide>(quantity);
  // Whole ticks and the rest are scaled apart: together they would need more than 128 bits.
  const Wide rest = (gross % divisor) * scale;
  Wide digits = (gross / divisor) * scale + rest / divisor;
  const Wide twice = (rest % divisor) * 2;
  if (twice > divisor || (twice == divisor && digits % 2 == 1)) ++digits;
  return format_scaled(digits, -decimals);
}

}  // namespace shmatch::core
