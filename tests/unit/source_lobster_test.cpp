// LOBSTER message files: each event type, the file's name, and lines that are no messages.
#include "tests/unit/source_harness.h"

namespace shmatch::tests {
namespace {

constexpr const char* kFixture = "ACME_2024-03-01_34200000_57600000_message_5.csv";

TEST(SourceLobster, MessagesBecomeRequests) {
  const ReadLog log = read_log(fixture(kFixture));
  expect_sound(log);
  EXPECT_EQ(log.requests,
            (std::vector<std::string>{
                "1 1709285400017459617 maker send 1/1001 1 Buy 100 @ 585.33 Limit GTC",
                "2 1709285400017459617 maker send 1/1002 1 Sell 50 @ 585.94 Limit GTC",
                "3 1709285400100000000 maker cancel 1/1001",
                "3 1709285400100000000 maker send 1/1001 1 Buy 70 @ 585.33 Limit GTC",
                "4 1709285400200000001 taker send 2/0 1 Buy 20 @ 585.94 Limit IOC",
                "6 1709285400400000000 maker cancel 1/1001",
                "7 1709285400500000000 taker send 2/0 1 Buy 30 @ 585.94 Limit IOC",
                "8 1709285400600000000 maker cancel 1/555",
                "14 1709285401200000000 maker send 1/1003 1 Buy 5 @ 585.32 Limit GTC",
            }));
  EXPECT_EQ(log.counts().read, 14U);
  EXPECT_EQ(log.counts().converted, 8U);
  EXPECT_EQ(log.counts().unknown_ids, 3U);
  EXPECT_EQ(log.counts().skipped, (Counts{{"cross trade", 1},
                                          {"execution of a hidden order", 1},
                                          {"execution of an unknown order", 1},
                                          {"partial cancel of an unknown order", 1},
                                          {"trading halt", 1}}));
  EXPECT_EQ(log.counts().unknown_types, (Counts{{"8", 1}}));
  EXPECT_STREQ(log.source->format_name(), "lobster");
  EXPECT_TRUE(log.source->derived());
  const std::vector<core::Instrument> instruments = {{1, "ACME", {1, -4}, {1, 0}}};
  EXPECT_EQ(log.source->configuration().instruments, instruments);
}

TEST(SourceLobster, WithoutTheUsualNameTimesAreSinceMidnight) {
  const ReadLog log = read_text(bytes_of(fixture(kFixture)));
  ASSERT_EQ(log.requests.size(), 9U);
  EXPECT_EQ(log.requests[0], "1 34200017459617 maker send 1/1001 1 Buy 100 @ 585.33 Limit GTC");
  EXPECT_EQ(log.source->configuration().instruments[0].symbol, "LOBSTER-1");
}

TEST(SourceLobster, LinesThatAreNoMessagesAreSkipped) {
  const ReadLog log = read_text(
      "time,type,order_id,size,price,direction\n"
      "34200.1,1,1,100,5853300,1\r\n"
      "\n"
      "34200.2,1,2,100\n"
      "34200.3,1,3,-5,5853300,1\n"
      "34200.4,1,4,5,5853300,2\n"
      "34200.5,1,-4,5,5853300,1\n"
      "34200.6,1,9223372036854775808,5,5853300,1\n"
      "1e5,1,5,5,5853300,1\n");
  expect_sound(log);
  EXPECT_EQ(log.requests.size(), 1U);
  EXPECT_EQ(log.counts().skipped, (Counts{{"line that is no message", 4},
                                          {"message without a size, price or direction", 2},
                                          {"order number out of range", 1}}));
  EXPECT_EQ(log.counts().examples[0], "1: time,type,order_id,size,price,direction");
}

}  // namespace
}  // namespace shmatch::tests
