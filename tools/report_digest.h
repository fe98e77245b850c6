// A digest over the reports of consecutive inputs: two runs with equal digests told every session
// the same, in the same order.
//
// Reports are gathered and hashed many at a time: hashing each by itself would wait for the one
// before. They lie as in a ring, each slot with a word in front, so that they can be built where
// they are hashed. Thread: one. Only construction allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/report_port.h"

struct XXH3_state_s;  // of libxxhash

namespace shmatch::tools {

class ReportDigest {
 public:
  // Throws std::bad_alloc.
  ReportDigest();
  ReportDigest(const ReportDigest&) = delete;
  ReportDigest& operator=(const ReportDigest&) = delete;

  // Where the next report may be built (core/report_port.h).
  std::uint64_t* const& room() const noexcept { return room_; }
  // It was built there, and has so many slots.
  void add_built(core::SessionSlot to, std::uint32_t slots) noexcept {
    room_[-1] = to;
    for (std::uint32_t slot = 1; slot < slots; ++slot) {
      room_[slot * core::kRoomStride - 1] = 0;
    }
    room_ += slots * core::kRoomStride;
    if (room_ > gathered_ + kGathered) flush();
  }
  void add(core::SessionSlot to, const core::Report& report) noexcept {
    core::build(report, room_);
    add_built(to, report.slots());
  }

  // XXH3, 64 bits, of the slots of all reports so far, each behind one word: of a report's first
  // slot that is the session slot, of the others 0. May be asked at any time.
  std::uint64_t value() noexcept;

 private:
  static constexpr std::size_t kGathered = 1024;

  struct Free {
    void operator()(XXH3_state_s* state) const noexcept;
  };
  void flush() noexcept;

  std::unique_ptr<XXH3_state_s, Free> state_;
  // With room for the longest report behind what is hashed at once.
  alignas(64) std::uint64_t gathered_[kGathered + core::kRoomWordsMax + 1];
  std::uint64_t* room_ = gathered_ + 1;
};

}  // namespace shmatch::tools
