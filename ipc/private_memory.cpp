#include "ipc/private_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "ipc/available_memory.h"
#include "ipc/memory_layout.h"

namespace shmatch::ipc {
namespace {

constexpr std::size_t kHugePageSize = std::size_t{1} << 21;
constexpr std::size_t kPopulateStep = 2 * kHugePageSize;

// Smaller blocks would waste too much of their last page.
constexpr std::size_t kReservedFrom = 32 * kHugePageSize;

Fault short_of_memory(std::size_t size, int error) {
  return system_fault("not enough memory for " + std::to_string(size) + " bytes", error);
}

}  // namespace

PrivateMemory::PrivateMemory(PrivateMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      populated_(std::exchange(other.populated_, 0)) {}

PrivateMemory& PrivateMemory::operator=(PrivateMemory&& other) noexcept {
  if (this != &other) {
    reset();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    populated_ = std::exchange(other.populated_, 0);
  }
  return *this;
}

Fault PrivateMemory::allocate(std::size_t size) {
  reset();
  size = (size + kPageSize - 1) / kPageSize * kPageSize;
  if (size >= kReservedFrom && take_reserved(size)) return {};
  if (Fault fault = check_available(size)) return fault;
  // Huge pages need a start on their own boundary; what is too much is given back at once.
  const std::size_t reserved = size + kHugePageSize;
  void* const mapped =
      ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return short_of_memory(size, errno);
  auto* const start = static_cast<std::byte*>(mapped);
  const auto misfit = reinterpret_cast<std::uintptr_t>(start) % kHugePageSize;
  const std::size_t skip = misfit == 0 ? 0 : kHugePageSize - misfit;
  if (skip > 0) ::munmap(start, skip);
  if (skip < kHugePageSize) ::munmap(start + skip + size, kHugePageSize - skip);
  data_ = start + skip;
  size_ = size;
  // Hints: nothing is lost when the kernel declines them.
  ::madvise(data_, size_, MADV_HUGEPAGE);
  ::madvise(data_, size_, MADV_DONTFORK);
  return {};
}

// Pages that the machine's owner has reserved for such use. The kernel sets them aside at once, or
// refuses.
bool PrivateMemory::take_reserved(std::size_t size) noexcept {
  constexpr int kHugePages = MAP_HUGETLB | (21 << MAP_HUGE_SHIFT);
  size = (size + kHugePageSize - 1) / kHugePageSize * kHugePageSize;
  void* const mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | kHugePages, -1, 0);
  if (mapped == MAP_FAILED) return false;
  data_ = static_cast<std::byte*>(mapped);
  size_ = size;
  ::madvise(data_, size_, MADV_DONTFORK);
  return true;
}

Fault PrivateMemory::populate_step() {
  const std::size_t size = std::min(kPopulateStep, size_ - populated_);
  if (size == 0) return {};
  while (::madvise(data_ + populated_, size, MADV_POPULATE_WRITE) != 0) {
    if (errno == EINTR || errno == EAGAIN) continue;
    return short_of_memory(size_, errno);
  }
  populated_ += size;
  return {};
}

Fault PrivateMemory::populate() {
  while (!populated()) {
    if (Fault fault = populate_step()) return fault;
  }
  return {};
}

void PrivateMemory::reset() noexcept {
  if (data_ != nullptr) ::munmap(data_, size_);
  data_ = nullptr;
  size_ = 0;
  populated_ = 0;
}

}  // namespace shmatch::ipc
