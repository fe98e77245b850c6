// Both ends of one of our rings in one process, for two threads.
//
// Slots: a power of two. Thread: written by one, read by another.
#pragma once

#include <cstdint>
#include <memory>

#include "ipc/ring.h"

namespace shmatch::bench {

template <std::uint32_t kSlots>
class OwnRing {
 public:
  ipc::RingWriter& writer() noexcept { return writer_; }
  ipc::RingReader& reader() noexcept { return reader_; }

 private:
  // The ends' own words lie apart: lines are fetched in pairs.
  struct alignas(4096) Memory {
    ipc::Slot slots[kSlots] = {};
    alignas(256) std::uint64_t consumed = 0;
  };
  std::unique_ptr<Memory> memory_ = std::make_unique<Memory>();
  alignas(256) ipc::RingWriter writer_{memory_->slots, kSlots, &memory_->consumed};
  alignas(256) ipc::RingReader reader_{memory_->slots, kSlots, &memory_->consumed};
};

}  // namespace shmatch::bench
