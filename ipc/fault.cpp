#include "ipc/fault.h"

#include <system_error>

namespace shmatch::ipc {

Fault system_fault(std::string_view what, int error) {
  return Fault{std::string(what) + ": " + std::generic_category().message(error)};
}

}  // namespace shmatch::ipc
