// The captured logs that SHMATCH_DATA names: as many records of each kind as was published with
// them. Without it the tests are skipped.
#include <algorithm>
#include <cstdlib>

#include "tests/unit/source_harness.h"

namespace shmatch::tests {
namespace {

std::string data_file(const std::string& name) {
  const char* data = std::getenv("SHMATCH_DATA");
  return data == nullptr ? "" : std::string(data) + "/" + name;
}

std::size_t count_of(const ReadLog& log, std::string_view word) {
  return static_cast<std::size_t>(std::count_if(
      log.requests.begin(), log.requests.end(),
      [&](const std::string& request) { return request.find(word) != std::string::npos; }));
}

TEST(CapturedSource, BitstampFrames) {
  const std::string path = data_file("bitstamp-btcusd-l3/2015-05-01.requests.jsonl.xz");
  if (path.empty()) GTEST_SKIP() << "SHMATCH_DATA does not name a folder with captured logs";
  const ReadLog log = read_log(path);
  expect_sound(log);
  EXPECT_EQ(log.counts().read, 49'232U);
  EXPECT_EQ(log.counts().converted, 49'232U);
  EXPECT_EQ(count_of(log, " send "), 24'894U);
  EXPECT_EQ(count_of(log, " cancel "), 24'338U);
  EXPECT_EQ(log.counts().unknown_ids, 164U);
}

// The frames were made of Bitstamp's events; made back into events, they become equal requests.
TEST(CapturedSource, BitstampFramesAsOrderEvents) {
  const std::string path = data_file("bitstamp-btcusd-l3/2015-05-01.requests.jsonl.xz");
  if (path.empty()) GTEST_SKIP() << "SHMATCH_DATA does not name a folder with captured logs";
  ipc::Fault fault;
  const auto source = tools::open_source(path, {}, fault);
  ASSERT_NE(source, nullptr) << fault.text;
  const auto decimal = [](core::Decimal value) {
    return core::format_increments(static_cast<core::Wide>(value.mantissa), {1, value.exponent});
  };
  std::string events = "id,timestamp,exchange.timestamp,price,volume,action,direction\n";
  tools::SourcedRequest request;
  while (source->next(request) == tools::RequestSource::Next::kRequest) {
    const std::string time = std::to_string(request.time / 1'000'000) + ",0,";
    if (request.request.is<core::CancelOrder>()) {
      const auto cancel = request.request.as<core::CancelOrder>();
      events += std::to_string(cancel.cl_ord_id) + "," + time + "1,1,deleted,bid\n";
      continue;
    }
    const auto order = request.request.as<core::NewOrder>();
    events += std::to_string(order.cl_ord_id) + "," + time + decimal(order.limit_price()) + "," +
              decimal(order.quantity()) + ",created," +
              (order.side == core::Side::kBuy ? "bid\n" : "ask\n");
  }
  ReadLog frames = read_log(path);
  const ReadLog derived = read_text(events);
  expect_sound(derived);
  EXPECT_EQ(derived.counts().unknown_ids, 164U);
  // An equal configuration too, so that a replay of either gives the same digest.
  EXPECT_EQ(derived.source->configuration(), frames.source->configuration());
  ASSERT_EQ(derived.requests.size(), frames.requests.size());
  for (std::size_t i = 0; i < frames.requests.size(); ++i) {
    // But for the line, which the names of the columns move by one.
    const std::string& frame = frames.requests[i];
    const std::string moved = std::to_string(i + 2) + frame.substr(frame.find(' '));
    ASSERT_EQ(derived.requests[i], moved);
  }
}

TEST(CapturedSource, SyntheticItchDay) {
  const std::string path = data_file("itch50-synthetic/ex20101224.TEST_ITCH_50");
  if (path.empty()) GTEST_SKIP() << "SHMATCH_DATA does not name a folder with captured logs";
  const ReadLog log = read_log(path);
  expect_sound(log);
  const tools::SourceCounts& counts = log.counts();
  EXPECT_EQ(log.fault, "");
  EXPECT_EQ(counts.read, 12'012U);
  EXPECT_EQ(counts.skipped.at("P trade (non-cross)"), 5'000U);
  EXPECT_EQ(counts.skipped.at("S system event"), 6U);
  EXPECT_EQ(counts.skipped.at("R stock directory"), 3U);
  EXPECT_EQ(counts.skipped.at("H trading action"), 3U);
  // 117 messages are about orders that the file never shows: of them 94 deletes, 18 executions, 3
  // partial cancels, 2 replaces. Executions and partial cancels of those become nothing.
  EXPECT_EQ(counts.unknown_ids, 117U);
  EXPECT_EQ(counts.skipped.at("execution of an unknown order"), 18U);
  EXPECT_EQ(counts.skipped.at("partial cancel of an unknown order"), 3U);
  // Adds, executions, deletes, partial cancels, replaces.
  EXPECT_EQ(counts.converted, 5'000U + 180U + 1'745U + 42U + 12U);
  EXPECT_EQ(counts.remarks, (Counts{{"execution as an IOC order of the other side", 180},
                                    {"partial cancel as a cancel and a new order for the rest", 42},
                                    {"replace as a cancel and a new order", 10},
                                    {"replace of an unknown order as its cancel alone", 2}}));
  EXPECT_EQ(count_of(log, " taker send "), 180U);
  EXPECT_EQ(count_of(log, " maker cancel "), 1'745U + 42U + 12U);
  EXPECT_EQ(count_of(log, " maker send "), 5'000U + 42U + 10U);
  const std::vector<core::Instrument>& instruments = log.source->configuration().instruments;
  ASSERT_EQ(instruments.size(), 3U);
  EXPECT_EQ(instruments[0].symbol, "ALC");
  EXPECT_EQ(instruments[1].symbol, "BOB");
  EXPECT_EQ(instruments[2].symbol, "CHAR");
}

}  // namespace
}  // namespace shmatch::tests
