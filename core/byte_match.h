// Which bytes of a row of sixteen have a value: one comparison where the processor has SSE2, which
// every x86-64 has.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace shmatch::core {

// Bit n of the answer: byte n of the 16 at `row` is `value`.
inline std::uint32_t bytes_equal_one_by_one(const std::uint8_t* row, std::uint8_t value) noexcept {
  std::uint32_t result = 0;
  for (unsigned i = 0; i < 16; ++i) result |= std::uint32_t{row[i] == value} << i;
  return result;
}

// The same. `row` is aligned to 16.
inline std::uint32_t bytes_equal(const std::uint8_t* row, std::uint8_t value) noexcept {
#if defined(__SSE2__)
  const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(row));
  const __m128i same = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(value)));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(same));
#else
  return bytes_equal_one_by_one(row, value);
#endif
}

}  // namespace shmatch::core
