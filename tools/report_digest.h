// A digest over the reports of consecutive inputs: two runs with equal digests told every session
// the same, in the same order.
//
// Reports are gathered and hashed many at a time: hashing each by itself would wait for the one
// before. Thread: one. Only construction allocates.
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

  void add(core::SessionSlot to, const core::Report& report) noexcept {
    gather<core::kSlotWords>(to, report.words, report.slots());
  }
  // A report of `slots` slots in the room where it was built (core/report_port.h).
  void add(core::SessionSlot to, const std::uint64_t* room, std::uint32_t slots) noexcept {
    gather<core::kRoomStride>(to, room, slots);
  }

  // XXH3, 64 bits, of one word for the session slot and then the slots of the report, for each
  // report so far. May be asked at any time.
  std::uint64_t value() noexcept;

 private:
  static constexpr std::size_t kGathered = 1024;

  struct Free {
    void operator()(XXH3_state_s* state) const noexcept;
  };
  void flush() noexcept;

  // Slots that begin `Stride` words apart.
  template <std::size_t Stride>
  void gather(core::SessionSlot to, const std::uint64_t* from, std::uint32_t slots) noexcept {
    const std::size_t words = std::size_t{slots} * core::kSlotWords;
    if (used_ + 1 + words > kGathered) flush();
    gathered_[used_] = to;
    std::uint64_t* into = gathered_ + used_ + 1;
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
      core::copy_words(into, from, core::kSlotWords);
      into += core::kSlotWords;
      from += Stride;
    }
    used_ += 1 + words;
  }

  std::unique_ptr<XXH3_state_s, Free> state_;
  std::size_t used_ = 0;
  std::uint64_t gathered_[kGathered];
};

}  // namespace shmatch::tools
