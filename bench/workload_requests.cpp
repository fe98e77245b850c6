#include "bench/workload_requests.h"

namespace shmatch::bench {

core::NewOrder entry_of(const WorkloadMessage& message) noexcept {
  core::NewOrder order;
  order.oms_id = 1;
  order.account_id = 1;
  order.instrument_id = 1;
  order.cl_ord_id = static_cast<core::ClOrdId>(message.order) + 1;
  order.set_quantity(core::in_increments(message.quantity));
  order.set_limit_price(core::in_increments(message.price));
  order.side = message.side;
  order.order_type = core::OrderType::kLimit;
  order.time_in_force = message.immediate ? core::TimeInForce::kIoc : core::TimeInForce::kGtc;
  return order;
}

core::CancelOrder cancel_of(const WorkloadMessage& message, WorkloadKey key,
                            core::OrderId order_id) noexcept {
  if (key == WorkloadKey::kOrderId) return {.oms_id = 1, .order_id = order_id};
  return {.oms_id = 1, .account_id = 1, .cl_ord_id = static_cast<core::ClOrdId>(message.order) + 1};
}

}  // namespace shmatch::bench
