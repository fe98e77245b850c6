// Rounds of floor and round trips, summed up: a row of percentiles for each kind, and how many
// times the floor each kind's median is.
//
// A ratio compares a round trip with the floor of its own round, so that a drift of the machine
// falls on both; the table shows the median of the ratios and their range. Thread: one.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "tools/measure.h"

namespace shmatch::tools {

inline constexpr std::array kLatencyPercentiles = {0.5, 0.9, 0.99, 0.999};

struct LatencyRow {
  std::string name;
  std::array<double, kLatencyPercentiles.size()> nanoseconds = {};  // medians over the rounds
  Spread ratio;  // p50 over the floor's p50 of the same round
};

class RoundTripTable {
 public:
  // One round: the floor, and the round trips that followed it.
  void add(Samples& floor, RoundTrips& trips);

  int rounds() const noexcept { return rounds_; }
  // The floor first, then send receipt, cancel receipt and cancel outcome.
  std::vector<LatencyRow> rows() const;

 private:
  struct Series {
    const char* name;
    std::array<std::vector<double>, kLatencyPercentiles.size()> values = {};
    std::vector<double> ratios = {};
    void add(Samples& samples, double floor_p50);
  };

  int rounds_ = 0;
  std::array<Series, 4> series_ = {
      {{"floor"}, {"send receipt"}, {"cancel receipt"}, {"cancel outcome"}}};
};

}  // namespace shmatch::tools
