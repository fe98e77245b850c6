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
// Where a curve of the whole distribution is drawn, ascending.
inline constexpr std::array kCurvePercentiles = {0.0,  0.01,  0.05,  0.1,   0.2,    0.3,   0.4,
                                                 0.5,  0.6,   0.7,   0.8,   0.9,    0.95,  0.98,
                                                 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999};

struct LatencyRow {
  std::string name;
  std::array<double, kLatencyPercentiles.size()> nanoseconds = {};  // medians over the rounds
  std::array<double, kCurvePercentiles.size()> curve = {};          // the same
  Spread p50;                                                       // in nanoseconds
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
    std::array<std::vector<double>, kCurvePercentiles.size()> curves = {};
    std::vector<double> ratios = {};
    void add(Samples& samples, double floor_p50);
  };

  int rounds_ = 0;
  std::array<Series, 4> series_ = {
      {{"floor"}, {"send receipt"}, {"cancel receipt"}, {"cancel outcome"}}};
};

}  // namespace shmatch::tools
