// Who hears what, what sessions leave behind, and what queries answer, told to the engine and to
// the plain reference.
#include <gtest/gtest.h>

#include "tests/unit/engine_story.h"

namespace shmatch::story {
namespace {

using namespace core;

// ----------------------------------------------------------------------------------------- hearing

class Hearing : public Story {};
INSTANTIATE_STORIES(Hearing);

TEST_P(Hearing, every_session_of_an_accounts_users_hears_its_orders) {
  Trader alice = logon(kAlice);
  Trader again = logon(kAlice);
  Trader carol = logon(kCarol);
  Trader reader = logon(kReader);
  Trader bob = logon(kBob);
  alice.sends(buy(5).at(100));
  const Lines entered{"A working as entered: 5 left, 0 done"};
  EXPECT_EQ(alice.hears(), entered);
  EXPECT_EQ(again.hears(), entered);
  EXPECT_EQ(carol.hears(), entered);
  EXPECT_EQ(reader.hears(), entered);
  EXPECT_EQ(bob.hears(), Lines{});
}

TEST_P(Hearing, an_operator_hears_all_accounts_only_when_asked_for) {
  Trader quiet = logon(kOlivia);
  Trader all = logon(kOlivia, {.all_accounts = true});
  Trader alice = logon(kAlice);
  alice.sends(buy(5).at(100));
  EXPECT_EQ(quiet.hears(), Lines{});
  EXPECT_EQ(all.hears().size(), 1U);
}

TEST_P(Hearing, a_trader_cannot_ask_for_all_accounts) {
  Trader curious = logon(kBob, {.all_accounts = true});
  Trader alice = logon(kAlice);
  alice.sends(buy(5).at(100));
  EXPECT_EQ(curious.hears(), Lines{});
}

TEST_P(Hearing, the_sender_hears_its_own_orders_events_but_not_the_makers) {
  Trader olivia = logon(kOlivia);
  Trader alice = logon(kAlice);
  alice.sends(sell(5).at(100));
  olivia.sends(buy(2).at(100).account(2));
  EXPECT_EQ(olivia.hears(),
            (Lines{"B buys 2 at 100 as taker", "B filled by a trade: 0 left, 2 done"}));
}

TEST_P(Hearing, the_sender_of_a_cancel_hears_its_outcome_once) {
  Trader olivia = logon(kOlivia);
  Trader alice = logon(kAlice);
  const Answer order = alice.sends(sell(5).at(100));
  alice.hears();
  olivia.cancels(order.order_id);
  EXPECT_EQ(olivia.hears(), Lines{"A canceled by a user: 0 left, 0 done"});
  EXPECT_EQ(alice.hears(), Lines{"A canceled by a user: 0 left, 0 done"});
}

TEST_P(Hearing, a_sender_that_is_not_associated_hears_nothing_later) {
  Trader olivia = logon(kOlivia);
  Trader bob = logon(kBob);
  olivia.sends(sell(5).at(100).account(1));
  olivia.hears();
  bob.sends(buy(2).at(100));
  EXPECT_EQ(olivia.hears(), Lines{});
}

TEST_P(Hearing, an_ended_session_hears_nothing) {
  Trader alice = logon(kAlice);
  Trader carol = logon(kCarol);
  alice.leaves();
  carol.sends(buy(5).at(100));
  EXPECT_EQ(alice.hears(), Lines{});
  EXPECT_TRUE(engine().slot_free(alice.slot()));
}

TEST_P(Hearing, an_event_keeps_its_sequence_and_ordinal_on_every_session) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  alice.sends(sell(1).at(100));
  alice.reports();
  bob.sends(buy(1).at(100));
  const std::vector<Report> maker = alice.reports();
  const std::vector<Report> taker = bob.reports();
  // The reply is report 0; the taker's trade 1, the maker's 2, the maker's state 3, the taker's 4.
  ASSERT_EQ(taker.size(), 2U);
  ASSERT_EQ(maker.size(), 2U);
  EXPECT_EQ(taker[0].as<Trade>().header.ordinal, 1U);
  EXPECT_EQ(maker[0].as<Trade>().header.ordinal, 2U);
  EXPECT_EQ(maker[1].as<OrderChanged>().header.ordinal, 3U);
  EXPECT_EQ(taker[1].as<OrderEntered>().header.ordinal, 4U);
  for (const Report& report : {taker[0], taker[1], maker[0], maker[1]}) {
    EXPECT_EQ(report.as<ReportHeader>().engine_sequence, engine().last_sequence());
  }
}

TEST_P(Hearing, an_orders_first_state_event_carries_all_and_later_ones_what_changed) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  const Answer order = alice.sends(sell(5).at(100).client_id(7));
  std::vector<Report> heard = alice.reports();
  ASSERT_EQ(heard.size(), 1U);
  ASSERT_TRUE(heard[0].is<OrderEntered>());
  const auto entered = heard[0].as<OrderEntered>();
  EXPECT_EQ(entered.order_id, order.order_id);
  EXPECT_EQ(entered.cl_ord_id, 7);
  EXPECT_EQ(entered.account_id, 1);
  EXPECT_EQ(entered.price, 100);
  EXPECT_EQ(entered.orig_quantity, 5);
  EXPECT_EQ(entered.side, Side::kSell);
  EXPECT_EQ(entered.order_type, OrderType::kLimit);
  EXPECT_EQ(entered.order_flags, kFlagAddedToBook);
  EXPECT_EQ(entered.entered_by, static_cast<std::uint32_t>(kAlice));
  bob.sends(buy(2).at(100));
  heard = alice.reports();
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_TRUE(heard[0].is<Trade>());
  EXPECT_TRUE(heard[1].is<OrderChanged>());
}

TEST_P(Hearing, whole_objects_show_the_book_right_after_each_change) {
  Trader alice = logon(kAlice, {.whole_objects = true});
  Trader bob = logon(kBob, {.whole_objects = true});
  alice.sends(sell(2).at(100));
  alice.sends(sell(4).at(101));
  alice.reports();
  bob.sends(buy(5).at(101).client_id(9));
  const std::vector<Report> makers = alice.reports();
  const std::vector<Report> takers = bob.reports();
  ASSERT_EQ(makers.size(), 4U);
  ASSERT_EQ(takers.size(), 3U);
  const auto first = makers[1].as<OrderStateWhole>();
  EXPECT_EQ(first.inside_ask, 101);
  EXPECT_EQ(first.inside_ask_size_low, 4U);
  EXPECT_EQ(first.inside_bid, 0);
  EXPECT_EQ(first.last_trade_price, 100);
  EXPECT_EQ(first.order_flags, kFlagAddedToBook | kFlagRemovedFromBook);
  const auto trade = makers[2].as<TradeWhole>();
  EXPECT_EQ(trade.contra_account_id, 2);
  EXPECT_EQ(trade.leaves, 1);
  EXPECT_EQ(trade_direction(trade.header), Direction::kUpTick);
  const auto taker = takers[2].as<OrderStateWhole>();
  EXPECT_EQ(taker.gross_low, 2U * 100 + 3 * 101);
  EXPECT_EQ(taker.executed, 5);
  EXPECT_EQ(taker.order_flags, 0);
  EXPECT_EQ(taker.inside_ask_size_low, 1U);
}

TEST_P(Hearing, the_direction_of_a_trade_is_against_the_one_before) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  std::vector<Direction> directions;
  for (const Ticks price : {100, 100, 101, 99}) {
    alice.sends(sell(1).at(price));
    bob.sends(buy(1).at(price));
    const std::vector<Report> heard = bob.reports();
    ASSERT_EQ(heard.size(), 2U);
    directions.push_back(trade_direction(heard[0].as<Trade>().header));
  }
  EXPECT_EQ(directions, (std::vector{Direction::kNoChange, Direction::kNoChange, Direction::kUpTick,
                                     Direction::kDownTick}));
}

// ------------------------------------------------------------------------------ cancel on
// disconnect

class Disconnecting : public Story {};
INSTANTIATE_STORIES(Disconnecting);

TEST_P(Disconnecting, a_session_without_the_option_leaves_its_orders) {
  Trader alice = logon(kAlice);
  alice.sends(buy(5).at(100));
  alice.leaves();
  sweeps();
  EXPECT_EQ(book(), "5@100 | ");
}

TEST_P(Disconnecting, a_session_with_the_option_takes_its_orders_with_it) {
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true});
  Trader other = logon(kAlice, {.cancel_on_disconnect = true});
  Trader carol = logon(kCarol);
  alice.sends(buy(5).at(100));
  alice.sends(sell(5).at(200));
  other.sends(buy(1).at(99));
  carol.hears();
  alice.leaves();
  EXPECT_FALSE(engine().slot_free(alice.slot()));
  EXPECT_TRUE(engine().sweeping());
  sweeps();
  EXPECT_EQ(carol.hears(), (Lines{"A canceled on disconnect: 0 left, 0 done",
                                  "B canceled on disconnect: 0 left, 0 done"}));
  EXPECT_EQ(book(), "1@99 | ");
  EXPECT_FALSE(engine().sweeping());
  EXPECT_TRUE(engine().slot_free(alice.slot()));
}

TEST_P(Disconnecting, orders_left_trade_until_the_sweep_has_come) {
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true});
  Trader bob = logon(kBob);
  alice.sends(buy(5).at(100));
  alice.leaves();
  bob.sends(sell(2).at(100));
  sweeps();
  EXPECT_EQ(engine().trade_count(), 1U);
  EXPECT_EQ(book(), " | ");
}

TEST_P(Disconnecting, orders_that_another_session_cancels_first_are_not_cancelled_again) {
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true});
  Trader carol = logon(kCarol);
  const Answer order = alice.sends(buy(5).at(100));
  carol.hears();
  alice.leaves();
  EXPECT_EQ(carol.cancels(order.order_id), Refusal{});
  sweeps();
  EXPECT_EQ(carol.hears(), Lines{"A canceled by a user: 0 left, 0 done"});
}

TEST_P(Disconnecting, a_new_session_in_the_slot_keeps_its_own_orders) {
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true});
  alice.sends(buy(5).at(100));
  alice.leaves();
  sweeps();
  Logon logon;
  logon.user_id = kAlice;
  engine().logon(alice.slot(), logon, now);
  alice.sends(buy(3).at(90));
  sweeps();
  EXPECT_EQ(book(), "3@90 | ");
}

TEST_P(Disconnecting, hundreds_of_orders_go_and_the_engine_is_whole) {
  Configuration large = story_configuration();
  large.capacities.working_orders = 1000;
  start(large);
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true});
  Trader carol = logon(kCarol);
  for (int i = 0; i < 700; ++i) alice.sends(buy(1).at(1 + i % 50));
  carol.sends(buy(1).at(10));
  carol.hears();
  alice.leaves();
  sweeps();
  EXPECT_EQ(carol.hears().size(), 700U);
  EXPECT_EQ(book(), "1@10 | ");
  engine().check_invariants();
}

// ----------------------------------------------------------------------------------------- queries

class Asking : public Story {
 protected:
  static Refusal refusal_of(const std::vector<Report>& reports) {
    if (reports.size() != 1 || !reports[0].is<Receipt>()) return {};
    return reports[0].as<Receipt>().refusal();
  }
  static OrderStatusQuery status(OrderId order, AccountId account = 0) {
    OrderStatusQuery query;
    query.oms_id = 1;
    query.order_id = order;
    query.account_id = account;
    return query;
  }
  static OpenOrdersQuery open_orders(AccountId account) {
    OpenOrdersQuery query;
    query.oms_id = 1;
    query.account_id = account;
    return query;
  }
  static L2Query depth(InstrumentId instrument, std::int64_t levels) {
    L2Query query;
    query.oms_id = 1;
    query.instrument_id = instrument;
    query.depth = levels;
    return query;
  }
};
INSTANTIATE_STORIES(Asking);

TEST_P(Asking, queries_take_no_sequence_number) {
  Trader alice = logon(kAlice);
  const Sequence before = engine().last_sequence();
  alice.asks(status(5));
  alice.asks(open_orders(1));
  alice.asks(depth(kTest, 5));
  const std::vector<Report> pong = alice.asks(Ping{});
  EXPECT_EQ(engine().last_sequence(), before);
  ASSERT_EQ(pong.size(), 1U);
  EXPECT_TRUE(pong[0].is<Pong>());
  EXPECT_EQ(pong[0].as<Pong>().header.engine_sequence, before);
}

TEST_P(Asking, the_status_of_an_order_is_told_alive_and_dead) {
  Trader alice = logon(kAlice);
  const OrderId id = alice.sends(buy(5).at(100)).order_id;
  const auto alive = alice.asks(status(id)).front().as<OrderStatusReply>();
  EXPECT_EQ(order_state(alive.header), OrderState::kWorking);
  EXPECT_EQ(alive.leaves, 5);
  EXPECT_EQ(alive.receive_time_ns, now);
  now += 1000;
  alice.cancels(id);
  const auto dead = alice.asks(status(id, 1)).front().as<OrderStatusReply>();
  EXPECT_EQ(order_state(dead.header), OrderState::kCanceled);
  EXPECT_EQ(cancel_reason(dead.header), CancelReason::kUserModified);
  EXPECT_EQ(dead.leaves, 0);
  EXPECT_EQ(dead.update_time_ns, now);
}

TEST_P(Asking, an_unknown_foreign_or_mismatched_order_has_no_status) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  Trader carol = logon(kCarol);
  const OrderId id = alice.sends(buy(5).at(100)).order_id;
  const auto unknown = [](OrderId order) {
    return refusal(ErrorCode::kNotFound, Detail::kUnknownOrder, order);
  };
  EXPECT_EQ(refusal_of(alice.asks(status(4711))), unknown(4711));
  EXPECT_EQ(refusal_of(bob.asks(status(id))), unknown(id));
  EXPECT_EQ(refusal_of(carol.asks(status(id, 3))), unknown(id));
}

TEST_P(Asking, open_orders_are_the_working_ones_of_the_account) {
  Trader carol = logon(kCarol);
  const OrderId kept = carol.sends(buy(5).at(100)).order_id;
  carol.cancels(carol.sends(buy(5).at(101)).order_id);
  carol.sends(buy(5).at(102).account(3));
  const std::vector<Report> rows = carol.asks(open_orders(1));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].as<OpenOrderRow>().order_id, kept);
  EXPECT_TRUE(rows[1].is<PageEnd>());
}

TEST_P(Asking, open_orders_are_for_readers_too_but_not_for_strangers) {
  Trader reader = logon(kReader);
  Trader nobody = logon(kNobody);
  Trader bob = logon(kBob);
  EXPECT_TRUE(reader.asks(open_orders(1)).front().is<PageEnd>());
  EXPECT_EQ(refusal_of(nobody.asks(open_orders(1))),
            refusal(ErrorCode::kNotAuthorized, Detail::kNoPermission));
  EXPECT_EQ(refusal_of(bob.asks(open_orders(1))),
            refusal(ErrorCode::kNotAuthorized, Detail::kForeignAccount, 1));
}

TEST_P(Asking, the_book_is_for_everyone_and_no_deeper_than_asked) {
  Trader alice = logon(kAlice);
  Trader nobody = logon(kNobody);
  for (Ticks price = 90; price < 100; ++price) alice.sends(buy(1).at(price));
  std::size_t levels = 0;
  for (const Report& report : nobody.asks(depth(kTest, 3))) {
    if (report.is<L2Rows>()) levels += report.as<L2Rows>().header.a;
  }
  EXPECT_EQ(levels, 3U);
}

TEST_P(Asking, a_level_tells_its_orders_accounts_and_last_change) {
  Trader carol = logon(kCarol);
  carol.sends(buy(1).at(100).account(1));
  carol.sends(buy(2).at(100).account(3));
  now += 77;
  carol.sends(buy(4).at(100).account(3));
  const auto rows = carol.asks(depth(kTest, 1)).front().as<L2Rows>();
  EXPECT_EQ(rows.rows[0].price, 100);
  EXPECT_EQ(rows.rows[0].quantity_low, 7U);
  EXPECT_EQ(rows.rows[0].order_count, 3U);
  EXPECT_EQ(rows.rows[0].account_count, 2U);
  EXPECT_EQ(rows.rows[0].time_ns, now);
}

TEST_P(Asking, an_unknown_instrument_has_an_empty_book) {
  Trader alice = logon(kAlice);
  const std::vector<Report> reports = alice.asks(depth(4711, 5));
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_TRUE(reports[0].is<PageEnd>());
}

TEST_P(Asking, what_a_query_needs_is_asked_for) {
  Trader alice = logon(kAlice);
  const auto missing = [](Field field) {
    return refusal(ErrorCode::kInvalidRequest, Detail::kFieldMissing,
                   static_cast<std::int64_t>(field));
  };
  EXPECT_EQ(refusal_of(alice.asks(status(0))), missing(Field::kOrderId));
  EXPECT_EQ(refusal_of(alice.asks(open_orders(0))), missing(Field::kAccountId));
  EXPECT_EQ(refusal_of(alice.asks(depth(0, 5))), missing(Field::kInstrumentId));
  EXPECT_EQ(refusal_of(alice.asks(depth(kTest, 0))), missing(Field::kDepth));
  EXPECT_EQ(refusal_of(alice.asks(OrderStatusQuery{})),
            refusal(ErrorCode::kInvalidRequest, Detail::kWrongOms, 0));
}

TEST_P(Asking, queries_are_answered_while_the_engine_stops) {
  Trader alice = logon(kAlice);
  alice.sends(buy(5).at(100));
  stops_accepting(Detail::kStopping);
  EXPECT_EQ(alice.asks(open_orders(1)).size(), 2U);
}

}  // namespace
}  // namespace shmatch::story
