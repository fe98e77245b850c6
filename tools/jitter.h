// JitterRecorder: how often the machine takes a polling loop's core away, and for how long: the
// loop tells each of its turns, and a turn that comes late is a gap. Interrupts, other tasks, a
// hypervisor and a client's own page faults all show here; what shows here cannot be the engine's.
//
// Thread: the loop's.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tools/hdr_histogram.h"

namespace shmatch::tools {

class JitterRecorder {
 public:
  static constexpr double kThresholdNs = 1000;  // no turn of a loop that only polls takes so long

  // `now` is a moment, in ticks of `ns_per_tick` nanoseconds; gaps count from there.
  JitterRecorder(std::uint64_t now, double ns_per_tick)
      : ns_per_tick_(ns_per_tick),
        threshold_(static_cast<std::uint64_t>(kThresholdNs / ns_per_tick)),
        begin_(now),
        last_(now) {}

  // A turn of the loop at `now`; a gap before it goes to `gaps`.
  void turn(std::uint64_t now, HdrHistogram& gaps) noexcept {
    const std::uint64_t passed = now - last_;
    last_ = now;
    if (passed <= threshold_) [[likely]] {
      return;
    }
    note(passed, gaps);
  }
  // What was until `now` does not count.
  void restart(std::uint64_t now) noexcept { *this = JitterRecorder(now, ns_per_tick_); }

  double seconds() const noexcept { return ns(last_ - begin_) / 1e9; }
  double gaps_per_second() const noexcept { return per(static_cast<double>(gaps_)); }
  // Share of the time that fell into gaps.
  double lost_share() const noexcept { return per(ns(lost_) / 1e9); }
  double largest_ns() const noexcept { return ns(largest_); }

 private:
  [[gnu::noinline]] void note(std::uint64_t passed, HdrHistogram& gaps) noexcept {
    // A counter that went back, on another core, says nothing.
    if (static_cast<std::int64_t>(passed) < 0) return;
    ++gaps_;
    lost_ += passed;
    largest_ = std::max(largest_, passed);
    gaps.record(static_cast<std::int64_t>(ns(passed)));
  }
  double ns(std::uint64_t ticks) const noexcept {
    return static_cast<double>(ticks) * ns_per_tick_;
  }
  double per(double amount) const noexcept { return seconds() > 0 ? amount / seconds() : 0; }

  double ns_per_tick_;
  std::uint64_t threshold_;
  std::uint64_t begin_;
  std::uint64_t last_;
  std::uint64_t gaps_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t largest_ = 0;
};

}  // namespace shmatch::tools
