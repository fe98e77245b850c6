// A bounded first-in-first-out store of reports, packed by slots in memory that it does not own.
//
// Thread: one at a time. Nothing allocates.
#pragma once

#include <cstdint>

#include "core/message.h"

namespace shmatch::ipc {

class Backlog {
 public:
  // `words` has room for `slot_count` (a power of two) times kSlotWords words.
  Backlog(std::uint64_t* words, std::uint32_t slot_count) noexcept
      : words_(words), mask_(slot_count - 1) {}

  bool empty() const noexcept { return first_ == end_; }
  std::uint64_t used_slots() const noexcept { return end_ - first_; }
  std::uint64_t slot_count() const noexcept { return mask_ + 1; }
  // False when there is no room; nothing was stored.
  bool push(const core::Report& report) noexcept;
  // The oldest report; only while not empty.
  void front(core::Report& report) const noexcept { read(first_, report); }
  void pop() noexcept { first_ += slots_at(first_); }

  // A walk over what is stored: from first() on, until the position is end(). `read` returns the
  // position of the next one.
  std::uint64_t first() const noexcept { return first_; }
  std::uint64_t end() const noexcept { return end_; }
  std::uint64_t read(std::uint64_t position, core::Report& report) const noexcept;

  // Of the oldest report; only while not empty.
  core::Sequence front_sequence() const noexcept { return slot(first_)[1]; }

 private:
  std::uint64_t* slot(std::uint64_t position) const noexcept {
    return words_ + (position & mask_) * core::kSlotWords;
  }
  std::uint64_t slots_at(std::uint64_t position) const noexcept {
    return (slot(position)[0] >> 8) & 0xFF;
  }

  std::uint64_t* words_;
  std::uint64_t mask_;
  std::uint64_t first_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace shmatch::ipc
