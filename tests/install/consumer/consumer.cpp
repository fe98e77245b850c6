// Logs on to a running engine, enters an order and cancels it. Status 0 when the engine did both.
#include <shmatch/ipc/client.h>

#include <cstdio>

namespace core = shmatch::core;

namespace {

int fail(const char* what) {
  std::fprintf(stderr, "consumer: %s\n", what);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  shmatch::LogonOptions options;
  if (argc > 1) options.socket = argv[1];
  options.user = "trader1";
  shmatch::Client client;
  if (const auto failure = client.logon(options)) return fail(failure.text.c_str());

  core::NewOrder order{.oms_id = 1, .account_id = 1, .instrument_id = 3};
  order.side = core::Side::kBuy;
  order.order_type = core::OrderType::kLimit;
  order.set_quantity(core::in_increments(1));
  order.set_limit_price(core::in_increments(1));
  core::Report reply;
  if (const auto failure = client.call(order, reply)) return fail(failure.text.c_str());
  if (!reply.is<core::OrderAccepted>()) return fail("the order was refused");

  const core::OrderId order_id = reply.as<core::OrderAccepted>().order_id;
  const core::CancelOrder cancel{.oms_id = 1, .order_id = order_id};
  if (const auto failure = client.call(cancel, reply)) return fail(failure.text.c_str());
  if (!reply.is<core::Receipt>() || reply.as<core::Receipt>().code != core::ErrorCode::kOk) {
    return fail("the cancel was refused");
  }
  std::printf("entered and cancelled order %lld\n", static_cast<long long>(order_id));
  return 0;
}
