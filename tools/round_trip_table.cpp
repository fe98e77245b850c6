#include "tools/round_trip_table.h"

namespace shmatch::tools {

void RoundTripTable::Series::add(Samples& samples, double floor_p50) {
  for (std::size_t i = 0; i < kLatencyPercentiles.size(); ++i) {
    values[i].push_back(samples.percentile_ns(kLatencyPercentiles[i]));
  }
  for (std::size_t i = 0; i < kCurvePercentiles.size(); ++i) {
    curves[i].push_back(samples.percentile_ns(kCurvePercentiles[i]));
  }
  ratios.push_back(values[0].back() / floor_p50);
}

void RoundTripTable::add(Samples& floor, RoundTrips& trips) {
  const double floor_p50 = floor.percentile_ns(0.5);
  series_[0].add(floor, floor_p50);
  series_[1].add(trips.send_receipt, floor_p50);
  series_[2].add(trips.cancel_receipt, floor_p50);
  series_[3].add(trips.cancel_outcome, floor_p50);
  ++rounds_;
}

std::vector<LatencyRow> RoundTripTable::rows() const {
  std::vector<LatencyRow> rows;
  for (const Series& one : series_) {
    LatencyRow& row = rows.emplace_back();
    row.name = one.name;
    for (std::size_t i = 0; i < kLatencyPercentiles.size(); ++i) {
      row.nanoseconds[i] = spread_of(one.values[i]).median;
    }
    for (std::size_t i = 0; i < kCurvePercentiles.size(); ++i) {
      row.curve[i] = spread_of(one.curves[i]).median;
    }
    row.p50 = spread_of(one.values[0]);
    row.ratio = spread_of(one.ratios);
  }
  return rows;
}

}  // namespace shmatch::tools
