// The core under the engine thread: staying on it, and polling on it politely.
#pragma once

#include <sched.h>

#include "ipc/fault.h"

namespace shmatch::ipc {

// Tells the core that this is a polling loop.
inline void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

// The cpus that the calling thread may run on.
cpu_set_t allowed_cpus() noexcept;

// Keeps the calling thread on `cpu`. Fault: the machine or this process's cpuset has no such cpu.
Fault pin_to_cpu(int cpu);

// Keeps the calling thread off `cpu` if it may run elsewhere.
void avoid_cpu(int cpu) noexcept;

}  // namespace shmatch::ipc
