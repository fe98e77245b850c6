#include "ipc/cpu.h"

#include <cerrno>
#include <string>

namespace shmatch::ipc {
cpu_set_t allowed_cpus() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  return set;
}

Fault pin_to_cpu(int cpu) {
  const cpu_set_t allowed = allowed_cpus();
  if (cpu < 0 || cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &allowed)) {
    return Fault{"cpu " + std::to_string(cpu) + " is not available to this process"};
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) {
    return system_fault("cannot pin the engine thread to cpu " + std::to_string(cpu), errno);
  }
  return {};
}

void avoid_cpu(int cpu) noexcept {
  cpu_set_t set = allowed_cpus();
  if (cpu < 0 || cpu >= CPU_SETSIZE) return;
  CPU_CLR(cpu, &set);
  if (CPU_COUNT(&set) > 0) ::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace shmatch::ipc
