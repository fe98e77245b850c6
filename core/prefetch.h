// Hints to fetch a cache line before it is needed.
//
// Not __builtin_prefetch: to g++ 12 that has no effect, so that a function which does nothing else
// has none either, and calls of it are dropped unless it is inlined early enough. And without
// -mprfchw it fetches no line for writing.
#pragma once

namespace shmatch::core {

// A line of this thread's own memory, which it will write.
inline void prefetch(const void* at) noexcept {
#if defined(__x86_64__)
  // Processors that do not know it take it as no instruction.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(at)));
#else
  __builtin_prefetch(at, 1);
  asm volatile("");
#endif
}

// A line that another core writes.
inline void prefetch_shared(const void* at) noexcept {
#if defined(__x86_64__)
  asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(at)));
#else
  __builtin_prefetch(at, 0);
  asm volatile("");
#endif
}

}  // namespace shmatch::core
