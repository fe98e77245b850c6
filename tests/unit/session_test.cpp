// Sessions end to end: a Server and its Clients in one process, through the same sockets, memories
// and rings as between processes.
#include "ipc/session.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "ipc/ring.h"
#include "ipc/session_link.h"
#include "tests/unit/test_server.h"

namespace shmatch {
namespace {

using core::Side;
using SessionTest = ServerTest;

TEST_F(SessionTest, CancelMakesTheWholeRoundTrip) {
  start();
  Client alice = logged_on("alice");
  const core::OrderId order = enter(alice, limit_order(1, Side::kBuy, 100, 5, 77));
  const Report entered = next(alice);
  ASSERT_TRUE(entered.is<core::OrderEntered>());
  EXPECT_EQ(entered.as<core::OrderEntered>().order_id, order);

  const RequestId request = alice.cancel({.oms_id = 1, .account_id = 1, .cl_ord_id = 77});
  ASSERT_NE(request, 0U);
  const Report receipt = next(alice);
  ASSERT_TRUE(receipt.is<core::Receipt>());
  EXPECT_EQ(receipt.as<core::Receipt>().request_sequence, request);
  EXPECT_EQ(receipt.as<core::Receipt>().code, core::ErrorCode::kOk);
  const Report outcome = next(alice);
  ASSERT_TRUE(outcome.is<core::OrderChanged>());
  EXPECT_EQ(outcome.as<core::OrderChanged>().order_id, order);
  EXPECT_EQ(core::order_state(outcome.as<core::OrderChanged>().header),
            core::OrderState::kCanceled);

  Report reply;
  ASSERT_FALSE(alice.call(core::CancelOrder{.oms_id = 1, .order_id = order}, reply, kPatience));
  EXPECT_EQ(reply.as<core::Receipt>().code, core::ErrorCode::kNotFound);
  EXPECT_FALSE(alice.poll(reply));
}

TEST_F(SessionTest, SpinAndSleepServeToo) {
  for (const ipc::IdleMode idle : {ipc::IdleMode::kSpin, ipc::IdleMode::kSleep}) {
    options_.idle = idle;
    start();
    Client alice = logged_on("alice");
    const std::uint64_t before = alice.heartbeat();
    EXPECT_TRUE(answers(alice));
    EXPECT_TRUE(eventually([&] { return alice.heartbeat() > before; }));
    server_.request_stop();
    server_.wait();
  }
}

TEST_F(SessionTest, FillsReachBothSidesAndNobodyElse) {
  start();
  Client alice = logged_on("alice");
  Client bob = logged_on("bob");
  const core::OrderId maker = enter(alice, limit_order(1, Side::kSell, 100, 5));
  const core::OrderId taker = enter(bob, limit_order(2, Side::kBuy, 101, 3));
  ASSERT_TRUE(answers(alice));
  ASSERT_TRUE(next(alice).is<core::OrderEntered>());
  const Report sold = next(alice);
  ASSERT_TRUE(sold.is<core::Trade>());
  EXPECT_EQ(sold.as<core::Trade>().order_id, maker);
  EXPECT_EQ(sold.as<core::Trade>().price, 100);
  ASSERT_TRUE(next(alice).is<core::OrderChanged>());
  const Report bought = next(bob);
  ASSERT_TRUE(bought.is<core::Trade>());
  EXPECT_EQ(bought.as<core::Trade>().order_id, taker);
  ASSERT_TRUE(next(bob).is<core::OrderEntered>());
  Report more;
  ASSERT_TRUE(answers(bob));
  EXPECT_FALSE(alice.poll(more));
  EXPECT_FALSE(bob.poll(more));
}

TEST_F(SessionTest, RepliesComeInTheOrderOfTheirRequests) {
  start();
  Client alice = logged_on("alice");
  constexpr RequestId kRequests = 20'000;
  RequestId sent = 0;
  RequestId answered = 0;
  Report report;
  const bool all = eventually([&] {
    while (sent < kRequests && alice.cancel({.oms_id = 1, .order_id = 9'999}) != 0) ++sent;
    while (alice.poll(report)) {
      if (replied_request(report) != answered + 1) return true;
      ++answered;
    }
    return answered == kRequests;
  });
  EXPECT_TRUE(all);
  EXPECT_EQ(answered, kRequests);
}

TEST_F(SessionTest, BlockingCallsKeepWhatIsNotTheirs) {
  start();
  Client alice = logged_on("alice");
  const RequestId first = alice.ping();
  const RequestId order = alice.send(limit_order(1, Side::kBuy, 10, 1));
  const RequestId last = alice.ping();
  Report reply;
  ASSERT_FALSE(alice.wait(last, reply, kPatience));
  EXPECT_EQ(replied_request(reply), last);
  ASSERT_FALSE(alice.wait(first, reply, kPatience));  // met already by the first wait
  EXPECT_EQ(replied_request(reply), first);
  EXPECT_EQ(replied_request(next(alice)), order);
  EXPECT_TRUE(next(alice).is<core::OrderEntered>());
  EXPECT_FALSE(alice.poll(reply));
  EXPECT_EQ(alice.wait(last + 1, reply, kPatience).error, ClientError::kBadArgument);
  EXPECT_EQ(alice.wait(0, reply, kPatience).error, ClientError::kBadArgument);
}

TEST_F(SessionTest, QueriesOfManyPagesArriveWhole) {
  start();
  Client alice = logged_on("alice");
  constexpr int kOrders = 300;
  std::vector<core::OrderId> entered;
  for (int i = 0; i < kOrders; ++i) {
    entered.push_back(enter(alice, limit_order(1, i % 2 == 0 ? Side::kBuy : Side::kSell,
                                               i % 2 == 0 ? 1000 - i : 1000 + i, 1 + i)));
    Report event;
    while (alice.poll(event)) {
    }
  }
  std::vector<core::OpenOrderRow> rows;
  core::Receipt refused;
  ASSERT_FALSE(alice.open_orders(1, 1, rows, refused, kPatience));
  ASSERT_EQ(rows.size(), entered.size());
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].order_id, entered[i]);

  Client::L2Snapshot book;
  ASSERT_FALSE(alice.l2_snapshot(1, 1, 1000, book, refused, kPatience));
  ASSERT_EQ(book.bids.size(), kOrders / 2U);
  ASSERT_EQ(book.asks.size(), kOrders / 2U);
  EXPECT_EQ(book.bids.front().price, 1000);
  EXPECT_EQ(book.asks.front().price, 1001);
  for (std::size_t i = 1; i < book.bids.size(); ++i) {
    EXPECT_LT(book.bids[i].price, book.bids[i - 1].price);
    EXPECT_GT(book.asks[i].price, book.asks[i - 1].price);
  }

  ASSERT_FALSE(alice.open_orders(1, 2, rows, refused, kPatience));
  EXPECT_EQ(refused.code, core::ErrorCode::kNotAuthorized);
  EXPECT_TRUE(rows.empty());
}

// A page looks at 4,096 orders at most; what lies behind a deeper level comes on the next page.
TEST_F(SessionTest, ABookWithAVeryDeepLevelArrivesWhole) {
  start();
  constexpr std::uint32_t kDeep = 4200;
  Client alice = logged_on("alice");
  for (std::uint32_t i = 0; i < kDeep; ++i) enter(alice, limit_order(1, Side::kBuy, 10, 1));
  enter(alice, limit_order(1, Side::kBuy, 9, 2));
  enter(alice, limit_order(1, Side::kSell, 11, 3));
  Client::L2Snapshot book;
  core::Receipt refused;
  ASSERT_FALSE(alice.l2_snapshot(1, 1, 100, book, refused, kPatience));
  ASSERT_EQ(book.bids.size(), 2U);
  EXPECT_EQ(book.bids[0].price, 10);
  EXPECT_EQ(book.bids[0].order_count, kDeep);
  EXPECT_EQ(book.bids[0].quantity_low, kDeep);
  EXPECT_EQ(book.bids[0].account_count, 1U);
  EXPECT_EQ(book.bids[1].price, 9);
  ASSERT_EQ(book.asks.size(), 1U);
  EXPECT_EQ(book.asks[0].price, 11);
}

TEST_F(SessionTest, LeavingCancelsWhatWasAskedToBeCancelled) {
  start();
  Client observer = logged_on("operator");
  {
    Client alice = logged_on("alice");
    enter(alice, limit_order(1, Side::kBuy, 10, 1));
    LogonOptions keep = logon_as("bob");
    keep.cancel_on_disconnect = false;
    Client bob;
    ASSERT_FALSE(bob.logon(keep));
    enter(bob, limit_order(2, Side::kBuy, 11, 1));
  }
  EXPECT_TRUE(eventually([&] { return server_.statistics().sessions == 1; }));
  core::Receipt refused;
  std::vector<core::OpenOrderRow> rows;
  EXPECT_TRUE(eventually(
      [&] { return !observer.open_orders(1, 1, rows, refused, kPatience) && rows.empty(); }));
  ASSERT_FALSE(observer.open_orders(1, 2, rows, refused, kPatience));
  EXPECT_EQ(rows.size(), 1U);
}

TEST_F(SessionTest, LoggingOffEndsTheSessionThoughAForkedChildHoldsTheSocket) {
  start();
  Client observer = logged_on("operator");
  Client alice = logged_on("alice");
  enter(alice, limit_order(1, Side::kBuy, 10, 1));
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  ASSERT_GT(child, 0);
  alice.logoff();
  EXPECT_TRUE(eventually([&] { return server_.statistics().sessions == 1; }));
  core::Receipt refused;
  std::vector<core::OpenOrderRow> rows;
  EXPECT_TRUE(eventually(
      [&] { return !observer.open_orders(1, 1, rows, refused, kPatience) && rows.empty(); }));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(SessionTest, RequestsCommittedBeforeTheEndAreExecuted) {
  start();
  Client observer = logged_on("operator");
  constexpr std::size_t kOrders = 100;
  {
    LogonOptions keep = logon_as("alice");
    keep.cancel_on_disconnect = false;
    Client alice;
    ASSERT_FALSE(alice.logon(keep));
    for (std::size_t i = 0; i < kOrders; ++i) {
      ASSERT_NE(alice.send(limit_order(1, Side::kBuy, 10, 1)), 0U);
    }
  }
  EXPECT_TRUE(eventually([&] { return server_.statistics().sessions == 1; }));
  core::Receipt refused;
  std::vector<core::OpenOrderRow> rows;
  ASSERT_FALSE(observer.open_orders(1, 1, rows, refused, kPatience));
  EXPECT_EQ(rows.size(), kOrders);
}

TEST_F(SessionTest, SlotsOfEndedSessionsAreUsedAgain) {
  start();
  for (int i = 0; i < 20; ++i) {
    Client client;
    // The engine may still be sweeping the last session out of its slot.
    ASSERT_TRUE(eventually([&] { return !client.logon(logon_as("alice")); }));
    enter(client, limit_order(1, Side::kBuy, 10, 1));
    EXPECT_EQ(client.session().serial != 0, true);
  }
  EXPECT_TRUE(eventually([&] { return server_.statistics().sessions == 0; }));
  EXPECT_EQ(server_.statistics().logons, 20U);
  EXPECT_TRUE(eventually([&] { return server_.statistics().working_orders == 0; }));
}

TEST_F(SessionTest, ASlowReaderStopsItselfBeforeAnythingIsLost) {
  start();
  Client alice = logged_on("alice");
  std::uint64_t sent = 0;
  // Its own replies never doom a session: the engine takes no more requests until they are read.
  EXPECT_TRUE(eventually([&] {
    if (alice.ping() != 0) ++sent;
    return server_.statistics().requests >= 150 && alice.ping() == 0;
  }));
  EXPECT_EQ(alice.check_socket(), EngineState::kServing);
  std::uint64_t answered = 0;
  Report report;
  while (alice.poll(report)) ++answered;
  EXPECT_GE(answered, 150U);
  EXPECT_TRUE(answers(alice));
}

TEST_F(SessionTest, ASlowReaderOfOthersEventsIsEndedAndNobodyElseNotices) {
  start();
  Client slow = logged_on("operator");  // gets no events of its own
  LogonOptions all = logon_as("operator");
  all.all_accounts = true;
  Client watcher;
  ASSERT_FALSE(watcher.logon(all));
  Client alice = logged_on("alice");
  std::uint64_t events = 0;
  // Each order is a report of two slots to the watcher, who never reads: 256 in the ring, 256
  // behind it.
  EXPECT_TRUE(eventually([&] {
    const core::OrderId order = enter(alice, limit_order(1, Side::kBuy, 10, 1));
    if (order == 0) return true;
    Report event;
    while (alice.poll(event)) ++events;
    return watcher.check_socket() != EngineState::kServing;
  }));
  EXPECT_EQ(watcher.check_socket(), EngineState::kGone);
  EXPECT_NE(watcher.end_reason().find("slow reader"), std::string::npos) << watcher.end_reason();
  EXPECT_EQ(server_.statistics().slow_readers_ended, 1U);
  EXPECT_GE(events, 256U);
  EXPECT_TRUE(answers(alice));
  EXPECT_TRUE(answers(slow));
  // What had reached its ring is still there to be read, in order.
  Report report;
  core::Sequence last = 0;
  std::uint64_t read = 0;
  for (; watcher.poll(report); ++read) {
    const core::ReportHeader header = report.as<core::OrderEntered>().header;
    EXPECT_GT(header.engine_sequence, last);
    last = header.engine_sequence;
  }
  EXPECT_GE(read, 80U);
  EXPECT_EQ(watcher.wait(watcher.ping(), report).error, ClientError::kBadArgument);
}

TEST_F(SessionTest, AReaderThatCatchesUpFindsEverythingInOrder) {
  options_.backlog_slots = 4096;
  start();
  LogonOptions all = logon_as("operator");
  all.all_accounts = true;
  Client watcher;
  ASSERT_FALSE(watcher.logon(all));
  Client alice = logged_on("alice");
  constexpr std::uint64_t kOrders = 600;  // more than the ring holds, less than ring and backlog
  for (std::uint64_t i = 0; i < kOrders; ++i) {
    enter(alice, limit_order(1, Side::kBuy, 10, 1));
    Report event;
    while (alice.poll(event)) {
    }
  }
  core::OrderId last = 0;
  for (std::uint64_t i = 0; i < kOrders; ++i) {
    const Report report = next(watcher);
    ASSERT_TRUE(report.is<core::OrderEntered>());
    EXPECT_EQ(report.as<core::OrderEntered>().order_id, last + 1);
    last = report.as<core::OrderEntered>().order_id;
  }
  EXPECT_TRUE(answers(watcher));
}

// Reports of one input that begin in the ring and go on in the backlog; entries have two slots, so
// that some go around the ring's end.
TEST_F(SessionTest, OneInputsReportsAreWholeWhereverTheyWereBuilt) {
  options_.backlog_slots = 4096;
  start();
  LogonOptions all = logon_as("operator");
  all.all_accounts = true;
  Client watcher;
  ASSERT_FALSE(watcher.logon(all));
  Client alice = logged_on("alice");
  Client bob = logged_on("bob");
  const auto read_by = [](Client& client) {
    for (Report report; client.poll(report);) {
    }
  };
  for (int round = 0; round < 3; ++round) {
    constexpr std::uint32_t kMakers = 150;
    for (std::uint32_t i = 0; i < kMakers; ++i) {
      enter(alice, limit_order(1, Side::kSell, 100 + i % 7, 1));
      read_by(alice);
      ASSERT_TRUE(next(watcher).is<core::OrderEntered>());
    }
    enter(bob, limit_order(2, Side::kBuy, 200, kMakers));
    // Two trades and a state event for each maker, and the taker's own event.
    const core::Sequence input = next(watcher).words[1];
    std::uint32_t ordinal = 1;  // the reply went to bob
    for (Report report; ordinal < 3 * kMakers + 1;) {
      report = next(watcher);
      ASSERT_EQ(report.words[1], input);
      ASSERT_EQ(report.words[0] >> 32, ++ordinal);
      ASSERT_EQ(report.is<core::OrderEntered>(), ordinal == 3 * kMakers + 1);
    }
    read_by(alice);
    read_by(bob);
  }
  EXPECT_TRUE(answers(watcher));
  EXPECT_TRUE(answers(alice));
  EXPECT_TRUE(answers(bob));
}

// ---- the engine's side, step by step

class HostileSession : public ServerTest {
 protected:
  void SetUp() override {
    start();
    alice_ = logged_on("alice");
    const Failure failed = ipc::open_session(logon_as("bob"), hostile_);
    ASSERT_FALSE(failed) << failed.text;
  }

  void expect_ended(const std::string& reason) {
    std::array<std::byte, ipc::kPacketBytesMax> buffer{};
    ipc::Farewell farewell;
    ipc::Received received;
    ASSERT_TRUE(eventually([&] {
      received = ipc::receive_packet(hostile_.socket.get(), buffer);
      return received.outcome != ipc::Received::Outcome::kNothing;
    }));
    ASSERT_TRUE(
        ipc::read_packet(std::span<const std::byte>(buffer).first(received.size), farewell));
    EXPECT_NE(ipc::get_text(farewell.sentence).find(reason), std::string::npos);
    EXPECT_EQ(server_.statistics().breaches_ended, 1U);
    EXPECT_TRUE(answers(alice_));
    // Its place is free again.
    Client next_one;
    EXPECT_TRUE(eventually([&] { return !next_one.logon(logon_as("bob")); }));
    EXPECT_TRUE(answers(next_one));
  }

  void write_slot(std::uint32_t index, std::uint64_t sequence, std::uint64_t first_word) {
    ipc::Slot& slot = hostile_.request_slot()[index];
    ipc::store_word(slot.payload[0], first_word, std::memory_order_relaxed);
    ipc::store_word(slot.sequence, sequence, std::memory_order_release);
  }

  Client alice_;
  ipc::SessionLink hostile_;
};

TEST_F(HostileSession, ASequenceThatJumpsEndsIt) {
  write_slot(0, 2, 0);
  expect_ended("ring protocol");
}

TEST_F(HostileSession, ASlotCountOutOfRangeEndsIt) {
  write_slot(0, 1, 1 | 200 << 8);
  expect_ended("ring protocol");
}

TEST_F(HostileSession, AnUnknownRequestEndsIt) {
  write_slot(0, 1, 99 | 1 << 8);
  expect_ended("ring protocol");
}

TEST_F(HostileSession, ARequestShorterThanItsTypeEndsIt) {
  write_slot(0, 1, static_cast<std::uint64_t>(core::RequestType::kNewOrder) | 1 << 8);
  expect_ended("ring protocol");
}

TEST_F(HostileSession, ProgressAheadOfTheReportsEndsIt) {
  ipc::store_word(hostile_.requests_header()->reports_consumed, ~std::uint64_t{0},
                  std::memory_order_release);
  // The engine looks at progress when its credit is used up.
  ipc::RingWriter writer(hostile_.request_slot(), hostile_.request_slots,
                         &hostile_.reports_header()->requests_consumed);
  core::Request ping;
  ping.assign(core::Ping{});
  for (int i = 0; i < 250; ++i) ASSERT_EQ(writer.write(ping.words, 1), ipc::RingResult::kDone);
  expect_ended("ring protocol");
}

TEST_F(HostileSession, APacketInSessionEndsIt) {
  ASSERT_TRUE(ipc::send_packet(hostile_.socket.get(), ipc::Confirm{}));
  EXPECT_TRUE(eventually([&] { return server_.statistics().sessions == 1; }));
  EXPECT_TRUE(answers(alice_));
}

// ---- the stop

TEST_F(SessionTest, AStopIsSeenAndAnswered) {
  start();
  Client alice = logged_on("alice");
  ASSERT_TRUE(answers(alice));
  server_.request_stop();
  server_.wait();
  EXPECT_FALSE(server_.running());
  EXPECT_EQ(alice.engine_state(), EngineState::kStopped);
  EXPECT_EQ(alice.check_socket(), EngineState::kStopped);
  EXPECT_NE(alice.end_reason().find("stopping"), std::string::npos);
  Report reply;
  EXPECT_EQ(alice.call(core::Ping{}, reply, kPatience).error, ClientError::kEngineGone);
  Client late;
  EXPECT_EQ(late.logon(logon_as("alice")).error, ClientError::kNoEngine);
  EXPECT_FALSE(std::filesystem::exists(options_.socket_path));
  EXPECT_FALSE(std::filesystem::exists(options_.socket_path + ".lock"));
}

TEST_F(SessionTest, EveryRequestBeforeAStopIsAnsweredOnce) {
  start();
  Client alice = logged_on("alice");
  RequestId sent = 0;
  for (int i = 0; i < 100; ++i) sent = alice.cancel({.oms_id = 1, .order_id = 5});
  server_.request_stop();
  server_.wait();
  Report report;
  RequestId answered = 0;
  for (; alice.poll(report); ++answered) {
    ASSERT_TRUE(report.is<core::Receipt>());
    const core::ErrorCode code = report.as<core::Receipt>().code;
    EXPECT_TRUE(code == core::ErrorCode::kNotFound || code == core::ErrorCode::kServerError);
  }
  EXPECT_EQ(answered, sent);
}

TEST(Client, AnswersSafelyWhenNotLoggedOn) {
  Client client;
  Report report;
  core::Receipt refused;
  std::vector<core::OpenOrderRow> rows;
  Client::L2Snapshot book;
  EXPECT_FALSE(client.logged_on());
  EXPECT_EQ(client.ping(), 0U);
  EXPECT_EQ(client.cancel({.oms_id = 1, .order_id = 1}), 0U);
  EXPECT_FALSE(client.poll(report));
  EXPECT_EQ(client.heartbeat(), 0U);
  EXPECT_EQ(client.engine_state(), EngineState::kGone);
  EXPECT_EQ(client.check_socket(), EngineState::kGone);
  EXPECT_EQ(client.socket_handle(), -1);
  EXPECT_EQ(client.wait(1, report).error, ClientError::kEngineGone);
  EXPECT_EQ(client.call(core::Ping{}, report).error, ClientError::kEngineGone);
  EXPECT_EQ(client.open_orders(1, 1, rows, refused).error, ClientError::kEngineGone);
  EXPECT_EQ(client.l2_snapshot(1, 1, 1, book, refused).error, ClientError::kEngineGone);
  client.logoff();
}

}  // namespace
}  // namespace shmatch
