// Whole numbers in texts.
//
// Thread: pure function, any thread.
#pragma once

#include <charconv>
#include <string_view>

namespace shmatch::tools {

// The number that `text` spells, all of it, in decimal digits. False, and `value` is unchanged, for
// anything else and for what the type cannot hold.
template <class Integer>
bool parse_whole(std::string_view text, Integer& value) noexcept {
  Integer parsed{};
  const char* end = text.data() + text.size();
  const auto [parsed_to, error] = std::from_chars(text.data(), end, parsed);
  if (error != std::errc() || parsed_to != end) return false;
  value = parsed;
  return true;
}

}  // namespace shmatch::tools
