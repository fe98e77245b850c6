// Builds an engine of its own, enters an order and cancels it. Status 0 when the engine did both.
#include <shmatch/ipc/embedded_engine.h>

#include <cstdio>

namespace core = shmatch::core;

namespace {

class Sink final : public core::ReportSink {
 public:
  void deliver(core::SessionSlot, const core::Report& report) noexcept override {
    ++count;
    if (report.is<core::OrderAccepted>()) id = report.as<core::OrderAccepted>().order_id;
  }
  int count = 0;
  core::OrderId id = 0;
};

}  // namespace

int main() {
  core::Configuration configuration;
  configuration.instruments = {{1, "TEST", {1, 0}, {1, 0}}};
  configuration.accounts = {1};
  configuration.users = {{1, "me", core::kPermissionOperator, {}}};
  configuration.capacities = {1000, 1000, 1};
  Sink sink;
  shmatch::EmbeddedEngine engine;
  const auto fault = engine.create(configuration, {.user_id = 1, .all_accounts = true}, sink);
  if (fault) return std::puts(fault.text.c_str()), 1;

  core::NewOrder order{.oms_id = 1, .account_id = 1, .instrument_id = 1};
  order.side = core::Side::kBuy;
  order.order_type = core::OrderType::kLimit;
  order.set_quantity(core::in_increments(1));
  order.set_limit_price(core::in_increments(100));
  engine.new_order(order, 0);
  const bool rests = engine.engine().best(1, core::Side::kBuy).price == 100;
  engine.cancel({.oms_id = 1, .order_id = sink.id}, 0);
  // Acceptance and state of the entry, receipt and state of the cancel.
  return rests && sink.count == 4 && engine.engine().working_orders() == 0 ? 0 : 1;
}
