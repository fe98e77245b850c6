// The clients of a kill test: they keep many requests under way, and write down what they said and
// heard.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <vector>

#include "core/types.h"
#include "ipc/client.h"
#include "tests/process/kill_ledger.h"

namespace shmatch::process_test {

struct Trader {
  LogonOptions options;
  core::AccountId account = 0;
  core::ClOrdId first_client_id = 1;  // each order gets its own from here on, never used before
  std::uint64_t seed = 0;
  // Few requests under way, and a pause between them: for tests that wait for something else.
  bool at_leisure = false;
};

// Trades until the engine is gone: up to 64 requests under way, orders and cancels of own orders
// that may have been filled meanwhile, now and then a question. Returns an exit status: 0 unless
// something happened that no engine's death explains; then a sentence is on standard error.
int trade(const Trader& trader, Ledger& ledger);

// The same for a resumable session, which goes on with whichever engine comes next, until this
// process is killed. What `ledger` holds already is what an earlier process of it saw. It must not
// find itself in another session, unless `may_lose` inputs.
int trade_on(const Trader& trader, Ledger& ledger, bool may_lose);

// Asks an engine that serves for all working orders of all accounts and for the state of `orders`,
// as the operator. False when it went away before it had answered everything.
bool ask(const LogonOptions& options, const std::vector<core::OrderId>& orders, Ledger& ledger);

}  // namespace shmatch::process_test
