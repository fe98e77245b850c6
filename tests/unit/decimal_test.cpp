// Decimals: values and not spellings, exactness up to the edges of 128 bits, and nothing rounded
// but the average price.
#include "core/decimal.h"

#include <gtest/gtest.h>

#include <limits>

namespace shmatch::core {
namespace {

constexpr Increment kCent{1, -2};
constexpr Increment kSatoshi{1, -8};
constexpr Increment kOne{1, 0};

Decimal parsed(std::string_view text) {
  Decimal value{-1, 99};
  EXPECT_TRUE(parse_decimal(text, value)) << text;
  return value;
}

DecimalError judged(std::string_view text, Increment increment) {
  return to_increments(parsed(text), increment).error;
}

std::int64_t counted(std::string_view text, Increment increment) {
  const Increments result = to_increments(parsed(text), increment);
  EXPECT_EQ(result.error, DecimalError::kNone) << text;
  return result.count;
}

TEST(Decimal, SpellingsOfOneValueAreOneDecimal) {
  const Decimal two{2, 0};
  for (const char* text : {"2", "2.0", "+2", "20e-1", "0.2E1", "0.0002e+4", "002.000", "2e0"}) {
    EXPECT_EQ(parsed(text), two) << text;
  }
  EXPECT_EQ(parsed("-12.50"), (Decimal{-125, -1}));
  EXPECT_EQ(parsed("1200"), (Decimal{12, 2}));
}

TEST(Decimal, EveryZeroIsTheSame) {
  for (const char* text : {"0", "-0", "0.000", "0e99999999999999999999", "000"}) {
    EXPECT_EQ(parsed(text), Decimal{}) << text;
  }
}

TEST(Decimal, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "-", "+", ".5", "5.", "1e", "1e+", "1.2.3", "0x1", " 1", "1 ", "1,5",
                           "--1", "nan", "inf", "1e1.5"}) {
    Decimal value{7, 7};
    EXPECT_FALSE(parse_decimal(text, value)) << text;
    EXPECT_EQ(value, (Decimal{7, 7})) << text;
  }
}

TEST(Decimal, HoldsSixtyFourBitsAndNoMore) {
  EXPECT_EQ(parsed("9223372036854775807"), (Decimal{std::numeric_limits<std::int64_t>::max(), 0}));
  EXPECT_EQ(parsed("9223372036854775808"), kDecimalHuge);
  EXPECT_EQ(parsed("92233720368547758080000"), kDecimalHuge);
  EXPECT_EQ(parsed("9223372036854775808.5"), kDecimalInvalid);
  EXPECT_EQ(parsed("-9223372036854775809"), kDecimalInvalid);
  EXPECT_EQ(parsed("12345678901234567891"), kDecimalHuge);
  EXPECT_EQ(parsed("0.12345678901234567891"), kDecimalInvalid);
}

TEST(Decimal, ZerosAtTheEndCostNothing) {
  EXPECT_EQ(parsed("1" + std::string(40, '0')), (Decimal{1, 40}));
  EXPECT_EQ(parsed("1." + std::string(500, '0')), (Decimal{1, 0}));
  EXPECT_EQ(parsed("1" + std::string(400, '0') + "e-400"), (Decimal{1, 0}));
  EXPECT_EQ(parsed("0." + std::string(400, '0') + "1e401"), (Decimal{1, 0}));
}

TEST(Decimal, ExponentsBeyondTheRangeAreInvalid) {
  EXPECT_EQ(parsed("1e40"), (Decimal{1, kExponentMax}));
  EXPECT_EQ(parsed("1e41"), kDecimalHuge);
  EXPECT_EQ(parsed("-1e41"), kDecimalInvalid);
  EXPECT_EQ(parsed("1e-40"), (Decimal{1, kExponentMin}));
  EXPECT_EQ(parsed("1e-41"), kDecimalInvalid);
  EXPECT_EQ(parsed("1e99999999999999999999999"), kDecimalHuge);
  EXPECT_EQ(parsed("1e-99999999999999999999999"), kDecimalInvalid);
}

TEST(ToIncrements, CountsWholeIncrements) {
  EXPECT_EQ(counted("236.47", kCent), 23647);
  EXPECT_EQ(counted("2.0", kOne), 2);
  EXPECT_EQ(counted("0.00000001", kSatoshi), 1);
  EXPECT_EQ(counted("7.5", (Increment{25, -1})), 3);
  EXPECT_EQ(counted("1e15", kOne), kAmountMax);
  EXPECT_EQ(counted("3e6", (Increment{3, 6})), 1);
}

TEST(ToIncrements, NeverRounds) {
  EXPECT_EQ(judged("236.475", kCent), DecimalError::kNotMultiple);
  EXPECT_EQ(judged("0.5", kOne), DecimalError::kNotMultiple);
  EXPECT_EQ(judged("7.6", (Increment{25, -1})), DecimalError::kNotMultiple);
  EXPECT_EQ(judged("1e-40", kSatoshi), DecimalError::kNotMultiple);
  EXPECT_EQ(judged("1", (Increment{3, 0})), DecimalError::kNotMultiple);
  EXPECT_EQ(judged("1e40", (Increment{3, -18})), DecimalError::kNotMultiple);
  EXPECT_EQ(to_increments(kDecimalAbsent, kOne).error, DecimalError::kNotMultiple);
  EXPECT_EQ(to_increments(kDecimalInvalid, kOne).error, DecimalError::kNotMultiple);
  EXPECT_EQ(to_increments(kDecimalHuge, kOne).error, DecimalError::kAboveMaximum);
}

TEST(ToIncrements, RefusesWhatIsNotPositive) {
  EXPECT_EQ(judged("0", kOne), DecimalError::kNotPositive);
  EXPECT_EQ(judged("-0.5", kOne), DecimalError::kNotPositive);
  EXPECT_EQ(to_increments(in_increments(0), kOne).error, DecimalError::kNotPositive);
  EXPECT_EQ(to_increments(in_increments(-1), kOne).error, DecimalError::kNotPositive);
}

TEST(ToIncrements, StopsAtTheLargestAmount) {
  EXPECT_EQ(judged("1000000000000001", kOne), DecimalError::kAboveMaximum);
  EXPECT_EQ(judged("1e40", kSatoshi), DecimalError::kAboveMaximum);
  EXPECT_EQ(judged("1e40", (Increment{1, -18})), DecimalError::kAboveMaximum);
  EXPECT_EQ(judged("3e40", (Increment{3, 6})), DecimalError::kAboveMaximum);
  EXPECT_EQ(judged("9223372036854775807", (Increment{1, -18})), DecimalError::kAboveMaximum);
  EXPECT_EQ(to_increments(in_increments(kAmountMax), kCent).count, kAmountMax);
  EXPECT_EQ(to_increments(in_increments(kAmountMax + 1), kCent).error, DecimalError::kAboveMaximum);
}

TEST(ToIncrements, BelievesNoExponentOfAClient) {
  for (int exponent = -128; exponent <= 127; ++exponent) {
    if (exponent >= kExponentMin && exponent <= kExponentMax) continue;
    if (exponent == kExponentIncrements) continue;
    const Decimal value{7, static_cast<std::int8_t>(exponent)};
    EXPECT_EQ(to_increments(value, kOne).error, DecimalError::kNotMultiple) << exponent;
  }
  // A mantissa with zeros at its end is judged by value, too.
  EXPECT_EQ(to_increments(Decimal{200, -2}, kOne).count, 2);
}

TEST(ParseIncrement, AcceptsTicksAndLots) {
  Increment increment;
  ASSERT_TRUE(parse_increment("0.01", increment));
  EXPECT_EQ(increment, kCent);
  ASSERT_TRUE(parse_increment("1000", increment));
  EXPECT_EQ(increment, (Increment{1, 3}));
  ASSERT_TRUE(parse_increment("10000000", increment));
  EXPECT_EQ(increment, (Increment{10, 6}));
  ASSERT_TRUE(parse_increment("0.125", increment));
  EXPECT_EQ(increment, (Increment{125, -3}));
  ASSERT_TRUE(parse_increment("1e-18", increment));
  EXPECT_EQ(increment, (Increment{1, -18}));
}

TEST(ParseIncrement, RefusesTheRest) {
  Increment increment{7, 1};
  for (const char* text : {"0", "-1", "", "x", "1e-19", "1.001e-15", "10000000000", "1001"}) {
    EXPECT_FALSE(parse_increment(text, increment)) << text;
  }
  EXPECT_EQ(increment, (Increment{7, 1}));
}

TEST(Format, WritesPlainDecimals) {
  EXPECT_EQ(format_increments(23647, kCent), "236.47");
  EXPECT_EQ(format_increments(20000, kCent), "200");
  EXPECT_EQ(format_increments(1, kSatoshi), "0.00000001");
  EXPECT_EQ(format_increments(0, kSatoshi), "0");
  EXPECT_EQ(format_increments(3, (Increment{25, -1})), "7.5");
  EXPECT_EQ(format_increments(2, (Increment{5, 6})), "10000000");
  EXPECT_EQ(format_increments(10, (Increment{1, -1})), "1");
}

TEST(Format, MultipliesPriceAndQuantity) {
  EXPECT_EQ(format_product(Wide{23647} * 200000000, kCent, kSatoshi), "472.94");
  const Wide largest = static_cast<Wide>(kAmountMax) * static_cast<Wide>(kAmountMax);
  EXPECT_EQ(format_product(largest, (Increment{1000, 6}), (Increment{1000, 6})),
            "1" + std::string(48, '0'));
}

TEST(AveragePrice, IsExactWhenItCanBe) {
  EXPECT_EQ(format_average_price(0, 0, kCent), "0");
  EXPECT_EQ(format_average_price(Wide{23647} * 7, 7, kCent), "236.47");
  EXPECT_EQ(format_average_price(3, 2, kOne), "1.5");
}

TEST(AveragePrice, RoundsHalfToEvenAtEightMoreDigits) {
  EXPECT_EQ(format_average_price(1, 3, kOne), "0.33333333");
  EXPECT_EQ(format_average_price(2, 3, kOne), "0.66666667");
  EXPECT_EQ(format_average_price(1, 3, kCent), "0.0033333333");
  // 1 / 2^9 = 0.001953125 has one digit too many, and its 5 goes to the even 2; 3 / 2^9 =
  // 0.005859375 goes up to the even 8.
  EXPECT_EQ(format_average_price(1, 512, kOne), "0.00195312");
  EXPECT_EQ(format_average_price(3, 512, kOne), "0.00585938");
}

TEST(AveragePrice, HoldsTheLargestOrder) {
  const Wide gross = static_cast<Wide>(kAmountMax) * static_cast<Wide>(kAmountMax);
  EXPECT_EQ(format_average_price(gross, kAmountMax, (Increment{999, 6})),
            "999" + std::string(21, '0'));
  EXPECT_EQ(format_average_price(gross - 1, kAmountMax, (Increment{1, -18})), "0.001");
}

}  // namespace
}  // namespace shmatch::core
