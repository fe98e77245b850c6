// Sends the requests of a log through the rings of a live engine, from one or several client
// processes, and counts what comes back.
//
// Every user of the log has a session of its own; the users are dealt out to the client processes.
// A process sends its users' requests in the log's order: before it changes the session it waits
// until the other one's requests are answered. Requests of different processes race, as those of
// different programs do.
//
// Cancels name orders as the log does. A log that names OrderIds fits an engine that gives out the
// same ones: a fresh one with one client process.
//
// Thread: one; call it while the process has no other threads, because it forks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/reject.h"
#include "tools/pacer.h"
#include "tools/replay_minimize.h"

namespace shmatch::tools {

struct LiveOptions {
  std::string socket;
  std::uint32_t clients = 1;  // processes; no more than the log has users are started
  Pacer pacer;
  // Called about ten times a second with the number of requests answered so far.
  std::function<void(std::uint64_t)> progress;
};

inline constexpr std::uint32_t kLiveClientsMax = 64;

// What was asked for, and what became of it.
struct LiveCounts {
  std::uint64_t sent = 0;
  std::uint64_t done = 0;  // orders accepted, or cancels done
  std::uint64_t refused = 0;
};

// Refusals for one reason.
struct LiveRefusals {
  std::uint64_t count = 0;
  core::ErrorCode code = core::ErrorCode::kOk;
  std::string example;  // the `detail` of one of them
};

struct LiveResult {
  std::uint32_t clients = 0;
  LiveCounts orders;
  LiveCounts cancels;
  std::map<core::Detail, LiveRefusals> refusals;
  std::map<std::string, std::string> no_logon;  // users that the engine refused, and why
  std::vector<std::string> users;               // of the log
  std::vector<core::Instrument> instruments;    // of its orders, as its configuration has them
  std::vector<core::Instrument> lacking;        // those of them that the engine does not have
  std::uint64_t not_sent = 0;                   // their requests
  std::uint64_t trades = 0;                     // in which an order of this run was the taker
  std::uint64_t events = 0;                     // order states and trades received
  double seconds = 0;                           // from the first request to the last reply
  double late_seconds = 0;  // how far behind its intended moment the latest request was sent
};

// Throws ExitError: no engine there, or it went away.
LiveResult replay_live(const LoadedLog& log, const LiveOptions& options);

}  // namespace shmatch::tools
