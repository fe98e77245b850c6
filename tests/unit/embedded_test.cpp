// The engine in one's own process: the C++ class and the C calls.
#include "ipc/embedded.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ipc/embedded_engine.h"

namespace shmatch {
namespace {

using Lines = std::vector<std::string>;

// ---------------------------------------------------------------------------------------------- C

constexpr shmatch_options kOptions{.instruments = 2,
                                   .accounts = 3,
                                   .working_orders = 100,
                                   .finished_orders = 100,
                                   .price_levels = 20};

std::string text_of(const shmatch_report& report) {
  const std::string order = " " + std::to_string(report.client_id);
  switch (report.kind) {
    case SHMATCH_ACCEPTED:
      return "accepted" + order;
    case SHMATCH_CANCEL_ACCEPTED:
      return "cancel accepted";
    case SHMATCH_REFUSED:
      return "refused " + std::to_string(report.code) + " " + std::to_string(report.detail);
    case SHMATCH_ORDER:
      return "order" + order + " state " + std::to_string(report.state) + " for " +
             std::to_string(report.change_reason) + ": " + std::to_string(report.quantity) + " + " +
             std::to_string(report.executed);
    case SHMATCH_TRADE:
      return std::string(report.side == SHMATCH_BUY ? "buys " : "sells ") +
             std::to_string(report.quantity) + " at " + std::to_string(report.price) +
             (report.maker != 0 ? " as maker" : " as taker");
    default:
      return "?";
  }
}

class EmbeddedC : public testing::Test {
 protected:
  EmbeddedC() { engine_ = shmatch_create(&kOptions, note, this, nullptr, 0); }
  ~EmbeddedC() override { shmatch_destroy(engine_); }
  void SetUp() override { ASSERT_NE(engine_, nullptr); }

  static void note(void* context, const shmatch_report* report) {
    auto& self = *static_cast<EmbeddedC*>(context);
    self.heard_.push_back(text_of(*report));
    self.last_ = *report;
  }
  Lines heard() { return std::exchange(heard_, {}); }

  static shmatch_order order(shmatch_side side, std::int64_t quantity, std::int64_t price,
                             std::int64_t client_id) {
    return {.account = 1,
            .instrument = 1,
            .client_id = client_id,
            .quantity = quantity,
            .price = price,
            .side = static_cast<std::uint8_t>(side),
            .type = SHMATCH_LIMIT,
            .time_in_force = SHMATCH_GTC};
  }
  std::int64_t enter(const shmatch_order& order) { return shmatch_new_order(engine_, &order, 5); }
  int cancel(const shmatch_key& key) { return shmatch_cancel(engine_, &key, 6); }

  shmatch_engine* engine_ = nullptr;
  Lines heard_;
  shmatch_report last_{};
};

TEST_F(EmbeddedC, an_order_rests_and_is_seen_in_the_book) {
  const std::int64_t id = enter(order(SHMATCH_BUY, 5, 100, 1));
  EXPECT_GT(id, 0);
  EXPECT_EQ(heard(), (Lines{"accepted 1", "order 1 state 1 for 1: 5 + 0"}));
  EXPECT_EQ(last_.order_id, id);
  EXPECT_EQ(last_.time, 5);
  EXPECT_EQ(last_.ordinal, 1U);
  EXPECT_EQ(shmatch_best_price(engine_, 1, SHMATCH_BUY), 100);
  EXPECT_EQ(shmatch_best_price(engine_, 1, SHMATCH_SELL), 0);
  EXPECT_EQ(shmatch_best_price(engine_, 2, SHMATCH_BUY), 0);
  EXPECT_EQ(shmatch_best_price(engine_, 99, SHMATCH_BUY), 0);
  EXPECT_EQ(shmatch_depth_at(engine_, 1, SHMATCH_BUY, 100), 5U);
  EXPECT_EQ(shmatch_depth_at(engine_, 1, SHMATCH_BUY, 99), 0U);
  EXPECT_EQ(shmatch_working_orders(engine_), 1U);
}

TEST_F(EmbeddedC, depth_is_the_sum_of_what_rests) {
  constexpr std::int64_t kMost = 1'000'000'000'000'000;
  enter(order(SHMATCH_SELL, kMost, kMost, 1));
  enter(order(SHMATCH_SELL, kMost, kMost, 2));
  EXPECT_EQ(shmatch_depth_at(engine_, 1, SHMATCH_SELL, kMost), 2'000'000'000'000'000U);
}

TEST_F(EmbeddedC, both_sides_of_a_trade_are_told) {
  enter(order(SHMATCH_SELL, 5, 100, 1));
  heard();
  enter(order(SHMATCH_BUY, 3, 101, 2));
  EXPECT_EQ(heard(), (Lines{"accepted 2", "buys 3 at 100 as taker", "sells 3 at 100 as maker",
                            "order 1 state 1 for 5: 2 + 3", "order 2 state 5 for 5: 0 + 3"}));
}

TEST_F(EmbeddedC, immediate_orders_never_rest) {
  enter(order(SHMATCH_SELL, 5, 100, 1));
  heard();
  shmatch_order fok = order(SHMATCH_BUY, 6, 100, 2);
  fok.time_in_force = SHMATCH_FOK;
  EXPECT_GT(enter(fok), 0);
  EXPECT_EQ(heard(), (Lines{"accepted 2", "order 2 state 3 for 6: 0 + 0"}));
  shmatch_order ioc = order(SHMATCH_BUY, 2, 99, 3);
  ioc.time_in_force = SHMATCH_IOC;
  enter(ioc);
  EXPECT_EQ(heard(), (Lines{"accepted 3", "order 3 state 3 for 6: 0 + 0"}));
  shmatch_order market = order(SHMATCH_BUY, 5, 0, 4);
  market.type = SHMATCH_MARKET;
  enter(market);
  EXPECT_EQ(heard().back(), "order 4 state 5 for 5: 0 + 5");
  EXPECT_EQ(shmatch_working_orders(engine_), 0U);
}

TEST_F(EmbeddedC, either_key_cancels_and_a_second_cancel_is_told_why_not) {
  const std::int64_t id = enter(order(SHMATCH_BUY, 5, 100, 1));
  enter(order(SHMATCH_BUY, 5, 100, 2));
  heard();
  EXPECT_EQ(cancel({.order_id = id, .account = 0, .client_id = 0}), 1);
  EXPECT_EQ(heard(), (Lines{"cancel accepted", "order 1 state 3 for 100: 0 + 0"}));
  EXPECT_EQ(cancel({.order_id = 0, .account = 1, .client_id = 2}), 1);
  heard();
  EXPECT_EQ(cancel({.order_id = id, .account = 0, .client_id = 0}), 0);
  EXPECT_EQ(heard(), Lines{"refused 104 14"});
  char text[200];
  shmatch_refusal_text(&last_, text, sizeof text);
  EXPECT_NE(std::string(text), "");
  char cut[5];
  shmatch_refusal_text(&last_, cut, sizeof cut);
  EXPECT_EQ(std::string(cut), std::string(text).substr(0, 4));
  EXPECT_EQ(cancel({.order_id = 0, .account = 0, .client_id = 0}), 0);
  EXPECT_EQ(heard(), Lines{"refused 100 5"});
}

TEST_F(EmbeddedC, a_replaced_order_keeps_its_client_id_and_loses_its_place) {
  enter(order(SHMATCH_BUY, 5, 100, 1));
  heard();
  const shmatch_key key{.order_id = 0, .account = 1, .client_id = 1};
  const shmatch_order better = order(SHMATCH_BUY, 6, 101, 1);
  EXPECT_GT(shmatch_cancel_replace(engine_, &key, &better, 7), 0);
  EXPECT_EQ(heard(), (Lines{"order 1 state 3 for 100: 0 + 0", "accepted 1",
                            "order 1 state 1 for 1: 6 + 0"}));
  const shmatch_order wrong = order(SHMATCH_BUY, 0, 101, 1);
  EXPECT_EQ(shmatch_cancel_replace(engine_, &key, &wrong, 8), 0);
  EXPECT_EQ(heard(), Lines{"refused 100 22"});
  EXPECT_EQ(shmatch_depth_at(engine_, 1, SHMATCH_BUY, 101), 6U);
}

TEST_F(EmbeddedC, fields_that_mean_nothing_are_refused) {
  shmatch_order odd = order(SHMATCH_BUY, 5, 100, 1);
  odd.side = 9;
  EXPECT_EQ(enter(odd), 0);
  odd = order(SHMATCH_BUY, 5, 100, 1);
  odd.type = 200;
  EXPECT_EQ(enter(odd), 0);
  odd = order(SHMATCH_BUY, 5, 100, 1);
  odd.time_in_force = 0;
  EXPECT_EQ(enter(odd), 0);
  odd = order(SHMATCH_BUY, 5, 100, 1);
  odd.account = 4;
  EXPECT_EQ(enter(odd), 0);
  odd = order(SHMATCH_BUY, -5, 100, 1);
  EXPECT_EQ(enter(odd), 0);
  EXPECT_EQ(heard(), (Lines{"refused 100 19", "refused 100 19", "refused 100 19", "refused 104 20",
                            "refused 100 22"}));
  EXPECT_EQ(shmatch_working_orders(engine_), 0U);
}

TEST_F(EmbeddedC, an_order_without_room_for_its_price_is_refused) {
  for (int i = 0; i < 20; ++i) EXPECT_GT(enter(order(SHMATCH_BUY, 1, 100 + i, 0)), 0);
  heard();
  EXPECT_EQ(enter(order(SHMATCH_BUY, 1, 99, 0)), 0);
  EXPECT_EQ(heard(), Lines{"refused 101 34"});
  EXPECT_GT(enter(order(SHMATCH_BUY, 1, 100, 0)), 0);
}

TEST(EmbeddedCreate, what_cannot_be_served_is_told_in_one_sentence) {
  const auto nothing = [](void*, const shmatch_report*) {};
  for (const shmatch_options& wrong :
       {shmatch_options{0, 1, 10, 10, 0}, shmatch_options{1, 0xFFFF'FFFF, 10, 10, 0},
        shmatch_options{0xFFFF'FFFF, 1, 10, 10, 0}, shmatch_options{1, 1, 0, 0, 0},
        shmatch_options{1, 1, 10, 10, 11}}) {
    char error[200] = "";
    EXPECT_EQ(shmatch_create(&wrong, nothing, nullptr, error, sizeof error), nullptr);
    EXPECT_NE(std::string(error), "");
    EXPECT_EQ(shmatch_create(&wrong, nothing, nullptr, nullptr, 0), nullptr);
  }
  shmatch_destroy(nullptr);
}

// -------------------------------------------------------------------------------------------- C++

class CountingSink final : public core::ReportSink {
 public:
  void deliver(core::SessionSlot to, const core::Report& report) noexcept override {
    EXPECT_EQ(to, 0U);
    ++count;
    last = report;
  }
  int count = 0;
  core::Report last;
};

core::Configuration configuration() {
  core::Configuration result;
  result.instruments = {{1, "TEST", {1, -2}, {1, 0}}};
  result.accounts = {1};
  result.users = {{1, "me", core::kPermissionTrading, {1}}};
  result.capacities = {100, 100, 1};
  return result;
}

TEST(EmbeddedEngine, answers_queries_and_keeps_a_digest) {
  CountingSink sink;
  EmbeddedEngine engine;
  ASSERT_EQ(engine.create(configuration(), {.user_id = 1}, sink, true).text, "");
  const std::uint64_t before = engine.engine().digest();
  core::NewOrder order{.oms_id = 1, .account_id = 1, .instrument_id = 1};
  order.side = core::Side::kBuy;
  order.order_type = core::OrderType::kLimit;
  order.set_quantity({1, 0});
  order.set_limit_price({105, -2});
  engine.new_order(order, 1);
  EXPECT_EQ(sink.count, 2);
  EXPECT_EQ(engine.engine().best(1, core::Side::kBuy).price, 105);
  EXPECT_NE(engine.engine().digest(), before);
  const core::OrderId id = sink.last.as<core::OrderEntered>().order_id;
  engine.query(core::OrderStatusQuery{.oms_id = 1, .order_id = id}, 2);
  EXPECT_EQ(sink.last.as<core::OrderStatusReply>().price, 105);
  engine.cancel({.oms_id = 1, .order_id = id}, 3);
  EXPECT_EQ(engine.engine().working_orders(), 0U);
}

TEST(EmbeddedEngine, says_what_is_wrong_and_can_then_be_created) {
  CountingSink sink;
  EmbeddedEngine engine;
  EXPECT_NE(engine.create({}, {.user_id = 1}, sink).text, "");
  EXPECT_EQ(engine.create(configuration(), {.user_id = 2}, sink).text, "user 2 is not configured");
  EXPECT_EQ(engine.create(configuration(), {.user_id = 1}, sink).text, "");
}

}  // namespace
}  // namespace shmatch
