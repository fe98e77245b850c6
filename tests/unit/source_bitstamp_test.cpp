// Bitstamp's order events, as lines of columns and as JSON.
#include "tests/unit/source_harness.h"
#include "tools/default_configuration.h"

namespace shmatch::tests {
namespace {

TEST(SourceBitstamp, ColumnsBecomeRequests) {
  const ReadLog log = read_log(fixture("bitstamp_orders.csv"));
  expect_sound(log);
  EXPECT_EQ(log.requests,
            (std::vector<std::string>{
                "2 1430438404518000000 trader4 send 8/65595247 1 Buy 2 @ 236.47 Limit GTC",
                "3 1430438405000000000 trader3 send 3/65595250 1 Sell 0.12345678 @ 236.5 Limit GTC",
                "4 1430438405647000000 trader2 cancel 6/65595181",
                "6 1430438407000000000 trader4 cancel 8/65595247",
            }));
  EXPECT_EQ(log.counts().read, 9U);
  EXPECT_EQ(log.counts().unknown_ids, 1U);
  EXPECT_EQ(log.counts().skipped,
            (Counts{{"changed: a fill, which matching brings about", 1},
                    {"deleted with nothing left: filled, which matching brings about", 1},
                    {"line that is no event", 1},
                    {"names of the columns", 1}}));
  EXPECT_EQ(log.counts().unknown_types, (Counts{{"vanished", 1}}));
  EXPECT_STREQ(log.source->format_name(), "bitstamp");
  EXPECT_TRUE(log.source->derived());
  // Nothing in it is finer than the default's BTCUSD.
  EXPECT_EQ(log.source->configuration().instruments, tools::default_configuration().instruments);
  EXPECT_EQ(log.source->configuration().users, tools::default_configuration().users);
}

TEST(SourceBitstamp, JsonEventsBecomeRequestsOfTheirChannelsInstrument) {
  const ReadLog log = read_log(fixture("bitstamp_live_orders.jsonl"));
  expect_sound(log);
  EXPECT_EQ(log.requests,
            (std::vector<std::string>{
                "2 1700000000123456000 trader2 send 2/1201 1 Buy 0.25 @ 36000.5 Limit GTC",
                "3 1700000001000000000 trader3 send 3/1202 4 Sell 3 @ 0.0525125 Limit GTC",
                "5 1700000003000000000 trader2 cancel 2/1201",
                "7 1700000005000000000 trader3 cancel 7/1190",
            }));
  EXPECT_EQ(log.counts().unknown_types, (Counts{{"bts:subscription_succeeded", 1}}));
  EXPECT_EQ(log.counts().unknown_ids, 1U);
  const core::Instrument added{4, "ETHBTC", {1, -7}, {1, 0}};
  ASSERT_EQ(log.source->configuration().instruments.size(), 4U);
  EXPECT_EQ(log.source->configuration().instruments.back(), added);
}

TEST(SourceBitstamp, TheColumnsMayStandInAnyOrder) {
  const ReadLog log = read_text(
      "direction,action,volume,price,timestamp,id\n"
      "ask,created,1,10,1430438404518,17\n");
  EXPECT_EQ(log.requests, std::vector<std::string>{
                              "2 1430438404518000000 trader2 send 2/17 1 Sell 1 @ 10 Limit GTC"});
  const ReadLog nameless = read_text("17,1430438404518,0,10,1,created,ask\n");
  EXPECT_EQ(
      nameless.requests,
      std::vector<std::string>{"1 1430438404518000000 trader2 send 2/17 1 Sell 1 @ 10 Limit GTC"});
}

TEST(SourceBitstamp, FinerPricesRefineTheTick) {
  const ReadLog log = read_text("17,1430438404518,0,10.12345,0.0000000001,created,ask\n");
  EXPECT_EQ(log.source->configuration().instruments[0].tick, (core::Increment{1, -5}));
  EXPECT_EQ(log.source->configuration().instruments[0].lot, (core::Increment{1, -10}));
}

TEST(SourceBitstamp, EventsThatMakeNoSenseAreSkipped) {
  const ReadLog log = read_text(
      "id,timestamp,price,volume,action,direction\n"
      "0,1430438404518,10,1,created,ask\n"
      "x,1430438404518,10,1,created,ask\n"
      "1,soon,10,1,created,ask\n"
      "1,1430438404518,ten,1,created,ask\n"
      "1,1430438404518,10,,created,ask\n"
      "1,1430438404518,10,1,created,up\n"
      "-1,1430438404518,10,1,deleted,ask\n"
      "1,1430438404518,10,?,deleted,ask\n"
      "1,1430438404518,10\n"
      "{\"event\":\"order_created\",\"data\":[]}\n"
      "{\"event\":\"order_created\",\"channel\":\"live_orders_" +
      std::string(30, 'x') +
      "\",\"data\":{\"id\":1,\"order_type\":1,\"datetime\":\"1700000001\",\"amount\":3,"
      "\"price\":1}}\n");
  expect_sound(log);
  EXPECT_EQ(log.requests, std::vector<std::string>());
  EXPECT_EQ(log.counts().skipped, (Counts{{"event whose values make no sense", 8},
                                          {"line that is no event", 2},
                                          {"names of the columns", 1},
                                          {"symbol that cannot be configured", 1}}));
}

}  // namespace
}  // namespace shmatch::tests
