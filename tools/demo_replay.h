// Replays a request log through several client processes at once, one for each user of the log, and
// counts what each of them was told.
//
// The parent forks the clients and watches them; each logs on for itself, keeps a bounded number of
// requests in flight, and counts replies and events into memory that it shares with the parent.
// Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/reject.h"
#include "ipc/reference_data.h"
#include "tools/demo_log.h"
#include "tools/demo_process.h"

namespace shmatch::tools {

// Requests that a client has in flight at most.
inline constexpr std::uint32_t kRequestsInFlight = 64;

// How often a reason was given, and the first refusal that gave it.
struct RefusalCount {
  KindCounts counts;
  core::Refusal example;
};

// Details travel as numbers; those from here on are counted together.
inline constexpr std::size_t kDetailsMax = 64;

// What one client was told, by the time that everything was quiet again.
struct Tally {
  KindCounts done;                    // orders accepted, cancels done, queries answered
  RefusalCount refused[kDetailsMax];  // by Detail
  std::uint64_t events = 0;           // of the user's accounts, whoever caused them
  std::uint64_t trades = 0;           // in which an order of this client was the taker
  // What became of the accepted orders. A session hears of every order it entered, so each order is
  // counted by one client only.
  std::uint64_t filled = 0;
  std::uint64_t canceled = 0;        // by a request
  std::uint64_t no_more_market = 0;  // IOC, FOK and Market orders, by the system
  std::uint64_t working = 0;

  KindCounts refusals() const noexcept;
  // The sums of both; examples are kept.
  Tally& operator+=(const Tally& more) noexcept;
};

struct ClientResult {
  std::string user;      // as the engine calls it
  std::string no_logon;  // why this user could not log on; its frames were not sent then
  std::uint64_t frames = 0;
  Tally tally;
};

// Called about ten times a second with the number of requests answered so far.
using ShowProgress = std::function<void(std::uint64_t answered)>;

// Returns when every request is answered and every event has arrived. Throws DemoError when the
// engine goes away (kDemoEngineGone), a client fails, or a stop signal comes; no client is left
// then.
std::vector<ClientResult> replay(const RequestLog& log, const DemoEngine& engine,
                                 const StopSignals& signals, const ShowProgress& show);

// One instrument's book, in text; levels without orders have empty prices.
struct BookSummary {
  std::string symbol;
  std::size_t bid_levels = 0;
  std::size_t ask_levels = 0;
  std::string best_bid;
  std::string best_ask;
  std::string last_trade;
};

// An engine as an operator's session sees it when everything is quiet.
struct EngineView {
  ReferenceData reference;
  std::vector<BookSummary> books;  // those that anything happened in
};

// Throws DemoError when the engine does not answer.
EngineView look_at(const DemoEngine& engine);

}  // namespace shmatch::tools
