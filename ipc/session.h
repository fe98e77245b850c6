// Session: the engine's side of one client, as the engine thread sees it: the request ring, the
// report ring, and the bounded backlog of reports that the report ring has no room for.
//
// Invariants:
//   1. Reports leave in the order in which they were delivered: while the backlog holds any, new
//      ones queue behind it.
//   2. A request is taken only while the backlog is empty and kReplySlotsFree report slots are
//      free. A client that does not read therefore stops itself; only what others cause, and what
//      one request causes beyond those slots, is kept back.
//   3. When the backlog is full, or the client broke the ring protocol, the session is doomed: it
//      takes no request and delivers no report any more, and the engine loop ends it.
//
// Thread: built and destroyed on the control thread, used on the engine thread alone in between.
// Nothing here allocates, waits or throws once built.
#pragma once

#include <cstdint>

#include "core/matching_engine.h"
#include "core/message.h"
#include "ipc/ring.h"
#include "ipc/session_memory.h"

namespace shmatch::ipc {

inline constexpr std::uint32_t kReplySlotsFree = core::kReplySlotsMax;
static_assert(
    kReplySlotsFree <= kReportSlotsMin / 2,
    "an honest reader publishes progress each quarter ring, so this much must become free");

// A bounded first-in-first-out store of reports, packed by slots in memory that it does not own.
class Backlog {
 public:
  // `words` has room for `slot_count` (a power of two) times kSlotWords words.
  Backlog(std::uint64_t* words, std::uint32_t slot_count) noexcept
      : words_(words), mask_(slot_count - 1) {}

  bool empty() const noexcept { return first_ == end_; }
  // False when there is no room; nothing was stored.
  bool push(const core::Report& report) noexcept;
  // The oldest report; only while not empty.
  void front(core::Report& report) const noexcept;
  void pop() noexcept;

 private:
  std::uint64_t* slot(std::uint64_t position) const noexcept {
    return words_ + (position & mask_) * core::kSlotWords;
  }

  std::uint64_t* words_;
  std::uint64_t mask_;
  std::uint64_t first_ = 0;
  std::uint64_t end_ = 0;
};

enum class EndReason : std::uint8_t {
  kNone,
  kClosed,      // the client logged off or died
  kSlowReader,  // invariant 3, backlog
  kBreach,      // invariant 3, protocol
};

class Session {
 public:
  // `number` is unique among all sessions of the server; it tells a late command for an earlier
  // session of the same slot apart.
  Session(SessionMemory memory, core::SessionSlot slot, std::uint64_t number,
          const core::Logon& logon);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  core::SessionSlot slot() const noexcept { return slot_; }
  std::uint64_t number() const noexcept { return number_; }
  const core::Logon& logon() const noexcept { return logon_; }

  // ---- requests

  // False when a visit would find nothing to do: the one question that an idle pass asks.
  bool wants_visit() const noexcept { return requests_.ready() || attention_; }

  // Takes the next request. kFull: the reports that it may cause have no room yet. kBreach: the
  // session is doomed now.
  RingResult take(core::Request& request) noexcept {
    if (ordinary()) [[likely]] {
      const RingResult room = reports_.reserve(kReplySlotsFree);
      return room == RingResult::kDone ? requests_.read(request.words) : room;
    }
    return take_out_of_the_ordinary(request);
  }
  void prefetch_next() const noexcept { requests_.prefetch_next(); }
  std::uint32_t request_slots() const noexcept { return memory_.sizes().request_slots; }
  core::Sequence last_request() const noexcept { return requests_.last_sequence(); }

  // The client is gone. What it has committed is still taken, at most one ring full; reports go
  // nowhere.
  void start_draining() noexcept;
  bool draining() const noexcept { return draining_; }

  // ---- reports

  // False when this report dooms the session; true ever after, so that it is told once.
  [[nodiscard]] bool deliver(const core::Report& report) noexcept {
    if (ordinary() && reports_.write(report.words, report.slots()) == RingResult::kDone)
        [[likely]] {
      return true;
    }
    return deliver_out_of_the_ordinary(report);
  }
  // Moves reports from the backlog to the ring while there is room. False as in deliver.
  [[nodiscard]] bool flush() noexcept { return backlog_.empty() || flush_backlog(); }

  void beat(std::uint64_t passes) noexcept;
  void show_stopped() noexcept;

  // ---- the end

  // False when it was doomed before.
  bool doom(EndReason reason) noexcept;
  EndReason doomed() const noexcept { return doomed_; }

 private:
  // Neither draining nor doomed nor behind: what nearly every call finds.
  bool ordinary() const noexcept { return !attention_ && doomed_ == EndReason::kNone; }
  RingResult take_out_of_the_ordinary(core::Request& request) noexcept;
  bool deliver_out_of_the_ordinary(const core::Report& report) noexcept;
  bool flush_backlog() noexcept;

  SessionMemory memory_;
  core::SessionSlot slot_;
  std::uint64_t number_;
  core::Logon logon_;
  RingReader requests_;
  RingWriter reports_;
  Backlog backlog_;
  bool attention_ = false;  // draining, or the backlog holds reports
  bool draining_ = false;
  EndReason doomed_ = EndReason::kNone;
  std::uint32_t drain_left_ = 0;  // requests that may still be taken while draining
};

}  // namespace shmatch::ipc
