// Where the reports of the benchmarks go that measure an engine by itself: into memory, one behind
// the other, as a ring would have them. What the benchmark needs to go on is noted.
//
// Thread: the engine's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/matching_engine.h"

namespace shmatch::bench {

class StoreSink final : public core::ReportPort {
 public:
  StoreSink() noexcept : ReportPort(&next_) {}

  void send(core::SessionSlot, std::uint32_t slots) noexcept override {
    note(next_);
    next_ += slots * core::kRoomStride;
    if (next_ > last_start_) next_ = first_start_;
  }
  // The room of the report that is to be sent next.
  std::uint64_t* next_room() const noexcept { return next_; }

  std::uint64_t reports = 0;
  std::uint64_t refused = 0;
  core::OrderId last_order_id = 0;  // of the newest accepted order

 private:
  // The report that was written last.
  void note(const std::uint64_t* report) noexcept {
    ++reports;
    const auto type = static_cast<core::ReportType>(report[0] & 0xFF);
    if (type == core::ReportType::kOrderAccepted) {
      last_order_id =
          static_cast<core::OrderId>(report[offsetof(core::OrderAccepted, order_id) / 8]);
    } else if (type == core::ReportType::kReceipt) {
      refused += (report[offsetof(core::Receipt, code) / 8] & 0xFFFF) != 0;
    }
  }

  static constexpr std::size_t kWords = 1024;
  alignas(64) std::uint64_t room_[kWords] = {};
  // Behind the ring's own word of a slot; from the last one on any report has room.
  std::uint64_t* first_start_ = room_ + 1;
  std::uint64_t* last_start_ = room_ + kWords - core::kRoomWordsMax + 1;
  std::uint64_t* next_ = first_start_;
};

}  // namespace shmatch::bench
