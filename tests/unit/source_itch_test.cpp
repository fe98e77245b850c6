// ITCH 5.0 files: the three framings, each message type, and what an order book event becomes.
#include "tests/unit/itch_writer.h"
#include "tests/unit/source_harness.h"

namespace shmatch::tests {
namespace {

using Prefix = ItchWriter::Prefix;

// A short day, as the fixture file has it with length prefixes.
std::string short_day(Prefix prefix) {
  ItchWriter day(prefix);
  day.system_event(100, 'O');
  day.filler('R', 39, 150);
  day.add(7, 200, 1, 'B', 300, "ACME", 1'005'000);
  day.add(7, 300, 2, 'S', 100, "ACME", 1'010'000, "MPID");
  day.executed(7, 400, 2, 40);
  day.executed_with_price(7, 500, 2, 60, 1'009'900);
  day.partial_cancel(7, 600, 1, 100);
  day.replace(7, 700, 1, 3, 250, 1'004'900);
  day.remove(7, 800, 3);
  day.remove(7, 900, 2);
  day.executed(7, 1000, 99, 5);
  day.partial_cancel(7, 1100, 98, 5);
  day.replace(7, 1200, 97, 4, 10, 10'000);
  day.add(3, 1300, 5, 'S', 10, "ZYX.A", 123'456);
  day.partial_cancel(3, 1400, 5, 10);
  day.filler('P', 44, 1500);
  day.filler('P', 44, 1600);
  return day.bytes();
}

std::vector<std::string> expected_requests() {
  return {
      "3 200 maker send 1/1 7 Buy 300 @ 100.5 Limit GTC",
      "4 300 maker send 1/2 7 Sell 100 @ 101 Limit GTC",
      "5 400 taker send 2/0 7 Buy 40 @ 101 Limit IOC",
      "6 500 taker send 2/0 7 Buy 60 @ 101 Limit IOC",
      "7 600 maker cancel 1/1",
      "7 600 maker send 1/1 7 Buy 200 @ 100.5 Limit GTC",
      "8 700 maker cancel 1/1",
      "8 700 maker send 1/3 7 Buy 250 @ 100.49 Limit GTC",
      "9 800 maker cancel 1/3",
      "10 900 maker cancel 1/2",
      "13 1200 maker cancel 1/97",
      "14 1300 maker send 1/5 3 Sell 10 @ 12.3456 Limit GTC",
      "15 1400 maker cancel 1/5",
  };
}

TEST(SourceItch, AShortDayBecomesItsRequestsInEachFraming) {
  for (const Prefix prefix : {Prefix::kLength, Prefix::kZero, Prefix::kNone}) {
    const ReadLog log = read_text(short_day(prefix));
    expect_sound(log);
    EXPECT_EQ(log.requests, expected_requests());
    EXPECT_EQ(log.counts().read, 17U);
    EXPECT_EQ(log.counts().converted, 11U);
    EXPECT_EQ(log.counts().unknown_ids, 4U);
    EXPECT_EQ(log.counts().skipped, (Counts{{"P trade (non-cross)", 2},
                                            {"R stock directory", 1},
                                            {"S system event", 1},
                                            {"execution of an unknown order", 1},
                                            {"partial cancel of an unknown order", 1}}));
    EXPECT_EQ(log.counts().remarks,
              (Counts{{"execution as an IOC order of the other side", 2},
                      {"partial cancel as a cancel and a new order for the rest", 2},
                      {"replace as a cancel and a new order", 1},
                      {"replace of an unknown order as its cancel alone", 1}}));
    EXPECT_STREQ(log.source->format_name(), "itch");
    EXPECT_TRUE(log.source->derived());
  }
}

TEST(SourceItch, TheFixtureIsThatDay) {
  EXPECT_EQ(bytes_of(fixture("itch50_length_prefix.bin")), short_day(Prefix::kLength));
  EXPECT_EQ(read_log(fixture("itch50_length_prefix.bin")).requests, expected_requests());
}

TEST(SourceItch, StocksWithOrdersAreInstrumentsByTheirLocate) {
  const ReadLog log = read_text(short_day(Prefix::kLength));
  const std::vector<core::Instrument> instruments = {{3, "ZYX.A", {1, -4}, {1, 0}},
                                                     {7, "ACME", {1, -4}, {1, 0}}};
  EXPECT_EQ(log.source->configuration().instruments, instruments);
  ItchWriter same_name(Prefix::kLength);
  same_name.add(1, 1, 1, 'B', 1, "ACME", 1);
  same_name.add(2, 1, 2, 'B', 1, "ACME", 1);
  const ReadLog twice = read_text(same_name.bytes());
  EXPECT_EQ(twice.source->configuration().instruments[1].symbol, "locate-1");
}

TEST(SourceItch, WithALengthUnknownTypesArePassedOver) {
  ItchWriter day(Prefix::kLength);
  day.system_event(100, 'O');
  day.system_event(101, 'S');
  day.filler('z', 33, 150);
  day.filler('D', 25, 160);
  day.add(7, 200, 1, 'B', 300, "ACME", 1'005'000);
  const ReadLog log = read_text(day.bytes() + std::string(2, '\0'));
  expect_sound(log);
  EXPECT_EQ(log.fault, "");
  EXPECT_EQ(log.requests.size(), 1U);
  EXPECT_EQ(log.counts().unknown_types, (Counts{{"z", 1}}));
  EXPECT_EQ(log.counts().skipped.at("message of another length than its type has"), 1U);
  EXPECT_EQ(log.counts().examples, std::vector<std::string>{"4: order delete of 25 bytes, not 19"});
}

TEST(SourceItch, WithoutALengthAnUnknownTypeIsAFaultAfterWhatCameBefore) {
  for (const Prefix prefix : {Prefix::kZero, Prefix::kNone}) {
    ItchWriter day(prefix);
    day.system_event(100, 'O');
    day.add(7, 200, 1, 'B', 300, "ACME", 1'005'000);
    const std::size_t offset = day.bytes().size() + (prefix == Prefix::kZero ? 2 : 0);
    day.filler('z', 33, 300);
    const ScratchFile file(day.bytes());
    tools::SourceOptions options;
    options.format = "itch";
    // Met while detecting, such a short file is none at all; behind more messages it is.
    EXPECT_EQ(read_log(file.path(), options).source, nullptr);
    std::string long_day;
    ItchWriter many(prefix);
    for (int i = 0; i < 20; ++i) many.system_event(100, 'O');
    file.write(many.bytes() + day.bytes());
    const ReadLog log = read_log(file.path(), options);
    expect_sound(log);
    EXPECT_EQ(log.requests.size(), 1U);
    EXPECT_EQ(log.fault, file.path() + ": offset " + std::to_string(many.bytes().size() + offset) +
                             ": a message of an unknown type, and nothing tells its length");
  }
}

TEST(SourceItch, AFileMayEndWithinAMessage) {
  for (const Prefix prefix : {Prefix::kLength, Prefix::kZero, Prefix::kNone}) {
    const std::string whole = short_day(prefix);
    const std::size_t last = 44 + (prefix == Prefix::kNone ? 0 : 2);
    for (std::size_t cut = 1; cut < last; ++cut) {
      const ReadLog log = read_text(std::string_view(whole).substr(0, whole.size() - cut));
      expect_sound(log);
      EXPECT_EQ(log.requests, expected_requests());
      // Two zero bytes may as well be the end of the session.
      const bool nothing_but_zeros = prefix == Prefix::kZero && cut == last - 2;
      EXPECT_EQ(log.counts().skipped.count("message that the end of the file cuts off"),
                nothing_but_zeros ? 0U : 1U);
    }
  }
}

TEST(SourceItch, NumbersThatNoClOrderIdCanBeAreReplacedOrSkipped) {
  ItchWriter day(Prefix::kLength);
  const std::uint64_t end = (std::uint64_t{1} << 63) - 1;
  day.add(7, 1, 0, 'B', 1, "ACME", 1);
  day.add(7, 1, end, 'B', 1, "ACME", 1);
  day.add(7, 1, end - 1, 'B', 1, "ACME", 1);
  day.add(7, 1, ~std::uint64_t{0}, 'B', 1, "ACME", 1);
  day.add(0, 1, 5, 'B', 1, "ACME", 1);
  day.add(7, 1, 6, 'x', 1, "ACME", 1);
  day.remove(7, 2, 0);
  const ReadLog log = read_text(day.bytes());
  expect_sound(log);
  EXPECT_EQ(log.requests, (std::vector<std::string>{
                              "1 1 maker send 1/9223372036854775807 7 Buy 1 @ 0.0001 Limit GTC",
                              "3 1 maker send 1/9223372036854775806 7 Buy 1 @ 0.0001 Limit GTC",
                              "7 2 maker cancel 1/9223372036854775807",
                          }));
  EXPECT_EQ(log.counts().skipped,
            (Counts{{"add order without a stock or a side", 2}, {"order number out of range", 2}}));
  EXPECT_EQ(log.counts().unknown_ids, 0U);
}

TEST(SourceItch, CapacitiesHoldEveryOrderThatMayRest) {
  ItchWriter day(Prefix::kLength);
  for (std::uint64_t i = 1; i <= 3000; ++i) day.add(1, i, i, 'B', 1, "ACME", 10'000);
  for (std::uint64_t i = 1; i <= 3000; ++i) day.remove(1, i, i);
  for (std::uint64_t i = 1; i <= 3000; ++i) day.add(1, i, 3000 + i, 'B', 1, "ACME", 10'000);
  const ReadLog log = read_text(day.bytes());
  EXPECT_EQ(log.source->configuration().capacities.working_orders, 4096U);
  EXPECT_EQ(log.source->configuration().capacities.finished_orders, 8192U);
}

}  // namespace
}  // namespace shmatch::tests
