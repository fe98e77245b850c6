// Cuts the one block of memory that the core is given into its arrays.
//
// The same code runs twice: once without memory, to learn how much is needed, and once for real. So
// the size that is asked for and the size that is used cannot differ. The memory is zeroed by
// whoever provides it; elements start as zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/check.h"

namespace shmatch::core {

class Arena {
 public:
  // Measures: spans it hands out have a size but no memory, and must not be touched.
  Arena() = default;
  // `memory` must be aligned to 64.
  explicit Arena(std::span<std::byte> memory) : memory_(memory), measuring_(false) {}

  // `count` zeroed elements, aligned to a cache line so that no two arrays share one.
  template <class T>
  std::span<T> take(std::size_t count) noexcept {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    static_assert(alignof(T) <= kAlignment);
    used_ = (used_ + kAlignment - 1) / kAlignment * kAlignment;
    const std::size_t offset = used_;
    used_ += count * sizeof(T);
    if (measuring_) return std::span<T>(static_cast<T*>(nullptr), 0);
    SHMATCH_CHECK(used_ <= memory_.size());
    return std::span<T>(reinterpret_cast<T*>(memory_.data() + offset), count);
  }

  std::size_t used() const noexcept { return used_; }

 private:
  static constexpr std::size_t kAlignment = 64;
  std::span<std::byte> memory_;
  std::size_t used_ = 0;
  bool measuring_ = true;
};

}  // namespace shmatch::core
