// The hash that state digests are made of: XXH3 over 64-bit words.
//
// A digest of many things of one kind is the sum, modulo 2^64, of the things' own hashes: a thing
// that changes leaves the sum with its old hash and joins it with the new one, and the order in
// which things are kept does not matter. Things of different kinds have different numbers of
// words, or a kind in their seed, so that no two of them hash alike by design.
#pragma once

#include <cstddef>
#include <cstdint>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace shmatch::core {

// `seed` is part of what is hashed, at no cost. The length is a constant, so that the compiler
// keeps of the hash only what that length needs.
template <std::size_t Count>
std::uint64_t digest_of(std::uint64_t seed, const std::uint64_t (&words)[Count]) noexcept {
  return XXH3_64bits_withSeed(words, sizeof words, seed);
}

}  // namespace shmatch::core
