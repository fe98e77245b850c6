// exec against the reference engine on the captured log and on very many random frames: half a
// minute, and more under a sanitizer.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "tests/process/conformance.h"

namespace shmatch::process_test {
namespace {

constexpr const char* kLog = "bitstamp-btcusd-l3/2015-05-01.requests.jsonl.xz";

// The captured log; nothing when this machine does not have it.
std::optional<std::string> captured_log() {
  const char* data = std::getenv("SHMATCH_DATA");
  if (data == nullptr) return std::nullopt;
  const std::filesystem::path path = std::filesystem::path(data) / kLog;
  if (!std::filesystem::exists(path)) return std::nullopt;
  const std::string command = "xz -dc '" + path.string() + "'";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"),
                                                             &::pclose);
  std::string log;
  char block[1 << 16];
  while (const std::size_t size = std::fread(block, 1, sizeof(block), pipe.get())) {
    log.append(block, size);
  }
  return log;
}

TEST(Long, OfTheCapturedLogEveryLineIsAnsweredAsTheReferenceSays) {
  const auto log = captured_log();
  if (!log) GTEST_SKIP() << "SHMATCH_DATA does not lead to " << kLog;
  TestEngine engine(std::vector<std::string>{});
  Totals totals;
  ASSERT_EQ(compare_log(engine, *log, totals), "");
  EXPECT_EQ(totals.calls, 49'232u);
  EXPECT_EQ(totals.orders, 24'894u);
  EXPECT_EQ(totals.cancels, 24'133u);
  EXPECT_EQ(totals.trades, 557u);
  ASSERT_EQ(totals.refused.size(), 1u);
  EXPECT_EQ(totals.refused[core::ErrorCode::kNotFound], 205u);

  const Outcome book = engine.run({"--json", "book", "--instrument-id", "1", "--depth", "100000"});
  ASSERT_EQ(book.status, 0) << book.errors;
  int bids = 0;
  int asks = 0;
  for (const tools::JsonValue& row : json(book.output).items) {
    ASSERT_EQ(row.items.size(), 10u);
    ++(row.items[9].text == "0" ? bids : asks);
  }
  EXPECT_EQ(bids, 96);
  EXPECT_EQ(asks, 81);
}

TEST(Long, Of100000RandomFramesEachIsAnsweredAsTheReferenceSays) {
  Totals totals;
  EXPECT_EQ(compare_random_frames(20261122, 100'000, totals), "");
  EXPECT_EQ(totals.calls, 100'000u);
}

}  // namespace
}  // namespace shmatch::process_test
