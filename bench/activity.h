// What the kernel did to a thread while it was measured: context switches and page faults.
//
// Thread: any.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace shmatch::bench {

struct Activity {
  std::uint64_t voluntary_switches = 0;    // it waited for something
  std::uint64_t involuntary_switches = 0;  // its core was given to another thread
  std::uint64_t minor_faults = 0;          // a page was not mapped yet
  std::uint64_t major_faults = 0;          // and had to be read

  Activity& operator+=(const Activity& more) noexcept;
  Activity operator-(const Activity& earlier) const noexcept;
};

// Of the calling thread, since it began.
Activity own_activity() noexcept;
// Of the engine thread in the process `engine`. All zero when there is none.
Activity engine_activity(pid_t engine);

}  // namespace shmatch::bench
