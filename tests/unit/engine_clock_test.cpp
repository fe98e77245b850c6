// The engine's clock against the kernel's: each reading lies between two of CLOCK_REALTIME, whether
// the time stamp counter or the kernel made it, and no reading is before an earlier one.
#include "ipc/engine_clock.h"

#include <gtest/gtest.h>

namespace shmatch::ipc {
namespace {

core::TimeNs wall() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * core::TimeNs{1'000'000'000} + time.tv_nsec;
}

// What the counter may be off between two looks at the wall's clock, and what an adjustment of the
// wall's clock may add.
constexpr core::TimeNs kTolerance = 1'000'000;

TEST(EngineClock, AgreesWithTheKernelAndNeverGoesBack) {
  EngineClock clock;
  core::TimeNs last = 0;
  // A fifth of a second: well into the time in which the counter's rate is known.
  const core::TimeNs end = wall() + 200'000'000;
  while (wall() < end) {
    clock.synchronize();
    const core::TimeNs before = wall();
    const core::TimeNs now = clock.now();
    const core::TimeNs after = wall();
    ASSERT_GE(now, last);
    ASSERT_EQ(clock.last(), now);
    ASSERT_GE(now, before - kTolerance);
    ASSERT_LE(now, after + kTolerance);
    last = now;
  }
}

TEST(EngineClock, CarriesTheTimeOnWithoutLooks) {
  EngineClock clock;
  core::TimeNs until = wall() + 50'000'000;
  while (wall() < until) clock.synchronize();
  until = wall() + 100'000'000;
  while (wall() < until) {
    const core::TimeNs before = wall();
    const core::TimeNs now = clock.now();
    ASSERT_GE(now, before - kTolerance);
    ASSERT_LE(now, wall() + kTolerance);
  }
}

TEST(EngineClock, KnowsTheLongestTimeBetweenTwoReadings) {
  EngineClock clock;
  core::TimeNs until = wall() + 50'000'000;
  while (wall() < until) {
    clock.synchronize();
    clock.now();
  }
  clock.take_largest_gap();
  clock.now();
  until = wall() + 5'000'000;
  while (wall() < until) {
  }
  clock.now();
  clock.now();
  const std::uint64_t gap = clock.take_largest_gap();
  if (gap == 0) GTEST_SKIP() << "this processor's counter does not run at a constant rate";
  EXPECT_GE(gap, 4'900'000U);
  EXPECT_EQ(clock.take_largest_gap(), 0U);
}

}  // namespace
}  // namespace shmatch::ipc
