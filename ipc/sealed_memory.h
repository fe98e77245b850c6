// Memory that two processes share and that neither can pull away from under the other: memfds that
// are sized, reserved, mapped, populated and sealed. Whatever can go wrong goes wrong here, as a
// sentence, and never later as a SIGBUS.
//
// Order for the memory that the client writes (the engine's side):
//   create_memory, Mapping::map(read-only), seal_memory(kSizeSeals), send; the client maps
//   read-write and confirms; seal_memory(kSharedSeals), then reserve_memory and Mapping::populate
//   again, because a hole may have been punched before that seal, and only then is it polled.
// For the memory that the engine writes: create_memory, Mapping::map(read-write),
// seal_memory(kSharedSeals), send.
//
// F_SEAL_FUTURE_WRITE keeps the writer's mapping and refuses every later way to write: new writable
// mappings, mprotect, write(2), hole punching, MADV_REMOVE.
//
// Thread: any one thread an object. Needs Linux 5.14 (MADV_POPULATE).
#pragma once

#include <cstddef>
#include <memory>

#include "ipc/fault.h"
#include "ipc/file_descriptor.h"

namespace boost::interprocess {
class mapped_region;
}

namespace shmatch::ipc {

enum class Access : unsigned char { kReadOnly, kReadWrite };

inline constexpr unsigned kSizeSeals = 0x0002 | 0x0004;                   // SHRINK, GROW
inline constexpr unsigned kSharedSeals = kSizeSeals | 0x0010 | 0x0001;    // + FUTURE_WRITE, SEAL
inline constexpr unsigned kConstantSeals = kSizeSeals | 0x0008 | 0x0001;  // + WRITE, SEAL

// A mapping of a whole memfd, populated, not inherited by forked children. Movable; unmaps when
// dropped.
class Mapping {
 public:
  Mapping() noexcept;
  ~Mapping();
  Mapping(Mapping&&) noexcept;
  Mapping& operator=(Mapping&&) noexcept;

  // `size` must not exceed the memory's own size.
  Fault map(int handle, std::size_t size, Access access);
  // Makes every page present, allocating what is missing; a fault when memory is short.
  Fault populate() const;
  void reset() noexcept;

  std::byte* data() const noexcept;  // null when not mapped; not writable for kReadOnly
  std::size_t size() const noexcept;

 private:
  std::unique_ptr<boost::interprocess::mapped_region> region_;
  Access access_ = Access::kReadOnly;
};

// A new memfd of `size` bytes, all reserved. `name` only shows in /proc.
Fault create_memory(const char* name, std::size_t size, FileDescriptor& memory);

// Reserves every page (again): afterwards no access to them can fail for lack of memory.
Fault reserve_memory(int handle, std::size_t size);

// Adds `seals` and checks that the kernel now reports all of them.
Fault seal_memory(int handle, unsigned seals);

// For memory that another process made: a fault unless it has at least `size` bytes and at least
// `seals`.
Fault check_memory(int handle, std::size_t size, unsigned seals);

}  // namespace shmatch::ipc
