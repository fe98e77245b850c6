// Sinks of the benchmarks that measure an engine by itself: they store each report as a ring would
// have it, whole slots one behind the other, and keep what the benchmark needs to go on.
//
// Thread: the engine's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/matching_engine.h"

namespace shmatch::bench {

class StoreSink final : public core::ReportSink {
 public:
  void deliver(core::SessionSlot, const core::Report& report) noexcept override {
    const std::size_t words = std::size_t{report.slots()} * core::kSlotWords;
    if (used_ + words > kRoom) used_ = 0;
    for (std::size_t i = 0; i < words; ++i) {
      // Word by word: see MessageBuffer::copy_words.
      std::uint64_t word = report.words[i];
      asm("" : "+r"(word));
      room_[used_ + i] = word;
    }
    used_ += words;
    ++reports;
    if (report.is<core::OrderAccepted>()) last_order_id = report.as<core::OrderAccepted>().order_id;
    if (report.is<core::Receipt>()) {
      refused += report.as<core::Receipt>().code != core::ErrorCode::kOk;
    }
  }

  std::uint64_t reports = 0;
  std::uint64_t refused = 0;
  core::OrderId last_order_id = 0;  // of the newest accepted order

 private:
  static constexpr std::size_t kRoom = 1024;
  alignas(64) std::uint64_t room_[kRoom] = {};
  std::size_t used_ = 0;
};

}  // namespace shmatch::bench
