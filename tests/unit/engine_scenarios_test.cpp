// The edge cases that every order book must pass, as stories told to the engine and to the plain
// reference.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/engine_story.h"

namespace shmatch::story {
namespace {

using namespace core;

// Matching: who trades with whom, at which price, in which order.
class Matching : public Story {};
INSTANTIATE_STORIES(Matching);

TEST_P(Matching, an_order_on_an_empty_book_rests_and_is_the_best) {
  Trader alice = logon(kAlice);
  alice.sends(buy(5).at(100));
  EXPECT_EQ(alice.hears(), Lines{"A working as entered: 5 left, 0 done"});
  EXPECT_EQ(book(), "5@100 | ");
  EXPECT_EQ(engine().best(kTest, Side::kBuy).price, 100);
  EXPECT_EQ(engine().best(kTest, Side::kSell).price, 0);
}

TEST_P(Matching, events_of_a_fill_come_taker_first_and_the_new_orders_own_state_last) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(5).at(100));
  alice.hears();
  bob.sends(buy(3).at(100));
  EXPECT_EQ(alice.hears(),
            (Lines{"A sells 3 at 100 as maker", "A working by a trade: 2 left, 3 done"}));
  EXPECT_EQ(bob.hears(),
            (Lines{"B buys 3 at 100 as taker", "B filled by a trade: 0 left, 3 done"}));
  EXPECT_EQ(engine().last_trade_price(kTest), 100);
}

TEST_P(Matching, one_session_of_both_accounts_hears_the_whole_story_in_order) {
  Trader operator_hears_all = logon(kOlivia, {.all_accounts = true});
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(2).at(100));
  alice.sends(sell(2).at(101));
  operator_hears_all.hears();
  bob.sends(buy(5).at(101));
  EXPECT_EQ(operator_hears_all.hears(),
            (Lines{"C buys 2 at 100 as taker", "A sells 2 at 100 as maker",
                   "A filled by a trade: 0 left, 2 done", "C buys 2 at 101 as taker",
                   "B sells 2 at 101 as maker", "B filled by a trade: 0 left, 2 done",
                   "C working by a trade: 1 left, 4 done"}));
}

TEST_P(Matching, the_taker_never_sets_the_price) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(1).at(100));
  alice.sends(buy(1).at(90));
  alice.hears();
  bob.sends(buy(1).at(200));
  bob.sends(sell(1).at(1));
  EXPECT_EQ(alice.hears(),
            (Lines{"A sells 1 at 100 as maker", "A filled by a trade: 0 left, 1 done",
                   "B buys 1 at 90 as maker", "B filled by a trade: 0 left, 1 done"}));
}

TEST_P(Matching, orders_of_one_price_trade_in_the_order_of_their_arrival_even_at_one_time) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  for (int i = 0; i < 3; ++i) alice.sends(sell(1).at(100));
  alice.hears();
  bob.sends(buy(2).at(100));
  EXPECT_EQ(alice.hears(),
            (Lines{"A sells 1 at 100 as maker", "A filled by a trade: 0 left, 1 done",
                   "B sells 1 at 100 as maker", "B filled by a trade: 0 left, 1 done"}));
  EXPECT_EQ(book(), " | 1@100");
}

TEST_P(Matching, a_better_price_goes_before_an_earlier_order) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(buy(1).at(100));
  alice.sends(buy(1).at(102));
  alice.sends(buy(1).at(101));
  alice.hears();
  bob.sends(sell(2).at(100));
  EXPECT_EQ(alice.hears(),
            (Lines{"B buys 1 at 102 as maker", "B filled by a trade: 0 left, 1 done",
                   "C buys 1 at 101 as maker", "C filled by a trade: 0 left, 1 done"}));
}

TEST_P(Matching, a_partial_fill_keeps_its_place_across_calls) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(10).at(100));
  alice.sends(sell(10).at(100));
  bob.sends(buy(4).at(100));
  alice.hears();
  bob.sends(buy(8).at(100));
  EXPECT_EQ(alice.hears(),
            (Lines{"A sells 6 at 100 as maker", "A filled by a trade: 0 left, 10 done",
                   "B sells 2 at 100 as maker", "B working by a trade: 8 left, 2 done"}));
}

TEST_P(Matching, a_limit_order_stops_at_its_own_price_in_the_middle_of_a_sweep) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  for (Ticks price = 100; price < 105; ++price) alice.sends(sell(1).at(price));
  bob.sends(buy(10).at(102));
  EXPECT_EQ(book(), "7@102 | 1@103 1@104");
}

TEST_P(Matching, what_is_left_of_a_limit_order_becomes_the_new_best) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(2).at(100));
  bob.sends(buy(5).at(101));
  EXPECT_EQ(bob.hears(),
            (Lines{"B buys 2 at 100 as taker", "B working by a trade: 3 left, 2 done"}));
  EXPECT_EQ(book(), "3@101 | ");
  alice.sends(sell(3).at(99));
  EXPECT_EQ(book(), " | ");
  EXPECT_EQ(engine().last_trade_price(kTest), 101);
}

TEST_P(Matching, an_emptied_best_level_leaves_no_phantom) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(1).at(100));
  alice.sends(sell(1).at(105));
  bob.sends(buy(1).at(100));
  EXPECT_EQ(engine().best(kTest, Side::kSell).price, 105);
  EXPECT_EQ(static_cast<Lots>(engine().quantity_at(kTest, Side::kSell, 100)), 0);
  bob.sends(buy(1).at(100));
  EXPECT_EQ(book(), "1@100 | 1@105");
}

TEST_P(Matching, orders_of_one_account_may_trade_with_each_other) {
  Trader alice = logon(kAlice);
  alice.sends(sell(1).at(100));
  alice.hears();
  alice.sends(buy(1).at(100));
  EXPECT_EQ(alice.hears(),
            (Lines{"B buys 1 at 100 as taker", "A sells 1 at 100 as maker",
                   "A filled by a trade: 0 left, 1 done", "B filled by a trade: 0 left, 1 done"}));
}

TEST_P(Matching, books_of_two_instruments_do_not_touch) {
  Trader alice = logon(kAlice);
  alice.sends(sell(1).at(100));
  alice.sends(buy(1).at(100).instrument(kCents));
  EXPECT_EQ(book(kTest), " | 1@100");
  EXPECT_EQ(book(kCents), "1@100 | ");
  EXPECT_EQ(engine().trade_count(), 0U);
}

TEST_P(Matching, five_thousand_orders_fill_one) {
  Configuration large = story_configuration();
  large.capacities.working_orders = 5001;
  large.capacities.finished_orders = 5000;
  start(large);
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  for (int i = 0; i < 5000; ++i) alice.sends(sell(1).at(100 + i % 50));
  alice.hears();
  bob.sends(buy(5001).at(149));
  EXPECT_EQ(alice.hears().size(), 10'000U);
  const Lines told = bob.hears();
  ASSERT_EQ(told.size(), 5001U);
  EXPECT_EQ(told.back(), "I192 working by a trade: 1 left, 5000 done");
  EXPECT_EQ(engine().trade_count(), 5000U);
  EXPECT_EQ(book(), "1@149 | ");
  engine().check_invariants();
}

TEST_P(Matching, prices_and_quantities_work_at_the_ends_of_their_ranges) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(kAmountMax).at(kAmountMax));
  alice.sends(sell(kAmountMax).at(kAmountMax));
  alice.sends(buy(kAmountMax).at(1));
  const Answer taker = bob.sends(buy(kAmountMax).at(kAmountMax));
  const Touch asked = engine().best(kTest, Side::kSell);
  EXPECT_EQ(asked.price, kAmountMax);
  EXPECT_EQ(static_cast<Lots>(asked.quantity), kAmountMax);
  EXPECT_EQ(engine().best(kTest, Side::kBuy).price, 1);

  // The order's value needs more than 64 bits and is exact.
  OrderStatusQuery query;
  query.oms_id = 1;
  query.order_id = taker.order_id;
  const std::vector<Report> reply = bob.asks(query);
  ASSERT_TRUE(reply.front().is<OrderStatusReply>());
  const auto status = reply.front().as<OrderStatusReply>();
  EXPECT_TRUE(wide(status.gross_low, status.gross_high) ==
              static_cast<Wide>(kAmountMax) * static_cast<Wide>(kAmountMax));
}

// Orders that do not rest.
class Immediate : public Story {};
INSTANTIATE_STORIES(Immediate);

TEST_P(Immediate, an_ioc_sweep_takes_whole_levels_up_to_an_exact_boundary) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  for (Ticks price = 100; price < 103; ++price) alice.sends(sell(2).at(price));
  bob.sends(buy(4).at(102).ioc());
  EXPECT_EQ(bob.hears(), (Lines{"D buys 2 at 100 as taker", "D buys 2 at 101 as taker",
                                "D filled by a trade: 0 left, 4 done"}));
  EXPECT_EQ(book(), " | 2@102");
}

TEST_P(Immediate, the_rest_of_an_ioc_order_is_canceled_and_never_rests) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(2).at(100));
  bob.sends(buy(5).at(100).ioc());
  EXPECT_EQ(bob.hears(),
            (Lines{"B buys 2 at 100 as taker", "B canceled for want of a market: 0 left, 2 done"}));
  EXPECT_EQ(book(), " | ");
}

TEST_P(Immediate, an_ioc_order_that_meets_nobody_is_canceled_untouched) {
  Trader bob = logon(kBob);
  bob.sends(buy(5).at(100).ioc());
  EXPECT_EQ(bob.hears(), Lines{"A canceled for want of a market: 0 left, 0 done"});
}

TEST_P(Immediate, a_market_order_takes_what_there_is_at_any_price) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(1).at(100));
  alice.sends(sell(1).at(900'000));
  bob.sends(buy(3).market());
  EXPECT_EQ(bob.hears(), (Lines{"C buys 1 at 100 as taker", "C buys 1 at 900000 as taker",
                                "C canceled for want of a market: 0 left, 2 done"}));
}

TEST_P(Immediate, a_market_order_sells_down_to_the_lowest_bid) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(buy(1).at(1));
  bob.sends(sell(1).market());
  EXPECT_EQ(bob.hears(), (Lines{"B sells 1 at 1 as taker", "B filled by a trade: 0 left, 1 done"}));
}

TEST_P(Immediate, a_market_order_ignores_its_limit_price) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob, {.whole_objects = true});
  alice.sends(sell(1).at(100));
  bob.sends(buy(1).at(7).market());
  const std::vector<Report> heard = bob.reports();
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_EQ(heard[1].as<OrderStateWhole>().price, 0);
  EXPECT_EQ(engine().trade_count(), 1U);
}

TEST_P(Immediate, a_market_order_on_an_empty_side_is_canceled) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(buy(5).at(100));
  bob.sends(buy(1).market());
  EXPECT_EQ(bob.hears(), Lines{"B canceled for want of a market: 0 left, 0 done"});
  EXPECT_EQ(book(), "5@100 | ");
}

TEST_P(Immediate, a_fok_order_fills_at_exactly_the_depth_there_is) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(2).at(100));
  alice.sends(sell(3).at(101));
  bob.sends(buy(5).at(101).fok());
  EXPECT_EQ(bob.hears(), (Lines{"C buys 2 at 100 as taker", "C buys 3 at 101 as taker",
                                "C filled by a trade: 0 left, 5 done"}));
}

TEST_P(Immediate, a_fok_order_for_one_lot_more_trades_nothing) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(2).at(100));
  alice.sends(sell(3).at(101));
  alice.sends(sell(9).at(102));
  alice.hears();
  bob.sends(buy(6).at(101).fok());
  EXPECT_EQ(bob.hears(), Lines{"D canceled for want of a market: 0 left, 0 done"});
  EXPECT_EQ(alice.hears(), Lines{});
  EXPECT_EQ(book(), " | 2@100 3@101 9@102");
}

TEST_P(Immediate, a_market_fok_order_fills_all_or_nothing) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(2).at(100));
  bob.sends(buy(3).market().fok());
  bob.sends(buy(2).market().fok());
  EXPECT_EQ(bob.hears(),
            (Lines{"B canceled for want of a market: 0 left, 0 done", "C buys 2 at 100 as taker",
                   "C filled by a trade: 0 left, 2 done"}));
}

// Cancels and the book.
class Canceling : public Story {};
INSTANTIATE_STORIES(Canceling);

TEST_P(Canceling, head_middle_and_tail_of_a_level_can_go_and_the_rest_keeps_its_order) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  std::vector<OrderId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(alice.sends(sell(1).at(100)).order_id);
  for (const std::size_t place : {0U, 2U, 4U}) EXPECT_EQ(alice.cancels(ids[place]), Refusal{});
  EXPECT_EQ(book(), " | 2@100");
  alice.hears();
  bob.sends(buy(5).at(100));
  EXPECT_EQ(alice.hears(),
            (Lines{"B sells 1 at 100 as maker", "B filled by a trade: 0 left, 1 done",
                   "D sells 1 at 100 as maker", "D filled by a trade: 0 left, 1 done"}));
  EXPECT_EQ(book(), "3@100 | ");
}

TEST_P(Canceling, many_scattered_orders_of_one_deep_level_can_go) {
  Configuration large = story_configuration();
  large.capacities.working_orders = 1000;
  start(large);
  Trader alice = logon(kAlice);
  std::vector<OrderId> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(alice.sends(buy(1).at(100)).order_id);
  // 7 and 1000 have no common divisor: every place is met once.
  for (std::size_t i = 0; i < 900; ++i) EXPECT_EQ(alice.cancels(ids[i * 7 % 1000]), Refusal{});
  EXPECT_EQ(book(), "100@100 | ");
  EXPECT_EQ(engine().working_orders(), 100U);
  engine().check_invariants();
}

TEST_P(Canceling, the_only_order_of_the_best_level_takes_the_level_with_it) {
  Trader alice = logon(kAlice);
  alice.sends(buy(1).at(99));
  const Answer best = alice.sends(buy(1).at(100));
  alice.cancels(best.order_id);
  EXPECT_EQ(book(), "1@99 | ");
  EXPECT_EQ(engine().best(kTest, Side::kBuy).price, 99);
}

TEST_P(Canceling, a_partly_filled_order_keeps_what_it_traded) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  const Answer order = alice.sends(sell(5).at(100));
  bob.sends(buy(2).at(100));
  alice.hears();
  EXPECT_EQ(alice.cancels(order.order_id), Refusal{});
  EXPECT_EQ(alice.hears(), Lines{"A canceled by a user: 0 left, 2 done"});
  EXPECT_EQ(book(), " | ");
}

TEST_P(Canceling, an_id_on_a_virgin_book_is_unknown) {
  Trader alice = logon(kAlice);
  EXPECT_EQ(alice.cancels(77), refusal(ErrorCode::kNotFound, Detail::kUnknownOrder, 77));
}

TEST_P(Canceling, a_client_id_is_free_again_after_cancel_and_after_fill) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.cancels(alice.sends(buy(1).at(100).client_id(7)).order_id);
  EXPECT_NE(alice.sends(buy(1).at(100).client_id(7)).order_id, 0);
  bob.sends(sell(1).at(100));
  EXPECT_NE(alice.sends(buy(1).at(100).client_id(7)).order_id, 0);
  EXPECT_EQ(book(), "1@100 | ");
}

TEST_P(Canceling, a_full_engine_refuses_unchanged_and_one_cancel_makes_room_for_one_order) {
  Configuration tiny = story_configuration();
  tiny.capacities.working_orders = 2;
  start(tiny);
  Trader alice = logon(kAlice);
  const Answer first = alice.sends(buy(1).at(100));
  alice.sends(buy(1).at(99));
  alice.hears();
  const Answer refused = alice.sends(buy(1).at(98));
  EXPECT_EQ(refused.refusal, refusal(ErrorCode::kOperationFailed, Detail::kMaxWorkingOrders, 2));
  EXPECT_EQ(alice.hears(), Lines{});
  EXPECT_EQ(book(), "1@100 1@99 | ");
  alice.cancels(first.order_id);
  EXPECT_NE(alice.sends(buy(1).at(98)).order_id, 0);
  EXPECT_EQ(book(), "1@99 1@98 | ");
  engine().check_invariants();
}

TEST_P(Canceling, a_level_that_closes_can_be_opened_elsewhere) {
  Configuration few = story_configuration();
  few.capacities.price_levels = 2;
  start(few);
  Trader alice = logon(kAlice);
  const OrderId first = alice.sends(buy(1).at(100)).order_id;
  const OrderId second = alice.sends(buy(1).at(100)).order_id;
  alice.sends(sell(1).at(102));
  alice.hears();
  const Refusal full = refusal(ErrorCode::kOperationFailed, Detail::kMaxPriceLevels, 2);
  EXPECT_EQ(alice.sends(buy(1).at(98)).refusal, full);
  EXPECT_EQ(alice.hears(), Lines{});
  EXPECT_EQ(book(), "2@100 | 1@102");
  alice.cancels(first);
  EXPECT_EQ(alice.sends(buy(1).at(98)).refusal, full) << "the level has another order";
  alice.cancels(second);
  EXPECT_NE(alice.sends(buy(1).at(98)).order_id, 0);
  EXPECT_EQ(book(), "1@98 | 1@102");
  engine().check_invariants();
}

TEST_P(Canceling, levels_are_shared_by_all_books) {
  Configuration few = story_configuration();
  few.capacities.price_levels = 1;
  start(few);
  Trader alice = logon(kAlice);
  alice.sends(buy(1).at(100));
  EXPECT_EQ(alice.sends(buy(1).at(100).instrument(kCents)).refusal.detail, Detail::kMaxPriceLevels);
  engine().check_invariants();
}

TEST_P(Canceling, a_full_engine_still_trades_with_orders_that_do_not_rest) {
  Configuration tiny = story_configuration();
  tiny.capacities.working_orders = 1;
  tiny.capacities.finished_orders = 0;
  start(tiny);
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(3).at(100));
  bob.sends(buy(1).at(100).ioc());
  bob.sends(buy(1).market());
  EXPECT_EQ(book(), " | 1@100");
  EXPECT_EQ(engine().working_orders(), 1U);
  EXPECT_EQ(engine().finished_orders(), 0U);
}

TEST_P(Canceling, every_order_gone_leaves_an_empty_engine) {
  Trader alice = logon(kAlice);
  std::vector<OrderId> ids;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 64; ++i) ids.push_back(alice.sends(sell(1).at(100 + i)).order_id);
    for (const OrderId id : ids) EXPECT_EQ(alice.cancels(id), Refusal{});
    ids.clear();
    EXPECT_EQ(engine().working_orders(), 0U);
    EXPECT_EQ(book(), " | ");
  }
  EXPECT_EQ(engine().finished_orders(), 64U);
  engine().check_invariants();
}

}  // namespace
}  // namespace shmatch::story
