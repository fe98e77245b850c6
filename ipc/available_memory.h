// Whether the machine has memory for one more block. Asked before each reservation, because the
// kernel itself would not refuse one that is too large: it would end some process instead.
#pragma once

#include <cstddef>

#include "ipc/fault.h"

namespace shmatch::ipc {

// A fault when taking `size` bytes would leave the machine less than a small reserve. Any thread.
Fault check_available(std::size_t size);

}  // namespace shmatch::ipc
