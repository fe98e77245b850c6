#include "tests/unit/busy_engine.h"

namespace shmatch::tests {

using namespace core;

Configuration busy_configuration() {
  Configuration configuration;
  configuration.instruments = {{1, "ONE", {1, 0}, {1, 0}}, {2, "TWO", {1, -2}, {1, -8}}};
  configuration.accounts = {1, 2};
  configuration.users = {{kBusyTrader, "trader", kPermissionTrading, {1, 2}},
                         {kBusyOperator, "operator", kPermissionOperator, {}}};
  configuration.capacities = {16, 4, 8};
  configuration.rate_per_second = 1000;
  configuration.rate_burst = 100;
  return configuration;
}

Request cancel_request(OrderId order_id) {
  CancelOrder cancel;
  cancel.oms_id = 1;
  cancel.order_id = order_id;
  Request request;
  request.assign(cancel);
  return request;
}

Request order_request(const OrderSketch& sketch) {
  NewOrder order;
  order.oms_id = 1;
  order.account_id = sketch.account_id;
  order.instrument_id = sketch.instrument_id;
  order.cl_ord_id = sketch.cl_ord_id;
  order.side = sketch.side;
  order.order_type = OrderType::kLimit;
  order.time_in_force = sketch.time_in_force;
  order.set_quantity(in_increments(sketch.quantity));
  order.set_limit_price(in_increments(sketch.price));
  Request request;
  request.assign(order);
  return request;
}

Logon resumable_logon(UserId user, std::string_view name) {
  Logon logon;
  logon.user_id = user;
  logon.resumable = true;
  name.copy(logon.name, kSessionNameBytes - 1);
  return logon;
}

void make_busy(MatchingEngine& engine) {
  TimeNs now = kBusyTime;
  for (const BusySlot slot : {kSweeping, kNextSweep, kOrphan, kDetached}) {
    Logon logon = resumable_logon(kBusyOperator, "s" + std::to_string(slot));
    logon.cancel_on_disconnect = slot == kSweeping || slot == kNextSweep;
    logon.all_accounts = slot == kDetached;
    engine.logon(slot, logon, ++now);
    const Ticks price = 90 + static_cast<Ticks>(slot);
    engine.request(slot, 1, order_request({.quantity = 3, .price = price}), ++now);
  }
  engine.restart(++now);
  engine.end_session(kSweeping, ++now);
  engine.end_session(kNextSweep, ++now);
  engine.end_session(kDetached, ++now);

  Logon trader = resumable_logon(kBusyTrader, "desk");
  trader.whole_objects = true;
  engine.logon(kOpen, trader, ++now);
  Sequence number = 0;
  const auto send = [&](const OrderSketch& sketch) {
    engine.request(kOpen, ++number, order_request(sketch), ++now);
  };
  send({.quantity = 5, .price = 100, .cl_ord_id = 7, .account_id = 2});
  send({.quantity = 6, .price = 100, .cl_ord_id = 8});
  // Fills the first and part of the second.
  send({.side = Side::kSell, .quantity = 8, .price = 100, .cl_ord_id = 9});
  send({.side = Side::kSell, .quantity = 2, .price = 120, .instrument_id = 2});
  // Nothing to take: ended at once, and with a client order id that is used again below.
  send({.quantity = 2,
        .price = 50,
        .cl_ord_id = 7,
        .instrument_id = 2,
        .time_in_force = TimeInForce::kIoc});
  send({.side = Side::kSell, .quantity = 4, .price = 130, .cl_ord_id = 7, .account_id = 2});
  send({.side = Side::kSell, .quantity = 1, .price = 121});
  // The newest order's id is known to nobody here: this cancel is refused, and remembered.
  engine.request(kOpen, ++number, cancel_request(4711), ++now);
}

}  // namespace shmatch::tests
