// Fault: the result of an operation of this folder that can fail for a reason outside the program
// (no memory, a socket that is taken, a right that is missing). It is empty on success and else one
// sentence that a person can act on.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace shmatch::ipc {

struct [[nodiscard]] Fault {
  std::string text;  // one sentence without a line break; empty: no fault

  explicit operator bool() const noexcept { return !text.empty(); }
};

// A fault whose sentence ends with what the kernel said: "<what>: <text of error>".
Fault system_fault(std::string_view what, int error);

}  // namespace shmatch::ipc
