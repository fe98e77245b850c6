// What the tracker rebuilds from a compact session's reports is what a session of the same user
// with whole objects receives, event by event, over a random stream with crossing orders and
// cancels.
#include "ipc/order_tracker.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

#include "core/matching_engine.h"
#include "tests/unit/random.h"

namespace shmatch {
namespace {

class TwoSessions final : public core::ReportSink {
 public:
  static constexpr core::SessionSlot kCompact = 0;
  static constexpr core::SessionSlot kWhole = 1;

  void deliver(core::SessionSlot to, const core::Report& report) noexcept override {
    received[to].push_back(report);
  }
  std::deque<core::Report> received[2];
};

core::Configuration configuration() {
  core::Configuration result;
  result.instruments = {{1, "TEST", {1, 0}, {1, 0}}};
  result.accounts = {1};
  result.users = {{7, "trader", core::kPermissionTrading, {1}}};
  result.capacities = {64, 64, 2};
  return result;
}

class TrackedEngine {
 public:
  TrackedEngine()
      : size_((core::MatchingEngine::memory_size(configuration_) + 4095) / 4096 * 4096),
        memory_(static_cast<std::byte*>(std::aligned_alloc(4096, size_)), &std::free) {
    std::fill_n(memory_.get(), size_, std::byte{0});
    engine_ = std::make_unique<core::MatchingEngine>(configuration_,
                                                     std::span(memory_.get(), size_), 1, sink);
    engine_->logon(TwoSessions::kCompact, {.user_id = 7}, 0);
    engine_->logon(TwoSessions::kWhole, {.user_id = 7, .whole_objects = true}, 0);
  }

  template <class Message>
  void apply(const Message& message) {
    core::Request request;
    request.assign(message);
    engine_->request(TwoSessions::kCompact, ++requests_, request, ++now_);
  }

  TwoSessions sink;

 private:
  core::Configuration configuration_ = configuration();
  std::size_t size_;
  std::unique_ptr<std::byte, decltype(&std::free)> memory_;
  std::unique_ptr<core::MatchingEngine> engine_;
  core::Sequence requests_ = 0;
  core::TimeNs now_ = 1000;
};

core::NewOrder random_order(tests::Random& random) {
  core::NewOrder order;
  order.oms_id = 1;
  order.account_id = 1;
  order.instrument_id = 1;
  order.side = random.one_in(2) ? core::Side::kBuy : core::Side::kSell;
  order.order_type = random.one_in(8) ? core::OrderType::kMarket : core::OrderType::kLimit;
  order.time_in_force = random.one_in(5) ? core::TimeInForce::kIoc : core::TimeInForce::kGtc;
  order.set_quantity(core::in_increments(static_cast<std::int64_t>(1 + random.below(50))));
  order.set_limit_price(core::in_increments(static_cast<std::int64_t>(100 + random.below(8))));
  return order;
}

// The fields that compact reports can tell: all but the book's prices around the order.
void expect_same(const core::OrderStateWhole& rebuilt, const core::OrderStateWhole& told) {
  EXPECT_EQ(rebuilt.header.a, told.header.a);
  EXPECT_EQ(rebuilt.header.b, told.header.b);
  EXPECT_EQ(rebuilt.header.ordinal, told.header.ordinal);
  EXPECT_EQ(rebuilt.header.engine_sequence, told.header.engine_sequence);
  EXPECT_EQ(rebuilt.order_id, told.order_id);
  EXPECT_EQ(rebuilt.cl_ord_id, told.cl_ord_id);
  EXPECT_EQ(rebuilt.account_id, told.account_id);
  EXPECT_EQ(rebuilt.price, told.price);
  EXPECT_EQ(rebuilt.orig_quantity, told.orig_quantity);
  EXPECT_EQ(rebuilt.leaves, told.leaves);
  EXPECT_EQ(rebuilt.executed, told.executed);
  EXPECT_EQ(rebuilt.gross_low, told.gross_low);
  EXPECT_EQ(rebuilt.gross_high, told.gross_high);
  EXPECT_EQ(rebuilt.receive_time_ns, told.receive_time_ns);
  EXPECT_EQ(rebuilt.update_time_ns, told.update_time_ns);
  EXPECT_EQ(rebuilt.instrument_id, told.instrument_id);
  EXPECT_EQ(rebuilt.entered_by, told.entered_by);
  EXPECT_EQ(rebuilt.side, told.side);
  EXPECT_EQ(rebuilt.order_type, told.order_type);
  EXPECT_EQ(rebuilt.time_in_force, told.time_in_force);
  EXPECT_EQ(rebuilt.order_flags, told.order_flags);
}

TEST(OrderTracker, RebuildsWhatASessionWithWholeObjectsIsTold) {
  TrackedEngine engine;
  OrderTracker tracker;
  tests::Random random(11);
  std::vector<core::OrderId> entered;
  std::size_t compared = 0;
  for (int step = 0; step < 4000; ++step) {
    if (!entered.empty() && random.one_in(3)) {
      core::CancelOrder cancel;
      cancel.oms_id = 1;
      cancel.order_id = entered[random.below(entered.size())];
      engine.apply(cancel);
    } else {
      engine.apply(random_order(random));
    }
    auto& whole = engine.sink.received[TwoSessions::kWhole];
    for (const core::Report& report : engine.sink.received[TwoSessions::kCompact]) {
      if (report.is<core::OrderAccepted>()) {
        entered.push_back(report.as<core::OrderAccepted>().order_id);
      }
      const core::OrderStateWhole* rebuilt = tracker.apply(report);
      if (rebuilt == nullptr) continue;
      while (!whole.empty() && !whole.front().is<core::OrderStateWhole>()) whole.pop_front();
      ASSERT_FALSE(whole.empty());
      expect_same(*rebuilt, whole.front().as<core::OrderStateWhole>());
      ASSERT_FALSE(testing::Test::HasFailure()) << "step " << step;
      whole.pop_front();
      ++compared;
    }
    engine.sink.received[TwoSessions::kCompact].clear();
    whole.clear();
  }
  EXPECT_GT(compared, 4000U);
}

// A session that goes on begins with Resumed; what it missed then comes as it would have come.
TEST(OrderTracker, GoesOnWithWhatAResumedSessionMissed) {
  TrackedEngine engine;
  auto& reports = engine.sink.received[TwoSessions::kCompact];
  tests::Random random(3);
  for (int step = 0; step < 500; ++step) engine.apply(random_order(random));
  OrderTracker whole;
  OrderTracker tracker;
  core::Report resumed;
  resumed.assign(core::Resumed{.header = {}, .last_request = 500});
  for (std::size_t i = 0; i < reports.size(); ++i) {
    whole.apply(reports[i]);
    if (i == reports.size() / 2) {
      EXPECT_EQ(tracker.apply(resumed), nullptr);
    }
    tracker.apply(reports[i]);
  }
  std::size_t orders = 0;
  for (const core::Report& report : reports) {
    if (!report.is<core::OrderEntered>()) continue;
    const core::OrderId id = report.as<core::OrderEntered>().order_id;
    expect_same(*tracker.find(id), *whole.find(id));
    ++orders;
  }
  EXPECT_GT(orders, 400U);
}

TEST(OrderTracker, DoesNotKnowAnOrderThatItNeverSawUntilItLearnsIt) {
  OrderTracker tracker;
  core::OrderChanged changed;
  changed.header.engine_sequence = 9;
  changed.header.a = core::pack_nibbles(static_cast<std::uint8_t>(core::OrderState::kCanceled), 1);
  changed.order_id = 5;
  core::Report report;
  report.assign(changed);
  EXPECT_EQ(tracker.apply(report), nullptr);

  core::OpenOrderRow row;
  row.header.a = static_cast<std::uint8_t>(core::OrderState::kWorking);
  row.order_id = 5;
  row.orig_quantity = 9;
  row.header.engine_sequence = 8;
  tracker.learn(row);
  const core::OrderStateWhole* order = tracker.apply(report);
  ASSERT_NE(order, nullptr);
  EXPECT_EQ(order->orig_quantity, 9);
  EXPECT_EQ(core::order_state(order->header), core::OrderState::kCanceled);
  tracker.forget_ended();
  EXPECT_EQ(tracker.find(5), nullptr);
}

TEST(OrderTracker, DoesNotCountWhatAQuerysAnswerAlreadyIncludes) {
  OrderTracker tracker;
  core::OpenOrderRow row;
  row.header.engine_sequence = 20;
  row.header.a = static_cast<std::uint8_t>(core::OrderState::kWorking);
  row.order_id = 5;
  row.leaves = 6;
  row.executed = 4;
  row.gross_low = 400;
  tracker.learn(row);

  core::Trade trade;
  trade.order_id = 5;
  trade.price = 100;
  trade.quantity = 4;
  core::Report report;
  trade.header.engine_sequence = 20;  // what the row has counted
  report.assign(trade);
  tracker.apply(report);
  EXPECT_EQ(tracker.find(5)->gross_low, 400U);
  core::OrderChanged changed;
  changed.order_id = 5;
  changed.leaves = 8;
  changed.header.engine_sequence = 19;
  report.assign(changed);
  tracker.apply(report);
  EXPECT_EQ(tracker.find(5)->leaves, 6);

  trade.header.engine_sequence = 21;  // what came after it
  report.assign(trade);
  tracker.apply(report);
  EXPECT_EQ(tracker.find(5)->gross_low, 800U);
}

}  // namespace
}  // namespace shmatch
