// The engine of a kill test: a server in a process of its own, on files that can lose their power.
//
// Thread: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/configuration.h"
#include "ipc/server.h"
#include "tests/process/process.h"

namespace shmatch::process_test {

// Traders of the configuration below: trader1 has account 1, and so on.
inline constexpr int kTraders = 4;

// OMS 1, instrument 3 TEST (tick 1, lot 1), operator and the traders, small capacities.
core::Configuration kill_configuration();
std::string trader_name(core::AccountId account);

struct EnginePlan {
  std::string root;    // of its files (tests/support/power_cut_layer.h)
  std::string socket;  // its path
  ipc::Durability durability = ipc::Durability::kSync;
  std::uint64_t segment_bytes = 1U << 16;
  std::uint64_t digest_every = 64;
  std::uint64_t snapshot_every = 0;
  bool remove_old_segments = false;
  std::chrono::milliseconds resume_grace{0};
  std::chrono::milliseconds sync_interval{10};  // async
  // The program shmatchd on the kernel's files, which knows none of what follows.
  bool program = false;
  std::chrono::microseconds sync_delay{0};
  bool pretend_syncs = false;
  // A step of ipc/journal_steps.h and how often the engine comes there before it dies there; empty:
  // it lives.
  std::string dies_at;
  std::uint32_t occurrence = 1;
  // Its clients leave time for its other threads.
  bool at_leisure = false;
};

// Starts it; it may die at any time. SIGTERM stops it cleanly.
Process start_engine(const EnginePlan& plan);
// Waits until it serves; false when it died instead.
bool serves(Process& engine, const EnginePlan& plan);

}  // namespace shmatch::process_test
