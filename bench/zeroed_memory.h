// Zeroed, touched memory for benchmarks of the core's structures, on huge pages where the kernel
// has them, as the engine's own memory is.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

namespace shmatch::bench {

class ZeroedMemory {
 public:
  explicit ZeroedMemory(std::size_t size) : size_((size + kPage - 1) / kPage * kPage) {
    memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, size_)));
    madvise(memory_.get(), size_, MADV_HUGEPAGE);
    std::memset(memory_.get(), 0, size_);
  }
  std::span<std::byte> span() const noexcept { return {memory_.get(), size_}; }

 private:
  static constexpr std::size_t kPage = std::size_t{1} << 21;
  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  std::size_t size_;
  std::unique_ptr<std::byte, Free> memory_;
};

}  // namespace shmatch::bench
