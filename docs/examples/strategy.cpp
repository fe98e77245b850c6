// A market maker on one page: a bid and an ask on TEST, one tick either side of a middle price. A
// fill moves the middle to its price; both orders are cancelled and, once both have ended, entered
// again round the new middle.
//
//   example_strategy [SOCKET [USER]]        Ctrl-C ends it, and its orders with it
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include "ipc/client.h"

namespace core = shmatch::core;
namespace {

constexpr core::InstrumentId kInstrument = 3;  // TEST
constexpr core::AccountId kAccount = 1;
volatile std::sig_atomic_t stopped = 0;

struct Quote {
  core::Side side;
  shmatch::RequestId entering = 0;    // the new order that has no answer yet
  core::OrderId order_id = 0;         // the working order
  shmatch::RequestId cancelling = 0;  // its cancel
  bool idle() const { return entering == 0 && order_id == 0; }
};

struct MarketMaker {
  shmatch::Client& client;
  core::Ticks middle = 100;
  bool filled = false;
  Quote quotes[2] = {{core::Side::kBuy}, {core::Side::kSell}};

  // Sends what is due. Few requests are ever open, so the ring is never full.
  void act() {
    const core::OmsId oms_id = client.reference().oms_id();
    const bool enter = quotes[0].idle() && quotes[1].idle();
    if (enter) filled = false;
    for (Quote& quote : quotes) {
      if (enter) {
        core::NewOrder order{.oms_id = oms_id, .account_id = kAccount};
        order.instrument_id = kInstrument;
        order.side = quote.side;
        order.order_type = core::OrderType::kLimit;
        order.set_quantity(core::in_increments(10));
        order.set_limit_price(core::in_increments(&quote == quotes ? middle - 1 : middle + 1));
        quote.entering = client.send(order);
      } else if (filled && quote.order_id != 0 && quote.cancelling == 0) {
        quote.cancelling = client.cancel({.oms_id = oms_id, .order_id = quote.order_id});
      }
    }
  }

  // False when the engine refused an order: it would refuse the next one too.
  bool on_report(const core::Report& report, Quote& quote) {
    if (report.is<core::OrderAccepted>()) {
      const auto accepted = report.as<core::OrderAccepted>();
      if (accepted.request_sequence == quote.entering) quote = {quote.side, 0, accepted.order_id};
    } else if (report.is<core::OrderEntered>() || report.is<core::OrderChanged>()) {
      const auto changed = report.as<core::OrderChanged>();  // both begin with the order's id
      const bool working = core::order_state(changed.header) == core::OrderState::kWorking;
      if (changed.order_id == quote.order_id && !working) quote = {quote.side};
    } else if (report.is<core::Trade>() && report.as<core::Trade>().order_id == quote.order_id) {
      const auto trade = report.as<core::Trade>();
      std::printf("%s %lld at %lld\n", quote.side == core::Side::kBuy ? "bought" : "sold",
                  static_cast<long long>(trade.quantity), static_cast<long long>(trade.price));
      middle = std::max<core::Ticks>(trade.price, 2);
      filled = true;
    } else if (report.is<core::Receipt>() && quote.entering != 0 &&
               report.as<core::Receipt>().request_sequence == quote.entering) {
      std::puts(client.reference().describe(report.as<core::Receipt>().refusal()).c_str());
      return false;
    }
    return true;
  }
};

}  // namespace

int main(int argc, char** argv) {
  shmatch::LogonOptions options;
  if (argc > 1) options.socket = argv[1];
  options.user = argc > 2 ? argv[2] : "trader1";
  shmatch::Client client;
  if (const auto failure = client.logon(options)) return std::puts(failure.text.c_str()), 3;
  std::signal(SIGINT, [](int) { stopped = 1; });

  MarketMaker maker{client};
  for (core::Report report; stopped == 0;) {
    maker.act();
    if (!client.poll(report)) {
      if (client.check_socket() != shmatch::EngineState::kServing) return 4;
      std::this_thread::yield();  // a strategy with a core of its own polls on instead
    } else if (!maker.on_report(report, maker.quotes[0]) ||
               !maker.on_report(report, maker.quotes[1])) {
      return 1;
    }
  }
}
