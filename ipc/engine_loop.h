// EngineLoop: the one thread that owns the matching engine. It polls the request rings, applies
// what it finds, and writes the reports.
//
// The order in which it takes requests is the total order of the engine. A pass looks at each
// session that was active lately and at some of the others (PollingOrder has the bound), and takes
// at most kBatch requests from each, so that no session waits for more than a batch of each other
// one in a pass. Commands, notices and heartbeats are looked after in between
// ("housekeeping"), after a fixed amount of work or at once when idle.
//
// On this path there is no lock, no allocation, no log line, no exception, and no system call but
// those that idle modes yield and sleep consist of (clock_gettime is answered by the vdso).
//
// Every input is put into the input log right before it is applied. With durability sync the
// reports of an input stay in their sessions' backlogs until it is on the disk. When the journal
// fails, the state stands still ("frozen"): no input is applied any more, every request is refused
// with 102, and with durability sync what could not be promised is refused as well.
//
// A session leaves the loop in this order: doomed or drained; core::MatchingEngine::end_session, as
// an input right after the current one; out of the tables; at the end of the pass the notice after
// which the control thread may destroy it. No Session is touched after that notice.
//
// Thread: constructed and destroyed while no engine thread runs; run() is the engine thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "core/look_ahead.h"
#include "core/matching_engine.h"
#include "ipc/capture.h"
#include "ipc/counters_writer.h"
#include "ipc/engine_channel.h"
#include "ipc/engine_clock.h"
#include "ipc/input_log.h"
#include "ipc/polling_order.h"
#include "ipc/replica.h"
#include "ipc/server.h"
#include "ipc/session.h"

namespace shmatch::ipc {

class EngineLoop final : private core::ReportPort {
 public:
  // All must outlive this object. `state` has an engine: a fresh one, or what recovery found.
  EngineLoop(Replica& state, InputLog& log, IdleMode idle, std::chrono::nanoseconds resume_grace,
             std::uint64_t digest_every, EngineChannel& channel, CountersPage& page,
             Capture* capture = nullptr);

  // The first input of a recovered state: sessions that were open then wait for their clients. Call
  // it before run.
  void restart() noexcept;

  // Serves until the stop command; then answers what waits in the rings with 102, shows every
  // session that the engine has stopped, and returns.
  void run() noexcept;

 private:
  static constexpr std::uint32_t kBatch = 16;
  static constexpr std::uint32_t kHousekeepingWork = 1024;  // passes and requests in between
  // Inputs that may be applied and not be on the disk yet, with durability sync.
  static constexpr core::Sequence kUnreleasedMax = 2048;
  static constexpr std::uint32_t kOrphansAtOnce = 16;

  // Where rooms_ has none: another place in the session's ring if there may be one, else room_.
  std::uint64_t* room_for(core::SessionSlot to) noexcept override;
  void send(core::SessionSlot to, std::uint32_t slots) noexcept override;
  // What room_for gave room for. Not inline: it would push the registers of every report.
  [[gnu::noinline]] void send_from_elsewhere(core::SessionSlot to, std::uint32_t slots) noexcept;

  // Of the requests that a visit takes.
  core::TimeNs time_of_visit() noexcept;
  std::uint32_t pass() noexcept;
  std::uint32_t visit(Session& session) noexcept;
  std::uint32_t take_each(Session& session, core::TimeNs time) noexcept;
  std::uint32_t take_many(Session& session, core::TimeNs time) noexcept;
  std::uint32_t copy_waiting(const RingReader& waiting, std::uint32_t count,
                             RingResult& result) noexcept;
  void none_taken(Session& session, RingResult why) noexcept;
  bool apply(Session& session, core::Request& request, core::TimeNs time) noexcept;
  void apply_and_keep(Session& session, const core::Request& request, core::TimeNs time) noexcept;
  // Requests are applied and forgotten. A frozen engine has a journal.
  bool nothing_is_kept() const noexcept { return !log_.kept() && capture_ == nullptr; }
  // Whether one visit's requests may be taken.
  bool may_take() noexcept { return nothing_is_kept() || log_takes(kBatch); }
  bool log_takes(std::uint32_t requests) noexcept;
  void refuse(Session& session, const core::Request& request, core::TimeNs now) noexcept;
  void sweep() noexcept;
  void idle() noexcept;

  void doom(Session& session, EndReason reason) noexcept;
  void end_soon(Session& session) noexcept;
  // Ends what the last input doomed.
  void settle() noexcept {
    if (!doomed_.empty()) [[unlikely]] {
      end_doomed();
    }
  }
  void end_doomed() noexcept;
  void end(Session& session) noexcept;
  void release_ended() noexcept;
  void tell_opened() noexcept;
  void freeze(int error) noexcept;

  void housekeep() noexcept;
  void take_commands() noexcept;
  void open(Session& session) noexcept;
  core::SessionSerial log_on(Session& session) noexcept;
  bool resumable(core::SessionSlot slot) const noexcept;
  core::SessionSerial resume_session(Session& session) noexcept;
  void forget(core::SessionSlot slot) noexcept;
  void end_orphans() noexcept;
  void report_free_slots() noexcept;
  void mark_digest() noexcept;
  void stop() noexcept;
  bool waits_for_disk() noexcept;

  core::MatchingEngine& engine_;
  core::LookAhead hints_;
  ReportWindows& windows_;
  InputLog& log_;
  IdleMode idle_mode_;
  std::chrono::nanoseconds resume_grace_;
  std::uint64_t digest_every_;
  EngineChannel& channel_;
  Capture* capture_;

  alignas(64) std::uint64_t room_[core::kRoomWordsMax] = {};
  Session* lender_ = nullptr;  // of the room that room_for gave last; null: it is room_

  core::Request batch_[kBatch];  // copied, of the visit under way

  // All have room for every session from the start.
  std::vector<Session*> by_slot_;      // null where none is open
  std::vector<std::uint64_t*> rooms_;  // by slot, the sessions keep them up to date (lend_rooms)
  PollingOrder<Session> polling_;      // the open ones
  std::vector<Session*> doomed_;       // still open, to be ended before the next input
  std::vector<Session*> ended_;        // closed in this pass, not yet given back
  std::vector<core::SessionSlot>
      sweeping_slots_;                      // ended, and not yet free or detached in the core
  std::vector<core::SessionSlot> orphans_;  // wait for their clients since the restart
  // Opened, not told yet: the logon may have to be on the disk first.
  struct Opened {
    core::Sequence sequence;
    Notice notice;
  };
  std::vector<Opened> opened_;

  EngineClock clock_;
  LoopCounts counts_;
  CountersWriter counters_;
  std::uint64_t empty_passes_ = 0;
  std::uint32_t work_ = 0;                        // since the last housekeeping
  core::Sequence released_ = ~core::Sequence{0};  // reports of inputs up to this one may leave
  core::Sequence marked_ = 0;                     // newest input whose digest was marked
  core::TimeNs grace_end_ = 0;
  bool time_is_new_ = false;  // read in the pass before this one, which found nothing
  bool sweeping_ = false;
  bool frozen_ = false;
  bool stopping_ = false;
};

}  // namespace shmatch::ipc
