// What a latency run measures, by name, and a set of histograms with one for each.
//
// Thread: plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tools/hdr_histogram.h"

namespace shmatch::tools {

enum class Metric : std::uint8_t {
  // Open loop: from the moment at which the request was due; closed loop: from its sending.
  kSendReceipt,    // SendOrder to its reply
  kCancelReceipt,  // CancelOrder to its receipt
  kCancelOutcome,  // CancelOrder to the event that the order is cancelled
  // Open loop only: from the sending.
  kSendReceiptService,
  kCancelReceiptService,
  kCancelOutcomeService,
  kLateness,  // from the moment at which a request was due to its sending
  // Gaps of this program's own polling loop.
  kJitter,
};
inline constexpr std::size_t kMetrics = 8;

struct MetricName {
  const char* tag;   // in logs and JSON
  const char* text;  // for people
};
inline constexpr std::array<MetricName, kMetrics> kMetricNames{{
    {"send_receipt", "send receipt"},
    {"cancel_receipt", "cancel receipt"},
    {"cancel_outcome", "cancel outcome"},
    {"send_receipt_service", "send receipt, service"},
    {"cancel_receipt_service", "cancel receipt, service"},
    {"cancel_outcome_service", "cancel outcome, service"},
    {"lateness", "lateness of sends"},
    {"jitter", "own gaps"},
}};

class MetricSet {
 public:
  HdrHistogram& operator[](Metric metric) noexcept {
    return histograms_[static_cast<std::size_t>(metric)];
  }
  const HdrHistogram& operator[](Metric metric) const noexcept {
    return histograms_[static_cast<std::size_t>(metric)];
  }
  const HdrHistogram& at(std::size_t index) const noexcept { return histograms_[index]; }
  void add(const MetricSet& other) noexcept {
    for (std::size_t i = 0; i < kMetrics; ++i) histograms_[i].add(other.histograms_[i]);
  }
  void clear() noexcept {
    for (HdrHistogram& each : histograms_) each.clear();
  }

 private:
  std::array<HdrHistogram, kMetrics> histograms_;
};

}  // namespace shmatch::tools
