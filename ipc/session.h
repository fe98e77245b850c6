// Session: the engine's side of one client, as the engine thread sees it: the request ring, the
// report ring, and the bounded backlog of reports that the report ring has no room for.
//
// Invariants:
//   1. Reports leave in the order in which they were delivered: while the backlog holds any, new
//      ones queue behind it.
//   2. A request is taken only while the backlog is empty and kReplySlotsFree report slots are
//      free. A client that does not read therefore stops itself; only what others cause, and what
//      one request causes beyond those slots, is kept back.
//   3. A gated session's reports (durability sync) all go through the backlog, and leave it when
//   the
//      inputs that they depend on are on the disk. Its requests are taken meanwhile, as long as
//      half of the backlog is free.
//   4. When the backlog is full, or the client broke the ring protocol, the session is doomed: it
//      takes no request and delivers no report any more, and the engine loop ends it.
//
// Thread: built and destroyed on the control thread, used on the engine thread alone in between.
// Nothing here allocates, waits or throws once built.
#pragma once

#include <cstdint>

#include "core/matching_engine.h"
#include "core/message.h"
#include "ipc/backlog.h"
#include "ipc/reply_in_place.h"
#include "ipc/report_window.h"
#include "ipc/ring.h"
#include "ipc/session_memory.h"

namespace shmatch::ipc {

inline constexpr std::uint32_t kReplySlotsFree = core::kReplySlotsMax;
static_assert(
    kReplySlotsFree <= kReportSlotsMin / 2,
    "an honest reader publishes progress each quarter ring, so this much must become free");

enum class EndReason : std::uint8_t {
  kNone,
  kClosed,        // the client logged off or died
  kSlowReader,    // invariant 4, backlog
  kBreach,        // invariant 4, protocol
  kNotResumable,  // there is no such session to resume any more
  kFrozen,        // the journal has failed: nobody can log on
};

// The answer to a request that an engine with a failed journal gets; `error` as in
// JournalThread::error.
core::Receipt journal_failed_receipt(core::Sequence request, core::RequestType asked,
                                     core::Sequence released, int error, core::TimeNs now) noexcept;

// How a session starts out.
struct Entry {
  bool gated = false;   // invariant 3
  bool resume = false;  // goes on with the resumable session of its slot
  Mark seen;            // resume: reports before this one are known to the client
};

class Session {
 public:
  // `number` is unique among all sessions of the server; it tells a late command for an earlier
  // session of the same slot apart.
  Session(SessionMemory memory, core::SessionSlot slot, std::uint64_t number,
          const core::Logon& logon, const Entry& entry);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  core::SessionSlot slot() const noexcept { return slot_; }
  std::uint64_t number() const noexcept { return number_; }
  const core::Logon& logon() const noexcept { return logon_; }
  const Entry& entry() const noexcept { return entry_; }

  // ---- requests

  // What PollingOrder asks: where the next request will appear, and whether a visit is wanted in
  // any case.
  const std::uint64_t* next_request() const noexcept { return &requests_.next_sequence(); }
  bool attention() const noexcept { return attention_; }
  std::uint32_t place = 0;  // PollingOrder's

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
  bool request_waits() const noexcept { return requests_.ready(); }
  // As RingReader::peek.
  bool peek(std::uint32_t offset, std::uint64_t* words, std::uint32_t count) const noexcept {
    return requests_.peek(offset, words, count);
  }
  // How many requests the last visit took: whether more than one at a time is to be expected.
  std::uint32_t last_batch() const noexcept { return last_batch_; }
  void set_last_batch(std::uint32_t requests) noexcept { last_batch_ = requests; }
  std::uint32_t request_slots() const noexcept { return memory_.sizes().request_slots; }
  // Before the first request is taken: it has this number.
  void number_requests_from(core::Sequence first) noexcept;
  core::Sequence last_request() const noexcept { return requests_.last_sequence(); }

  // The client is gone. What it has committed is still taken, at most one ring full; reports go
  // nowhere.
  void start_draining() noexcept;
  bool draining() const noexcept { return draining_; }

  // The next report is the reply to the request just taken, and goes into its line as well, if it
  // may.
  void expect_reply_in_place() noexcept {
    reply_line_ = &memory_.request_slots()[requests_.last_head()];
  }
  // Before the next request is taken.
  void forget_reply_in_place() noexcept { reply_line_ = nullptr; }

  // ---- reports

  // False when this report dooms the session; true ever after, so that it is told once.
  [[nodiscard]] bool deliver(const core::Report& report) noexcept {
    if (ordinary()) [[likely]] {
      if (reply_line_ != nullptr) answer_in_place(report);
      if (reports_.write(report.words, report.slots()) == RingResult::kDone) [[likely]]
        return true;
    }
    return deliver_out_of_the_ordinary(report);
  }
  // Moves reports from the backlog to the ring while there is room. False as in deliver.
  // Only those of inputs up to `released` may leave.
  [[nodiscard]] bool flush(core::Sequence released) noexcept {
    return backlog_.empty() || flush_backlog(released);
  }
  // The journal has failed: what waits for inputs behind `released` will never leave. Their
  // requests are answered 102 with the journal's `error`, their events are dropped; pings stay
  // answered.
  void refuse_unreleased(core::Sequence released, int error, core::TimeNs now) noexcept;

  // For whoever watches.
  core::Sequence reports_written() const noexcept { return reports_.last_sequence(); }
  std::uint64_t unread_report_slots() const noexcept { return reports_.unread_slots(); }
  std::uint32_t report_slots() const noexcept { return memory_.sizes().report_slots; }
  std::uint64_t backlog_used() const noexcept { return backlog_.used_slots(); }
  std::uint64_t backlog_slots() const noexcept { return backlog_.slot_count(); }

  void beat(std::uint64_t passes) noexcept;
  void show_stopped() noexcept;

  // ---- the end

  // False when it was doomed before.
  bool doom(EndReason reason) noexcept;
  EndReason doomed() const noexcept { return doomed_; }

 private:
  // Neither draining nor doomed nor behind: what nearly every call finds.
  bool ordinary() const noexcept { return !attention_ && doomed_ == EndReason::kNone; }
  void answer_in_place(const core::Report& reply) noexcept {
    if (reply.slots() == 1) write_reply_in_place(*reply_line_, reply);
    reply_line_ = nullptr;
  }
  RingResult take_out_of_the_ordinary(core::Request& request) noexcept;
  bool deliver_out_of_the_ordinary(const core::Report& report) noexcept;
  bool flush_backlog(core::Sequence released) noexcept;

  SessionMemory memory_;
  core::SessionSlot slot_;
  std::uint64_t number_;
  core::Logon logon_;
  Entry entry_;
  RingReader requests_;
  RingWriter reports_;
  Slot* reply_line_ = nullptr;  // where the next report goes as well
  Backlog backlog_;
  core::Sequence released_;  // reports of inputs up to this one may leave
  bool attention_;           // draining, gated, or the backlog holds reports
  std::uint32_t last_batch_ = 0;
  bool draining_ = false;
  EndReason doomed_ = EndReason::kNone;
  std::uint32_t drain_left_ = 0;  // requests that may still be taken while draining
};

}  // namespace shmatch::ipc
