// An engine in the middle of a day: orders of every fate, levels, trades, sessions in every state,
// and a sweep under way. What tests of its digest and its export start from.
#pragma once

#include <memory>

#include "core/matching_engine.h"
#include "tests/reference/engine_under_test.h"

namespace shmatch::tests {

inline constexpr core::TimeNs kBusyTime = 1'700'000'000'000'000'000;
inline constexpr core::UserId kBusyTrader = 10;
inline constexpr core::UserId kBusyOperator = 11;

// Slots of the sessions by their states. kOpen is the trader's and has had requests 1 to 8.
enum BusySlot : core::SessionSlot { kOpen, kSweeping, kOrphan, kDetached, kNextSweep, kFree };

core::Configuration busy_configuration();

core::Request cancel_request(core::OrderId order_id);

struct OrderSketch {
  core::Side side = core::Side::kBuy;
  core::Lots quantity = 1;
  core::Ticks price = 100;
  core::ClOrdId cl_ord_id = 0;
  core::AccountId account_id = 1;
  core::InstrumentId instrument_id = 1;
  core::TimeInForce time_in_force = core::TimeInForce::kGtc;
};
core::Request order_request(const OrderSketch& sketch);

core::Logon resumable_logon(core::UserId user, std::string_view name);

// Brings a fresh engine of busy_configuration(), or of a larger one, into the state above.
void make_busy(core::MatchingEngine& engine);

}  // namespace shmatch::tests
