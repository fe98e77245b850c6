// Marks: how far a client has seen its reports. Both ends of a session use them.
//
// A report that an input caused is named by (engine sequence, ordinal), for ever; an answer to a
// query carries the newest input that it saw, whose reports have all come before it.
#pragma once

#include <cstdint>

#include "core/message.h"

namespace shmatch::ipc {

// Every report named before (sequence, ordinal) has been seen; {0, 0} is the beginning.
struct Mark {
  core::Sequence sequence = 0;
  std::uint32_t ordinal = 0;

  friend bool operator<(const Mark& a, const Mark& b) noexcept {
    return a.sequence != b.sequence ? a.sequence < b.sequence : a.ordinal < b.ordinal;
  }
};

// Just before a report.
inline Mark mark_of(const core::Report& report) noexcept {
  return {report.words[1], static_cast<std::uint32_t>(report.words[0] >> 32)};
}
// Just after it.
inline Mark mark_behind(const core::Report& report) noexcept {
  Mark mark = mark_of(report);
  ++mark.ordinal;
  return mark;
}

}  // namespace shmatch::ipc
