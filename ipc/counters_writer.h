// CountersWriter: what the engine thread tells the page of counters, from its housekeeping: the
// engine's own counts, and a few session slots each time.
//
// The work of one time is bounded: kSlotsAtOnce slots, whatever the number of sessions is. A slot
// is therefore shown again after (slots / kSlotsAtOnce) housekeepings: with 256 slots and an idle
// spinning loop after about a millisecond.
//
// Thread: the engine's.
#pragma once

#include <cstdint>
#include <vector>

#include "core/matching_engine.h"
#include "ipc/counters_page.h"
#include "ipc/input_log.h"
#include "ipc/session.h"

namespace shmatch::ipc {

// What the loop counts.
struct LoopCounts {
  std::uint64_t passes = 0;
  std::uint64_t idle_passes = 0;
  std::uint64_t requests = 0;
  std::uint64_t reports = 0;
};

class CountersWriter {
 public:
  // All must outlive this object; `by_slot` is null where no session is open.
  CountersWriter(CountersPage& page, const core::MatchingEngine& engine, const InputLog& log,
                 const std::vector<Session*>& by_slot)
      : page_(page),
        engine_(engine),
        log_(log),
        by_slot_(by_slot),
        shown_free_(by_slot.size(), true) {}

  // Call it in each housekeeping, with the largest gap since the last call.
  void look(const LoopCounts& counts, core::TimeNs now, std::uint64_t gap_ns) noexcept;
  // The last time: everything, and that the engine has stopped.
  void finish(const LoopCounts& counts, core::TimeNs now) noexcept;

 private:
  static constexpr core::SessionSlot kSlotsAtOnce = 4;

  void note_gap(core::TimeNs now, std::uint64_t gap_ns) noexcept;
  void show_next_slot() noexcept;
  void show_engine(const LoopCounts& counts, core::TimeNs now) noexcept;

  CountersPage& page_;
  const core::MatchingEngine& engine_;
  const InputLog& log_;
  const std::vector<Session*>& by_slot_;
  std::vector<bool> shown_free_;  // what the page says of each slot
  EngineCounters counters_{};
  EngineStatus status_ = EngineStatus::kServing;
  core::SessionSlot next_slot_ = 0;
};

}  // namespace shmatch::ipc
