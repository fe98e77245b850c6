// Zeroed, page-aligned, touched memory for benchmarks of the core's structures.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

namespace shmatch::bench {

class ZeroedMemory {
 public:
  explicit ZeroedMemory(std::size_t size) : size_((size + 4095) / 4096 * 4096) {
    memory_.reset(static_cast<std::byte*>(std::aligned_alloc(4096, size_)));
    std::memset(memory_.get(), 0, size_);
  }
  std::span<std::byte> span() const noexcept { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  std::size_t size_;
  std::unique_ptr<std::byte, Free> memory_;
};

}  // namespace shmatch::bench
