// Blocks of words that one thread changes and any number of others, in other processes too, read
// without a lock: the first word is the block's version, odd while the rest is being changed.
//
// A writer never waits. A reader that was disturbed reads again; it gives up when that goes on for
// long, as it does behind a writer that was stopped or died in the middle of a change.
//
// A block is a struct of whole words whose first one is its version. Where it lies in shared memory
// it is only reached word by word through std::atomic_ref.
#pragma once

#include <time.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "ipc/cpu.h"
#include "ipc/ring.h"

namespace shmatch::ipc {

template <class Block>
inline constexpr std::size_t kBlockWords = sizeof(Block) / sizeof(std::uint64_t);

// Replaces what the block at `shared` holds by `values`, whose version does not count.
// Thread: the block's only writer.
template <class Block>
void store_block(std::uint64_t* shared, const Block& values) noexcept {
  const auto words = std::bit_cast<std::array<std::uint64_t, kBlockWords<Block>>>(values);
  // SYNC POINT block: pairs with load_block; whoever sees one of the new words sees the odd
  // version, too. (Release stores in place of the usual fence: ThreadSanitizer knows no fences.)
  const std::uint64_t version = load_word(shared[0], std::memory_order_relaxed);
  store_word(shared[0], version + 1, std::memory_order_relaxed);
  for (std::size_t i = 1; i < words.size(); ++i) {
    store_word(shared[i], words[i], std::memory_order_release);
  }
  store_word(shared[0], version + 2, std::memory_order_release);
}

// A copy of one state of the block at `shared`. False when its writer was always at work, or has
// stopped in the middle of a change for a tenth of a second; `values` is unchanged then. May sleep.
// Thread: any.
template <class Block>
bool load_block(const std::uint64_t* shared, Block& values) noexcept {
  constexpr int kLooks = 1'000;  // a change takes well under a microsecond
  // A writer that was stopped in the middle of one, to let others run, comes back a few
  // milliseconds later.
  constexpr int kSleeps = 100;
  constexpr timespec kSleep{0, 1'000'000};
  std::array<std::uint64_t, kBlockWords<Block>> words{};
  for (int i = 0; i < kLooks + kSleeps; ++i) {
    // SYNC POINT block: pairs with store_block.
    words[0] = load_word(shared[0], std::memory_order_acquire);
    for (std::size_t word = 1; word < words.size(); ++word) {
      words[word] = load_word(shared[word], std::memory_order_acquire);
    }
    if (words[0] % 2 == 0 && load_word(shared[0], std::memory_order_relaxed) == words[0]) {
      values = std::bit_cast<Block>(words);
      return true;
    }
    if (i < kLooks) {
      relax();
    } else {
      ::nanosleep(&kSleep, nullptr);
    }
  }
  return false;
}

}  // namespace shmatch::ipc
