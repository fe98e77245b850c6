#include "tests/process/trading.h"

#include <stdexcept>
#include <string>

#include "tests/process/process.h"

namespace shmatch::process_test {

namespace {

constexpr core::InstrumentId kTest = 3;

void require(const Failure& failure, const char* what) {
  if (failure) throw std::runtime_error(std::string(what) + ": " + failure.text);
}

// The next report, which must be an order's change to `state`.
void expect_state(Client& client, core::OrderState state) {
  core::Report report;
  if (!eventually([&] { return client.poll(report); })) throw std::runtime_error("a missing event");
  const bool order = report.is<core::OrderEntered>() || report.is<core::OrderChanged>();
  if (!order || core::order_state(report.as<core::OrderChanged>().header) != state) {
    throw std::runtime_error("an event of another kind, type " + std::to_string(report.type()));
  }
}

}  // namespace

core::NewOrder limit_order(core::AccountId account, core::Side side, std::int64_t quantity,
                           std::int64_t price, core::ClOrdId client_id) {
  core::NewOrder order;
  order.oms_id = 1;
  order.account_id = account;
  order.instrument_id = kTest;
  order.cl_ord_id = client_id;
  order.side = side;
  order.order_type = core::OrderType::kLimit;
  order.set_quantity({quantity, 0});
  order.set_limit_price({price, 0});
  return order;
}

Client logged_on(const LogonOptions& options) {
  Client client;
  require(client.logon(options), "logon");
  return client;
}

core::OrderId place(Client& client, const core::NewOrder& order) {
  core::Report reply;
  require(client.call(order, reply, kPatience), "order");
  if (!reply.is<core::OrderAccepted>()) {
    throw std::runtime_error("refused: " +
                             client.reference().describe(reply.as<core::Receipt>().refusal()));
  }
  return reply.as<core::OrderAccepted>().order_id;
}

core::ErrorCode cancel(Client& client, core::OrderId order) {
  core::Report reply;
  require(client.call(core::CancelOrder{.oms_id = 1, .order_id = order}, reply, kPatience),
          "cancel");
  return reply.as<core::Receipt>().code;
}

void work(Client& client, core::AccountId account, int count) {
  for (int i = 0; i < count; ++i) {
    const core::OrderId order =
        place(client, limit_order(account, core::Side::kBuy, 1, 1 + i % 50));
    expect_state(client, core::OrderState::kWorking);
    if (cancel(client, order) != core::ErrorCode::kOk) throw std::runtime_error("cancel refused");
    expect_state(client, core::OrderState::kCanceled);
  }
}

void drain(Client& client) {
  core::Report report;
  require(client.call(core::Ping{}, report, kPatience), "ping");
  while (client.poll(report)) {
  }
}

core::OrderState state_of(Client& client, core::OrderId order) {
  core::Report reply;
  require(client.call(core::OrderStatusQuery{.oms_id = 1, .order_id = order}, reply, kPatience),
          "order status");
  if (!reply.is<core::OrderStatusReply>()) return core::OrderState::kUnknown;
  return core::order_state(reply.as<core::OrderStatusReply>().header);
}

}  // namespace shmatch::process_test
