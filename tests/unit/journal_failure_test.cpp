// A disk that fails under a serving engine: from then on every request is refused with the reason,
// nothing that was acknowledged is lost, and an engine on the mended disk goes on from there.
#include <gtest/gtest.h>

#include <cerrno>
#include <ostream>
#include <string>
#include <tuple>

#include "tests/support/fake_files.h"
#include "tests/support/scripted_files.h"
#include "tests/unit/engine_on_files.h"

namespace shmatch {

namespace ipc {
// For the names of test cases.
inline void PrintTo(Durability durability, std::ostream* out) {
  *out << (durability == Durability::kSync ? "sync" : "async");
}
}  // namespace ipc

namespace {

using ipc::Durability;
using tests::FakeFiles;
using tests::FileFailure;
using tests::ScriptedFiles;

constexpr const char* kNoSpaceText = "No space left on device";
constexpr const char* kInputOutputText = "Input/output error";

// ---- the N-th operation fails

using Case = std::tuple<Durability, FileFailure, bool>;

class NthOperation : public EngineOnFiles, public testing::WithParamInterface<Case> {
 protected:
  static const char* reason() {
    const FileFailure kind = std::get<1>(GetParam());
    return kind == FileFailure::kInputOutput ? kInputOutputText : kNoSpaceText;
  }

  // False when it was refused because the journal has failed already.
  static bool log_on(Client& client, const LogonOptions& options) {
    const Failure failed = client.logon(options);
    if (!failed) return true;
    EXPECT_EQ(failed.error, ClientError::kRefused);
    EXPECT_NE(failed.text.find(reason()), std::string::npos) << failed.text;
    return false;
  }

  void run(std::uint64_t nth);
};

void NthOperation::run(std::uint64_t nth) {
  const auto [durability, kind, for_good] = GetParam();
  FakeFiles files;
  use(files, "/journal", durability);
  files.fail_at(nth, kind, for_good);
  Trading::Ledger ledger;
  if (const ipc::Fault fault = start_engine()) {
    EXPECT_NE(fault.text.find(reason()), std::string::npos) << fault.text;
  } else {
    Client client;
    Client observer;
    if (log_on(client, trader("alice")) && log_on(observer, trader("operator", true))) {
      Trading trading(std::move(client), std::move(observer));
      // Half a write may be finished by the next one, and then nothing has failed.
      const bool harmless = kind == FileFailure::kShort && !for_good;
      while (trading.told().refused() == 0 && !(harmless && files.failures() > 0)) {
        trading.round(100);
        if (testing::Test::HasFailure()) break;
      }
      if (!harmless) check_refusing(trading, reason());
      ledger = trading.ledger(engine_->statistics().durable_sequence);
    }
  }
  end_engine();
  if (testing::Test::HasFailure()) return;
  files.crash(nth);
  files.heal();
  check_recovered(ledger);
  end_engine();
}

TEST_P(NthOperation, RefusesFromThenOnAndLosesNothing) {
  for (std::uint64_t nth = 1; nth <= 40; ++nth) {
    SCOPED_TRACE("operation " + std::to_string(nth));
    run(nth);
    if (testing::Test::HasFailure()) return;
  }
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  const auto [durability, kind, for_good] = info.param;
  const char* const kinds[] = {"None", "NoSpace", "InputOutput", "Short", "Interrupted"};
  return std::string(durability == Durability::kSync ? "Sync" : "Async") +
         kinds[static_cast<int>(kind)] + (for_good ? "ForGood" : "Once");
}

INSTANTIATE_TEST_SUITE_P(Kinds, NthOperation,
                         testing::Combine(testing::Values(Durability::kSync, Durability::kAsync),
                                          testing::Values(FileFailure::kNoSpace,
                                                          FileFailure::kInputOutput,
                                                          FileFailure::kShort),
                                          testing::Bool()),
                         case_name);

// The server holds its journal's files until its own end.
struct WithFiles {
  ScriptedFiles files_;
};

// ---- operations that a serving engine does now and then

struct Operation {
  std::uint32_t operation;
  const char* name;
};

class LiveOperation : protected WithFiles,
                      public EngineOnFiles,
                      public testing::WithParamInterface<std::tuple<Durability, Operation>> {};

TEST_P(LiveOperation, FailingOnceEndsAcceptance) {
  const auto& [durability, operation] = GetParam();
  use(files_, folder_.file("journal"), durability);
  const ipc::Fault fault = start_engine();
  ASSERT_FALSE(fault) << fault.text;
  Trading trading(logged_on(trader("alice")), logged_on(trader("operator", true)));
  trading.round(100);
  ASSERT_EQ(trading.told().refused(), 0U);
  files_.fail({.operations = operation.operation, .error = EIO, .for_good = false});
  // Within a few segments each kind of operation comes.
  ASSERT_TRUE(eventually([&] {
    trading.round(100);
    return trading.told().refused() != 0 || testing::Test::HasFailure();
  }));
  ASSERT_EQ(files_.failed(), 1U);
  check_refusing(trading, kInputOutputText);
  const Trading::Ledger ledger = trading.ledger(engine_->statistics().durable_sequence);
  EXPECT_EQ(files_.failed(), 1U);
  end_engine();
  check_recovered(ledger);
  end_engine();
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, LiveOperation,
    testing::Combine(testing::Values(Durability::kSync, Durability::kAsync),
                     testing::Values(Operation{ScriptedFiles::kOpen, "Open"},
                                     Operation{ScriptedFiles::kWrite, "Write"},
                                     Operation{ScriptedFiles::kSyncData, "SyncData"},
                                     Operation{ScriptedFiles::kSync, "Sync"},
                                     Operation{ScriptedFiles::kReserve, "Reserve"},
                                     Operation{ScriptedFiles::kTruncate, "Truncate"},
                                     Operation{ScriptedFiles::kRename, "Rename"},
                                     Operation{ScriptedFiles::kSyncFolder, "SyncFolder"})),
    [](const auto& each) {
      return std::string(std::get<0>(each.param) == Durability::kSync ? "Sync" : "Async") + "At" +
             std::get<1>(each.param).name;
    });

// ---- what was under way when the disk failed

class UnderWay : protected WithFiles, public EngineOnFiles {
 protected:
  // Also when a test has failed in between.
  ~UnderWay() override { files_.release(); }

  void start(Durability durability) {
    use(files_, folder_.file("journal"), durability);
    const ipc::Fault fault = start_engine();
    ASSERT_FALSE(fault) << fault.text;
  }
  // The operation that waits, and all later ones of its kind, fail.
  void fail_what_waits(std::uint32_t operation) {
    ASSERT_TRUE(eventually([&] { return files_.held() == 1; }));
    files_.fail({.operations = operation, .error = EIO});
    files_.release();
  }
  void await_requests(std::uint64_t count) {
    ASSERT_TRUE(eventually([&] { return engine_->statistics().requests >= count; }));
  }
};

TEST_F(UnderWay, RepliesThatWaitedBecomeRefusalsAndEventsNeverWere) {
  start(Durability::kSync);
  Trading trading(logged_on(trader("alice")), logged_on(trader("operator", true)));
  Client asker = logged_on(trader("operator"));
  trading.round(20);
  ASSERT_EQ(trading.told().refused(), 0U);
  const std::size_t orders = trading.told().orders().size();
  files_.hold(ScriptedFiles::kSyncData);
  for (int i = 0; i < 30; ++i) trading.send_one();
  await_requests(50);
  core::OrderStatusQuery status;
  status.oms_id = 1;
  status.order_id = 1;
  core::OpenOrdersQuery open;
  open.oms_id = 1;
  open.account_id = 1;
  core::L2Query book;
  book.oms_id = 1;
  book.instrument_id = 1;
  book.depth = 3;
  const RequestId asked[] = {asker.submit(status), asker.submit(open), asker.submit(book)};
  const RequestId fence = asker.ping();
  await_requests(54);
  fail_what_waits(ScriptedFiles::kSyncData);
  ASSERT_TRUE(trading.await_answers());
  EXPECT_EQ(trading.told().refused(), 30U);
  EXPECT_EQ(trading.told().orders().size(), orders);
  for (const RequestId each : asked) {
    const Report reply = next(asker);
    EXPECT_EQ(replied_request(reply), each);
    ASSERT_TRUE(reply.is<core::Receipt>());
    EXPECT_EQ(reply.as<core::Receipt>().detail, core::Detail::kJournalFailed);
  }
  const Report pong = next(asker);
  EXPECT_TRUE(pong.is<core::Pong>());
  EXPECT_EQ(replied_request(pong), fence);
  EXPECT_LE(pong.words[1], files_.durable());
  check_refusing(trading, kInputOutputText);
  EXPECT_LE(trading.ledger(0).newest, files_.durable());
}

TEST_F(UnderWay, WhatTheEngineCouldNotHoldIsRefusedToo) {
  start(Durability::kSync);
  Trading trading(logged_on(trader("alice")), logged_on(trader("operator", true)));
  files_.hold(ScriptedFiles::kSyncData);
  constexpr std::uint64_t kRequests = 3'500;  // more than may be on its way to the disk
  for (std::uint64_t i = 0; i < kRequests; ++i) trading.send_one();
  await_requests(1'000);
  EXPECT_LT(engine_->statistics().requests, kRequests);
  fail_what_waits(ScriptedFiles::kSyncData);
  ASSERT_TRUE(trading.await_answers());
  EXPECT_EQ(trading.told().refused(), kRequests);
}

TEST_F(UnderWay, AFullQueueIsNoReasonToFallSilent) {
  start(Durability::kAsync);
  Trading trading(logged_on(trader("alice")), logged_on(trader("operator", true)));
  files_.hold(ScriptedFiles::kWrite);
  // Until the ring is full and the engine passes it by, because its queue is full.
  std::uint64_t sent = 0;
  std::uint64_t taken = 0;
  std::uint64_t passes = 0;
  const auto passed_by = [&] {
    while (trading.client().cancel({.oms_id = 1, .order_id = 999}) != 0) ++sent;
    Report report;
    while (trading.client().poll(report)) trading.told().take(trading.client(), report);
    const std::uint64_t now = engine_->statistics().requests;
    if (now == taken) return taken != 0 && trading.client().heartbeat() > passes + 1'000;
    taken = now;
    passes = trading.client().heartbeat();
    return false;
  };
  ASSERT_TRUE(eventually(passed_by));
  trading.told().sent(sent);
  EXPECT_FALSE(trading.told().all_answered());
  fail_what_waits(ScriptedFiles::kWrite);
  ASSERT_TRUE(trading.await_answers());
  EXPECT_GT(trading.told().refused(), 0U);
  check_refusing(trading, kInputOutputText);
}

TEST_F(UnderWay, AnEngineThatStopsMeanwhileStopsAllTheSame) {
  start(Durability::kSync);
  Trading trading(logged_on(trader("alice")), logged_on(trader("operator", true)));
  files_.hold(ScriptedFiles::kSyncData);
  for (int i = 0; i < 30; ++i) trading.send_one();
  await_requests(30);
  engine_->request_stop();
  fail_what_waits(ScriptedFiles::kSyncData);
  engine_->wait();
  ASSERT_TRUE(trading.await_answers());
  EXPECT_EQ(trading.told().refused(), 30U);
  EXPECT_EQ(trading.ledger(0).orders.size(), 0U);
}

// A clean stop is no failure: whatever waited, for the disk too, gets its answer.
TEST_F(UnderWay, AStopAnswersEverythingThatWaits) {
  start(Durability::kSync);
  Client alice = logged_on(trader("alice"));
  files_.hold(ScriptedFiles::kSyncData);
  constexpr std::uint64_t kRequests = 4'000;  // more than may be on its way to the disk
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    ASSERT_NE(alice.cancel({.oms_id = 1, .order_id = 999}), 0U);
  }
  await_requests(1'000);
  engine_->request_stop();
  ASSERT_TRUE(eventually([&] { return files_.held() == 1; }));
  files_.release();
  engine_->wait();
  std::uint64_t stopping = 0;
  for (std::uint64_t i = 1; i <= kRequests; ++i) {
    Report report;
    ASSERT_TRUE(alice.poll(report)) << "no answer to request " << i;
    ASSERT_EQ(replied_request(report), i);
    if (report.as<core::Receipt>().detail == core::Detail::kStopping) ++stopping;
  }
  EXPECT_GT(stopping, 0U);
  EXPECT_LT(stopping, kRequests);
}

}  // namespace
}  // namespace shmatch
