#include "bench/jitter.h"

#include <algorithm>

#include "tools/measure.h"

namespace shmatch::bench {

Jitter& Jitter::operator+=(const Jitter& more) noexcept {
  seconds += more.seconds;
  gaps += more.gaps;
  lost_seconds += more.lost_seconds;
  largest_ns = std::max(largest_ns, more.largest_ns);
  return *this;
}

Jitter spin_on(int cpu, std::chrono::milliseconds duration) {
  Jitter jitter;
  if (!tools::pin_to_cpu(cpu)) return jitter;
  const double tick_ns = tools::nanoseconds_per_tick();
  const auto gap_ticks = static_cast<std::uint64_t>(kGapNanoseconds / tick_ns);
  const double duration_ns = std::chrono::duration<double, std::nano>(duration).count();
  const std::uint64_t begin = tools::timer_ticks();
  const std::uint64_t end = begin + static_cast<std::uint64_t>(duration_ns / tick_ns);
  std::uint64_t lost = 0;
  std::uint64_t largest = 0;
  std::uint64_t last = begin;
  while (last < end) {
    const std::uint64_t now = tools::timer_ticks();
    const std::uint64_t gap = now - last;
    last = now;
    if (gap <= gap_ticks) continue;
    ++jitter.gaps;
    lost += gap;
    largest = std::max(largest, gap);
  }
  jitter.seconds = static_cast<double>(last - begin) * tick_ns * 1e-9;
  jitter.lost_seconds = static_cast<double>(lost) * tick_ns * 1e-9;
  jitter.largest_ns = static_cast<double>(largest) * tick_ns;
  return jitter;
}

}  // namespace shmatch::bench
