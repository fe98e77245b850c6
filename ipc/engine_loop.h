// EngineLoop: the one thread that owns the matching engine. It polls the request rings, applies
// what it finds, and writes the reports.
//
// The order in which it takes requests is the total order of the engine. A pass visits each session
// once, round robin, and takes at most kBatch requests from it, so that no session waits for more
// than a batch of each other one. Commands, notices and heartbeats are looked after in between
// ("housekeeping"), after a fixed amount of work or at once when idle.
//
// On this path there is no lock, no allocation, no log line, no exception, and no system call but
// those that idle modes yield and sleep consist of (clock_gettime is answered by the vdso).
//
// A session leaves the loop in this order: doomed or drained; core::MatchingEngine::end_session, as
// an input right after the current one; out of the tables; at the end of the pass the notice after
// which the control thread may destroy it. No Session is touched after that notice.
//
// Thread: constructed and destroyed while no engine thread runs; run() is the engine thread;
// counters() from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "core/matching_engine.h"
#include "ipc/engine_channel.h"
#include "ipc/engine_clock.h"
#include "ipc/server.h"
#include "ipc/session.h"

namespace shmatch::ipc {

struct EngineCounters {
  std::uint64_t requests = 0;
  std::uint64_t reports = 0;
  std::uint64_t sequence = 0;
  std::uint32_t working_orders = 0;
};

class EngineLoop final : private core::ReportSink {
 public:
  // `memory` as core::MatchingEngine wants it.
  EngineLoop(const core::Configuration& configuration, std::span<std::byte> memory,
             std::uint64_t hash_salt, IdleMode idle, EngineChannel& channel);

  // Serves until the stop command; then answers what waits in the rings with 102, shows every
  // session that the engine has stopped, and returns.
  void run() noexcept;

  EngineCounters counters() const noexcept;

 private:
  static constexpr std::uint32_t kBatch = 16;
  static constexpr std::uint32_t kHousekeepingWork = 1024;  // passes and requests in between

  void deliver(core::SessionSlot to, const core::Report& report) noexcept override;

  std::uint32_t pass() noexcept;
  std::uint32_t visit(Session& session) noexcept;
  void idle() noexcept;

  void doom(Session& session, EndReason reason) noexcept;
  // Not inline: it would push the registers of every report delivered.
  [[gnu::noinline]] void end_soon(Session& session) noexcept;
  void settle() noexcept;
  void end(Session& session) noexcept;
  void release_ended() noexcept;

  void housekeep() noexcept;
  void take_commands() noexcept;
  void open(Session& session) noexcept;
  void report_free_slots() noexcept;
  void publish_counters() noexcept;
  void stop() noexcept;

  core::MatchingEngine engine_;
  IdleMode idle_mode_;
  EngineChannel& channel_;

  // All four have room for every session from the start.
  std::vector<Session*> by_slot_;                  // null where none is open
  std::vector<Session*> active_;                   // the open ones, in polling order
  std::vector<Session*> doomed_;                   // still open, to be ended before the next input
  std::vector<Session*> ended_;                    // closed in this pass, not yet given back
  std::vector<core::SessionSlot> sweeping_slots_;  // ended, and not yet free in the core

  EngineClock clock_;
  std::uint64_t passes_ = 0;
  std::uint64_t empty_passes_ = 0;
  std::uint32_t work_ = 0;  // since the last housekeeping
  bool sweeping_ = false;
  bool stopping_ = false;
  std::uint64_t requests_ = 0;
  std::uint64_t reports_ = 0;

  // Copies for other threads; each is a plain count that publishes nothing else, hence relaxed.
  std::atomic<std::uint64_t> shown_requests_{0};
  std::atomic<std::uint64_t> shown_reports_{0};
  std::atomic<std::uint64_t> shown_sequence_{0};
  std::atomic<std::uint32_t> shown_working_orders_{0};
};

}  // namespace shmatch::ipc
