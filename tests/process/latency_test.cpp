// shmatch latency: its figures belong to what it did, and nothing of it stays.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/process/engine.h"
#include "tests/process/trading.h"
#include "tests/support/json_member.h"

namespace shmatch::process_test {
namespace {

using tools::JsonValue;

JsonValue measured(TestEngine& engine, std::vector<std::string> arguments) {
  std::vector<std::string> command = {"--user", "alice", "--json", "latency", "--warm-up", "50"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const Outcome outcome = engine.run(command);
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  return parsed(outcome.output);
}

double number(const JsonValue& object, std::string_view path) {
  return std::stod(member(object, path).text);
}

void expect_sane(const JsonValue& metric, double count) {
  EXPECT_EQ(number(metric, "count"), count);
  EXPECT_GT(number(metric, "p50_ns"), 0);
  EXPECT_LE(number(metric, "p50_ns"), number(metric, "p90_ns"));
  EXPECT_LE(number(metric, "p90_ns"), number(metric, "p99_ns"));
  EXPECT_LE(number(metric, "p99_ns"), number(metric, "p999_ns"));
  EXPECT_LE(number(metric, "p999_ns"), number(metric, "max_ns"));
}

void expect_nothing_left(TestEngine& engine) {
  const Outcome outcome = engine.run({"--json", "open-orders", "--account-id", "1"});
  EXPECT_EQ(outcome.output, "[]\n") << outcome.errors;
}

TEST(Latency, AClosedLoopMeasuresWhatItDid) {
  TestEngine engine;
  const JsonValue result = measured(engine, {"--count", "500"});
  EXPECT_EQ(member(result, "loop").text, "closed");
  EXPECT_EQ(number(result, "round_trips"), 500);
  EXPECT_EQ(member(result, "user").text, "alice");
  for (const char* metric : {"send_receipt", "cancel_receipt", "cancel_outcome"}) {
    expect_sane(member(result, metric), 500);
  }
  // The outcome comes behind the receipt.
  EXPECT_LE(number(result, "cancel_receipt.p50_ns"), number(result, "cancel_outcome.p50_ns"));
  EXPECT_EQ(member(result, "floor").kind, JsonValue::Kind::kNull);
  EXPECT_GE(number(result, "jitter.lost_share"), 0);
  EXPECT_LE(number(result, "jitter.lost_share"), 1);
  expect_nothing_left(engine);
}

TEST(Latency, AnOpenLoopCountsFromWhenARequestWasDue) {
  TestEngine engine;
  const JsonValue result = measured(engine, {"--count", "500", "--rate", "2000"});
  EXPECT_EQ(member(result, "loop").text, "open");
  for (const char* metric :
       {"send_receipt", "cancel_receipt", "cancel_outcome", "send_receipt_service",
        "cancel_receipt_service", "cancel_outcome_service"}) {
    expect_sane(member(result, metric), 500);
  }
  EXPECT_EQ(number(result, "lateness.count"), 1000);
  EXPECT_GE(number(result, "cancel_receipt.max_ns"),
            number(result, "cancel_receipt_service.p50_ns"));
  EXPECT_GE(number(result, "cancel_receipt.p50_ns"),
            number(result, "cancel_receipt_service.p50_ns"));
  // Two requests each half a millisecond: it cannot be done sooner.
  EXPECT_GE(number(result, "seconds"), 0.45);
  expect_nothing_left(engine);
}

// An engine that stands still is seen by every request that was due meanwhile.
// Each reply comes twice then, and counts once.
TEST(Latency, EarlyRepliesCountOnce) {
  TestEngine engine;
  for (const std::vector<std::string>& loop :
       {std::vector<std::string>{}, std::vector<std::string>{"--rate", "20000"}}) {
    std::vector<std::string> flags = {"--count", "500", "--in-place"};
    flags.insert(flags.end(), loop.begin(), loop.end());
    const JsonValue result = measured(engine, flags);
    EXPECT_EQ(number(result, "round_trips"), 500);
    for (const char* metric : {"send_receipt", "cancel_receipt", "cancel_outcome"}) {
      expect_sane(member(result, metric), 500);
    }
    expect_nothing_left(engine);
  }
}

TEST(Latency, AStandstillCountsForAllRequestsThatWereDue) {
  TestEngine engine;
  Process latency =
      Process::execute(engine.shmatch({"--user", "alice", "--json", "latency", "--rate", "1000",
                                       "--count", "1000", "--warm-up", "0"}));
  Client watcher;
  ASSERT_FALSE(watcher.logon(engine.options("alice")));
  // It runs: the watcher hears of its orders.
  ASSERT_TRUE(eventually([&] {
    Report report;
    return watcher.poll(report);
  }));
  ASSERT_TRUE(engine.process().stop_running());
  constexpr auto kStandstill = std::chrono::milliseconds(300);
  const auto until = Clock::now() + kStandstill;
  eventually([&] { return Clock::now() >= until; });
  engine.process().go_on();
  const Outcome outcome = finish(std::move(latency));
  ASSERT_EQ(outcome.status, 0) << outcome.errors;
  const JsonValue result = parsed(outcome.output);
  // 300 of the 2000 requests were due while it stood; a loop that waits would have seen one or two.
  EXPECT_GE(number(result, "cancel_receipt.max_ns"), 290e6);
  EXPECT_GE(number(result, "cancel_receipt.p90_ns"), 50e6);
}

TEST(Latency, SigintEndsItWithWhatWasMeasuredAndNoOrderLeft) {
  TestEngine engine;
  Process latency = Process::execute(engine.shmatch(
      {"--user", "alice", "--json", "latency", "--duration", "3600", "--warm-up", "0"}));
  Client watcher;
  ASSERT_FALSE(watcher.logon(engine.options("alice")));
  int reports = 0;
  ASSERT_TRUE(eventually([&] {
    for (Report report; watcher.poll(report);) ++reports;
    return reports > 100;
  }));
  latency.signal(SIGINT);
  const Outcome outcome = finish(std::move(latency));
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  const JsonValue result = parsed(outcome.output);
  EXPECT_TRUE(member(result, "interrupted").boolean);
  EXPECT_GT(number(result, "round_trips"), 0);
  expect_nothing_left(engine);
}

TEST(Latency, KilledItLeavesNoOrderEither) {
  TestEngine engine;
  Process latency = Process::execute(
      engine.shmatch({"--user", "alice", "latency", "--rate", "20", "--warm-up", "0"}));
  Client watcher;
  ASSERT_FALSE(watcher.logon(engine.options("alice")));
  ASSERT_TRUE(eventually([&] {
    Report report;
    return watcher.poll(report) && report.is<core::OrderEntered>();
  }));
  latency.kill();
  EXPECT_TRUE(eventually([&] {
    return engine.run({"--json", "open-orders", "--account-id", "1"}).output == "[]\n";
  }));
}

TEST(Latency, TheEnginesDeathIsStatus4) {
  TestEngine engine;
  Process latency =
      Process::execute(engine.shmatch({"--user", "alice", "latency", "--duration", "3600"}));
  ASSERT_TRUE(engine.logs("session shmatch latency"));
  engine.process().kill();
  const Outcome outcome = finish(std::move(latency));
  EXPECT_EQ(outcome.status, 4) << outcome.errors;
  EXPECT_EQ(outcome.output, "");
}

TEST(Latency, ARefusalIsStatus1AndSaysWhy) {
  TestEngine engine;
  const Outcome outcome =
      engine.run({"--user", "alice", "latency", "--account-id", "3", "--count", "10"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.output, "");
  EXPECT_NE(outcome.errors.find("refused"), std::string::npos) << outcome.errors;
}

TEST(Latency, AnOrderThatMeetsAnotherOneEndsTheRun) {
  TestEngine engine;
  Client bob;
  ASSERT_FALSE(bob.logon(engine.options("bob")));
  place(bob, limit_order(3, core::Side::kSell, 100, 1));
  const Outcome outcome = engine.run({"--user", "alice", "latency", "--count", "10"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.errors.find("met another"), std::string::npos) << outcome.errors;
}

TEST(Latency, TwoLogsAreComparedSideBySide) {
  TestEngine engine;
  const std::string a = engine.folder().file("a.hlog");
  const std::string b = engine.folder().file("b.hlog");
  const JsonValue first = measured(engine, {"--count", "300", "--hlog", a, "--interval", "0.05"});
  const JsonValue second = measured(engine, {"--count", "400", "--rate", "5000", "--hlog", b});
  const Outcome json = engine.run({"--json", "latency", "--compare", a, b});
  ASSERT_EQ(json.status, 0) << json.errors;
  const JsonValue compared = parsed(json.output);
  for (const char* key : {"count", "p50_ns", "p999_ns", "max_ns"}) {
    const std::string metric = "cancel_receipt." + std::string(key);
    const std::string in_log = "metrics.cancel_receipt.";
    EXPECT_EQ(member(compared, in_log + "a." + key).text, member(first, metric).text);
    EXPECT_EQ(member(compared, in_log + "b." + key).text, member(second, metric).text);
  }
  EXPECT_EQ(number(compared, "metrics.cancel_receipt.difference.p50_ns"),
            number(second, "cancel_receipt.p50_ns") - number(first, "cancel_receipt.p50_ns"));
  EXPECT_EQ(member(compared, "metrics.lateness.a").kind, JsonValue::Kind::kNull);
  const Outcome text = engine.run({"latency", "--compare", a, b});
  EXPECT_NE(text.output.find("only in B: lateness"), std::string::npos) << text.output;
  EXPECT_NE(text.output.find("B / A"), std::string::npos);
}

TEST(Latency, ALogThatIsNoneIsStatus3) {
  TestEngine engine;
  const std::string bad = engine.folder().add("bad.hlog", "not a log\n");
  const Outcome outcome = engine.run({"latency", "--compare", bad, bad});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_EQ(outcome.output, "");
  EXPECT_NE(outcome.errors.find("bad.hlog:1"), std::string::npos) << outcome.errors;
}

TEST(Latency, ALogThatCannotBeWrittenIsStatus2) {
  TestEngine engine;
  const Outcome outcome = engine.run(
      {"--user", "alice", "latency", "--count", "10", "--hlog", engine.folder().file("no/such")});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.errors.find("cannot write"), std::string::npos) << outcome.errors;
}

}  // namespace
}  // namespace shmatch::process_test
