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
#include "core/prefetch.h"
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

  // Whether the next request may be taken now. kFull: the reports that it may cause have no room
  // yet. kEmpty: none is taken any more. kBreach: the session is doomed.
  RingResult admit() noexcept {
    if (ordinary_) [[likely]] {
      return reports_.reserve(kReplySlotsFree);
    }
    return admit_out_of_the_ordinary();
  }
  // Takes the next one if it may be: kDone, kEmpty, kFull or kBreach.
  RingResult take(core::Request& request) noexcept {
    const RingResult admitted = admit();
    return admitted == RingResult::kDone ? requests_.read(request.words) : admitted;
  }
  // Takes the next one, which was admitted and copied from what waits.
  void take_copied(const core::Request& request) noexcept { requests_.take(request.slots()); }
  // For copies of the requests that wait.
  const RingReader& waiting() const noexcept { return requests_; }
  void prefetch_next() const noexcept { core::prefetch_shared(next_request()); }
  bool request_waits() const noexcept { return requests_.ready(); }
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
    reply_line_ = &request_lines_[requests_.last_head()];
    look_at_state();
  }
  // Before the next request is taken.
  void forget_reply_in_place() noexcept {
    reply_line_ = nullptr;
    look_at_state();
  }

  // ---- reports

  // From now on rooms are lent: nobody but this session's client wants to have its reports. `ready`
  // says at any time where the next report is to be built (core/report_port.h): its place in the
  // ring, for send_built. Null when it has to go by deliver, or to ask_room first.
  void lend_rooms(std::uint64_t** ready) noexcept {
    ready_ = ready;
    look_at_state();
  }
  // The same, with a look at what the client has read.
  std::uint64_t* ask_room() noexcept {
    const bool lent = room_now_ && reports_.reserve(core::kSlotsPerMessageMax) == RingResult::kDone;
    return lent ? reports_.room() : nullptr;
  }
  // The report in the room lent last is complete.
  void send_built(std::uint32_t slots) noexcept {
    reports_.publish(slots);
    *ready_ = reports_.ready_room();
  }
  // A reply of one slot that is expected in place, and that no window keeps: into its line first,
  // then into the ring, whose line would keep it waiting: stores leave a core in their order. False
  // when it is another report, or the ring has no room: it then has to go by deliver.
  bool reply_in_place(const std::uint64_t* reply, std::uint32_t slots) noexcept {
    if (reply_line_ == nullptr || slots != 1 || !ordinary_ || ready_ == nullptr) return false;
    answer_in_place(reply, slots);
    return write(reply, slots) == RingResult::kDone;
  }
  // False when this report dooms the session; true ever after, so that it is told once.
  [[nodiscard]] bool deliver(const core::Report& report) noexcept {
    if (ordinary_) [[likely]] {
      if (reply_line_ != nullptr) answer_in_place(report.words, report.slots());
      if (write(report.words, report.slots()) == RingResult::kDone) [[likely]]
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
  // Whenever what it looks at has changed. A reply in place is built elsewhere.
  void look_at_state() noexcept {
    ordinary_ = !attention_ && doomed_ == EndReason::kNone;
    room_now_ = ordinary_ && ready_ != nullptr && reply_line_ == nullptr;
    renew_room();
  }
  // Whenever a report was written.
  void renew_room() noexcept {
    if (ready_ != nullptr) *ready_ = room_now_ ? reports_.ready_room() : nullptr;
  }
  RingResult write(const std::uint64_t* words, std::uint32_t slots) noexcept {
    const RingResult written = reports_.write(words, slots);
    renew_room();
    return written;
  }
  void answer_in_place(const std::uint64_t* reply, std::uint32_t slots) noexcept {
    if (slots == 1) write_reply_in_place(*reply_line_, reply);
    forget_reply_in_place();
  }
  RingResult admit_out_of_the_ordinary() noexcept;
  bool deliver_out_of_the_ordinary(const core::Report& report) noexcept;
  bool flush_backlog(core::Sequence released) noexcept;

  SessionMemory memory_;
  core::SessionSlot slot_;
  std::uint64_t number_;
  core::Logon logon_;
  Entry entry_;
  Slot* request_lines_;
  RingReader requests_;
  RingWriter reports_;
  Slot* reply_line_ = nullptr;       // where the next report goes as well
  std::uint64_t** ready_ = nullptr;  // lend_rooms; null: rooms are not lent
  Backlog backlog_;
  core::Sequence released_;  // reports of inputs up to this one may leave
  bool attention_;           // draining, gated, or the backlog holds reports
  bool draining_ = false;
  EndReason doomed_ = EndReason::kNone;
  // What nearly every call asks, looked at once (look_at_state).
  bool ordinary_ = false;  // neither draining nor doomed nor behind nor gated
  bool room_now_ = false;  // ordinary, rooms are lent, and no reply in place is next
  std::uint32_t last_batch_ = 0;
  std::uint32_t drain_left_ = 0;  // requests that may still be taken while draining
};

}  // namespace shmatch::ipc
