// What `shmatch latency` prints: a run as a table or as one JSON object, and two logs side by side.
//
// Thread: pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/hdr_log.h"
#include "tools/jitter.h"
#include "tools/latency_metrics.h"

namespace shmatch::tools {

struct LatencyReport {
  double rate = 0;  // requests a second; 0: closed loop
  std::uint64_t round_trips = 0;
  double seconds = 0;
  bool interrupted = false;
  std::string user;
  const MetricSet& metrics;
  const JitterRecorder& jitter;
  const HdrHistogram* floor = nullptr;  // null: not measured
  std::string no_floor;                 // why not, if it was asked for
};

std::string latency_text(const LatencyReport& report);
// One object: each metric by its tag with count, p50_ns, p90_ns, p99_ns, p999_ns and max_ns; floor
// likewise, or null; jitter; and what was run.
std::string latency_json(const LatencyReport& report);

// A row for each percentile of each metric: both values, their difference and how many times the
// first the second is. What only one of the logs has is said.
std::string comparison_text(const HdrLog& a, const HdrLog& b, const std::string& name_a,
                            const std::string& name_b);
std::string comparison_json(const HdrLog& a, const HdrLog& b, const std::string& name_a,
                            const std::string& name_b);

}  // namespace shmatch::tools
