// The last reports of resumable sessions: what a client that comes back may have missed.
//
// A window belongs to a session slot of the core, not to a connection. Every report that an input
// causes for a resumable session goes into its window; answers to queries and pings do not, because
// whoever comes back asks again. What is in the windows follows from the inputs alone, so recovery
// by replay fills them as the live engine did.
//
// A client says by a Mark up to where it has seen its reports.
//
// Thread: constructed, populated and destroyed on a thread that prepares; else the engine's. No
// call but the constructor and populate allocates or waits.
#pragma once

#include <cstdint>
#include <vector>

#include "core/matching_engine.h"
#include "core/message.h"
#include "core/state_export.h"
#include "ipc/backlog.h"
#include "ipc/fault.h"
#include "ipc/private_memory.h"
#include "ipc/report_mark.h"

namespace shmatch::ipc {

// True for reports that a window keeps: those that an input caused. All others answer questions.
bool caused_by_input(const core::Report& report) noexcept;

class ReportWindows {
 public:
  // Windows for `sessions` slots, of `slots_each` (a power of two) 56-byte slots.
  Fault create(std::uint32_t sessions, std::uint32_t slots_each);
  // Makes one window's memory present, so that the engine thread meets no page fault there.
  Fault populate(core::SessionSlot slot) const;

  // The slot belongs to a new session: its window is empty, nothing is missing from it, and it
  // keeps reports if the session is `resumable`.
  void begin(core::SessionSlot slot, bool resumable) noexcept;
  bool keeps(core::SessionSlot slot) const noexcept { return windows_[slot].resumable; }
  // Keeps a report that an input caused; the oldest ones go.
  void keep(core::SessionSlot slot, const core::Report& report) noexcept {
    if (windows_[slot].resumable) [[unlikely]] {
      store(slot, report);
    }
  }

  // False when a report at or after `mark` has gone already.
  bool covers(core::SessionSlot slot, const Mark& mark) const noexcept {
    return !(mark < windows_[slot].gone_before);
  }
  // The oldest kept report; only with a report kept or gone.
  Mark kept_from(core::SessionSlot slot) const noexcept { return windows_[slot].gone_before; }
  // Calls f(report) for each kept report at or after `mark`, in order.
  template <class F>
  void for_each_from(core::SessionSlot slot, const Mark& mark, F f) const noexcept {
    core::Report report;
    const Backlog& kept = windows_[slot].kept;
    for (std::uint64_t at = kept.first(); at != kept.end();) {
      at = kept.read(at, report);
      if (!(mark_of(report) < mark)) f(report);
    }
  }

  // As core/state_export.h: the windows as words, and back. Only windows of resumable sessions of
  // `engine` are written; a source is believed nothing: false when it is damaged.
  bool export_words(const core::MatchingEngine& engine, core::WordSink& sink) const noexcept;
  bool import_words(const core::MatchingEngine& engine, core::WordSource& source) noexcept;

  std::uint32_t slots_each() const noexcept { return slots_each_; }

 private:
  struct Window {
    Backlog kept;
    Mark gone_before;
    bool resumable = false;
  };

  void store(core::SessionSlot slot, const core::Report& report) noexcept;
  bool import_window(core::SessionSlot slot, core::WordSource& source) noexcept;

  PrivateMemory memory_;
  std::uint32_t slots_each_ = 0;
  std::vector<Window> windows_;
};

}  // namespace shmatch::ipc
