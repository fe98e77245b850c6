// Measuring round trips, with the floor beside them.
//
// The floor is what the machine itself needs to carry one cache line there and another one back
// between two cores: a bare ping-pong of two lines, with nothing else in the loop. No request and
// reply through memory can be faster in this form, so a round trip means something only as a
// multiple of the floor measured in the same minutes.
//
// Samples are kept whole (no buckets), so percentiles are exact. Times are read with the
// processor's cycle counter where there is one. Thread: whoever calls; ping_pong forks a partner
// process for its duration.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ipc/client.h"

namespace shmatch::tools {

// Cycle counter readings, and what one of them is worth.
std::uint64_t timer_ticks() noexcept;
double nanoseconds_per_tick();
// A reading that waits for nothing before it and keeps nothing behind it back: for loops that poll.
std::uint64_t loose_ticks() noexcept;
// What one reading of the timer costs, in nanoseconds: the median of many.
double timer_cost_ns();

class Samples {
 public:
  // Room for so many more, touched now, so that no page fault falls into a measurement.
  void reserve(std::size_t more) {
    const std::size_t held = ticks_.size();
    ticks_.resize(held + more);
    ticks_.resize(held);
  }
  void add(std::uint64_t ticks) { ticks_.push_back(ticks); }
  std::size_t count() const noexcept { return ticks_.size(); }
  // Calls f with each sample, in nanoseconds.
  template <class F>
  void for_each_ns(F f) const {
    for (const std::uint64_t ticks : ticks_) {
      f(static_cast<double>(ticks) * nanoseconds_per_tick());
    }
  }
  // The smallest value that at least `fraction` (0..1) of the samples do not exceed, in
  // nanoseconds; 0 when there are no samples.
  double percentile_ns(double fraction);
  // The mean of the middle half, in nanoseconds: a median for comparisons finer than the steps of
  // the timer. 0 when there are no samples.
  double midmean_ns();

 private:
  std::vector<std::uint64_t> ticks_;
  bool sorted_ = false;
};

// The median of a few numbers, and the range of the others around it.
struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
};
Spread spread_of(std::vector<double> values);
// What holds the median with 95 %, from the ranks of the sample. At least one value.
std::pair<double, double> median_interval(std::vector<double> values);

// Binds the calling thread to one processor. False when the machine does not have it to give.
bool pin_to_cpu(int cpu);
// Processors this process may run on, ascending.
std::vector<int> allowed_cpus();

// `count` ping-pongs of two cache lines between this thread, which is pinned to `own_cpu`, and a
// forked partner on `partner_cpu`. Empty when the partner could not be started.
Samples ping_pong(int own_cpu, int partner_cpu, std::size_t count);

struct RoundTrips {
  // Room for so many more of each kind, touched now.
  void reserve(std::size_t more);

  Samples send_receipt;    // SendOrder to its reply
  Samples cancel_receipt;  // CancelOrder to its receipt
  Samples cancel_outcome;  // CancelOrder to the event that the order is cancelled
};

struct RoundTripOptions {
  core::AccountId account_id = 1;
  core::InstrumentId instrument_id = 3;
  std::size_t resting_orders = 1000;  // of the book that the measured orders join
  std::size_t warm_up = 2000;         // round trips before the measured ones
  // From one entry to the next, with its cancel in between; 0: as soon as the one before is done.
  double interval_ns = 0;
};

// Puts the resting orders there; once, before round_trips. False with a sentence when an order is
// refused.
bool prepare_book(Client& client, const RoundTripOptions& options, std::string& error);

// Enters an order that rests, cancels it, `count` times, one request in flight: a closed loop. The
// caller's thread is pinned by the caller. False with a sentence when anything else than that
// happens.
bool round_trips(Client& client, const RoundTripOptions& options, std::size_t count,
                 RoundTrips& result, std::string& error);
// The same through several clients in turn, of accounts from `options.account_id` on. At least one.
bool round_trips(std::span<Client> clients, const RoundTripOptions& options, std::size_t count,
                 RoundTrips& result, std::string& error);

}  // namespace shmatch::tools
