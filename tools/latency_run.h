// LatencyRun: round trips against an engine, one order in and out at a time (closed loop) or at a
// steady rate (open loop).
//
// An open loop sends each request when it is due, whether or not the answers to earlier ones have
// come, and counts latency from the moment at which it was due: an engine, or a machine, that
// stands still is seen by every request that was due meanwhile, as real clients would see it.
// Nothing is filled in afterwards. How late requests were sent is a metric of its own, and so is
// the time from the sending ("service").
//
// Every request is an entry or the cancel of the entry before it; the run always ends with all of
// its orders cancelled. Its session must have been logged on without whole objects.
//
// Thread: one, which spins; pin it and the engine to cores of their own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ipc/client.h"
#include "tools/interval_log.h"
#include "tools/jitter.h"
#include "tools/latency_metrics.h"

namespace shmatch::tools {

struct LatencyOptions {
  core::OmsId oms_id = 1;
  core::AccountId account_id = 1;
  core::InstrumentId instrument_id = 3;
  core::Ticks price = 1;      // buy orders of one lot rest there
  double rate = 0;            // requests a second; 0: closed loop
  std::uint64_t warm_up = 0;  // round trips that do not count
  std::uint64_t count = 0;    // round trips that do; 0: as many as the time allows
  double seconds = 0;         // 0: until `count`; one of the two must be given
  double interval = 1;        // seconds, of the stretches of the log
  bool in_place = false;      // the client was logged on for early replies, which are used
};

class LatencyRun {
 public:
  enum class End : std::uint8_t {
    kDone,        // or interrupted: what was measured until then counts
    kRefused,     // the engine refused, or somebody traded with an order of the run
    kEngineGone,  // or it does not answer
  };

  // Both must outlive this object.
  LatencyRun(Client& client, const LatencyOptions& options, IntervalLog& log);

  // Runs to the end, or until stop_requested (tools/stop_signals.h).
  End run();
  const std::string& trouble() const noexcept { return trouble_; }  // a sentence, unless kDone

  std::uint64_t round_trips() const noexcept { return counted_; }
  double seconds() const noexcept;  // that count
  const JitterRecorder& jitter() const noexcept { return jitter_; }

 private:
  struct Pending {
    std::uint64_t due = 0;
    std::uint64_t sent = 0;
    bool counts = false;
    bool entry = false;
    bool replied = false;  // and that was recorded
  };
  static constexpr std::uint64_t kInFlightMax = 256;  // a power of two

  Pending& pending(RequestId request) noexcept { return pending_[request % kInFlightMax]; }
  std::uint64_t ticks(double seconds) const noexcept;
  bool open_loop() const noexcept { return options_.rate > 0; }

  bool step();
  bool due(std::uint64_t now) const noexcept;
  void send_next();
  void begin_counting(std::uint64_t now);
  void look_at_time(std::uint64_t now);
  bool wait_politely(std::uint64_t now);
  bool take(const Report& report, std::uint64_t now);
  // The same reply may come twice, early and by the ring; the first time is recorded.
  bool take_reply(const Report& report, RequestId request, std::uint64_t now);
  void take_event(std::uint64_t now);
  void record(const Pending& request, Metric metric, Metric service, std::uint64_t now);
  bool fail(End end, std::string trouble);

  Client& client_;
  LatencyOptions options_;
  IntervalLog& log_;
  double ns_per_tick_;
  JitterRecorder jitter_;
  core::NewOrder order_;
  core::CancelOrder cancel_;
  std::vector<Pending> pending_;

  std::uint64_t interval_ticks_ = 0;  // between two requests of an open loop
  std::uint64_t next_due_ = 0;
  std::uint64_t entered_ = 0;  // orders so far
  std::uint64_t counted_ = 0;  // round trips that are over and count
  std::uint64_t in_flight_ = 0;
  bool cancel_next_ = false;
  bool counting_ = false;
  bool ending_ = false;
  std::uint64_t begin_ = 0;  // of the counting
  std::uint64_t end_ = 0;    // of the counting, if it is bounded by time
  std::uint64_t last_ = 0;   // when it was over
  std::uint64_t next_stretch_ = 0;
  std::uint64_t last_heard_ = 0;
  // The event that follows a reply directly.
  core::Sequence event_of_ = 0;
  RequestId event_for_ = 0;
  End result_ = End::kDone;
  std::string trouble_;
};

}  // namespace shmatch::tools
