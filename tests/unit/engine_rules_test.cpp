// Every line of the two tables of rules (docs/PROTOCOL.md), one test a line, told to the engine and
// to the plain reference. Row 10 of the cancel table has no test: every working order of this
// engine can be cancelled.
#include <gtest/gtest.h>

#include "tests/unit/engine_story.h"

namespace shmatch::story {
namespace {

using namespace core;

constexpr std::int64_t as_argument(Field field) { return static_cast<std::int64_t>(field); }

Refusal invalid(Detail detail, std::int64_t argument0 = 0, std::int64_t argument1 = 0) {
  return refusal(ErrorCode::kInvalidRequest, detail, argument0, argument1);
}
Refusal unauthorized(Detail detail, std::int64_t argument0 = 0) {
  return refusal(ErrorCode::kNotAuthorized, detail, argument0);
}
Refusal not_found(Detail detail, std::int64_t argument0 = 0, std::int64_t argument1 = 0) {
  return refusal(ErrorCode::kNotFound, detail, argument0, argument1);
}
Refusal failed(Detail detail, std::int64_t argument0 = 0) {
  return refusal(ErrorCode::kOperationFailed, detail, argument0);
}
Refusal unsupported(Detail detail, std::int64_t argument0) {
  return refusal(ErrorCode::kNotSupported, detail, argument0);
}

Configuration limited_to(std::uint32_t per_second, std::uint32_t burst) {
  Configuration configuration = story_configuration();
  configuration.rate_per_second = per_second;
  configuration.rate_burst = burst;
  return configuration;
}

// ------------------------------------------------------------------------------------- CancelOrder

class CancelRules : public Story {};
INSTANTIATE_STORIES(CancelRules);

TEST_P(CancelRules, a_true_receipt_is_followed_by_exactly_one_outcome) {
  Trader alice = logon(kAlice);
  const Answer order = alice.sends(buy(5).at(100));
  alice.hears();
  EXPECT_EQ(alice.cancels(order.order_id), Refusal{});
  EXPECT_EQ(alice.hears(), Lines{"A canceled by a user: 0 left, 0 done"});
}

TEST_P(CancelRules, a_false_receipt_is_followed_by_nothing) {
  Trader alice = logon(kAlice);
  alice.cancels(5);
  EXPECT_EQ(alice.hears(), Lines{});
}

TEST_P(CancelRules, row_1_a_stopping_engine_answers_102_before_all_else) {
  Trader nobody = logon(kNobody);
  stops_accepting(Detail::kStopping);
  EXPECT_EQ(nobody.cancels({.oms_id = 9}), refusal(ErrorCode::kServerError, Detail::kStopping));
}

TEST_P(CancelRules, row_1_a_failed_journal_answers_102_and_orders_stay) {
  Trader alice = logon(kAlice);
  const Answer order = alice.sends(buy(5).at(100));
  stops_accepting(Detail::kJournalFailed);
  EXPECT_EQ(alice.cancels(order.order_id),
            refusal(ErrorCode::kServerError, Detail::kJournalFailed));
  EXPECT_EQ(book(), "5@100 | ");
}

TEST_P(CancelRules, row_2_over_the_rate_limit_is_101_until_time_has_passed) {
  start(limited_to(1000, 2));
  Trader alice = logon(kAlice);
  EXPECT_EQ(alice.cancels(5).code, ErrorCode::kNotFound);
  EXPECT_EQ(alice.cancels(5).code, ErrorCode::kNotFound);
  EXPECT_EQ(alice.cancels(5), failed(Detail::kRateLimited, 1000));
  now += 999'999;
  EXPECT_EQ(alice.cancels(5), failed(Detail::kRateLimited, 1000));
  now += 1;
  EXPECT_EQ(alice.cancels(5).code, ErrorCode::kNotFound);
  EXPECT_EQ(alice.cancels(5), failed(Detail::kRateLimited, 1000));
}

TEST_P(CancelRules, row_2_each_session_has_its_own_rate_limit) {
  start(limited_to(1, 1));
  Trader alice = logon(kAlice);
  Trader same_user = logon(kAlice);
  alice.cancels(5);
  EXPECT_EQ(alice.cancels(5), failed(Detail::kRateLimited, 1));
  EXPECT_EQ(same_user.cancels(5).code, ErrorCode::kNotFound);
}

TEST_P(CancelRules, row_2_a_limited_request_is_not_judged_further) {
  start(limited_to(1, 1));
  Trader nobody = logon(kNobody);
  nobody.cancels(5);
  EXPECT_EQ(nobody.cancels({.oms_id = 9}), failed(Detail::kRateLimited, 1));
}

TEST_P(CancelRules, row_3_another_oms_is_100) {
  Trader nobody = logon(kNobody);
  EXPECT_EQ(nobody.cancels({.order_id = 5, .oms_id = 9}), invalid(Detail::kWrongOms, 9));
  EXPECT_EQ(nobody.cancels({.order_id = 5, .oms_id = 0}), invalid(Detail::kWrongOms, 0));
}

TEST_P(CancelRules, row_3_no_order_key_at_all_is_100) {
  Trader nobody = logon(kNobody);
  EXPECT_EQ(nobody.cancels(Keys{}), invalid(Detail::kNoOrderKey));
  EXPECT_EQ(nobody.cancels({.account_id = 1}), invalid(Detail::kNoOrderKey));
}

TEST_P(CancelRules, row_3_a_client_id_without_account_is_100) {
  Trader nobody = logon(kNobody);
  EXPECT_EQ(nobody.cancels({.cl_ord_id = 7}), invalid(Detail::kNoAccountForClOrdId));
}

TEST_P(CancelRules, row_4_without_trading_or_operator_is_20) {
  Trader alice = logon(kAlice);
  Trader nobody = logon(kNobody);
  Trader reader = logon(kReader);
  const Answer order = alice.sends(buy(5).at(100));
  EXPECT_EQ(nobody.cancels(order.order_id), unauthorized(Detail::kNoPermission));
  EXPECT_EQ(reader.cancels(order.order_id), unauthorized(Detail::kNoPermission));
  EXPECT_EQ(reader.cancels({.account_id = 2, .cl_ord_id = 7}), unauthorized(Detail::kNoPermission));
}

TEST_P(CancelRules, row_5_a_foreign_account_named_is_20_whether_the_order_exists_or_not) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  const Answer order = alice.sends(buy(5).at(100).client_id(7));
  const Refusal foreign = unauthorized(Detail::kForeignAccount, 1);
  EXPECT_EQ(bob.cancels({.order_id = order.order_id, .account_id = 1}), foreign);
  EXPECT_EQ(bob.cancels({.order_id = 12345, .account_id = 1}), foreign);
  EXPECT_EQ(bob.cancels({.account_id = 1, .cl_ord_id = 7}), foreign);
  EXPECT_EQ(bob.cancels({.account_id = 99, .cl_ord_id = 7}),
            unauthorized(Detail::kForeignAccount, 99));
  EXPECT_EQ(book(), "5@100 | ");
}

TEST_P(CancelRules, row_6_an_order_of_a_foreign_account_is_20_alive_or_dead) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  const OrderId id = alice.sends(buy(5).at(100)).order_id;
  EXPECT_EQ(bob.cancels(id), unauthorized(Detail::kForeignOrder, id));
  EXPECT_EQ(bob.cancels({.order_id = id, .account_id = 2}),
            unauthorized(Detail::kForeignOrder, id));
  EXPECT_EQ(book(), "5@100 | ");
  alice.cancels(id);
  EXPECT_EQ(bob.cancels(id), unauthorized(Detail::kForeignOrder, id));
}

TEST_P(CancelRules, rows_5_and_6_do_not_bind_an_operator) {
  Trader alice = logon(kAlice);
  Trader olivia = logon(kOlivia);
  alice.sends(buy(5).at(100).client_id(7));
  const Answer second = alice.sends(buy(5).at(101));
  EXPECT_EQ(olivia.cancels({.account_id = 1, .cl_ord_id = 7}), Refusal{});
  EXPECT_EQ(olivia.cancels(second.order_id), Refusal{});
  EXPECT_EQ(book(), " | ");
}

TEST_P(CancelRules, row_7_an_id_never_issued_is_104) {
  Trader alice = logon(kAlice);
  EXPECT_EQ(alice.cancels(4711), not_found(Detail::kUnknownOrder, 4711));
  EXPECT_EQ(alice.cancels({.account_id = 1, .cl_ord_id = 7}),
            not_found(Detail::kUnknownClOrdId, 7, 1));
}

TEST_P(CancelRules, row_7_an_order_older_than_what_the_engine_remembers_is_104) {
  Configuration forgetful = story_configuration();
  forgetful.capacities.finished_orders = 1;
  start(forgetful);
  Trader alice = logon(kAlice);
  const OrderId old = alice.sends(buy(5).at(100).client_id(7)).order_id;
  const OrderId recent = alice.sends(buy(5).at(100)).order_id;
  alice.cancels(old);
  EXPECT_EQ(alice.cancels(old).detail, Detail::kCanceledByUser);
  alice.cancels(recent);
  EXPECT_EQ(alice.cancels(old), not_found(Detail::kUnknownOrder, old));
  EXPECT_EQ(alice.cancels({.account_id = 1, .cl_ord_id = 7}),
            not_found(Detail::kUnknownClOrdId, 7, 1));
  EXPECT_EQ(alice.cancels(recent).detail, Detail::kCanceledByUser);
}

TEST_P(CancelRules, row_8_an_order_id_with_another_account_is_104_and_cancels_nothing) {
  Trader carol = logon(kCarol);
  const OrderId id = carol.sends(buy(5).at(100).account(3).client_id(7)).order_id;
  EXPECT_EQ(carol.cancels({.order_id = id, .account_id = 1}), not_found(Detail::kKeysDisagree, id));
  EXPECT_EQ(book(), "5@100 | ");
}

TEST_P(CancelRules, row_8_an_order_id_with_another_client_id_is_104_and_cancels_nothing) {
  Trader carol = logon(kCarol);
  const OrderId id = carol.sends(buy(5).at(100).client_id(7)).order_id;
  carol.sends(buy(5).at(100).client_id(8));
  const Refusal disagree = not_found(Detail::kKeysDisagree, id);
  EXPECT_EQ(carol.cancels({.order_id = id, .account_id = 1, .cl_ord_id = 8}), disagree);
  EXPECT_EQ(carol.cancels({.order_id = id, .cl_ord_id = 8}), disagree);
  EXPECT_EQ(book(), "10@100 | ");
}

TEST_P(CancelRules, row_8_comes_before_row_9) {
  Trader alice = logon(kAlice);
  const OrderId id = alice.sends(buy(5).at(100).client_id(7)).order_id;
  alice.cancels(id);
  EXPECT_EQ(alice.cancels({.order_id = id, .account_id = 1, .cl_ord_id = 8}),
            not_found(Detail::kKeysDisagree, id));
}

TEST_P(CancelRules, row_9_a_filled_order_is_104_with_its_last_trade_and_sequence) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  const OrderId id = alice.sends(sell(3).at(100).client_id(7)).order_id;
  bob.sends(buy(1).at(100));
  bob.sends(buy(2).at(100));
  const auto ended = static_cast<std::int64_t>(engine().last_sequence());
  EXPECT_EQ(alice.cancels(id), not_found(Detail::kFilled, 2, ended));
  EXPECT_EQ(alice.cancels({.account_id = 1, .cl_ord_id = 7}), not_found(Detail::kFilled, 2, ended));
}

TEST_P(CancelRules, row_9_a_cancelled_order_is_104_with_who_cancelled_it_and_when) {
  Trader alice = logon(kAlice);
  Trader olivia = logon(kOlivia);
  const OrderId id = alice.sends(sell(3).at(100)).order_id;
  olivia.cancels(id);
  const auto ended = static_cast<std::int64_t>(engine().last_sequence());
  EXPECT_EQ(alice.cancels(id), not_found(Detail::kCanceledByUser, kOlivia, ended));
}

TEST_P(CancelRules, row_9_an_order_without_a_market_is_104_with_its_sequence) {
  Trader alice = logon(kAlice);
  const OrderId id = alice.sends(sell(3).at(100).ioc()).order_id;
  const auto ended = static_cast<std::int64_t>(engine().last_sequence());
  EXPECT_EQ(alice.cancels(id), not_found(Detail::kNoMoreMarket, ended));
}

TEST_P(CancelRules, row_9_an_order_cancelled_on_disconnect_is_104_with_whose_it_was) {
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true});
  Trader carol = logon(kCarol);
  const OrderId id = alice.sends(sell(3).at(100)).order_id;
  alice.leaves();
  sweeps();
  const Refusal told = carol.cancels(id);
  EXPECT_EQ(told.code, ErrorCode::kNotFound);
  EXPECT_EQ(told.detail, Detail::kCanceledOnDisconnect);
  EXPECT_EQ(told.argument0, kAlice);
}

TEST_P(CancelRules, an_account_with_an_order_id_needs_no_client_id) {
  Trader alice = logon(kAlice);
  const OrderId id = alice.sends(buy(5).at(100).client_id(7)).order_id;
  EXPECT_EQ(alice.cancels({.order_id = id, .account_id = 1}), Refusal{});
}

TEST_P(CancelRules, all_three_keys_may_be_given_when_they_agree) {
  Trader alice = logon(kAlice);
  const OrderId id = alice.sends(buy(5).at(100).client_id(7)).order_id;
  EXPECT_EQ(alice.cancels({.order_id = id, .account_id = 1, .cl_ord_id = 7}), Refusal{});
}

TEST_P(CancelRules, a_pair_names_the_working_order_and_else_the_newest) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  const Keys pair{.account_id = 1, .cl_ord_id = 7};
  alice.sends(sell(1).at(100).client_id(7));
  bob.sends(buy(1).at(100));
  EXPECT_EQ(alice.cancels(pair).detail, Detail::kFilled);
  alice.sends(sell(1).at(100).client_id(7));
  EXPECT_EQ(alice.cancels(pair), Refusal{});
  EXPECT_EQ(alice.cancels(pair).detail, Detail::kCanceledByUser);
}

TEST_P(CancelRules, the_same_client_id_of_two_accounts_names_two_orders) {
  Trader carol = logon(kCarol);
  carol.sends(buy(1).at(100).account(1).client_id(7));
  carol.sends(buy(2).at(100).account(3).client_id(7));
  EXPECT_EQ(carol.cancels({.account_id = 3, .cl_ord_id = 7}), Refusal{});
  EXPECT_EQ(book(), "1@100 | ");
}

// --------------------------------------------------------------------------------------- SendOrder

class SendRules : public Story {
 protected:
  // A valid order with one thing changed.
  template <class Change>
  static Sketch but(Change change) {
    Sketch sketch = buy(5).at(100).account(1);
    change(sketch.message);
    return sketch;
  }
};
INSTANTIATE_STORIES(SendRules);

TEST_P(SendRules, row_1_a_stopping_engine_answers_102_before_all_else) {
  Trader nobody = logon(kNobody);
  stops_accepting(Detail::kStopping);
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.oms_id = 9; })).refusal,
            refusal(ErrorCode::kServerError, Detail::kStopping));
}

TEST_P(SendRules, row_2_orders_and_cancels_share_the_rate_limit) {
  start(limited_to(1, 1));
  Trader alice = logon(kAlice);
  alice.cancels(5);
  EXPECT_EQ(alice.sends(buy(5).at(100)).refusal, failed(Detail::kRateLimited, 1));
  EXPECT_EQ(book(), " | ");
}

TEST_P(SendRules, row_3_another_oms_is_100) {
  Trader nobody = logon(kNobody);
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.oms_id = 9; })).refusal,
            invalid(Detail::kWrongOms, 9));
}

TEST_P(SendRules, row_3_each_missing_field_is_100_by_name) {
  Trader nobody = logon(kNobody);
  const auto missing = [](Field field) {
    return invalid(Detail::kFieldMissing, as_argument(field));
  };
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.account_id = -1; })).refusal,
            missing(Field::kAccountId));
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.instrument_id = 0; })).refusal,
            missing(Field::kInstrumentId));
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.side = Side::kAbsent; })).refusal,
            missing(Field::kSide));
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.order_type = OrderType::kAbsent; })).refusal,
            missing(Field::kOrderType));
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.set_quantity(kDecimalAbsent); })).refusal,
            missing(Field::kQuantity));
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.set_limit_price(kDecimalAbsent); })).refusal,
            missing(Field::kLimitPrice));
}

TEST_P(SendRules, row_3_unknown_enum_values_are_100_by_name_and_value) {
  Trader nobody = logon(kNobody);
  const auto unknown = [](Field field, std::int64_t value) {
    return invalid(Detail::kUnknownEnum, as_argument(field), value);
  };
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.side = Side::kUnknown; })).refusal,
            unknown(Field::kSide, 3));
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.order_type = OrderType::kUnknown; })).refusal,
            unknown(Field::kOrderType, 0));
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.order_type = OrderType{8}; })).refusal,
            unknown(Field::kOrderType, 8));
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.time_in_force = TimeInForce{0}; })).refusal,
            unknown(Field::kTimeInForce, 0));
  EXPECT_EQ(nobody.sends(but([](NewOrder& m) { m.time_in_force = TimeInForce{7}; })).refusal,
            unknown(Field::kTimeInForce, 7));
}

TEST_P(SendRules, row_4_without_trading_or_operator_is_20) {
  Trader nobody = logon(kNobody);
  Trader reader = logon(kReader);
  EXPECT_EQ(nobody.sends(buy(5).at(100)).refusal, unauthorized(Detail::kNoPermission));
  EXPECT_EQ(reader.sends(buy(5).at(100)).refusal, unauthorized(Detail::kNoPermission));
}

TEST_P(SendRules, row_4_a_foreign_account_is_20_configured_or_not) {
  Trader alice = logon(kAlice);
  EXPECT_EQ(alice.sends(buy(5).at(100).account(2)).refusal,
            unauthorized(Detail::kForeignAccount, 2));
  EXPECT_EQ(alice.sends(buy(5).at(100).account(99)).refusal,
            unauthorized(Detail::kForeignAccount, 99));
}

TEST_P(SendRules, row_4_an_operator_may_use_every_configured_account_and_no_other) {
  Trader olivia = logon(kOlivia);
  EXPECT_NE(olivia.sends(buy(5).at(100).account(4)).order_id, 0);
  EXPECT_EQ(olivia.sends(buy(5).at(100).account(99)).refusal,
            not_found(Detail::kUnknownAccount, 99));
}

TEST_P(SendRules, row_5_an_unknown_instrument_is_100_after_the_permissions) {
  Trader alice = logon(kAlice);
  Trader bob = logon(kBob);
  EXPECT_EQ(alice.sends(buy(5).at(100).instrument(10000)).refusal,
            invalid(Detail::kUnknownInstrument, 10000));
  EXPECT_EQ(bob.sends(buy(5).at(100).account(1).instrument(10000)).refusal,
            unauthorized(Detail::kForeignAccount, 1));
}

TEST_P(SendRules, row_6_amounts_that_are_not_positive_are_100_quantity_first) {
  Trader alice = logon(kAlice);
  const auto not_positive = [](Field f) { return invalid(Detail::kNotPositive, as_argument(f)); };
  EXPECT_EQ(alice.sends(buy(0).at(0)).refusal, not_positive(Field::kQuantity));
  EXPECT_EQ(alice.sends(buy(-5).at(100)).refusal, not_positive(Field::kQuantity));
  EXPECT_EQ(alice.sends(buy(5).at(0)).refusal, not_positive(Field::kLimitPrice));
  EXPECT_EQ(alice.sends(buy(5).at(-1)).refusal, not_positive(Field::kLimitPrice));
}

TEST_P(SendRules, row_6_amounts_off_the_increment_are_100_and_never_rounded) {
  Trader alice = logon(kAlice);
  const auto off = [](Field f) { return invalid(Detail::kNotMultiple, as_argument(f)); };
  const auto cents = [](Decimal quantity, Decimal price) {
    return but([&](NewOrder& m) {
      m.instrument_id = kCents;
      m.set_quantity(quantity);
      m.set_limit_price(price);
    });
  };
  EXPECT_EQ(alice.sends(cents({15, -4}, {100, 0})).refusal, off(Field::kQuantity));
  EXPECT_EQ(alice.sends(cents({1, -3}, {10001, -2})).refusal, off(Field::kLimitPrice));
  EXPECT_EQ(alice.sends(cents(kDecimalInvalid, {100, 0})).refusal, off(Field::kQuantity));
  EXPECT_EQ(alice.sends(cents({1, -3}, {5, -40})).refusal, off(Field::kLimitPrice));
  EXPECT_EQ(book(kCents), " | ");
}

TEST_P(SendRules, row_6_decimals_are_judged_by_value) {
  Trader alice = logon(kAlice);
  const Sketch spelled = but([](NewOrder& m) {
    m.set_quantity({200, -2});
    m.set_limit_price({1, 2});
  });
  EXPECT_NE(alice.sends(spelled).order_id, 0);
  EXPECT_EQ(book(), "2@100 | ");
}

TEST_P(SendRules, row_7_what_the_engine_does_not_offer_is_106) {
  Trader alice = logon(kAlice);
  EXPECT_EQ(alice.sends(but([](NewOrder& m) { m.side = Side::kShort; })).refusal,
            unsupported(Detail::kUnsupportedSide, 2));
  for (std::uint8_t type = 3; type <= 7; ++type) {
    EXPECT_EQ(alice.sends(but([=](NewOrder& m) { m.order_type = OrderType{type}; })).refusal,
              unsupported(Detail::kUnsupportedType, type));
  }
  for (const TimeInForce tif : {TimeInForce::kOpg, TimeInForce::kGtx, TimeInForce::kGtd}) {
    EXPECT_EQ(alice.sends(but([=](NewOrder& m) { m.time_in_force = tif; })).refusal,
              unsupported(Detail::kUnsupportedTimeInForce, static_cast<int>(tif)));
  }
  EXPECT_EQ(alice.sends(but([](NewOrder& m) { m.features = kFeatureOco | kFeatureValue; })).refusal,
            unsupported(Detail::kUnsupportedFeature, kFeatureOco | kFeatureValue));
}

TEST_P(SendRules, row_7_comes_after_row_6) {
  Trader alice = logon(kAlice);
  EXPECT_EQ(alice
                .sends(but([](NewOrder& m) {
                  m.order_type = OrderType::kStopLimit;
                  m.set_limit_price(in_increments(0));
                }))
                .refusal,
            invalid(Detail::kNotPositive, as_argument(Field::kLimitPrice)));
}

TEST_P(SendRules, row_8_two_working_orders_of_an_account_may_not_share_a_client_id) {
  Trader carol = logon(kCarol);
  carol.sends(buy(5).at(100).client_id(7));
  EXPECT_EQ(carol.sends(buy(5).at(100).client_id(7)).refusal, failed(Detail::kDuplicateClOrdId, 7));
  EXPECT_EQ(carol.sends(sell(5).at(100).client_id(7).ioc()).refusal,
            failed(Detail::kDuplicateClOrdId, 7));
  EXPECT_NE(carol.sends(buy(5).at(100).client_id(7).account(3)).order_id, 0);
  EXPECT_EQ(book(), "10@100 | ");
}

TEST_P(SendRules, row_8_orders_without_client_id_do_not_clash) {
  Trader alice = logon(kAlice);
  alice.sends(buy(5).at(100));
  EXPECT_NE(alice.sends(buy(5).at(100)).order_id, 0);
}

TEST_P(SendRules, row_9_amounts_above_the_maximum_are_101_by_name) {
  Trader alice = logon(kAlice);
  EXPECT_EQ(alice.sends(buy(kAmountMax + 1).at(kAmountMax + 1)).refusal,
            failed(Detail::kMaxQuantity));
  EXPECT_EQ(alice.sends(buy(5).at(kAmountMax + 1)).refusal, failed(Detail::kMaxPrice));
}

TEST_P(SendRules, row_9_a_full_engine_refuses_orders_that_could_rest) {
  Configuration tiny = story_configuration();
  tiny.capacities.working_orders = 1;
  start(tiny);
  Trader alice = logon(kAlice);
  alice.sends(sell(1).at(100).client_id(7));
  EXPECT_EQ(alice.sends(buy(1).at(100)).refusal, failed(Detail::kMaxWorkingOrders, 1));
  EXPECT_EQ(alice.sends(buy(1).at(100).client_id(7)).refusal, failed(Detail::kDuplicateClOrdId, 7));
  EXPECT_NE(alice.sends(buy(1).at(100).ioc()).order_id, 0);
}

TEST_P(SendRules, row_9_an_engine_without_a_free_level_refuses_orders_that_could_open_one) {
  Configuration few = story_configuration();
  few.capacities.price_levels = 2;
  start(few);
  Trader alice = logon(kAlice);
  alice.sends(buy(1).at(100).client_id(7));
  alice.sends(sell(1).at(102));
  EXPECT_EQ(alice.sends(buy(1).at(99)).refusal, failed(Detail::kMaxPriceLevels, 2));
  EXPECT_EQ(alice.sends(sell(1).at(100).client_id(8)).refusal, failed(Detail::kMaxPriceLevels, 2))
      << "the other side's level is another one, and what it would trade does not count";
  EXPECT_EQ(alice.sends(buy(1).at(99).client_id(7)).refusal, failed(Detail::kDuplicateClOrdId, 7));
  EXPECT_NE(alice.sends(buy(1).at(100)).order_id, 0) << "joins the level";
  EXPECT_NE(alice.sends(buy(1).at(99).ioc()).order_id, 0);
  EXPECT_NE(alice.sends(buy(1).at(99).fok()).order_id, 0);
  EXPECT_NE(alice.sends(buy(1).market()).order_id, 0) << "closes the only ask";
  EXPECT_EQ(book(), "2@100 | ");
  EXPECT_NE(alice.sends(buy(1).at(99)).order_id, 0);
  EXPECT_EQ(book(), "2@100 1@99 | ");
}

TEST_P(SendRules, row_9_is_judged_in_the_order_of_its_limits) {
  Configuration tiny = story_configuration();
  tiny.capacities.working_orders = 1;
  start(tiny);
  Trader alice = logon(kAlice);
  alice.sends(buy(1).at(100));
  EXPECT_EQ(alice.sends(buy(kAmountMax + 1).at(kAmountMax + 1)).refusal,
            failed(Detail::kMaxQuantity));
  EXPECT_EQ(alice.sends(buy(1).at(kAmountMax + 1)).refusal, failed(Detail::kMaxPrice));
  EXPECT_EQ(alice.sends(buy(1).at(99)).refusal, failed(Detail::kMaxWorkingOrders, 1))
      << "levels are used up as well";
}

TEST_P(SendRules, order_ids_grow_and_stay_below_their_bound) {
  Trader alice = logon(kAlice);
  OrderId last = 0;
  for (int i = 0; i < 200; ++i) {
    const OrderId id = alice.sends(buy(1).at(100)).order_id;
    EXPECT_GT(id, last);
    EXPECT_LT(id, kOrderIdEnd);
    last = id;
    alice.cancels(id);
  }
}

TEST_P(SendRules, a_refused_order_takes_a_sequence_number_and_changes_nothing_else) {
  Trader alice = logon(kAlice);
  const Sequence before = engine().last_sequence();
  alice.sends(buy(0).at(100));
  EXPECT_EQ(engine().last_sequence(), before + 1);
  EXPECT_EQ(engine().working_orders(), 0U);
  EXPECT_EQ(engine().finished_orders(), 0U);
  EXPECT_EQ(alice.hears(), Lines{});
}

}  // namespace
}  // namespace shmatch::story
