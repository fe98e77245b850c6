// Replica: a matching engine with its memory and its sessions' report windows, fed with input
// records. The live engine is one that recovery has filled; what writes snapshots is another one.
//
// Reports go to the windows of resumable sessions and nowhere else, until a live engine takes them
// over (MatchingEngine::set_port).
//
// Thread: one at a time. create, load, change_configuration and save allocate; apply does not.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/matching_engine.h"
#include "ipc/fault.h"
#include "ipc/private_memory.h"
#include "ipc/report_window.h"
#include "ipc/snapshot_file.h"

namespace shmatch::ipc {

struct ReplicaOptions {
  std::uint64_t hash_salt = 0;
  std::uint32_t window_slots = 1U << 12;
  bool keep_digest = true;
};

class Replica final : private core::ReportSink {
 public:
  explicit Replica(const ReplicaOptions& options) : options_(options) {}
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // A fresh engine; what was there before goes. Fault: no memory.
  Fault create(const core::Configuration& configuration);
  // The state of an opened snapshot, in an engine of the snapshot's own configuration. Faults: no
  // memory; the snapshot's contents contradict themselves.
  Fault load(SnapshotReader& snapshot);
  // The same state in an engine of another configuration. Faults: no memory; the configurations
  // contradict each other (core::find_conflict says how).
  Fault change_configuration(const core::Configuration& configuration);
  // Applies one record. Fault: it cannot follow the present state.
  Fault apply(std::span<const std::uint64_t> record) noexcept;
  // Writes the state to a snapshot that was created with this engine's sequence and digest.
  FileFault save(SnapshotWriter& snapshot) const;

  core::MatchingEngine& engine() noexcept { return *engine_; }
  const core::MatchingEngine& engine() const noexcept { return *engine_; }
  const core::Configuration& configuration() const noexcept { return configuration_; }
  ReportWindows& windows() noexcept { return windows_; }
  PrivateMemory& memory() noexcept { return memory_; }
  // The runs of the engine that this state has come through, the present one last. Only the newest
  // ones are kept.
  const std::vector<core::EngineRun>& runs() const noexcept { return runs_; }
  // A run begins with the next input.
  void begin_run(const core::EngineRun& run);

  // Time of the newest record.
  core::TimeNs last_time() const noexcept { return last_time_; }

 private:
  void deliver(core::SessionSlot to, const core::Report& report) noexcept override;
  bool export_words(core::WordSink& sink) const;
  Fault import(core::WordSource& source);

  ReplicaOptions options_;
  core::Configuration configuration_;
  PrivateMemory memory_;
  ReportWindows windows_;
  std::optional<core::MatchingEngine> engine_;
  std::vector<core::EngineRun> runs_;
  core::TimeNs last_time_ = 0;
};

}  // namespace shmatch::ipc
