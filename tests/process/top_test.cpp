// shmatch top: the figures are those of what was sent, and who may look.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "ipc/observer.h"
#include "tests/process/engine.h"
#include "tests/process/trading.h"
#include "tests/support/json_member.h"

namespace shmatch::process_test {
namespace {

using tools::JsonValue;

JsonValue top_json(TestEngine& engine) {
  const Outcome outcome = engine.run({"--json", "top", "--interval", "0.05"});
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  return parsed(outcome.output);
}

void expect_failure(const Outcome& outcome, int status, std::string_view words) {
  EXPECT_EQ(outcome.status, status);
  EXPECT_EQ(outcome.output, "");
  EXPECT_NE(outcome.errors.find(words), std::string::npos) << outcome.errors;
  EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1) << outcome.errors;
}

TEST(Top, ShowsWhatWasSentAndWhatCameBack) {
  TestEngine engine;
  LogonOptions options = engine.options("alice");
  options.session_name = "sender";
  options.cancel_on_disconnect = true;
  Client client;
  ASSERT_FALSE(client.logon(options));
  constexpr int kOrders = 50;
  RequestId last = 0;
  int reports = 0;
  for (int i = 0; i < kOrders; ++i) last = client.send(limit_order(1, core::Side::kBuy, 1, 10 + i));
  // A receipt and an event each.
  ASSERT_TRUE(eventually([&] {
    for (Report report; client.poll(report);) ++reports;
    return reports == 2 * kOrders;
  }));
  const std::string wanted = std::to_string(last);
  JsonValue top;
  ASSERT_TRUE(eventually([&] {
    top = top_json(engine);
    const JsonValue& sessions = member(top, "sessions");
    return sessions.items.size() == 1 && member(sessions.items[0], "requests").text == wanted &&
           member(top, "engine.requests").text == wanted;
  }));
  const JsonValue& session = member(top, "sessions").items.at(0);
  EXPECT_EQ(member(session, "reports").text, std::to_string(reports));
  EXPECT_EQ(member(session, "user").text, "alice");
  EXPECT_EQ(member(session, "name").text, "sender");
  EXPECT_EQ(member(session, "state").text, "open");
  EXPECT_TRUE(member(session, "cancel_on_disconnect").boolean);
  EXPECT_FALSE(member(session, "resumable").boolean);
  EXPECT_EQ(member(session, "report_ring_slots").text, std::to_string(options.report_slots));
  EXPECT_EQ(member(session, "backlog_used").text, "0");
  EXPECT_EQ(member(top, "engine.reports").text, std::to_string(reports));
  EXPECT_EQ(member(top, "engine.working_orders").text, std::to_string(kOrders));
  EXPECT_EQ(member(top, "engine.finished_orders").text, "0");
  EXPECT_EQ(member(top, "engine.working_orders_max").text, "20000");
  EXPECT_EQ(member(top, "engine.price_levels").text, std::to_string(kOrders));
  EXPECT_EQ(member(top, "engine.price_levels_max").text, "20000");
  EXPECT_EQ(member(top, "engine.sessions_open").text, "1");
  EXPECT_EQ(member(top, "engine.sessions_max").text, "128");
  EXPECT_EQ(member(top, "engine.process").text, std::to_string(engine.process().id()));
  EXPECT_EQ(member(top, "engine.durability").text, "none");
  EXPECT_EQ(member(top, "engine.idle_mode").text, "yield");
  EXPECT_EQ(member(top, "journal").kind, JsonValue::Kind::kNull);
}

TEST(Top, ShowsAReaderThatFallsBehind) {
  TestEngine engine;
  LogonOptions options = engine.options("alice");
  options.report_slots = 256;
  Client sleeper;
  ASSERT_FALSE(sleeper.logon(options));
  Client busy;
  ASSERT_FALSE(busy.logon(engine.options("alice")));
  // Both hear of the account; the sleeper never reads. 256 slots take 128 events of two slots.
  work(busy, 1, 200);
  ipc::Observer observer;
  ASSERT_FALSE(observer.connect(engine.socket()));
  ipc::CountersLook look;
  ASSERT_TRUE(eventually([&] {
    return observer.look(look) && look.sessions.size() == 2 &&
           look.sessions[0].counters.backlog_used > 0;
  }));
  EXPECT_EQ(look.sessions[0].counters.ring_slots, 256U);
  EXPECT_GT(look.sessions[0].counters.ring_used, 200U);
  for (Report report; sleeper.poll(report);) {
  }
  EXPECT_TRUE(eventually([&] {
    for (Report report; sleeper.poll(report);) {
    }
    return observer.look(look) && look.sessions.at(0).counters.backlog_used == 0;
  }));
}

TEST(Top, ShowsHowFarTheDiskIs) {
  const TemporaryFolder folder;
  TestEngine engine({"--journal", folder.file("journal")});
  EXPECT_EQ(engine
                .run({"send", "--account-id", "1", "--instrument-id", "3", "--side", "buy",
                      "--order-type", "limit", "--quantity", "1", "--limit-price", "5"})
                .status,
            0);
  JsonValue top;
  ASSERT_TRUE(eventually([&] {
    top = top_json(engine);
    return member(top, "engine.sequence").text != "0" && member(top, "journal.lag").text == "0";
  }));
  EXPECT_EQ(member(top, "journal.durable").text, member(top, "engine.sequence").text);
  EXPECT_EQ(member(top, "engine.durability").text, "async");
}

TEST(Top, PrintsATableForPeople) {
  TestEngine engine;
  Client client;
  ASSERT_FALSE(client.logon(engine.options("alice")));
  Outcome outcome;
  ASSERT_TRUE(eventually([&] {
    outcome = engine.run({"top", "--once"});
    return outcome.output.find("alice") != std::string::npos;
  }));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.output.find("sessions  1 open"), std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find('\x1b'), std::string::npos);
}

TEST(Top, RefusesAUidThatMayNotLogOn) {
  if (!may_change_uid()) GTEST_SKIP() << "changing the uid needs root";
  TestEngine engine;
  expect_failure(engine.run({"top"}, {}, kNobody), 3, "may not log on");
}

TEST(Top, NeedsAnEngine) {
  TestEngine engine;
  engine.stop();
  expect_failure(engine.run({"top"}), 3, "no engine serves");
}

TEST(Top, EndsWithStatus4WhenTheEngineDies) {
  TestEngine engine;
  Process top = Process::execute(engine.shmatch({"top", "--once", "--interval", "600"}));
  ASSERT_TRUE(engine.logs("the counters are watched"));
  engine.process().kill();
  expect_failure(finish(std::move(top)), 4, "the engine went away");
}

TEST(Top, EndsWithStatus4WhenTheEngineStops) {
  TestEngine engine;
  Process top = Process::execute(engine.shmatch({"top", "--once", "--interval", "600"}));
  ASSERT_TRUE(engine.logs("the counters are watched"));
  EXPECT_EQ(engine.stop(), 0);
  expect_failure(finish(std::move(top)), 4, "the engine is stopping");
}

TEST(Top, WatchersAreBoundedAndTheirPlacesComeBack) {
  TestEngine engine;
  std::vector<ipc::Observer> observers(32);
  for (ipc::Observer& each : observers) ASSERT_FALSE(each.connect(engine.socket()));
  ipc::Observer one_more;
  const Failure refused = one_more.connect(engine.socket());
  EXPECT_EQ(refused.error, ClientError::kRefused);
  EXPECT_NE(refused.text.find("watch"), std::string::npos) << refused.text;
  observers.pop_back();
  EXPECT_TRUE(eventually([&] { return !one_more.connect(engine.socket()); }));
}

}  // namespace
}  // namespace shmatch::process_test
