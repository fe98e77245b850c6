#include "tools/log_names.h"

#include <algorithm>

namespace shmatch::tools {

namespace {

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

std::string UniqueNames::take(std::string_view wanted, std::string_view instead) {
  std::string name(wanted);
  const bool fit = !name.empty() && name.size() <= size_max_ && printable(name);
  if (fit && taken_.insert(name).second) return name;
  do {
    name = std::string(instead) + std::to_string(++numbered_);
  } while (!taken_.insert(name).second);
  return name;
}

void refine(core::Increment& increment, core::Decimal value) noexcept {
  constexpr std::int8_t kFinest = -18;
  if (value.mantissa <= 0 || value.exponent < kFinest) return;
  increment.exponent = std::min(increment.exponent, value.exponent);
}

}  // namespace shmatch::tools
