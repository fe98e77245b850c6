// The demo's latency part: round trips through a fresh engine, beside the floor of the same
// minutes.
//
// Engine and client spin, each on a processor of its own. Rounds of the floor (the engine stopped,
// so that its processor is free) and of round trips follow each other, so that a drift of the
// machine falls on both. Thread: one, which stays pinned to the first processor.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/demo_process.h"
#include "tools/round_trip_table.h"

namespace shmatch::tools {

struct Latency {
  int engine_cpu = 0;
  int client_cpu = 0;
  int rounds = 0;
  std::size_t round_trips = 0;  // of each kind, a round
  double timer_cost_ns = 0;
  std::vector<LatencyRow> rows;  // the floor first
};

// `cpus`: at least two that this process may use. Takes a few seconds at most. Throws DemoError.
Latency measure_latency(const PrivateFolder& folder, const std::vector<int>& cpus,
                        const StopSignals& signals);

}  // namespace shmatch::tools
