// CHECK: an invariant of the engine itself. It stays on in release builds. A broken invariant ends
// the process: a stopped engine is better than a wrong fill. Client mistakes are never checked this
// way; they are rejects.
#pragma once

#include <cstdlib>

namespace shmatch::core {

// Called with the broken condition before the process aborts, so that an outer layer can log it.
// The core itself does no I/O. Set once at start, before other threads exist.
using CheckHandler = void (*)(const char* condition, const char* file, int line) noexcept;
inline CheckHandler check_handler = nullptr;

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) noexcept {
  if (check_handler != nullptr) check_handler(condition, file, line);
  std::abort();
}

}  // namespace shmatch::core

#define SHMATCH_CHECK(condition)      \
  (__builtin_expect(!!(condition), 1) \
       ? static_cast<void>(0)         \
       : ::shmatch::core::check_failed(#condition, __FILE__, __LINE__))
