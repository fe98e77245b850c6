// Where the reports of the benchmarks go that measure an engine by itself: into memory, one behind
// the other, as a ring would have them. A benchmark that needs to know of some of them to go on
// says what it notes.
//
// Thread: the engine's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/matching_engine.h"

namespace shmatch::bench {

struct NotesNothing {
  void operator()(const std::uint64_t*) noexcept {}
};

// Calls note(report) with each report's words, as they are in a room.
template <class Note = NotesNothing>
class StoreSink final : public core::ReportPort {
 public:
  StoreSink() noexcept : ReportPort(&next_) {}

  void send(core::SessionSlot, std::uint32_t slots) noexcept override {
    note(next_);
    ++reports;
    next_ += slots * core::kRoomStride;
    if (next_ > last_start_) next_ = first_start_;
  }

  std::uint64_t reports = 0;
  Note note;

 private:
  static constexpr std::size_t kWords = 1024;
  alignas(64) std::uint64_t room_[kWords] = {};
  // Behind the ring's own word of a slot; from the last one on any report has room.
  std::uint64_t* first_start_ = room_ + 1;
  std::uint64_t* last_start_ = room_ + kWords - core::kRoomWordsMax + 1;
  std::uint64_t* next_ = first_start_;
};

// For notes.
inline core::ReportType type_of(const std::uint64_t* report) noexcept {
  return static_cast<core::ReportType>(report[0] & 0xFF);
}
// Of a Receipt: whether the request was refused.
inline bool refuses(const std::uint64_t* report) noexcept {
  return (report[core::room_place(offsetof(core::Receipt, code) / 8)] & 0xFFFF) != 0;
}

}  // namespace shmatch::bench
