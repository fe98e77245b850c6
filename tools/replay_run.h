// A replay on the core alone: applies the records of a stream to an engine, checks the digest marks
// that the log holds, and computes the digests by which runs are compared.
//
// Thread: one.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <thread>
#include <vector>

#include "core/look_ahead.h"
#include "core/matching_engine.h"
#include "core/message.h"
#include "ipc/fault.h"
#include "tools/replay_engine.h"
#include "tools/replay_input.h"
#include "tools/report_digest.h"

namespace shmatch::tools {

// Looks on while a replay runs. Without observers a replay runs as fast as the core does.
class ReplayObserver {
 public:
  virtual ~ReplayObserver() = default;

  // A report of the input that is being applied; the engine must not be asked now.
  virtual void reported(core::SessionSlot /*to*/, const core::Report& /*report*/) {}

  // Before the first record, and whenever the configuration changed and the state moved into a new
  // engine.
  virtual void configured(const core::Configuration& /*configuration*/,
                          const core::MatchingEngine& /*engine*/) {}

  // The record will be applied next; its words are valid during the call.
  virtual void applying(const InputRecord& /*record*/, const core::MatchingEngine& /*engine*/) {}

  // The record was applied. False ends the replay here.
  virtual bool applied(const InputRecord& /*record*/, const core::MatchingEngine& /*engine*/) {
    return true;
  }

 protected:
  ReplayObserver() = default;
  ReplayObserver(const ReplayObserver&) = default;
  ReplayObserver& operator=(const ReplayObserver&) = default;
};

struct ReplaySettings {
  core::Sequence until = std::numeric_limits<core::Sequence>::max();  // the last input to apply
  ReplayEngineOptions engine;
  bool check_marks = true;
  // Called before each record with its time; may wait. Empty: as fast as possible.
  std::function<void(core::TimeNs)> pace;
  // Called now and then with the share that is done, 0 to 1.
  std::function<void(double)> progress;
};

// The state is another than the log's writer had.
struct Divergence {
  core::Sequence agreed = 0;    // the last mark that was right; 0: none yet
  core::Sequence sequence = 0;  // the first one that was not
  std::uint64_t expected = 0;
  std::uint64_t got = 0;
};

// A record that could not be applied. It was not: the engine is as before it.
struct BadRecord {
  core::Sequence sequence = 0;
  const char* reason = nullptr;
};

struct ReplayOutcome {
  std::uint64_t records = 0;  // inputs of the log that were applied
  core::Sequence last_sequence = 0;
  std::uint64_t digest = 0;              // of the state after the last input
  std::uint64_t reports = 0;             // each delivery counts
  std::uint64_t reports_digest = 0;      // ReportDigest over all of them
  std::uint64_t marks = 0;               // digest marks that were checked and right
  double seconds = 0;                    // of wall time, reading and applying
  std::optional<Divergence> divergence;  // the first one; the replay ends there
  std::optional<BadRecord> bad_record;   // likewise
  ipc::Fault fault;                      // the log could not be read, or the engine not built

  bool failed() const noexcept { return divergence || bad_record || fault; }
};

class Replay final : private core::ReportPort {
 public:
  // `input` and the observers must outlive the replay.
  Replay(InputStream& input, ReplaySettings settings);
  ~Replay() { stop_populating(); }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  void add(ReplayObserver& observer) { observers_.push_back(&observer); }

  // Once.
  ReplayOutcome run();

  // False when no engine could be built; then outcome.fault says why.
  bool started() const noexcept { return started_; }
  // The engine as the run left it. Only when started().
  const core::MatchingEngine& engine() const noexcept { return *engine_; }
  const core::Configuration& configuration() const noexcept { return engine_.configuration(); }

 private:
  void send(core::SessionSlot to, std::uint32_t slots) noexcept override;
  void show(core::SessionSlot to, std::uint32_t slots) noexcept;
  // Each returns false when the replay ends there.
  bool begin();
  bool apply_batch(const InputBatch& batch);
  bool apply_record(const InputRecord& record, bool well_formed);
  // The same for a record without fault of form, when there are neither observers nor a pace.
  bool apply_unwatched(core::Sequence sequence, const std::uint64_t* record);
  bool check(const ipc::DigestMark& mark);
  void announce_configuration();
  void start_populating();
  void stop_populating();

  ReportDigest reports_digest_;  // whose rooms are the port's
  InputStream& input_;
  ReplaySettings settings_;
  ReplayEngine engine_;
  std::optional<core::LookAhead> look_ahead_;
  std::vector<ReplayObserver*> observers_;
  ReplayOutcome outcome_;
  std::vector<const std::uint64_t*> records_;  // of the batch that is applied
  std::thread populating_;
  std::atomic<bool> populating_ends_{false};  // pairs with nothing: the thread may see it late
  bool started_ = false;
  core::Sequence last_mark_ = 0;  // the newest mark that was right
};

}  // namespace shmatch::tools
