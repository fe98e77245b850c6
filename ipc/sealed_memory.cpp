#include "ipc/sealed_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>

#include "ipc/available_memory.h"

namespace shmatch::ipc {
namespace {

namespace interprocess = boost::interprocess;

static_assert(kSizeSeals == (F_SEAL_SHRINK | F_SEAL_GROW));
static_assert(kSharedSeals == (kSizeSeals | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL));
static_assert(kConstantSeals == (kSizeSeals | F_SEAL_WRITE | F_SEAL_SEAL));

// What mapped_region asks of a thing that it maps.
struct MemoryHandle {
  interprocess::mapping_handle_t get_mapping_handle() const noexcept { return {handle, false}; }
  int handle;
};

}  // namespace

Mapping::Mapping() noexcept = default;
Mapping::~Mapping() = default;
Mapping::Mapping(Mapping&&) noexcept = default;
Mapping& Mapping::operator=(Mapping&&) noexcept = default;

Fault Mapping::map(int handle, std::size_t size, Access access) {
  reset();
  access_ = access;
  try {
    region_ = std::make_unique<interprocess::mapped_region>(
        MemoryHandle{handle},
        access == Access::kReadOnly ? interprocess::read_only : interprocess::read_write, 0, size);
  } catch (const interprocess::interprocess_exception& failed) {
    return system_fault("cannot map shared memory", failed.get_native_error());
  }
  // A forked child must not keep its parent's session memory alive, nor write into it.
  if (::madvise(data(), size, MADV_DONTFORK) != 0) {
    const int error = errno;
    reset();
    return system_fault("cannot keep shared memory from forked children", error);
  }
  if (Fault fault = populate()) {
    reset();
    return fault;
  }
  return {};
}

Fault Mapping::populate() const {
  const int advice = access_ == Access::kReadOnly ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;
  while (::madvise(data(), size(), advice) != 0) {
    if (errno == EINTR || errno == EAGAIN) continue;
    return system_fault("cannot populate shared memory", errno);
  }
  return {};
}

void Mapping::reset() noexcept { region_.reset(); }

std::byte* Mapping::data() const noexcept {
  return region_ ? static_cast<std::byte*>(region_->get_address()) : nullptr;
}

std::size_t Mapping::size() const noexcept { return region_ ? region_->get_size() : 0; }

Fault create_memory(const char* name, std::size_t size, FileDescriptor& memory) {
  if (Fault fault = check_available(size)) return fault;
  FileDescriptor created(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!created) return system_fault("cannot create shared memory", errno);
  if (::ftruncate(created.get(), static_cast<off_t>(size)) != 0) {
    return system_fault("cannot size shared memory", errno);
  }
  if (Fault fault = reserve_memory(created.get(), size)) return fault;
  memory = std::move(created);
  return {};
}

Fault reserve_memory(int handle, std::size_t size) {
  while (::fallocate(handle, 0, 0, static_cast<off_t>(size)) != 0) {
    if (errno == EINTR) continue;
    return system_fault("cannot reserve shared memory", errno);
  }
  return {};
}

Fault seal_memory(int handle, unsigned seals) {
  if (::fcntl(handle, F_ADD_SEALS, static_cast<int>(seals)) != 0) {
    return system_fault("cannot seal shared memory", errno);
  }
  const int present = ::fcntl(handle, F_GET_SEALS);
  if (present < 0 || (static_cast<unsigned>(present) & seals) != seals) {
    return Fault{"the kernel did not keep the seals of shared memory"};
  }
  return {};
}

Fault check_memory(int handle, std::size_t size, unsigned seals) {
  struct stat status {};
  if (::fstat(handle, &status) != 0) return system_fault("cannot examine shared memory", errno);
  if (status.st_size < 0 || static_cast<std::size_t>(status.st_size) < size) {
    return Fault{"shared memory is smaller than the engine said"};
  }
  const int present = ::fcntl(handle, F_GET_SEALS);
  if (present < 0 || (static_cast<unsigned>(present) & seals) != seals) {
    return Fault{"shared memory lacks the seals that this client relies on"};
  }
  return {};
}

}  // namespace shmatch::ipc
