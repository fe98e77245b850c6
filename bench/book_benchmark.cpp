// The matching engine beside the plain reference engine of the tests, through the same calls:
// requests in, reports to a sink that counts them. No ring, no session thread; permission checks,
// both indices, finished orders and all reports included.
//
// CancelAndEnter: a random working order is cancelled by OrderId and a new one rests, so the number
// of working orders holds. Cross: an order that takes one resting order whole, and a new resting
// one in its place.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "bench/one_trader.h"
#include "bench/zeroed_memory.h"
#include "core/matching_engine.h"
#include "tests/reference/reference_engine.h"
#include "tests/unit/random.h"

namespace shmatch::bench {
namespace {

using tests::Random;

constexpr core::Ticks kMiddle = 100'000;
constexpr std::uint64_t kLevels = 500;  // a side

class CountingSink final : public core::ReportSink {
 public:
  void deliver(core::SessionSlot, const core::Report& report) noexcept override {
    ++reports;
    if (report.is<core::OrderAccepted>()) last_order_id = report.as<core::OrderAccepted>().order_id;
    if (report.is<core::Receipt>())
      refused += report.as<core::Receipt>().code != core::ErrorCode::kOk;
  }
  std::uint64_t reports = 0;
  std::uint64_t refused = 0;
  core::OrderId last_order_id = 0;
};

class Fast {
 public:
  explicit Fast(std::size_t working)
      : configuration_(one_trader(working)),
        memory_(core::MatchingEngine::memory_size(configuration_)),
        engine_(configuration_, memory_.span(), 0x5EED, sink) {}
  core::MatchingEngine& operator*() noexcept { return engine_; }
  CountingSink sink;

 private:
  core::Configuration configuration_;
  ZeroedMemory memory_;
  core::MatchingEngine engine_;
};

class Plain {
 public:
  explicit Plain(std::size_t working) : engine_(one_trader(working), sink) {}
  reference::ReferenceEngine& operator*() noexcept { return engine_; }
  CountingSink sink;

 private:
  reference::ReferenceEngine engine_;
};

template <class Engine>
class Driver {
 public:
  explicit Driver(std::size_t working) : engine_(working), working_(working) {
    (*engine_).logon(0, {.user_id = 1}, 0);
    for (core::OrderId& order : working_) order = enter(random_side(), core::TimeInForce::kGtc);
  }

  void cancel_and_enter() {
    core::OrderId& order = working_[random_.below(working_.size())];
    core::CancelOrder cancel;
    cancel.oms_id = 1;
    cancel.order_id = order;
    apply(cancel);
    order = enter(random_side(), core::TimeInForce::kGtc);
  }

  // Each working order is one lot, so one lot taken at the best price fills exactly one.
  void cross() {
    const core::Side side = random_side();
    enter(core::opposite(side), core::TimeInForce::kIoc);
    enter(side, core::TimeInForce::kGtc);
  }

  std::uint64_t reports() const noexcept { return engine_.sink.reports; }
  std::uint64_t refused() const noexcept { return engine_.sink.refused; }

 private:
  core::Side random_side() { return random_.one_in(2) ? core::Side::kBuy : core::Side::kSell; }

  core::OrderId enter(core::Side side, core::TimeInForce time_in_force) {
    core::NewOrder order;
    order.oms_id = 1;
    order.account_id = 1;
    order.instrument_id = 1;
    order.cl_ord_id = ++cl_ord_id_;
    order.side = side;
    order.order_type = core::OrderType::kLimit;
    order.time_in_force = time_in_force;
    order.set_quantity(core::in_increments(1));
    const auto away = static_cast<core::Ticks>(1 + random_.below(kLevels));
    const bool taking = time_in_force == core::TimeInForce::kIoc;
    const core::Ticks distance = taking ? -static_cast<core::Ticks>(kLevels) : away;
    order.set_limit_price(
        core::in_increments(side == core::Side::kBuy ? kMiddle - distance : kMiddle + distance));
    apply(order);
    return engine_.sink.last_order_id;
  }

  template <class Message>
  void apply(const Message& message) {
    core::Request request;
    request.assign(message);
    (*engine_).request(0, ++request_, request, ++now_);
  }

  Engine engine_;
  std::vector<core::OrderId> working_;
  Random random_{1};
  core::ClOrdId cl_ord_id_ = 0;
  core::Sequence request_ = 0;
  core::TimeNs now_ = 0;
};

template <class Engine>
void CancelAndEnter(benchmark::State& state) {
  Driver<Engine> driver(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) driver.cancel_and_enter();
  if (driver.refused() != 0) state.SkipWithError("a request was refused");
  state.SetItemsProcessed(state.iterations() * 2);
}

template <class Engine>
void Cross(benchmark::State& state) {
  Driver<Engine> driver(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) driver.cross();
  if (driver.refused() != 0) state.SkipWithError("a request was refused");
  state.SetItemsProcessed(state.iterations() * 2);
}

BENCHMARK(CancelAndEnter<Fast>)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(CancelAndEnter<Plain>)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(Cross<Fast>)->Arg(10'000);
BENCHMARK(Cross<Plain>)->Arg(10'000);

}  // namespace
}  // namespace shmatch::bench

BENCHMARK_MAIN();
