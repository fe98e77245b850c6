// Names that a log uses, made fit for a configuration; and increments as fine as its numbers.
//
// Thread: one thread at a time.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "core/decimal.h"

namespace shmatch::tools {

// Hands out names that a configuration accepts: printable, not too long, each once.
class UniqueNames {
 public:
  explicit UniqueNames(std::size_t size_max) : size_max_(size_max) {}

  // `wanted`, when it is fit and free; else `instead` with a number behind it. `instead` must be
  // fit, and short.
  std::string take(std::string_view wanted, std::string_view instead);

 private:
  std::size_t size_max_;
  std::set<std::string, std::less<>> taken_;
  std::size_t numbered_ = 0;
};

// The largest power of ten that `value` and everything `increment` is for are multiples of. What
// no increment can be for (zero, too many digits) changes nothing.
void refine(core::Increment& increment, core::Decimal value) noexcept;

}  // namespace shmatch::tools
