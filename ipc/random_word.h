// A word that nobody can predict: salts of hashes whose keys clients choose, names of runs.
//
// Thread: any. The first call of a machine's life may wait for the kernel's entropy.
#pragma once

#include <sys/random.h>

#include <cstdint>

namespace shmatch::ipc {

inline std::uint64_t random_word() noexcept {
  std::uint64_t word = 0;
  while (::getrandom(&word, sizeof word, 0) != sizeof word) {
  }
  return word;
}

}  // namespace shmatch::ipc
