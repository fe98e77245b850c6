// Sessions that outlive their clients and the engine, told to the engine and to the plain
// reference.
#include <gtest/gtest.h>

#include "tests/unit/engine_story.h"

namespace shmatch::story {
namespace {

using namespace core;

class Resuming : public Story {};
INSTANTIATE_STORIES(Resuming);

TEST_P(Resuming, a_detached_session_goes_on_hearing_of_its_accounts) {
  Trader alice = logon(kAlice, {.resumable_as = "desk"});
  Trader carol = logon(kCarol);
  alice.leaves();
  EXPECT_EQ(alice.session().state, SessionState::kDetached);
  EXPECT_FALSE(engine().slot_free(alice.slot()));
  carol.sends(buy(5).at(100));
  EXPECT_EQ(alice.hears(), Lines{"A working as entered: 5 left, 0 done"});
}

TEST_P(Resuming, a_detached_session_does_not_hear_of_what_it_sent_for_other_accounts) {
  Trader olivia = logon(kOlivia, {.resumable_as = "desk"});
  Trader bob = logon(kBob);
  olivia.sends(sell(5).at(100).account(1));
  olivia.hears();
  olivia.leaves();
  bob.sends(buy(2).at(100));
  EXPECT_EQ(olivia.hears(), Lines{});
}

TEST_P(Resuming, a_session_comes_back_as_what_it_was) {
  Trader alice = logon(kAlice, {.resumable_as = "desk"});
  alice.sends(buy(5).at(100));
  alice.cancels(4711);
  const SessionView before = alice.session();
  EXPECT_EQ(before.last_request, 2U) << "a refused request counts";
  alice.asks(Ping{});
  alice.leaves();
  alice.comes_back();
  const SessionView after = alice.session();
  EXPECT_EQ(after.state, SessionState::kOpen);
  EXPECT_EQ(after.serial, before.serial);
  EXPECT_EQ(after.last_request, 2U) << "a query does not";
  EXPECT_STREQ(after.logon.name, "desk");
  EXPECT_EQ(alice.cancels(1), Refusal{});
}

TEST_P(Resuming, a_session_comes_back_with_other_wishes) {
  Trader olivia = logon(kOlivia, {.resumable_as = "desk"});
  Trader alice = logon(kAlice);
  alice.sends(buy(5).at(100));
  EXPECT_EQ(olivia.reports().size(), 0U);
  olivia.leaves();
  olivia.comes_back({.whole_objects = true, .all_accounts = true});
  alice.sends(buy(6).at(100));
  std::vector<Report> heard = olivia.reports();
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_TRUE(heard[0].is<OrderStateWhole>());
  EXPECT_TRUE(olivia.session().logon.resumable);
  olivia.leaves();
  alice.sends(buy(7).at(100));
  EXPECT_EQ(olivia.reports().size(), 1U) << "and hears all accounts while it is away";
  olivia.comes_back();
  alice.sends(buy(8).at(100));
  EXPECT_EQ(olivia.reports().size(), 0U);
}

TEST_P(Resuming, a_sweep_is_heard_by_the_session_whose_orders_go) {
  Trader olivia = logon(kOlivia, {.cancel_on_disconnect = true, .resumable_as = "desk"});
  olivia.sends(buy(5).at(100).account(2));
  olivia.hears();
  olivia.leaves();
  EXPECT_EQ(olivia.session().state, SessionState::kSweeping);
  sweeps();
  EXPECT_EQ(olivia.session().state, SessionState::kDetached);
  EXPECT_EQ(olivia.hears(), Lines{"A canceled on disconnect: 0 left, 0 done"});
}

TEST_P(Resuming, cancel_on_disconnect_takes_orders_of_earlier_connections_too) {
  Trader alice = logon(kAlice, {.resumable_as = "desk"});
  alice.sends(buy(5).at(100));
  alice.leaves();
  sweeps();
  EXPECT_EQ(book(), "5@100 | ");
  alice.comes_back({.cancel_on_disconnect = true});
  alice.sends(buy(6).at(99));
  alice.leaves();
  sweeps();
  EXPECT_EQ(book(), " | ");
}

TEST_P(Resuming, a_connection_without_the_wish_leaves_orders_of_one_that_had_it) {
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true, .resumable_as = "desk"});
  alice.sends(buy(5).at(100));
  restarts();
  alice.comes_back();
  alice.leaves();
  sweeps();
  EXPECT_EQ(book(), "5@100 | ");
}

TEST_P(Resuming, a_session_swept_twice_loses_what_it_entered_in_between) {
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true, .resumable_as = "desk"});
  for (int connection = 0; connection < 2; ++connection) {
    alice.sends(buy(5).at(100));
    alice.leaves();
    sweeps();
    EXPECT_EQ(book(), " | ");
    alice.comes_back({.cancel_on_disconnect = true});
  }
}

TEST_P(Resuming, a_forgotten_session_is_gone_and_leaves_its_orders) {
  Trader alice = logon(kAlice, {.resumable_as = "desk"});
  Trader carol = logon(kCarol);
  alice.sends(buy(5).at(100));
  alice.hears();
  alice.leaves();
  alice.is_forgotten();
  EXPECT_TRUE(engine().slot_free(alice.slot()));
  carol.sends(buy(6).at(100));
  EXPECT_EQ(alice.hears(), Lines{});
  Logon again;
  again.user_id = kAlice;
  again.cancel_on_disconnect = true;
  engine().logon(alice.slot(), again, now);
  alice.leaves();
  sweeps();
  EXPECT_EQ(book(), "11@100 | ") << "the slot's next session has no hold on them";
}

TEST_P(Resuming, a_rate_budget_is_not_renewed_by_coming_back) {
  Configuration limited = story_configuration();
  limited.rate_per_second = 1;
  limited.rate_burst = 1;
  start(limited);
  Trader alice = logon(kAlice, {.resumable_as = "desk"});
  alice.sends(buy(5).at(100));
  alice.leaves();
  alice.comes_back();
  EXPECT_EQ(alice.sends(buy(5).at(100)).refusal.detail, Detail::kRateLimited);
}

// ------------------------------------------------------------------------------------- restarting

class Restarting : public Story {};
INSTANTIATE_STORIES(Restarting);

TEST_P(Restarting, sessions_are_orphaned_and_their_orders_stay) {
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true, .resumable_as = "desk"});
  Trader bob = logon(kBob, {.cancel_on_disconnect = true});
  alice.sends(buy(5).at(100));
  bob.sends(buy(6).at(99));
  const Sequence before = engine().last_sequence();
  engine().restart(now);
  EXPECT_EQ(engine().last_sequence(), before + 1);
  EXPECT_EQ(alice.session().state, SessionState::kOrphaned);
  EXPECT_EQ(bob.session().state, SessionState::kOrphaned);
  EXPECT_FALSE(engine().sweeping());
  EXPECT_EQ(engine().working_orders(), 2U);
}

TEST_P(Restarting, only_resumable_orphans_hear) {
  Trader alice = logon(kAlice, {.resumable_as = "desk"});
  Trader again = logon(kAlice);
  restarts();
  Trader carol = logon(kCarol);
  carol.sends(buy(5).at(100));
  EXPECT_EQ(alice.hears().size(), 1U);
  EXPECT_EQ(again.hears(), Lines{});
}

TEST_P(Restarting, an_orphan_that_does_not_come_back_ends_like_any_session) {
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true, .resumable_as = "desk"});
  Trader bob = logon(kBob, {.cancel_on_disconnect = true});
  Trader carol = logon(kCarol);
  alice.sends(buy(5).at(100));
  bob.sends(buy(6).at(99));
  carol.sends(buy(7).at(98).account(3));
  restarts();
  for (Trader* trader : {&alice, &bob, &carol}) {
    trader->hears();
    trader->leaves();
  }
  EXPECT_TRUE(engine().slot_free(carol.slot()));
  sweeps();
  EXPECT_EQ(alice.session().state, SessionState::kDetached);
  EXPECT_EQ(alice.hears(), Lines{"A canceled on disconnect: 0 left, 0 done"});
  EXPECT_TRUE(engine().slot_free(bob.slot()));
  EXPECT_EQ(bob.hears(), Lines{});
  EXPECT_EQ(book(), "7@98 | ");
}

TEST_P(Restarting, an_orphan_comes_back_and_goes_on) {
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true, .resumable_as = "desk"});
  const Answer order = alice.sends(buy(5).at(100));
  restarts();
  restarts();
  alice.comes_back({.cancel_on_disconnect = true});
  EXPECT_EQ(alice.cancels(order.order_id), Refusal{});
  EXPECT_EQ(alice.session().last_request, 2U);
}

TEST_P(Restarting, a_sweep_under_way_goes_on) {
  Trader alice = logon(kAlice, {.cancel_on_disconnect = true, .resumable_as = "desk"});
  Trader bob = logon(kBob, {.cancel_on_disconnect = true});
  alice.sends(buy(5).at(100));
  bob.sends(buy(6).at(99));
  alice.leaves();
  bob.leaves();
  restarts();
  EXPECT_EQ(alice.session().state, SessionState::kSweeping);
  sweeps();
  EXPECT_EQ(engine().working_orders(), 0U);
  EXPECT_EQ(alice.session().state, SessionState::kDetached);
  EXPECT_TRUE(engine().slot_free(bob.slot()));
}

TEST_P(Restarting, a_detached_session_stays_detached) {
  Trader alice = logon(kAlice, {.resumable_as = "desk"});
  alice.leaves();
  restarts();
  EXPECT_EQ(alice.session().state, SessionState::kDetached);
}

TEST_P(Restarting, a_stopped_engine_accepts_again) {
  Trader alice = logon(kAlice, {.resumable_as = "desk"});
  stops_accepting(Detail::kJournalFailed);
  EXPECT_EQ(alice.sends(buy(5).at(100)).refusal.code, ErrorCode::kServerError);
  restarts();
  alice.comes_back();
  EXPECT_EQ(alice.sends(buy(5).at(100)).refusal, Refusal{});
}

}  // namespace
}  // namespace shmatch::story
