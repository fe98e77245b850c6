// A digest over the reports of consecutive inputs: two runs with equal digests told every session
// the same, in the same order.
//
// Reports are gathered and hashed many at a time: hashing each by itself would wait for the one
// before. Thread: one. Only construction allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/message.h"

struct XXH3_state_s;  // of libxxhash

namespace shmatch::tools {

class ReportDigest {
 public:
  // Throws std::bad_alloc.
  ReportDigest();

  void add(core::SessionSlot to, const core::Report& report) noexcept {
    const std::size_t words = std::size_t{report.slots()} * core::kSlotWords;
    if (used_ + 1 + words > kGathered) flush();
    gathered_[used_] = to;
    // Word by word: the report was stored a moment ago, see core::MessageBuffer::copy_words.
    const std::uint64_t* from = report.words;
    std::uint64_t* into = gathered_ + used_ + 1;
    for (std::size_t slot = 0; slot < report.slots(); ++slot) {
#pragma GCC unroll 7
      for (std::uint32_t i = 0; i < core::kSlotWords; ++i) {
        std::uint64_t word = *from++;
        asm("" : "+r"(word));
        *into++ = word;
      }
    }
    used_ += 1 + words;
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

  std::unique_ptr<XXH3_state_s, Free> state_;
  std::size_t used_ = 0;
  std::uint64_t gathered_[kGathered];
};

}  // namespace shmatch::tools
