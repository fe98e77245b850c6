// A set of slot numbers that finds its next member in a few instructions, however sparse it is: a
// bitmap with summary levels, each bit of which says whether a word of the level below has any bit
// set.
//
// Worst case of every operation: one word a level, four levels for 2^24 slots. Thread: the core's.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/prefetch.h"
#include "core/types.h"

namespace shmatch::core {

class SlotBitmap {
 public:
  SlotBitmap(Arena& arena, std::size_t slots) {
    do {
      slots = (slots + 63) / 64;
      levels_[level_count_++] = arena.take<std::uint64_t>(slots);
    } while (slots > 1);
  }

  void insert(Index slot) noexcept {
    std::uint64_t& word = levels_[0][slot / 64];
    const bool known = word != 0;  // to the levels above
    word |= std::uint64_t{1} << (slot % 64);
    if (!known) [[unlikely]] {
      raise(slot / 64);
    }
  }

  void erase(Index slot) noexcept {
    std::uint64_t& word = levels_[0][slot / 64];
    word &= ~(std::uint64_t{1} << (slot % 64));
    if (word == 0) [[unlikely]] {
      lower(slot / 64);
    }
  }

  // A hint: the slot will join or leave the set soon.
  void prefetch(Index slot) const noexcept { core::prefetch(&levels_[0][slot / 64]); }

  bool contains(Index slot) const noexcept {
    return (levels_[0][slot / 64] >> (slot % 64) & 1) != 0;
  }

  // The smallest member that is not below `slot`, or kNoIndex.
  Index at_or_after(Index slot) const noexcept {
    if (slot / 64 < levels_[0].size()) [[likely]] {
      const std::uint64_t rest = levels_[0][slot / 64] >> (slot % 64);
      if (rest != 0) [[likely]] {
        return slot + static_cast<Index>(std::countr_zero(rest));
      }
    }
    return search(slot / 64 + 1);
  }

 private:
  // Of the levels above the lowest: the word `place` of the one below has a bit now, or none any
  // more.
  [[gnu::noinline]] void raise(Index place) noexcept {
    for (std::size_t level = 1; level < level_count_; ++level) {
      std::uint64_t& word = levels_[level][place / 64];
      const bool known = word != 0;
      word |= std::uint64_t{1} << (place % 64);
      if (known) return;
      place /= 64;
    }
  }
  [[gnu::noinline]] void lower(Index place) noexcept {
    for (std::size_t level = 1; level < level_count_; ++level) {
      std::uint64_t& word = levels_[level][place / 64];
      word &= ~(std::uint64_t{1} << (place % 64));
      if (word != 0) return;
      place /= 64;
    }
  }

  // The smallest member in the words from `place` on.
  [[gnu::noinline]] Index search(Index place) const noexcept {
    // Climb until some word has a member at or behind our place, then descend to the first one.
    for (std::size_t level = 1; level < level_count_; ++level) {
      const Index word_index = place / 64;
      if (word_index >= levels_[level].size()) return kNoIndex;
      const std::uint64_t rest = levels_[level][word_index] >> (place % 64);
      if (rest != 0) return descend(level, place + static_cast<Index>(std::countr_zero(rest)));
      place = word_index + 1;
    }
    return kNoIndex;
  }
  Index descend(std::size_t level, Index slot) const noexcept {
    while (level > 0) {
      --level;
      slot = slot * 64 + static_cast<Index>(std::countr_zero(levels_[level][slot]));
    }
    return slot;
  }

  static constexpr std::size_t kLevelsMax = 6;
  std::span<std::uint64_t> levels_[kLevelsMax];
  std::size_t level_count_ = 0;
};

}  // namespace shmatch::core
