// The parts of a latency run that need no engine: gaps of a polling loop, and stretches of time
// that a thread of its own sums up.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/test_server.h"
#include "tools/interval_log.h"
#include "tools/jitter.h"

namespace shmatch::tools {
namespace {

TEST(Jitter, CountsTurnsThatComeLate) {
  HdrHistogram gaps;
  constexpr double kNsPerTick = 0.5;
  JitterRecorder jitter(1000, kNsPerTick);
  std::uint64_t now = 1000;
  for (int i = 0; i < 1000; ++i) jitter.turn(now += 2000, gaps);  // each a microsecond: no gap
  EXPECT_EQ(gaps.count(), 0);
  jitter.turn(now += 20'000, gaps);
  jitter.turn(now += 60'000, gaps);
  EXPECT_EQ(gaps.count(), 2);
  EXPECT_EQ(jitter.largest_ns(), 30'000);
  EXPECT_NEAR(jitter.seconds(), 1.04e-3, 1e-9);
  EXPECT_NEAR(jitter.lost_share(), 40e-6 / 1.04e-3, 1e-9);
  EXPECT_NEAR(jitter.gaps_per_second(), 2 / 1.04e-3, 1e-6);
  // A counter that goes back says nothing.
  jitter.turn(now -= 5000, gaps);
  EXPECT_EQ(gaps.count(), 2);
  jitter.restart(now);
  EXPECT_EQ(jitter.gaps_per_second(), 0);
}

TEST(IntervalLog, WithoutAFileItKeepsEverything) {
  IntervalLog log;
  for (int i = 1; i <= 5; ++i) {
    log.current()[Metric::kCancelReceipt].record(i);
    log.next(i);
  }
  MetricSet all;
  EXPECT_EQ(log.finish(6, all), "");
  EXPECT_EQ(all[Metric::kCancelReceipt].count(), 5);
  EXPECT_EQ(all[Metric::kCancelReceipt].max(), 5);
}

TEST(IntervalLog, NothingIsLostHoweverFastStretchesFollow) {
  const TemporaryFolder folder;
  const std::string path = folder.file("run.hlog");
  IntervalLog log;
  ASSERT_EQ(log.open(path, "a test"), "");
  constexpr int kStretches = 20'000;
  for (int i = 1; i <= kStretches; ++i) {
    log.current()[Metric::kCancelReceipt].record(i);
    log.current()[Metric::kJitter].record(1, 2);
    log.next(i);
  }
  MetricSet all;
  ASSERT_EQ(log.finish(kStretches, all), "");
  EXPECT_EQ(all[Metric::kCancelReceipt].count(), kStretches);
  HdrLog read;
  ASSERT_EQ(read_hdr_log(path, read), "");
  EXPECT_TRUE(read.at("cancel_receipt") == all[Metric::kCancelReceipt]);
  EXPECT_EQ(read.at("jitter").count(), 2 * kStretches);
  EXPECT_EQ(read.count("lateness"), 0U);
}

TEST(IntervalLog, ARunThatFailsLeavesNoThread) {
  const TemporaryFolder folder;
  IntervalLog log;
  ASSERT_EQ(log.open(folder.file("run.hlog"), "a test"), "");
  log.current()[Metric::kLateness].record(1);
  log.next(1);
}

}  // namespace
}  // namespace shmatch::tools
