// The hash of the two indices whose keys clients choose: client order ids and prices.
//
// A 128-bit product of two salted values, folded to 64 bits, and folded again with a constant.
// Folded once, keys that grow by equal steps crowd few homes under some salts; docs/decisions.md
// says how much (test PricesInEqualStepsStayNearTheirHomes). A plain multiplication would keep
// equal steps equal under every salt.
//
// The salts are secret and nothing of the hash ever shows, so a client cannot choose collisions.
// Thread: any; pure functions.
#pragma once

#include <cstdint>

#include "core/types.h"

namespace shmatch::core {

// An odd number without pattern.
inline constexpr std::uint64_t kHashMultiplier = 0x9E37'79B9'7F4A'7C15U;

constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// `a` and `b` are key and salt, put together by the caller.
constexpr std::uint64_t salted_hash(std::uint64_t a, std::uint64_t b) noexcept {
  return fold(fold(a, b), kHashMultiplier);
}

// A second salt, made of the one that there is.
constexpr std::uint64_t second_salt(std::uint64_t salt) noexcept {
  return salt * 0xD6E8'FEB8'6659'FD93U + 0xA076'1D64'78BD'642FU;
}

}  // namespace shmatch::core
