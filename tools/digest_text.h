// Digests and large numbers as people read them.
//
// Thread: pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>

namespace shmatch::tools {

// "0123456789abcdef"
inline std::string digest_text(std::uint64_t digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(digest >> shift) & 15];
  return text;
}

// "12,345,678"
inline std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t place = text.size(); place > 3;) {
    place -= 3;
    text.insert(place, 1, ',');
  }
  return text;
}

// "1 record", "1,234 records".
inline std::string count_of(std::uint64_t count, const std::string& one) {
  return with_commas(count) + " " + one + (count == 1 ? "" : "s");
}

}  // namespace shmatch::tools
