// An engine for replays: the same state machine as the live one, with memory of its own, no threads
// and no sessions' rings.
//
// Thread: one. It allocates at start and when the configuration changes, never in between.
#pragma once

#include <cstdint>
#include <optional>

#include "core/configuration.h"
#include "core/matching_engine.h"
#include "core/state_export.h"
#include "ipc/fault.h"
#include "ipc/private_memory.h"

namespace shmatch::tools {

struct ReplayEngineOptions {
  std::uint64_t hash_salt = 0;
  bool keep_digest = true;
};

class ReplayEngine {
 public:
  // Reports go to `port`, which must outlive the engine.
  explicit ReplayEngine(core::ReportPort& port, const ReplayEngineOptions& options = {})
      : port_(port), options_(options) {}

  // A new engine without state, or with the exported state of `source` where that is not null.
  // Fault: the configuration cannot be served, memory is short, or the state does not fit.
  ipc::Fault start(const core::Configuration& configuration, core::WordSource* source = nullptr);

  // The same with the state of another engine, whose configuration this one does not contradict.
  ipc::Fault start(const core::Configuration& configuration, const core::MatchingEngine& other);

  // Moves the state into an engine of `configuration`. Fault: the state contradicts it.
  ipc::Fault reconfigure(const core::Configuration& configuration);

  // Makes the next part of the engine's memory present. True when all of it is, or no more can be.
  // May run on another thread while the engine works, but not while it is started or reconfigured.
  bool populate_step() { return memory_.populated() || memory_.populate_step(); }

  // Only after a start without fault.
  core::MatchingEngine& operator*() noexcept { return *engine_; }
  const core::MatchingEngine& operator*() const noexcept { return *engine_; }
  core::MatchingEngine* operator->() noexcept { return &*engine_; }
  const core::MatchingEngine* operator->() const noexcept { return &*engine_; }
  const core::Configuration& configuration() const noexcept { return configuration_; }

 private:
  core::ReportPort& port_;
  ReplayEngineOptions options_;
  core::Configuration configuration_;
  ipc::PrivateMemory memory_;  // before the engine, which lives in it
  std::optional<core::MatchingEngine> engine_;
};

}  // namespace shmatch::tools
