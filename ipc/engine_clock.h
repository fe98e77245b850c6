// The engine thread's clock: nanoseconds since the POSIX epoch, from the processor's time stamp
// counter.
//
// clock_gettime is answered without entering the kernel, and still is one of the larger items of a
// round trip. Between two looks at it, a few milliseconds apart, the counter carries the time on.
// Where the counter does not run at a constant rate, every reading is clock_gettime.
//
// Thread: the engine thread. Never goes back, even when the wall's clock is set back.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/types.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace shmatch::ipc {

class EngineClock {
 public:
  EngineClock() noexcept : counter_usable_(constant_rate()) {
    first_ticks_ = ticks();
    first_steady_ns_ = read(CLOCK_MONOTONIC_RAW);
    anchor_ns_ = read(CLOCK_REALTIME);
  }

  // `now` never reads less than `time` from here on.
  void not_before(core::TimeNs time) noexcept { last_ = std::max(last_, time); }

  core::TimeNs now() noexcept {
    core::TimeNs time = 0;
    if (scale_ != 0) [[likely]] {
      // A counter that reads lower than at the last look (another socket, a machine moved) stands
      // still until it has caught up.
      const std::uint64_t counted = std::max(ticks(), anchor_ticks_);
      largest_gap_ = std::max(largest_gap_, static_cast<std::int64_t>(counted - last_counted_));
      last_counted_ = counted;
      const auto passed = static_cast<core::Wide>(counted - anchor_ticks_) * scale_;
      time = anchor_ns_ + static_cast<core::TimeNs>(passed >> kScaleBits);
    } else {
      time = read(CLOCK_REALTIME);
    }
    last_ = std::max(last_, time);
    return last_;
  }

  // What the last call of now, or not_before, has left.
  core::TimeNs last() const noexcept { return last_; }

  // The longest time between two neighbouring calls of `now` since the last call of this one, in
  // nanoseconds; 0 as long as the counter's rate is not known, and where it is not constant.
  std::uint64_t take_largest_gap() noexcept {
    const auto gap = static_cast<core::Wide>(std::exchange(largest_gap_, 0)) * scale_;
    return static_cast<std::uint64_t>(gap >> kScaleBits);
  }

  // Looks at the wall's clock when the last look is long enough ago. Call it off the path of
  // requests, every millisecond or so: the counter's rate is that of the whole time since the
  // start, and the wall's clock may be adjusted.
  void synchronize() noexcept {
    if (!counter_usable_) return;
    const std::uint64_t counted = ticks();
    if (counted - anchor_ticks_ < kTicksBetweenLooks) return;
    const core::TimeNs elapsed = read(CLOCK_MONOTONIC_RAW) - first_steady_ns_;
    anchor_ticks_ = ticks();
    anchor_ns_ = read(CLOCK_REALTIME);
    // Before that much time the rate would be a guess.
    if (elapsed < kTimeBeforeRateNs || anchor_ticks_ <= first_ticks_) return;
    if (scale_ == 0) last_counted_ = anchor_ticks_;
    scale_ = static_cast<std::uint64_t>((static_cast<core::Wide>(elapsed) << kScaleBits) /
                                        (anchor_ticks_ - first_ticks_));
  }

 private:
  static constexpr unsigned kScaleBits = 32;
  static constexpr std::uint64_t kTicksBetweenLooks = 4'000'000;
  static constexpr core::TimeNs kTimeBeforeRateNs = 20'000'000;

  static core::TimeNs read(clockid_t clock) noexcept {
    timespec time{};
    ::clock_gettime(clock, &time);
    return time.tv_sec * core::TimeNs{1'000'000'000} + time.tv_nsec;
  }

  static std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return 0;
#endif
  }

  static bool constant_rate() noexcept {
#if defined(__x86_64__)
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    constexpr unsigned kPowerLeaf = 0x8000'0007;
    constexpr unsigned kInvariantTsc = 1U << 8;
    return __get_cpuid(kPowerLeaf, &a, &b, &c, &d) != 0 && (d & kInvariantTsc) != 0;
#else
    return false;
#endif
  }

  bool counter_usable_;
  std::uint64_t first_ticks_ = 0;
  core::TimeNs first_steady_ns_ = 0;
  std::uint64_t anchor_ticks_ = 0;
  core::TimeNs anchor_ns_ = 0;
  std::uint64_t scale_ = 0;  // nanoseconds a tick, times 2^kScaleBits; 0: not known yet
  core::TimeNs last_ = 0;
  std::uint64_t last_counted_ = 0;  // ticks at the last call of `now`
  std::int64_t largest_gap_ = 0;    // ticks between two calls of it
};

}  // namespace shmatch::ipc
