// Cancel-replace: a cancel and an entry in one step, as stories told to the engine and to the plain
// reference.
#include <gtest/gtest.h>

#include "tests/unit/engine_story.h"

namespace shmatch::story {
namespace {

using namespace core;

class Replacing : public Story {};
INSTANTIATE_STORIES(Replacing);

TEST_P(Replacing, the_old_orders_end_comes_first_then_the_new_ones_acceptance_and_events) {
  Trader alice = logon(kAlice);
  const OrderId old = alice.sends(buy(5).at(100)).order_id;
  alice.hears();
  EXPECT_EQ(alice.replaces({.order_id = old}, buy(6).at(101)), Refusal{});
  EXPECT_EQ(alice.hears(), (Lines{"A canceled by a user: 0 left, 0 done", "B accepted",
                                  "B working as entered: 6 left, 0 done"}));
  EXPECT_EQ(book(), "6@101 | ");
  engine().check_invariants();
}

TEST_P(Replacing, both_halves_are_one_input) {
  Trader alice = logon(kAlice);
  const OrderId old = alice.sends(buy(5).at(100)).order_id;
  alice.reports();
  const Sequence before = engine().last_sequence();
  alice.replaces({.order_id = old}, buy(5).at(100));
  EXPECT_EQ(engine().last_sequence(), before + 1);
  std::uint32_t ordinal = 0;
  for (const Report& report : alice.reports()) {
    const auto header = report.as<ReportHeader>();
    EXPECT_EQ(header.engine_sequence, before + 1);
    EXPECT_EQ(header.ordinal, ordinal++);
  }
  EXPECT_EQ(ordinal, 3U);
}

TEST_P(Replacing, the_new_order_stands_behind_those_that_were_there) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  const OrderId first = alice.sends(sell(1).at(100)).order_id;
  alice.sends(sell(1).at(100));
  alice.replaces({.order_id = first}, sell(1).at(100));
  alice.hears();
  bob.sends(buy(1).at(100));
  EXPECT_EQ(alice.hears().front(), "B sells 1 at 100 as maker");
}

TEST_P(Replacing, the_new_order_may_trade) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  bob.sends(sell(3).at(101));
  const OrderId old = alice.sends(buy(5).at(100)).order_id;
  alice.hears();
  alice.replaces({.order_id = old}, buy(5).at(101));
  EXPECT_EQ(alice.hears(),
            (Lines{"B canceled by a user: 0 left, 0 done", "C accepted", "C buys 3 at 101 as taker",
                   "C working by a trade: 2 left, 3 done"}));
  EXPECT_EQ(book(), "2@101 | ");
}

TEST_P(Replacing, an_order_never_trades_with_the_one_that_replaces_it) {
  Trader alice = logon(kAlice);
  const OrderId old = alice.sends(sell(5).at(100)).order_id;
  EXPECT_EQ(alice.replaces({.order_id = old}, buy(5).at(100)), Refusal{});
  EXPECT_EQ(engine().trade_count(), 0U);
  EXPECT_EQ(book(), "5@100 | ");
}

TEST_P(Replacing, the_client_id_may_be_the_old_one_and_then_names_the_new_order) {
  Trader alice = logon(kAlice);
  alice.sends(buy(5).at(100).client_id(7));
  const Keys keys{.account_id = 1, .cl_ord_id = 7};
  EXPECT_EQ(alice.replaces(keys, buy(5).at(99).client_id(7)), Refusal{});
  EXPECT_EQ(book(), "5@99 | ");
  EXPECT_EQ(alice.cancels(keys), Refusal{});
  EXPECT_EQ(book(), " | ");
}

TEST_P(Replacing, another_orders_client_id_is_refused_and_nothing_changes) {
  Trader alice = logon(kAlice);
  const OrderId old = alice.sends(buy(5).at(100).client_id(7)).order_id;
  alice.sends(buy(5).at(99).client_id(8));
  alice.hears();
  EXPECT_EQ(alice.replaces({.order_id = old}, buy(5).at(98).client_id(8)),
            refusal(ErrorCode::kOperationFailed, Detail::kDuplicateClOrdId, 8));
  EXPECT_EQ(alice.hears(), Lines{});
  EXPECT_EQ(book(), "5@100 5@99 | ");
  engine().check_invariants();
}

TEST_P(Replacing, a_refused_new_order_leaves_the_old_one_in_its_place) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  const OrderId old = alice.sends(sell(1).at(100)).order_id;
  alice.sends(sell(1).at(100));
  alice.hears();
  EXPECT_EQ(alice.replaces({.order_id = old}, sell(0).at(100)),
            refusal(ErrorCode::kInvalidRequest, Detail::kNotPositive,
                    static_cast<std::int64_t>(Field::kQuantity)));
  EXPECT_EQ(alice.replaces({.order_id = old}, sell(1).at(100).account(2)),
            refusal(ErrorCode::kNotAuthorized, Detail::kForeignAccount, 2));
  bob.sends(buy(1).at(100));
  EXPECT_EQ(alice.hears().front(), "A sells 1 at 100 as maker");
}

TEST_P(Replacing, an_old_order_that_cannot_be_cancelled_is_the_first_refusal) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  const OrderId bobs = bob.sends(buy(1).at(90)).order_id;
  // The new order would be refused too.
  EXPECT_EQ(alice.replaces({.order_id = bobs}, sell(0).at(100)),
            refusal(ErrorCode::kNotAuthorized, Detail::kForeignOrder, bobs));
  const OrderId old = alice.sends(sell(1).at(100)).order_id;
  alice.cancels(old);
  const Refusal again = alice.replaces({.order_id = old}, sell(1).at(100));
  EXPECT_EQ(again.detail, Detail::kCanceledByUser);
  EXPECT_EQ(engine().working_orders(), 1U);
}

TEST_P(Replacing, the_refusals_receipt_says_which_half_was_wrong) {
  Trader alice = logon(kAlice);
  const OrderId old = alice.sends(sell(1).at(100)).order_id;
  alice.reports();
  NewOrder entry = sell(0).at(100).account(1).message;
  const auto half = [&](OrderId named) {
    engine().cancel_replace(alice.slot(), engine().session(alice.slot()).last_request + 1,
                            {.oms_id = 1, .order_id = named}, entry, now);
    const std::vector<Report> reports = alice.reports();
    return reports.size() == 1 ? reports[0].as<Receipt>().request_type : 99U;
  };
  EXPECT_EQ(half(old + 1), static_cast<std::uint32_t>(RequestType::kCancelOrder));
  EXPECT_EQ(half(old), static_cast<std::uint32_t>(RequestType::kNewOrder));
}

TEST_P(Replacing, a_full_engine_can_replace_but_not_add) {
  Configuration small = story_configuration();
  small.capacities.working_orders = 1;
  small.capacities.finished_orders = 0;
  start(small);
  Trader alice = logon(kAlice);
  const OrderId old = alice.sends(buy(5).at(100)).order_id;
  EXPECT_EQ(alice.sends(buy(5).at(99)).refusal.detail, Detail::kMaxWorkingOrders);
  EXPECT_EQ(alice.replaces({.order_id = old}, buy(5).at(99)), Refusal{});
  EXPECT_EQ(book(), "5@99 | ");
  engine().check_invariants();
}

TEST_P(Replacing, the_level_that_the_old_order_closes_counts_as_free) {
  Configuration few = story_configuration();
  few.capacities.price_levels = 2;
  start(few);
  Trader alice = logon(kAlice);
  OrderId alone = alice.sends(buy(5).at(100)).order_id;
  const OrderId first = alice.sends(sell(5).at(110)).order_id;
  alice.sends(sell(5).at(110));
  // To another price, to the same one, and to the other side.
  EXPECT_EQ(alice.replaces({.order_id = alone}, buy(5).at(99).client_id(1)), Refusal{});
  EXPECT_EQ(alice.replaces({.account_id = 1, .cl_ord_id = 1}, buy(4).at(99).client_id(1)),
            Refusal{});
  EXPECT_EQ(alice.replaces({.account_id = 1, .cl_ord_id = 1}, sell(4).at(99).client_id(1)),
            Refusal{});
  EXPECT_EQ(book(), " | 4@99 10@110");
  // Of two orders one stays, and with it the level.
  const Refusal full = refusal(ErrorCode::kOperationFailed, Detail::kMaxPriceLevels, 2);
  EXPECT_EQ(alice.replaces({.order_id = first}, sell(5).at(111)), full);
  EXPECT_EQ(book(), " | 4@99 10@110");
  EXPECT_EQ(alice.replaces({.order_id = first}, sell(5).at(99)), Refusal{});
  EXPECT_EQ(book(), " | 9@99 5@110");
  engine().check_invariants();
}

TEST_P(Replacing, it_counts_as_one_request_of_the_rate_limit) {
  Configuration limited = story_configuration();
  limited.rate_per_second = 1;
  limited.rate_burst = 2;
  start(limited);
  Trader alice = logon(kAlice);
  const OrderId old = alice.sends(buy(5).at(100)).order_id;
  EXPECT_EQ(alice.replaces({.order_id = old}, buy(5).at(99)), Refusal{});
  EXPECT_EQ(alice.sends(buy(1).at(90)).refusal.detail, Detail::kRateLimited);
}

TEST_P(Replacing, an_engine_that_stops_refuses_it) {
  Trader alice = logon(kAlice);
  const OrderId old = alice.sends(buy(5).at(100)).order_id;
  stops_accepting(Detail::kStopping);
  EXPECT_EQ(alice.replaces({.order_id = old}, buy(5).at(99)),
            refusal(ErrorCode::kServerError, Detail::kStopping));
  EXPECT_EQ(book(), "5@100 | ");
}

}  // namespace
}  // namespace shmatch::story
