#include "ipc/available_memory.h"

#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

namespace shmatch::ipc {
namespace {

constexpr std::uint64_t kReserveKib = 64 * 1024;

}  // namespace

Fault check_available(std::size_t size) {
  std::ifstream information("/proc/meminfo");
  std::string name;
  std::uint64_t kib = 0;
  while (information >> name >> kib) {
    if (name == "MemAvailable:") {
      if (size / 1024 + kReserveKib <= kib) return {};
      return Fault{"not enough memory: " + std::to_string(size / 1024) + " KiB are needed and " +
                   std::to_string(kib) + " KiB are available"};
    }
    information.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  // Without /proc nothing can be told, and the reservation itself has to show.
  return {};
}

}  // namespace shmatch::ipc
