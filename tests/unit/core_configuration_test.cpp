// Configurations as bytes, and which may follow which.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/configuration_bytes.h"

namespace shmatch::core {
namespace {

Configuration small() {
  Configuration configuration;
  configuration.oms_id = 2;
  configuration.instruments = {{1, "BTC", {1, -2}, {25, 3}}, {9, "ETH", {5, 0}, {1, -8}}};
  configuration.accounts = {3, 5};
  configuration.users = {{10, "al", kPermissionTrading, {5, 3}},
                         {11, "b", kPermissionOperator, {}}};
  configuration.capacities = {64, 32, 4, 16};
  configuration.rate_per_second = 100;
  configuration.rate_burst = 7;
  return configuration;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<std::uint8_t>(byte) / 16];
    text += kDigits[static_cast<std::uint8_t>(byte) % 16];
  }
  return text;
}

TEST(ConfigurationBytes, AreTheDocumentedOnes) {
  EXPECT_EQ(hex(encode_configuration(small())),
            // format, OMS, capacities, rate, counts
            "02000000"
            "02000000"
            "40000000"
            "20000000"
            "04000000"
            "10000000"
            "64000000"
            "07000000"
            "02000000"
            "02000000"
            "02000000"
            // instruments
            "01000000"
            "01000000"
            "fe"
            "19000000"
            "03"
            "03"
            "425443"
            "09000000"
            "05000000"
            "00"
            "01000000"
            "f8"
            "03"
            "455448"
            // accounts
            "03000000"
            "05000000"
            // users
            "0a000000"
            "01"
            "02"
            "616c"
            "02000000"
            "05000000"
            "03000000"
            "0b000000"
            "02"
            "01"
            "62"
            "00000000");
}

TEST(ConfigurationBytes, GiveTheConfigurationBack) {
  Configuration back;
  EXPECT_EQ(decode_configuration(encode_configuration(small()), back), "");
  EXPECT_EQ(back, small());
}

// Another version may have another default: a journal is replayed with the number it was written
// with.
TEST(ConfigurationBytes, SayTheDefaultOfPriceLevels) {
  Configuration by_default = small();
  by_default.capacities = {.working_orders = 1U << 21, .price_levels = 0};
  Configuration spelled_out = by_default;
  spelled_out.capacities.price_levels = 1U << 16;
  EXPECT_EQ(by_default, spelled_out);
  EXPECT_EQ(encode_configuration(by_default), encode_configuration(spelled_out));
  Configuration back;
  EXPECT_EQ(decode_configuration(encode_configuration(by_default), back), "");
  EXPECT_EQ(back.capacities.price_levels, 1U << 16);
  std::string unsaid = encode_configuration(small());
  unsaid[20] = 0;
  EXPECT_EQ(decode_configuration(unsaid, back), "the capacity price_levels is 0");
}

TEST(ConfigurationBytes, AreRefusedWhereverTheyEnd) {
  const std::string bytes = encode_configuration(small());
  Configuration out;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(decode_configuration(bytes.substr(0, size), out), "") << size;
  }
  EXPECT_NE(decode_configuration(bytes + '\0', out), "");
  EXPECT_EQ(out, Configuration{}) << "nothing is set by bytes that were refused";
}

// A damaged byte is refused, or it makes another configuration; never the same one, never a faulty
// one.
TEST(ConfigurationBytes, NeverMeanTheSameWhenTheyDiffer) {
  const std::string bytes = encode_configuration(small());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int change = 1; change < 256; ++change) {
      std::string other = bytes;
      other[i] = static_cast<char>(other[i] ^ change);
      Configuration out;
      if (!decode_configuration(other, out).empty()) continue;
      EXPECT_EQ(encode_configuration(out), other) << "byte " << i;
      EXPECT_EQ(find_fault(out), "");
    }
  }
}

TEST(ConfigurationBytes, OfAnotherFormatSaySo) {
  std::string bytes = encode_configuration(small());
  bytes[0] = 9;
  Configuration out;
  EXPECT_EQ(decode_configuration(bytes, out),
            "the configuration is in format 9, which this version does not read");
  // Of engines without the capacity for price levels, which gave out other order ids.
  bytes[0] = 1;
  EXPECT_EQ(decode_configuration(bytes, out),
            "the configuration is in format 1, which this version does not read");
}

// ---------------------------------------------------------------------------------- price levels

TEST(PriceLevels, AreByDefaultAsManyAsOrdersWhereOrdersAreFew) {
  for (const std::uint32_t orders : {1U, 2U, 1000U, 1U << 15}) {
    EXPECT_EQ(Capacities{.working_orders = orders}.levels(), orders);
  }
}

TEST(PriceLevels, AreByDefaultAmpleWhereOrdersAreMany) {
  EXPECT_EQ(Capacities{.working_orders = (1U << 15) + 1}.levels(), 1U << 15);
  EXPECT_EQ(Capacities{}.levels(), 1U << 15);
  EXPECT_EQ(Capacities{.working_orders = 1U << 21}.levels(), 1U << 16);
  EXPECT_EQ(Capacities{.working_orders = 1U << 26}.levels(), 1U << 21);
  for (std::uint32_t orders = 1; orders <= kOrdersCapacityMax; orders = orders * 3 + 1) {
    EXPECT_LE(default_price_levels(orders), orders);
    EXPECT_LE(default_price_levels(orders), default_price_levels(orders + 1));
  }
}

TEST(PriceLevels, AreWhatIsConfigured) {
  const Capacities given{.working_orders = 100, .price_levels = 7};
  EXPECT_EQ(given.levels(), 7U);
  EXPECT_NE(given, Capacities{.working_orders = 100});
  EXPECT_EQ((Capacities{.working_orders = 100, .price_levels = 100}),
            Capacities{.working_orders = 100});
}

// ------------------------------------------------------------------------------- find_conflict

std::string conflict_after(const std::function<void(Configuration&)>& change) {
  Configuration after = small();
  change(after);
  EXPECT_EQ(find_fault(after), "");
  return find_conflict(small(), after);
}

TEST(FindConflict, AllowsAdditions) {
  EXPECT_EQ(conflict_after([](Configuration&) {}), "");
  EXPECT_EQ(conflict_after([](Configuration& c) {
              c.instruments.insert(c.instruments.begin(), {4, "NEW", {1, 0}, {1, 0}});
              c.accounts = {1, 3, 4, 5};
              c.users.insert(c.users.begin(), {2, "new", 0, {1}});
              c.capacities.sessions = 5;
              c.capacities.price_levels = 17;
            }),
            "");
}

TEST(FindConflict, AllowsOtherNamesRightsLimitsAndOrders) {
  EXPECT_EQ(conflict_after([](Configuration& c) {
              std::swap(c.instruments[0], c.instruments[1]);
              std::swap(c.users[0], c.users[1]);
              c.users[0].name = "other";
              c.users[0].permissions = kPermissionTrading;
              c.users[1].accounts = {3};
              c.rate_per_second = 0;
            }),
            "");
}

TEST(FindConflict, RefusesWhatContradictsTheState) {
  EXPECT_EQ(conflict_after([](Configuration& c) { c.oms_id = 3; }),
            "oms_id was 2 and cannot become 3");
  EXPECT_EQ(conflict_after([](Configuration& c) { c.instruments.pop_back(); }),
            "instrument 9 is configured no more, but orders and sessions may name it");
  EXPECT_EQ(conflict_after([](Configuration& c) {
              c.users[0].accounts = {3};
              c.accounts = {3};
            }),
            "account 5 is configured no more, but orders and sessions may name it");
  EXPECT_EQ(conflict_after([](Configuration& c) { c.users.erase(c.users.begin()); }),
            "user 10 is configured no more, but orders and sessions may name it");
  EXPECT_EQ(conflict_after([](Configuration& c) { c.capacities.sessions = 3; }),
            "the capacity sessions was 4 and can only grow");
  EXPECT_EQ(conflict_after([](Configuration& c) { c.capacities.price_levels = 15; }),
            "the capacity price_levels was 16 and can only grow");
  for (std::uint32_t Capacities::*capacity :
       {&Capacities::working_orders, &Capacities::finished_orders}) {
    EXPECT_EQ(conflict_after([&](Configuration& c) { ++(c.capacities.*capacity); }),
              "the capacities working_orders and finished_orders were 64 and 32 and cannot "
              "change, because order ids depend on them");
  }
  const auto kFixed =
      "the symbol, tick and lot of instrument 1 cannot change, because its orders are counted in "
      "them";
  EXPECT_EQ(conflict_after([](Configuration& c) { c.instruments[0].symbol = "XBT"; }), kFixed);
  EXPECT_EQ(conflict_after([](Configuration& c) { c.instruments[0].tick.exponent = -3; }), kFixed);
  EXPECT_EQ(conflict_after([](Configuration& c) { c.instruments[0].lot.mantissa = 1; }), kFixed);
}

}  // namespace
}  // namespace shmatch::core
