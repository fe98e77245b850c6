// Memory for structures of the core that are tested by themselves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>

#include "core/arena.h"

namespace shmatch::tests {

// Zeroed memory for what `make(arena)` carves.
class ArenaMemory {
 public:
  template <class Make>
  explicit ArenaMemory(Make make) {
    core::Arena measuring;
    make(measuring);
    size_ = (measuring.used() + 4095) / 4096 * 4096;
    memory_.reset(static_cast<std::byte*>(std::aligned_alloc(4096, size_)));
    std::fill_n(memory_.get(), size_, std::byte{0});
  }
  core::Arena arena() { return core::Arena({memory_.get(), size_}); }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::size_t size_ = 0;
  std::unique_ptr<std::byte, Free> memory_;
};

}  // namespace shmatch::tests
