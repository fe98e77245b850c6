// How often and for how long the machine takes a processor away from a program that never gives it
// back: interrupts, other threads, the host of a virtual machine.
//
// It is the floor of tails as the ping-pong is the floor of medians: a percentile that is rarer
// than such gaps says something about the machine, not about the engine.
#pragma once

#include <chrono>
#include <cstdint>

namespace shmatch::bench {

// A shorter pause of a spinning thread is no gap.
inline constexpr double kGapNanoseconds = 1000;

struct Jitter {
  double seconds = 0;       // for which a thread spun
  std::uint64_t gaps = 0;   // times for which it stood still longer than kGapNanoseconds
  double lost_seconds = 0;  // in those gaps
  double largest_ns = 0;    // the longest of them

  double gaps_per_second() const noexcept {
    return seconds > 0 ? static_cast<double>(gaps) / seconds : 0;
  }
  double lost_share() const noexcept { return seconds > 0 ? lost_seconds / seconds : 0; }
  Jitter& operator+=(const Jitter& more) noexcept;
};

// Spins on `cpu` and counts. The calling thread stays pinned there. All zero when the processor
// cannot be had.
Jitter spin_on(int cpu, std::chrono::milliseconds duration);

}  // namespace shmatch::bench
