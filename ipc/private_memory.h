// PrivateMemory: a large block of the process's own zeroed memory, in huge pages where the kernel
// grants them: reserved ones for large blocks if enough are free, else transparent ones, else small
// pages (ipc/page_use.h says which it became).
//
// Thread: allocate, reset and the destructor belong to one thread; populate_step may run beside
// other threads that use the memory, because it changes no content.
#pragma once

#include <cstddef>
#include <span>

#include "ipc/fault.h"

namespace shmatch::ipc {

class PrivateMemory {
 public:
  PrivateMemory() = default;
  ~PrivateMemory() { reset(); }
  PrivateMemory(PrivateMemory&& other) noexcept;
  PrivateMemory& operator=(PrivateMemory&& other) noexcept;
  PrivateMemory(const PrivateMemory&) = delete;
  PrivateMemory& operator=(const PrivateMemory&) = delete;

  // Takes address space for `size` bytes, aligned to a page, not inherited by forked children; in
  // whole huge pages where these were reserved.
  // Fault: the kernel refuses so much.
  Fault allocate(std::size_t size);

  // Makes the next few megabytes present, so that their first use costs no page fault. Fault:
  // memory is short.
  Fault populate_step();
  bool populated() const noexcept { return populated_ == size_; }
  // All remaining steps at once.
  Fault populate();

  void reset() noexcept;
  std::span<std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  bool take_reserved(std::size_t size) noexcept;

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t populated_ = 0;
};

}  // namespace shmatch::ipc
