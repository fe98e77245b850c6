// Clients that come back to an engine that went on without them.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>

#include "ipc/ring.h"
#include "tests/unit/random.h"
#include "tests/unit/resume_story.h"

namespace shmatch {
namespace {

using core::Side;

TEST_F(ResumeTest, MissedFillsArriveOnceAndInOrder) {
  start();
  Client bob = logged_on("bob");
  const LogonOptions options = resumable("alice");
  Reports seen;
  core::OrderId order = 0;
  core::SessionSerial serial = 0;
  {
    Client alice = logged_on_with(options);
    EXPECT_FALSE(alice.session().resumed);
    serial = alice.session().serial;
    order = enter(alice, limit_order(1, Side::kBuy, 100, 10));
    trade(bob, Side::kSell, 100, 3);
    seen = drain(alice);
    ASSERT_EQ(seen.size(), 3U);  // entered, trade, changed
  }
  trade(bob, Side::kSell, 100, 2);
  trade(bob, Side::kSell, 100, 1);

  Client alice = logged_on_with(resuming(options, seen));
  EXPECT_TRUE(alice.session().resumed);
  EXPECT_EQ(alice.session().serial, serial);
  EXPECT_EQ(alice.session().last_request, 1U);
  EXPECT_EQ(alice.session().missed, 4U);
  EXPECT_FALSE(alice.session().gap);
  EXPECT_EQ(alice.session().lost_from, 0U);
  trade(bob, Side::kSell, 100, 4);
  const Reports rest = drain(alice);
  ASSERT_EQ(rest.size(), 6U);
  const core::Lots executed[] = {5, 6, 10};
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(rest[2 * i].is<core::Trade>());
    EXPECT_EQ(rest[2 * i].as<core::Trade>().order_id, order);
    ASSERT_TRUE(rest[2 * i + 1].is<core::OrderChanged>());
    EXPECT_EQ(rest[2 * i + 1].as<core::OrderChanged>().executed, executed[i]);
  }
}

// A session of the same user that never leaves hears what the one that comes and goes must hear.
TEST_F(ResumeTest, ComingAndGoingMissesNothingAndGetsNothingTwice) {
  start();
  Client bob = logged_on("bob");
  Client witness = logged_on("alice");
  const LogonOptions options = resumable("alice");
  tests::Random random(5);
  Reports seen;
  Reports heard;
  Client alice = logged_on_with(options);
  for (int round = 0; round < 300; ++round) {
    const core::Ticks price = 100 + static_cast<core::Ticks>(random.below(3));
    const auto quantity = 1 + static_cast<core::Lots>(random.below(9));
    if (alice.logged_on() && random.one_in(3)) {
      ASSERT_NE(alice.send(limit_order(1, Side::kBuy, price, quantity)), 0U);
    } else {
      trade(bob, Side::kSell, price, quantity);
    }
    for (Report report; witness.poll(report);) heard.push_back(report);
    if (!alice.logged_on()) {
      ASSERT_FALSE(alice.logon(resuming(options, seen)));
      ASSERT_TRUE(alice.session().resumed);
      ASSERT_FALSE(alice.session().gap);
    } else if (random.one_in(4)) {
      alice.logoff();
    } else if (random.one_in(6)) {
      ASSERT_FALSE(alice.resume(kPatience));
    } else {
      // Now and then only a part of what is there.
      Report report;
      for (std::uint64_t i = random.below(20); i > 0 && alice.poll(report); --i) {
        seen.push_back(report);
      }
    }
  }
  if (!alice.logged_on()) {
    ASSERT_FALSE(alice.logon(resuming(options, seen)));
  }
  for (const Report& report : drain(alice)) seen.push_back(report);
  for (const Report& report : drain(witness)) heard.push_back(report);
  const std::vector<Name> names = names_of(seen);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_GT(events_of(seen).size(), 200U);
  EXPECT_EQ(names_of(events_of(seen)), names_of(events_of(heard)));
  // Each order was answered once.
  std::vector<RequestId> answered;
  for (const Report& report : seen) {
    if (report.is<core::OrderAccepted>()) answered.push_back(replied_request(report));
  }
  for (std::size_t i = 0; i < answered.size(); ++i) EXPECT_EQ(answered[i], i + 1);
  EXPECT_EQ(answered.size(), alice.session().last_request);
}

TEST_F(ResumeTest, WhatWasNotPolledComesBeforeWhatWasMissed) {
  start();
  Client bob = logged_on("bob");
  Client alice = logged_on_with(resumable("alice"));
  enter(alice, limit_order(1, Side::kBuy, 100, 10));
  trade(bob, Side::kSell, 100, 1);
  ASSERT_TRUE(answers(alice));  // what it met is queued
  trade(bob, Side::kSell, 100, 2);
  ASSERT_TRUE(answers(bob));  // what bob did stands in alice's ring
  ASSERT_FALSE(alice.resume(kPatience));
  EXPECT_TRUE(alice.session().resumed);
  trade(bob, Side::kSell, 100, 3);
  const Reports all = drain(alice);
  ASSERT_EQ(all.size(), 7U);
  ASSERT_TRUE(all[0].is<core::OrderEntered>());
  core::Lots executed = 0;
  for (std::size_t i = 1; i < all.size(); i += 2) {
    ASSERT_TRUE(all[i].is<core::Trade>());
    executed += all[i].as<core::Trade>().quantity;
    ASSERT_TRUE(all[i + 1].is<core::OrderChanged>());
    EXPECT_EQ(all[i + 1].as<core::OrderChanged>().executed, executed);
  }
  EXPECT_EQ(executed, 6);
}

TEST_F(ResumeTest, RequestsThatWereTakenAreKnownAndNumbersGoOn) {
  start();
  const LogonOptions options = resumable("alice");
  {
    Client alice = logged_on_with(options);
    for (int i = 0; i < 40; ++i) ASSERT_NE(alice.send(limit_order(1, Side::kBuy, 10, 1)), 0U);
    EXPECT_EQ(alice.ping(), 41U);
  }
  Client alice = logged_on_with(resuming(options));
  EXPECT_EQ(alice.session().last_request, 40U);  // a ping is no input
  EXPECT_EQ(alice.session().missed, 80U);
  Report reply;
  ASSERT_FALSE(alice.wait(17, reply, kPatience));  // answered while nobody was there
  EXPECT_TRUE(reply.is<core::OrderAccepted>());
  EXPECT_EQ(alice.send(limit_order(1, Side::kBuy, 10, 1)), 41U);
  ASSERT_FALSE(alice.wait(41, reply, kPatience));
  EXPECT_TRUE(reply.is<core::OrderAccepted>());
  const Reports rest = drain(alice);
  EXPECT_EQ(rest.size(), 80U);  // 39 replies and 41 entries
}

TEST_F(ResumeTest, AnswersToQueriesAreNeverReplayed) {
  start();
  const LogonOptions options = resumable("alice");
  {
    Client alice = logged_on_with(options);
    const core::OrderId order = enter(alice, limit_order(1, Side::kBuy, 10, 1));
    alice.submit(core::OrderStatusQuery{.oms_id = 1, .order_id = order});
    alice.submit(core::OpenOrdersQuery{.oms_id = 1, .account_id = 1});
    alice.submit(core::OpenOrdersQuery{.oms_id = 1, .account_id = 2});  // refused: a receipt
    alice.ping();
  }
  Client alice = logged_on_with(resuming(options));
  EXPECT_EQ(alice.session().missed, 2U);
  const Reports all = drain(alice);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[0].is<core::OrderAccepted>());
  EXPECT_TRUE(all[1].is<core::OrderEntered>());
}

TEST_F(ResumeTest, RepliesToQueriesThatWereNotPolledAreNotTakenForNewOnes) {
  start();
  Client alice = logged_on_with(resumable("alice"));
  enter(alice, limit_order(1, Side::kBuy, 10, 1));  // number 1
  const RequestId early = alice.ping();             // number 2
  ASSERT_TRUE(answers(alice));                      // number 3; the pong of 2 is queued
  ASSERT_EQ(early, 2U);
  ASSERT_FALSE(alice.resume(kPatience));
  EXPECT_EQ(alice.session().last_request, 1U);
  Report reply;
  ASSERT_FALSE(alice.call(core::CancelOrder{.oms_id = 1, .order_id = 999'999}, reply, kPatience));
  EXPECT_EQ(replied_request(reply), 2U);
  EXPECT_TRUE(reply.is<core::Receipt>());
}

TEST_F(ResumeTest, AGapIsToldWhenTheWindowWasTooSmall) {
  options_.resume_window_slots = 256;
  start();
  Client bob = logged_on("bob");
  const LogonOptions options = resumable("alice");
  Reports seen;
  {
    Client alice = logged_on_with(options);
    enter(alice, limit_order(1, Side::kBuy, 100, 1000));
    seen = drain(alice);
  }
  for (int i = 0; i < 200; ++i) trade(bob, Side::kSell, 100, 1);  // 400 slots of reports
  Client alice = logged_on_with(resuming(options, seen));
  EXPECT_TRUE(alice.session().gap);
  EXPECT_EQ(alice.session().missed, 256U);
  const Reports kept = drain(alice);
  ASSERT_EQ(kept.size(), 256U);
  // The gap ends before the oldest kept report, right behind the newest lost one.
  const ipc::Mark gap_end{alice.session().gap_end_sequence, alice.session().gap_end_ordinal};
  const ipc::Mark oldest = ipc::mark_of(kept.front());
  EXPECT_FALSE(oldest < gap_end);
  EXPECT_EQ(oldest.sequence - gap_end.sequence, 1U);  // each of bob's orders is one input
  EXPECT_EQ(kept.back().as<core::OrderChanged>().executed, 200);
  const std::vector<Name> names = names_of(kept);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());

  // Whoever has seen what is gone has no gap.
  alice.logoff();
  alice = logged_on_with(resuming(options, kept));
  EXPECT_FALSE(alice.session().gap);
  EXPECT_EQ(alice.session().missed, 0U);
}

TEST_F(ResumeTest, AnUnknownSessionIsOpenedFresh) {
  start();
  Client alice = logged_on_with(resuming(resumable("alice")));
  EXPECT_FALSE(alice.session().resumed);
  EXPECT_EQ(alice.session().last_request, 0U);
  EXPECT_EQ(alice.ping(), 1U);
  // It can be resumed from now on, and names belong to their users.
  alice.logoff();
  Client bob = logged_on_with(resuming(resumable("bob")));
  EXPECT_FALSE(bob.session().resumed);
  alice = logged_on_with(resuming(resumable("alice")));
  EXPECT_TRUE(alice.session().resumed);
}

TEST_F(ResumeTest, OnlyOneClientHasASession) {
  start();
  Client first = logged_on_with(resumable("alice"));
  const LogonOptions same = resumable("alice");
  for (const LogonOptions& options : {same, resuming(same)}) {
    const std::string refusal = refusal_of(options);
    EXPECT_NE(refusal.find("another client"), std::string::npos) << refusal;
  }
  EXPECT_TRUE(answers(first));
  // The name is nobody's without `resumable`.
  LogonOptions plain = same;
  plain.resumable = false;
  logged_on_with(plain);

  // Whoever resumes waits until the other one has left.
  Client second;
  Failure failed;
  std::thread client([&] { failed = second.logon(resuming(same)); });
  EXPECT_TRUE(eventually([&] { return server_.statistics().logons_refused > 2; }));
  first.logoff();
  client.join();
  ASSERT_FALSE(failed) << failed.text;
  EXPECT_TRUE(second.session().resumed);
}

TEST_F(ResumeTest, WaitingForASessionEndsInTime) {
  start();
  Client first = logged_on_with(resumable("alice"));
  LogonOptions hasty = resuming(resumable("alice"));
  hasty.timeout = std::chrono::milliseconds(100);
  Client second;
  EXPECT_TRUE(second.logon(hasty));
  EXPECT_FALSE(second.logged_on());
}

TEST_F(ResumeTest, AFreshSessionOfTheSameNameForgetsTheEarlierOne) {
  start();
  core::SessionSerial serial = 0;
  {
    Client alice = logged_on_with(resumable("alice"));
    serial = alice.session().serial;
    enter(alice, limit_order(1, Side::kBuy, 10, 1));
  }
  Client alice = logged_on_with(resumable("alice"));
  EXPECT_FALSE(alice.session().resumed);
  EXPECT_NE(alice.session().serial, serial);
  EXPECT_TRUE(drain(alice).empty());
  alice.logoff();
  alice = logged_on_with(resuming(resumable("alice")));
  EXPECT_TRUE(alice.session().resumed);
  EXPECT_EQ(alice.session().missed, 0U);
  EXPECT_EQ(alice.session().last_request, 0U);
}

TEST_F(ResumeTest, TheLongestWaitingGivesWayWhenAllSlotsAreTaken) {
  start();
  Client operators[3];
  const auto leave = [&](const std::string& name) {
    logged_on_with(resumable("alice", name));
    ASSERT_TRUE(eventually([&] { return server_.statistics().sessions == 0; }));
  };
  leave("first");
  leave("second");
  for (Client& client : operators) {
    // The third one takes a place that somebody waits in.
    ASSERT_TRUE(eventually([&] { return !client.logon(logon_as("operator")); }));
  }
  Client second = logged_on_with(resuming(resumable("alice", "second")));
  EXPECT_TRUE(second.session().resumed);
  Client first;
  LogonOptions options = resuming(resumable("alice", "first"));
  Failure failed = first.logon(options);
  EXPECT_EQ(failed.error, ClientError::kRefused);
  EXPECT_NE(failed.text.find("all 4 sessions"), std::string::npos) << failed.text;
  operators[0].logoff();
  ASSERT_TRUE(eventually([&] { return !first.logon(options); }));
  EXPECT_FALSE(first.session().resumed);
}

TEST_F(ResumeTest, ASessionThatEndedHearsOfItsCancelledOrders) {
  start();
  LogonOptions options = resumable("alice");
  options.cancel_on_disconnect = true;
  Reports seen;
  core::OrderId order = 0;
  {
    Client alice = logged_on_with(options);
    order = enter(alice, limit_order(1, Side::kBuy, 10, 1));
    seen = drain(alice);
  }
  // The library waits while the orders are being cancelled.
  Client alice = logged_on_with(resuming(options, seen));
  EXPECT_TRUE(alice.session().resumed);
  const Reports missed = drain(alice);
  ASSERT_EQ(missed.size(), 1U);
  const auto changed = missed[0].as<core::OrderChanged>();
  EXPECT_EQ(changed.order_id, order);
  EXPECT_EQ(core::cancel_reason(changed.header), core::CancelReason::kCancelOnDisconnect);
  // What it enters now ends with it again.
  enter(alice, limit_order(1, Side::kBuy, 10, 1));
  alice.logoff();
  EXPECT_TRUE(eventually([&] { return server_.statistics().working_orders == 0; }));
}

// The engine writes what was missed before it tells that the session is open: a client that breaks
// the protocol by then ends its own connection and nothing else.
TEST_F(ResumeTest, ABreachDuringTheResumeEndsThatConnectionOnly) {
  start();
  Client bob = logged_on("bob");
  const LogonOptions options = resumable("alice");
  {
    Client alice = logged_on_with(options);
    enter(alice, limit_order(1, Side::kBuy, 100, 1000));
  }
  for (int i = 0; i < 200; ++i) trade(bob, Side::kSell, 100, 1);  // more than the ring holds

  ipc::LogonRequest request;
  request.flags = ipc::kLogonResume;
  request.request_slots = 64;
  request.report_slots = 256;
  ipc::set_text(request.user, "alice");
  ipc::set_text(request.session_name, "desk");
  ipc::FileDescriptor socket;
  std::array<ipc::FileDescriptor, 3> memories;
  const auto packet = [&socket, &memories](auto& expected) {
    std::array<std::byte, ipc::kPacketBytesMax> bytes{};
    ipc::Received received;
    EXPECT_TRUE(eventually([&] {
      received = ipc::receive_packet(socket.get(), bytes, memories);
      return received.outcome != ipc::Received::Outcome::kNothing;
    }));
    return ipc::read_packet(std::span<const std::byte>(bytes).first(received.size), expected);
  };
  ipc::LogonOffer offer;
  // The engine refuses until it has noticed that alice is gone.
  ASSERT_TRUE(eventually([&] {
    socket = ipc::make_socket();
    return ipc::connect_socket(socket.get(), options_.socket_path) == 0 &&
           ipc::send_packet(socket.get(), request) && packet(offer);
  }));
  ipc::Mapping requests;
  ASSERT_FALSE(requests.map(memories[0].get(), offer.requests_size, ipc::Access::kReadWrite));
  auto* const header = reinterpret_cast<ipc::RequestsHeader*>(requests.data());
  header->version = ipc::kLayoutVersion;
  header->slots = offer.request_slots;
  header->reports_consumed = ~std::uint64_t{0};
  ipc::store_word(header->magic, ipc::kRequestsMagic, std::memory_order_release);
  ASSERT_TRUE(ipc::send_packet(socket.get(), ipc::Confirm{}));
  ipc::Farewell farewell;
  ASSERT_TRUE(packet(farewell));
  EXPECT_EQ(farewell.reason, ipc::FarewellReason::kBreach);

  EXPECT_TRUE(answers(bob));
  Client alice = logged_on_with(resuming(options));
  EXPECT_TRUE(alice.session().resumed);
  EXPECT_EQ(drain(alice).size(), 402U);
}

TEST_F(ResumeTest, ResumeNeedsASessionThatWasOpenedForIt) {
  start();
  Client client;
  EXPECT_EQ(client.resume(kPatience).error, ClientError::kEngineGone);
  client = logged_on("alice");
  EXPECT_EQ(client.resume(kPatience).error, ClientError::kBadArgument);
  EXPECT_TRUE(answers(client));
  LogonOptions nameless = resumable("alice", "");
  Client other;
  EXPECT_EQ(other.logon(nameless).error, ClientError::kBadArgument);
}

TEST_F(ResumeTest, AResumeThatFailsLosesNothing) {
  start();
  Client alice = logged_on_with(resumable("alice"));
  enter(alice, limit_order(1, Side::kBuy, 10, 1));
  stop();
  const Failure failed = alice.resume(std::chrono::milliseconds(20));
  EXPECT_EQ(failed.error, ClientError::kNoEngine) << failed.text;
  EXPECT_EQ(alice.ping(), 0U);
  ASSERT_EQ(left(alice).size(), 1U);  // the entry
  // An engine without a journal knows nothing of it.
  start();
  ASSERT_FALSE(alice.resume(kPatience));
  EXPECT_FALSE(alice.session().resumed);
  EXPECT_TRUE(drain(alice).empty());
  enter(alice, limit_order(1, Side::kBuy, 10, 1));
}

}  // namespace
}  // namespace shmatch
