// What exec does around the calls themselves: errors, fences, what the API's objects carry.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/process/engine.h"
#include "tests/process/exec_session.h"

namespace shmatch::process_test {
namespace {

constexpr const char* kOrder =
    R"({"OMSId":1,"AccountId":1,"InstrumentId":3,"Side":0,"OrderType":2,"Quantity":5,)"
    R"("LimitPrice":10})";

TEST(Exec, AnswersUnknownFunctionsAndGoesOn) {
  TestEngine engine;
  ExecSession exec(engine, "alice");
  const ExecSession::Answer unknown = exec.call("", "ModifyOrder", "{}");
  EXPECT_EQ(unknown.reply.kind, "5");
  EXPECT_EQ(unknown.reply.sequence, "4");
  EXPECT_EQ(unknown.reply.payload.text, "Endpoint Not Found");
  EXPECT_EQ(exec.call("", "ping", "{}")["msg"], "PONG");
  EXPECT_EQ(exec.close(), 0);
}

TEST(Exec, SnapshotsCarryOneUpdateIdThatGrowsWithTheBook) {
  TestEngine engine;
  ExecSession exec(engine, "alice");
  std::uint64_t last = 0;
  for (int price = 1; price <= 5; ++price) {
    exec.place("alice", 1, 'B', 1, price);
    const ExecSession::Answer book =
        exec.call("", "GetL2Snapshot", R"({"OMSId":1,"InstrumentId":3,"Depth":10})");
    ASSERT_EQ(book.reply.payload.items.size(), static_cast<std::size_t>(price));
    const std::string id = book.reply.payload.items[0].items.at(0).text;
    for (const tools::JsonValue& row : book.reply.payload.items) {
      EXPECT_EQ(row.items.at(0).text, id);
    }
    EXPECT_GT(std::stoull(id), last);
    last = std::stoull(id);
  }
}

TEST(Exec, TimesAreThoseOfTheWallClockInBothUnits) {
  TestEngine engine;
  ExecSession exec(engine, "alice");
  const auto wall_ms = [] {
    return std::chrono::duration_cast<Milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  constexpr std::int64_t kTicksAtEpoch = 621'355'968'000'000'000;
  const auto before = wall_ms();
  const ExecSession::Answer placed = exec.call("", "SendOrder", kOrder);
  const auto after = wall_ms();
  const tools::JsonValue& event = placed.events.at(0).payload;
  for (const std::string key : {"ReceiveTime", "LastUpdatedTime"}) {
    const std::int64_t time = std::stoll(member(event, key));
    EXPECT_GE(time, before) << key;
    EXPECT_LE(time, after) << key;
    EXPECT_EQ((std::stoll(member(event, key + "Ticks")) - kTicksAtEpoch) / 10'000, time) << key;
  }
}

TEST(Exec, ShowsAnEventOnceHoweverManyOfItsSessionsReceiveIt) {
  TestEngine engine;
  ExecSession exec(engine, "operator");
  exec.call("alice", "Ping", "{}");
  exec.call("bob", "Ping", "{}");
  const ExecSession::Answer placed = exec.call("operator", "SendOrder", kOrder);
  ASSERT_EQ(placed.events.size(), 1u);
  EXPECT_EQ(member(placed.events[0].payload, "OrderState"), "Working");
  EXPECT_EQ(member(placed.events[0].payload, "UserName"), "operator");
}

}  // namespace
}  // namespace shmatch::process_test
