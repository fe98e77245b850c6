// The public workload: the flow of orders with which the field's open comparison of 247 matching
// engines (flash1-dev/matching-engine-benchmark, described in arXiv 2606.01183) measures, made by
// our own generator from its description. What the description leaves open is marked "ours".
//
// One instrument, prices in ticks round a middle that starts at 33,504. The middle goes a
// driftless geometric random walk, one step a new order, whose standard deviation over the whole
// run is the scenario's swing. Buys are priced along the first half of the walk, sells along the
// second; then their order of arrival is shuffled. An order is placed 1 + k ticks on its own side
// of the middle, k with weight 1/(k+1)^2.23 + 5 exp(-(k-8)^2/2), below 4,096 (ours); its quantity
// is uniform in 1..100. 15 % are immediate-or-cancel. Of the others
//   20 % are modified 30 to 100 microseconds later: quantity + 1 and, in 80 % of the cases, one
//      tick nearer to the other side; the order loses its place in the queue
//   95 % are cancelled after an exponential life with median 0.431 ms times sqrt(1 + k), from their
//      entry or modification on (ours)
//   of the cancels 2 % are sent twice, and of the orders modified and cancelled 2 % get one more
//      modification that is too late; both 30 to 100 microseconds after the cancel (ours)
// Orders arrive as a Poisson process (ours) over the (swing / volatility)^2 years that a walk of
// the scenario's volatility needs for its swing: most orders are cancelled before the next one
// comes, and what stands in the book is the 5 % that nobody cancels. All messages are sorted by
// their time.
//
// How much of what stands is traded away hangs on whether the walk ends lower than it began, and so
// on the seed. kWorkloadSeed gives what the description tells of the books: 805 fills and on
// average 21,000 standing orders in `static`, 65,000 to 70,000 fills and 2,100 to 700 orders
// elsewhere (tests/unit/workload_test.cpp).
//
// The same parameters give the same messages wherever std::log and std::pow round alike. Thread:
// pure functions, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/types.h"

namespace shmatch::bench {

struct Scenario {
  const char* name;
  double volatility;  // standard deviation of the middle's logarithm over a year
  double swing;       // the same over the run
};

// static, normal, swing-25, swing-40, flash-crash.
std::span<const Scenario> scenarios() noexcept;

struct WorkloadMessage {
  enum class Kind : std::uint8_t { kNew, kModify, kCancel };

  core::TimeNs time;    // from the start of the run
  std::uint32_t order;  // the new orders' number, from 0 by time; what the others name
  Kind kind;
  core::Side side;
  bool immediate;  // kNew only: immediate-or-cancel
  // kNew: as entered, kModify: from now on; 0 for cancels.
  std::int32_t price;
  std::int32_t quantity;
};

inline constexpr std::uint32_t kWorkloadOrders = 1'000'000;
inline constexpr std::uint64_t kWorkloadSeed = 12;

// By time; about twice as many messages as `new_orders` (at least 2).
std::vector<WorkloadMessage> make_workload(const Scenario& scenario, std::uint32_t new_orders,
                                           std::uint64_t seed);

}  // namespace shmatch::bench
