// A digest over the reports of consecutive inputs: two runs with equal digests told every session
// the same, in the same order.
//
// Reports are gathered and hashed many at a time: hashing each by itself would wait for the one
// before. Thread: one. Nothing allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/message.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace shmatch::core {

class ReportDigest {
 public:
  ReportDigest() noexcept { XXH3_64bits_reset(&state_); }

  void add(SessionSlot to, const Report& report) noexcept {
    const std::size_t words = std::size_t{report.slots()} * kSlotWords;
    if (used_ + 1 + words > kGathered) flush();
    gathered_[used_] = to;
    // Word by word: the report was stored a moment ago, see MessageBuffer::copy_words.
    for (std::size_t i = 0; i < words; ++i) {
      std::uint64_t word = report.words[i];
      asm("" : "+r"(word));
      gathered_[used_ + 1 + i] = word;
    }
    used_ += 1 + words;
  }

  // XXH3, 64 bits, of one word for the session slot and then the slots of the report, for each
  // report so far. May be asked at any time.
  std::uint64_t value() noexcept {
    flush();
    return XXH3_64bits_digest(&state_);
  }

 private:
  static constexpr std::size_t kGathered = 1024;

  void flush() noexcept {
    XXH3_64bits_update(&state_, gathered_, used_ * sizeof gathered_[0]);
    used_ = 0;
  }

  XXH3_state_t state_;
  std::size_t used_ = 0;
  std::uint64_t gathered_[kGathered];
};

}  // namespace shmatch::core
