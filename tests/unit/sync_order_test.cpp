// Durability sync: no client sees anything of an input before the sync that covers it has returned.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/support/scripted_files.h"
#include "tests/unit/test_server.h"

namespace shmatch {
namespace {

using core::Side;
using tests::ScriptedFiles;

// The server holds its journal's files until its own end.
struct WithFiles {
  ScriptedFiles files_;
};

class SyncOrder : protected WithFiles, public ServerTest {
 protected:
  SyncOrder() {
    options_.journal = folder_.file("journal");
    options_.durability = ipc::Durability::kSync;
    options_.file_layer = &files_;
    options_.backlog_slots = 1U << 14;
  }

  // The server's end waits for the disk.
  ~SyncOrder() override { files_.release(); }

  Client roomy(const std::string& user, bool all_accounts = false) {
    LogonOptions options = logon_as(user);
    options.request_slots = 1024;
    options.report_slots = 4096;
    options.all_accounts = all_accounts;
    Client client;
    const Failure failed = client.logon(options);
    EXPECT_FALSE(failed) << failed.text;
    return client;
  }

  // Returns once the engine has taken so many requests since the start.
  void await_requests(std::uint64_t count) {
    ASSERT_TRUE(eventually([&] { return server_.statistics().requests >= count; }))
        << server_.statistics().requests;
  }
};

// What a report tells was on the disk when it could be read.
testing::AssertionResult told_in_time(const Report& report, const ScriptedFiles& files) {
  const core::Sequence sequence = report.words[1];
  const core::Sequence durable = files.durable();
  if (sequence <= durable) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "a report of type " << int{report.type()} << " tells of input " << sequence
         << ", and only those up to " << durable << " are on the disk";
}

// ---- one sync that does not return

TEST_F(SyncOrder, NobodyHearsAnythingWhileTheDiskIsSilent) {
  start();
  Client alice = roomy("alice");
  Client bob = roomy("bob");
  Client watcher = roomy("operator", true);
  Client asker = roomy("operator");
  const core::OrderId resting = enter(alice, limit_order(1, Side::kSell, 100, 50));
  ASSERT_TRUE(next(alice).is<core::OrderEntered>());
  ASSERT_TRUE(next(watcher).is<core::OrderEntered>());
  const std::array<Client*, 4> all = {&alice, &bob, &watcher, &asker};

  files_.hold(ScriptedFiles::kSyncData);
  const std::uint64_t before = server_.statistics().requests;
  constexpr std::uint64_t kEach = 20;
  for (std::uint64_t i = 0; i < kEach; ++i) {
    ASSERT_NE(bob.send(limit_order(2, Side::kBuy, 100, 1)), 0U);  // trades with alice's order
    ASSERT_NE(alice.send(limit_order(1, Side::kBuy, 10, 1)), 0U);
    ASSERT_NE(alice.cancel({.oms_id = 1, .order_id = 999}), 0U);  // refused: that is said late, too
  }
  await_requests(before + 3 * kEach);
  // Those who only ask depend on what they were shown.
  core::OrderStatusQuery status;
  status.oms_id = 1;
  status.order_id = resting;
  core::OpenOrdersQuery open;
  open.oms_id = 1;
  open.account_id = 1;
  core::L2Query book;
  book.oms_id = 1;
  book.instrument_id = 1;
  book.depth = 5;
  ASSERT_NE(asker.submit(status), 0U);
  ASSERT_NE(asker.submit(open), 0U);
  ASSERT_NE(asker.submit(book), 0U);
  ASSERT_NE(asker.ping(), 0U);
  await_requests(before + 3 * kEach + 4);
  ASSERT_TRUE(eventually([&] { return files_.held() == 1; }));

  Report report;
  for (Client* client : all) {
    EXPECT_FALSE(client->poll(report)) << "a report of type " << int{report.type()};
  }
  EXPECT_LT(files_.durable(), server_.statistics().engine_sequence);

  files_.release();
  const std::array<std::uint64_t, 4> expected = {
      // Alice: for each of bob's orders a trade and her order's change; her orders; her refusals.
      kEach * 2 + kEach * 2 + kEach,
      kEach * 3,              // bob: accepted, trade, his order's end
      kEach * 4 + kEach * 1,  // the watcher: all events and no reply
      0};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (std::uint64_t k = 0; k < expected[i]; ++k) {
      EXPECT_TRUE(told_in_time(next(*all[i]), files_)) << i;
    }
    if (expected[i] != 0) {
      EXPECT_FALSE(all[i]->poll(report)) << i << " type " << int{report.type()};
    }
  }
  // The last one gets all its answers, the pong behind the rest.
  do {
    report = next(asker);
    EXPECT_TRUE(told_in_time(report, files_));
  } while (!report.is<core::Pong>());
}

TEST_F(SyncOrder, NobodyIsLetInWhileTheDiskIsSilent) {
  start();
  Client alice = logged_on("alice");
  files_.hold(ScriptedFiles::kSyncData);
  ASSERT_NE(alice.send(limit_order(1, Side::kBuy, 10, 1)), 0U);
  await_requests(1);
  LogonOptions options = logon_as("bob");
  options.timeout = std::chrono::milliseconds(100);
  Client bob;
  EXPECT_EQ(bob.logon(options).error, ClientError::kTimeout);
  files_.release();
  ASSERT_TRUE(next(alice).is<core::OrderAccepted>());
  EXPECT_TRUE(answers(alice));
}

// More than the engine may have in its hands waits in the rings, and nothing is lost.
TEST_F(SyncOrder, RequestsWaitWhileTooMuchIsNotOnDisk) {
  start();
  LogonOptions options = logon_as("alice");
  options.request_slots = 4096;
  options.report_slots = 1U << 14;
  Client alice;
  ASSERT_FALSE(alice.logon(options));
  files_.hold(ScriptedFiles::kSyncData);
  constexpr std::uint64_t kRequests = 4'000;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    ASSERT_NE(alice.cancel({.oms_id = 1, .order_id = 999}), 0U);
  }
  await_requests(100);
  EXPECT_LT(server_.statistics().requests, kRequests);
  files_.release();
  core::Sequence last = 0;
  for (std::uint64_t i = 1; i <= kRequests; ++i) {
    const Report report = next(alice);
    ASSERT_EQ(replied_request(report), i);
    ASSERT_GT(report.words[1], last);
    last = report.words[1];
    ASSERT_TRUE(told_in_time(report, files_));
  }
}

// ---- every sync takes its time

TEST_F(SyncOrder, PipeliningClientsOnASlowDisk) {
  constexpr std::chrono::milliseconds kSyncTime{50};
  constexpr std::uint64_t kRequests = 400;  // of each trader
  constexpr std::uint64_t kInFlight = 48;
  files_.slow_syncs(kSyncTime);
  start();
  struct Trader {
    Client client;
    core::AccountId account;
    Side side;
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
  };
  Trader traders[2] = {{roomy("alice"), 1, Side::kBuy}, {roomy("bob"), 2, Side::kSell}};
  // A logon is an input, and nobody is told of it sooner.
  EXPECT_GE(files_.durable(), 2U);
  Client watcher = roomy("operator", true);
  Client asker = roomy("operator");
  EXPECT_GE(files_.durable(), 4U);
  std::uint64_t watched = 0;
  std::uint64_t asked = 0;
  bool asking = false;
  const auto begin = std::chrono::steady_clock::now();
  const auto work = [&] {
    Report report;
    for (Trader& each : traders) {
      while (each.sent < kRequests && each.sent < each.answered + kInFlight) {
        const bool cancels = each.sent % 4 == 3;
        const RequestId sent = cancels
                                   ? each.client.cancel({.oms_id = 1, .order_id = 1})
                                   : each.client.send(limit_order(each.account, each.side, 100, 1));
        if (sent == 0) break;
        ++each.sent;
      }
      while (each.client.poll(report)) {
        EXPECT_TRUE(told_in_time(report, files_));
        if (replied_request(report) != 0) ++each.answered;
      }
    }
    for (; watcher.poll(report); ++watched) EXPECT_TRUE(told_in_time(report, files_));
    if (!asking) {
      core::L2Query book;
      book.oms_id = 1;
      book.instrument_id = 1;
      book.depth = 5;
      asking = asker.submit(book) != 0;
    }
    while (asker.poll(report)) {
      EXPECT_TRUE(told_in_time(report, files_));
      if (!report.is<core::PageEnd>()) continue;
      asking = false;
      ++asked;
    }
    return testing::Test::HasFailure() ||
           (traders[0].answered == kRequests && traders[1].answered == kRequests);
  };
  ASSERT_TRUE(eventually(work));
  EXPECT_EQ(traders[0].answered, kRequests);
  EXPECT_EQ(traders[1].answered, kRequests);
  EXPECT_GT(watched, kRequests);
  EXPECT_GT(asked, 0U);
  // Groups formed, or this would have taken a sync for each request.
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took, 2 * kRequests * kSyncTime / 4);
  EXPECT_LT(files_.data_syncs(), 2 * kRequests / 4);
  EXPECT_GE(files_.data_syncs(), 2 * kRequests / (2 * kInFlight));
  files_.slow_syncs(std::chrono::milliseconds(0));
}

// ---- the same clients, and a disk that nobody waits for

TEST_F(SyncOrder, AsyncAnswersWhileTheDiskIsSilent) {
  options_.durability = ipc::Durability::kAsync;
  start();
  Client alice = logged_on("alice");
  files_.hold(ScriptedFiles::kSyncData | ScriptedFiles::kWrite);
  EXPECT_NE(enter(alice, limit_order(1, Side::kBuy, 10, 1)), 0);
  EXPECT_TRUE(answers(alice));
  // The counters follow the answers by a moment.
  EXPECT_TRUE(eventually([&] { return server_.statistics().engine_sequence > files_.durable(); }))
      << server_.statistics().engine_sequence << " and " << files_.durable();
}

}  // namespace
}  // namespace shmatch
