// What client processes of these tests do through the client library: orders in TEST, checked
// step by step.
//
// Errors are thrown as sentences. Thread: one.
#pragma once

#include "core/message.h"
#include "ipc/client.h"

namespace shmatch::process_test {

// A GTC limit order in instrument 3, TEST.
core::NewOrder limit_order(core::AccountId account, core::Side side, std::int64_t quantity,
                           std::int64_t price, core::ClOrdId client_id = 0);

// Logs on; throws the engine's sentence when it refuses.
Client logged_on(const LogonOptions& options);

// Enters `order`, which must be accepted.
core::OrderId place(Client& client, const core::NewOrder& order);

// Cancels `order`: the code of the receipt.
core::ErrorCode cancel(Client& client, core::OrderId order);

// Enters and cancels `count` orders of `account`, one after the other, and takes every report.
// Throws when a reply is not what it must be, or an event is missing or too much. The account
// must be quiet meanwhile.
void work(Client& client, core::AccountId account, int count);

// Takes all reports up to the reply to a ping sent now.
void drain(Client& client);

// The order's state, asked for by this client.
core::OrderState state_of(Client& client, core::OrderId order);

}  // namespace shmatch::process_test
