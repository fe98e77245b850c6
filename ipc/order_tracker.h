// Whole orders from compact reports. A session's events say what changed, in one slot each; the
// tracker knows what each order was before, and so rebuilds the API's whole order object.
//
//   shmatch::OrderTracker orders;
//   for (shmatch::Report report; client.poll(report);) {
//     if (const auto* order = orders.apply(report)) { ... order->leaves, order->gross_low ... }
//   }
//
// It sees what the session sees: every order whose entry was reported to it. Orders that were
// working before the logon come in by learn(), from open_orders or an order status. The book's best
// prices are not part of compact reports; those fields stay what learn() said, or 0.
//
// After Client::resume it goes on as if nothing had happened, with two exceptions that the
// session's info tells: after a gap learn() the open orders; where inputs were lost (lost_from) or
// the session was not known any more, start with a new tracker.
//
// Thread: one. It allocates, so keep it off a path that must not. Orders that ended stay until
// forgotten.
#pragma once

#include <unordered_map>

#include "core/message.h"

namespace shmatch {

class OrderTracker {
 public:
  // Takes a report in. Returns the order that it is about, as it is now, or null: the report is
  // about no order's state, or about an order whose entry this session never saw (ask for it, then
  // learn it). The pointer is valid until the next call. Trade events change the order's amounts,
  // but its state is complete only with the order state event that follows them.
  const core::OrderStateWhole* apply(const core::Report& report);

  // Takes in an order as a query returned it. Reports that the answer already includes are
  // recognised by their engine sequence number when they are applied later.
  void learn(const core::OrderStatusReply& order);
  void learn(const core::OpenOrderRow& order);

  // Null when the order is not known.
  const core::OrderStateWhole* find(core::OrderId order_id) const;

  // Forgets all orders that have ended.
  void forget_ended();

 private:
  const core::OrderStateWhole* enter(const core::OrderEntered& event);
  const core::OrderStateWhole* change(const core::OrderChanged& event);
  void add_execution(const core::Trade& trade);

  std::unordered_map<core::OrderId, core::OrderStateWhole> orders_;
};

}  // namespace shmatch
