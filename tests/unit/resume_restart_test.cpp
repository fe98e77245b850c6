// Clients that come back to an engine that was started again on its journal.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string>
#include <thread>

#include "ipc/file_layer.h"
#include "tests/unit/resume_story.h"

namespace shmatch {
namespace {

using core::Side;

class RestartTest : public ResumeTest {
 protected:
  RestartTest() {
    options_.journal = folder_.file("journal");
    options_.durability = ipc::Durability::kAsync;
  }

  // Clients do not notice more than that their sockets close.
  void restart() {
    stop();
    start();
  }

  std::vector<core::OpenOrderRow> open_orders(core::AccountId account) {
    Client observer = logged_on("operator");
    std::vector<core::OpenOrderRow> rows;
    core::Receipt refused;
    EXPECT_FALSE(observer.open_orders(1, account, rows, refused, kPatience));
    return rows;
  }
};

class DurableRestartTest : public RestartTest, public testing::WithParamInterface<ipc::Durability> {
 protected:
  DurableRestartTest() { options_.durability = GetParam(); }
};

TEST_P(DurableRestartTest, ResumedInTimeASessionKeepsItsOrders) {
  start();
  Client bob = logged_on("bob");
  LogonOptions options = resumable("alice");
  options.cancel_on_disconnect = true;
  Client alice = logged_on_with(options);
  const core::SessionSerial serial = alice.session().serial;
  const core::OrderId order = enter(alice, limit_order(1, Side::kBuy, 100, 10));
  trade(bob, Side::kSell, 100, 1);
  for (int restarts = 0; restarts < 3; ++restarts) {
    restart();
    ASSERT_FALSE(alice.resume(kPatience));
    EXPECT_TRUE(alice.session().resumed);
    EXPECT_EQ(alice.session().serial, serial);
    EXPECT_EQ(alice.session().last_request, 1U);
    EXPECT_FALSE(alice.session().gap);
    EXPECT_EQ(alice.session().lost_from, 0U);
  }
  bob = logged_on("bob");
  trade(bob, Side::kSell, 100, 2);
  const Reports all = drain(alice);
  ASSERT_EQ(all.size(), 5U);
  EXPECT_TRUE(all[0].is<core::OrderEntered>());
  EXPECT_EQ(all[2].as<core::OrderChanged>().executed, 1);
  EXPECT_EQ(all[4].as<core::OrderChanged>().executed, 3);
  Report reply;
  ASSERT_FALSE(alice.call(core::CancelOrder{.oms_id = 1, .order_id = order}, reply, kPatience));
  EXPECT_EQ(replied_request(reply), 3U);  // after the ping
  EXPECT_EQ(reply.as<core::Receipt>().code, core::ErrorCode::kOk);
}

TEST_P(DurableRestartTest, AnotherProcessGetsWhatNobodyHasRead) {
  start();
  Client bob = logged_on("bob");
  const LogonOptions options = resumable("alice");
  Reports all;
  {
    Client alice = logged_on_with(options);
    for (int i = 0; i < 5; ++i) enter(alice, limit_order(1, Side::kBuy, 100, 2));
    for (int i = 0; i < 5; ++i) trade(bob, Side::kSell, 100, 1);
    all = drain(alice);
    ASSERT_EQ(all.size(), 15U);
  }
  for (std::size_t seen = 0; seen <= all.size(); ++seen) {
    const Reports known(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(seen));
    if (seen == 4 || seen == 9) restart();
    Client alice = logged_on_with(resuming(options, known));
    ASSERT_TRUE(alice.session().resumed);
    const Reports missed = drain(alice);
    EXPECT_EQ(names_of(events_of(missed)),
              names_of(Reports(all.begin() + static_cast<std::ptrdiff_t>(seen), all.end())));
  }
}

TEST_P(DurableRestartTest, ResumeWaitsForTheEngine) {
  start();
  Client alice = logged_on_with(resumable("alice"));
  enter(alice, limit_order(1, Side::kBuy, 100, 10));
  stop();
  Failure failed;
  std::thread client([&] { failed = alice.resume(kPatience); });
  start();
  client.join();
  ASSERT_FALSE(failed) << failed.text;
  EXPECT_TRUE(alice.session().resumed);
  EXPECT_TRUE(answers(alice));
}

INSTANTIATE_TEST_SUITE_P(Durable, DurableRestartTest,
                         testing::Values(ipc::Durability::kAsync, ipc::Durability::kSync),
                         [](const auto& instance) {
                           return instance.param == ipc::Durability::kSync ? "sync" : "async";
                         });

TEST_F(RestartTest, AfterTheGraceCancelOnDisconnectTakesEffect) {
  options_.resume_grace = std::chrono::milliseconds(0);
  start();
  LogonOptions ending = resumable("alice");
  ending.cancel_on_disconnect = true;
  LogonOptions plain_ending = logon_as("bob");
  plain_ending.cancel_on_disconnect = true;
  LogonOptions staying = resumable("bob");
  Client clients[] = {logged_on_with(ending), logged_on_with(plain_ending),
                      logged_on_with(staying)};
  const core::OrderId ended = enter(clients[0], limit_order(1, Side::kBuy, 100, 1));
  enter(clients[1], limit_order(2, Side::kBuy, 101, 1));
  const core::OrderId stays = enter(clients[2], limit_order(2, Side::kBuy, 102, 1));
  const Reports seen = drain(clients[0]);
  restart();
  EXPECT_TRUE(eventually([&] { return open_orders(1).empty() && open_orders(2).size() == 1; }));
  EXPECT_EQ(open_orders(2).front().order_id, stays);

  // It hears of that when it comes back at last; bob's other session was told nothing else.
  Client alice = logged_on_with(resuming(ending, seen));
  EXPECT_TRUE(alice.session().resumed);
  const Reports missed = drain(alice);
  ASSERT_EQ(missed.size(), 1U);
  EXPECT_EQ(missed[0].as<core::OrderChanged>().order_id, ended);
  EXPECT_EQ(core::cancel_reason(missed[0].as<core::OrderChanged>().header),
            core::CancelReason::kCancelOnDisconnect);
  Client bob = logged_on_with(resuming(staying));
  EXPECT_TRUE(bob.session().resumed);
  bob.logoff();
  // Slots of sessions that nobody can resume are free again: all but alice's and bob's.
  Client others[2];
  for (Client& other : others) {
    ASSERT_TRUE(eventually([&] { return !other.logon(logon_as("operator")); }));
  }
}

TEST_F(RestartTest, WithinTheGraceNothingEnds) {
  start();
  {
    Client alice = logged_on("alice");  // cancels on disconnect, and cannot be resumed
    enter(alice, limit_order(1, Side::kBuy, 100, 1));
    stop();
  }
  start();
  EXPECT_EQ(open_orders(1).size(), 1U);
  EXPECT_TRUE(eventually([&] { return server_.statistics().working_orders == 1; }))
      << server_.statistics().working_orders;
}

TEST_F(RestartTest, AWaitingSessionIsNotPushedAside) {
  start();
  Client alice = logged_on_with(resumable("alice"));
  enter(alice, limit_order(1, Side::kBuy, 100, 1));
  restart();
  const std::string refusal = refusal_of(resumable("alice"));
  EXPECT_NE(refusal.find("resume it"), std::string::npos) << refusal;
  ASSERT_FALSE(alice.resume(kPatience));
  EXPECT_TRUE(alice.session().resumed);
}

TEST_F(RestartTest, DetachedSessionsAreKnownAfterARestart) {
  start();
  Client bob = logged_on("bob");
  const LogonOptions options = resumable("alice");
  Reports seen;
  {
    Client alice = logged_on_with(options);
    enter(alice, limit_order(1, Side::kBuy, 100, 10));
    seen = drain(alice);
  }
  trade(bob, Side::kSell, 100, 1);
  restart();
  bob = logged_on("bob");
  trade(bob, Side::kSell, 100, 2);
  Client alice = logged_on_with(resuming(options, seen));
  EXPECT_TRUE(alice.session().resumed);
  const Reports missed = drain(alice);
  ASSERT_EQ(missed.size(), 4U);
  EXPECT_EQ(missed[1].as<core::OrderChanged>().executed, 1);
  EXPECT_EQ(missed[3].as<core::OrderChanged>().executed, 3);
  // A fresh one forgets it.
  alice.logoff();
  alice = logged_on_with(options);
  EXPECT_FALSE(alice.session().resumed);
  EXPECT_EQ(alice.send(limit_order(1, Side::kBuy, 100, 1)), 1U);
}

// An engine that lost its last inputs: its journal is put back to an earlier state. The numbers of
// what was lost are given again, and the client must not take the new reports for known ones.
TEST_F(RestartTest, LostInputsAreToldAndTheirNamesAreNotMistaken) {
  const std::string earlier = folder_.file("earlier");
  start();
  Client bob = logged_on("bob");
  Client alice = logged_on_with(resumable("alice"));
  const core::OrderId order = enter(alice, limit_order(1, Side::kBuy, 100, 10));
  stop();
  std::filesystem::copy(options_.journal, earlier);
  start();
  ASSERT_FALSE(alice.resume(kPatience));
  left(alice);
  // Both of these will be lost; the second one's reports are not even polled.
  enter(alice, limit_order(1, Side::kBuy, 99, 10));
  left(alice);
  enter(alice, limit_order(1, Side::kBuy, 98, 10));
  ASSERT_TRUE(answers(alice));
  stop();
  std::filesystem::remove_all(options_.journal);
  std::filesystem::rename(earlier, options_.journal);
  start();
  bob = logged_on("bob");
  trade(bob, Side::kSell, 100, 1);  // takes numbers of what was lost

  ASSERT_FALSE(alice.resume(kPatience));
  EXPECT_TRUE(alice.session().resumed);
  EXPECT_NE(alice.session().lost_from, 0U);
  EXPECT_EQ(alice.session().last_request, 1U);
  const Reports all = drain(alice);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].as<core::Trade>().order_id, order);
  EXPECT_EQ(all[1].as<core::OrderChanged>().executed, 1);
  EXPECT_GE(ipc::mark_of(all[0]).sequence, alice.session().lost_from);
  // From here on its mark is one of the new history.
  ASSERT_FALSE(alice.resume(kPatience));
  EXPECT_EQ(alice.session().lost_from, 0U);
  EXPECT_TRUE(drain(alice).empty());
}

// The same, but another process of the client has come back first, and has gone again without a
// word; or a whole run has passed. What the first one saw was lost all the same.
TEST_F(RestartTest, LostInputsAreToldHoweverOftenTheEngineOrAClientCameInBetween) {
  const std::string earlier = folder_.file("earlier");
  start();
  Client alice = logged_on_with(resumable("alice"));
  enter(alice, limit_order(1, Side::kBuy, 100, 10));
  stop();
  std::filesystem::copy(options_.journal, earlier);
  start();
  ASSERT_FALSE(alice.resume(kPatience));
  run_ = alice.session().run;
  for (int i = 0; i < 20; ++i) enter(alice, limit_order(1, Side::kBuy, 99, 10));
  const Reports seen = left(alice);
  const core::Sequence first_lost = ipc::mark_of(seen.back()).sequence - 19;
  alice = Client();
  stop();
  std::filesystem::remove_all(options_.journal);
  std::filesystem::rename(earlier, options_.journal);
  const LogonOptions coming_back = resuming(resumable("alice"), seen);

  start();
  ASSERT_TRUE(logged_on_with(resuming(resumable("alice"))).session().resumed);
  const auto check = [&] {
    Client again;
    const Failure failed = again.logon(coming_back);
    ASSERT_FALSE(failed) << failed.text;
    EXPECT_TRUE(again.session().resumed);
    EXPECT_NE(again.session().lost_from, 0U);
    EXPECT_LE(again.session().lost_from, first_lost);
  };
  check();
  restart();
  // By now the numbers of what was lost are those of other inputs, from more than one run.
  Client bob = logged_on("bob");
  for (int i = 0; i < 30; ++i) enter(bob, limit_order(2, Side::kBuy, 50, 1));
  check();
  restart();
  check();
}

// The kernel's file system, until it is told to fail.
class FailingFileLayer final : public ipc::PosixFileLayer {
 public:
  std::int64_t write(int handle, std::span<const std::byte> bytes,
                     std::uint64_t offset) noexcept override {
    return full.load() ? -ENOSPC : PosixFileLayer::write(handle, bytes, offset);
  }
  std::atomic<bool> full{false};
};

// Stands before the server in its test, and so outlives it.
class WithFailingFiles {
 protected:
  FailingFileLayer files_;
};

class FailingJournalTest : public WithFailingFiles, public RestartTest {
 protected:
  FailingJournalTest() {
    options_.file_layer = &files_;
    options_.durability = ipc::Durability::kSync;
  }
};

TEST_F(FailingJournalTest, NobodyLogsOnUntilTheEngineStartsAgain) {
  start();
  Client alice = logged_on_with(resumable("alice"));
  const core::OrderId order = enter(alice, limit_order(1, Side::kBuy, 100, 10));
  files_.full = true;
  Report reply;
  ASSERT_FALSE(alice.call(core::CancelOrder{.oms_id = 1, .order_id = order}, reply, kPatience));
  EXPECT_EQ(reply.as<core::Receipt>().code, core::ErrorCode::kServerError);
  Client bob;
  const Failure failed = bob.logon(logon_as("bob"));
  EXPECT_EQ(failed.error, ClientError::kRefused);
  EXPECT_NE(failed.text.find("journal has failed (No space left on device)"), std::string::npos)
      << failed.text;
  EXPECT_NE(alice.resume(kPatience).text.find("journal has failed"), std::string::npos);

  files_.full = false;
  restart();
  ASSERT_FALSE(alice.resume(kPatience));
  EXPECT_TRUE(alice.session().resumed);
  EXPECT_EQ(alice.session().last_request, 1U);  // the cancel never was
  ASSERT_FALSE(alice.call(core::CancelOrder{.oms_id = 1, .order_id = order}, reply, kPatience));
  EXPECT_EQ(reply.as<core::Receipt>().code, core::ErrorCode::kOk);
}

}  // namespace
}  // namespace shmatch
