// Who may log on, and what junk on the socket does to others: nothing.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/process/engine.h"
#include "tests/process/exec_session.h"
#include "tests/process/raw_session.h"

namespace shmatch::process_test {
namespace {

using ipc::FarewellReason;

// alice for this uid, carol for nobody's.
ConfigText two_uids() {
  ConfigText config;
  config.user("alice", ::getuid(), "Trading", "[1]").user("carol", kNobody, "Trading", "[2]");
  return config;
}

// What a client of any uid sees when its logon is refused: one sentence, nothing on standard
// output.
void expect_refused(const Outcome& outcome, std::string_view words) {
  EXPECT_EQ(outcome.status, 3) << outcome.errors;
  EXPECT_EQ(outcome.output, "");
  EXPECT_NE(outcome.errors.find(words), std::string::npos) << outcome.errors;
  EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1) << outcome.errors;
}

TEST(Logon, AConfiguredUidIsServedAndTradesAsItsOwnUser) {
  if (!may_change_uid()) GTEST_SKIP() << "changing the uid needs root";
  TestEngine engine(two_uids());
  const Outcome sent =
      engine.run({"--json", "send", "--account-id", "2", "--instrument-id", "3", "--side", "Buy",
                  "--order-type", "Limit", "--quantity", "5", "--limit-price", "10"},
                 "", kNobody);
  EXPECT_EQ(sent.status, 0) << sent.errors;
  const Outcome open = engine.run({"--json", "open-orders", "--account-id", "2"}, "", kNobody);
  ASSERT_EQ(open.status, 0) << open.errors;
  const tools::JsonValue orders = json(open.output);
  ASSERT_EQ(orders.items.size(), 1u) << open.output;
  EXPECT_EQ(member(orders.items[0], "UserName"), "carol");
}

TEST(Logon, AnUnknownUidIsToldSoAndChangesNothing) {
  if (!may_change_uid()) GTEST_SKIP() << "changing the uid needs root";
  ConfigText config;
  config.user("alice", ::getuid(), "Trading", "[1]");
  TestEngine engine(config);
  expect_refused(engine.run({"open-orders", "--account-id", "1"}, "", kNobody), "65534");
  expect_refused(engine.run({"--user", "alice", "watch"}, "", kNobody), "65534");
  EXPECT_EQ(engine.run({"open-orders", "--account-id", "1"}).status, 0);
}

TEST(Logon, AUserThatTheUidMayNotBeIsRefused) {
  if (!may_change_uid()) GTEST_SKIP() << "changing the uid needs root";
  TestEngine engine(two_uids());
  expect_refused(engine.run({"--user", "alice", "open-orders", "--account-id", "1"}, "", kNobody),
                 "alice");
  expect_refused(engine.run({"--user", "carol", "open-orders", "--account-id", "2"}), "carol");
}

TEST(Logon, AUserThatDoesNotExistIsRefused) {
  TestEngine engine;
  expect_refused(engine.run({"--user", "zoe", "open-orders", "--account-id", "1"}), "zoe");
}

TEST(Logon, ExecAnswers20ForAUserThatCannotLogOnAndGoesOn) {
  TestEngine engine;
  ExecSession exec(engine, "alice");
  const auto refused = exec.call("zoe", "CancelOrder", R"({"OMSId":1,"OrderId":1})");
  EXPECT_EQ(refused["result"], "false");
  EXPECT_EQ(refused["errormsg"], "Not Authorized");
  EXPECT_EQ(refused["errorcode"], "20");
  EXPECT_NE(refused["detail"].find("zoe"), std::string::npos) << refused.reply.line;
  EXPECT_GT(exec.place("alice", 1, 'B', 1, 1), 0);
  EXPECT_EQ(exec.close(), 0);
}

TEST(Logon, ASessionTooManyIsRefusedUntilOneEnds) {
  TestEngine engine(usual_config().capacity("sessions = 2\n"));
  auto first = std::make_unique<RawSession>(engine.socket());
  RawSession second(engine.socket());
  first->logon("alice");
  second.logon("bob");
  expect_refused(engine.run({"open-orders", "--account-id", "1"}), "2");
  first.reset();
  EXPECT_TRUE(eventually([&] {
    return engine.run({"open-orders", "--account-id", "1"}).status == 0;
  }));
  EXPECT_TRUE(second.served());
}

TEST(Logon, AnotherProtocolVersionGetsASentenceThatItCanRead) {
  TestEngine engine;
  for (const int version : {0, ipc::kProtocolVersion - 1, ipc::kProtocolVersion + 1, 65535}) {
    RawSession session(engine.socket());
    ipc::LogonRequest request = session.request("alice");
    request.header.version = static_cast<std::uint16_t>(version);
    ASSERT_TRUE(session.send(request));
    const auto farewell = session.farewell();
    ASSERT_TRUE(farewell) << "version " << version;
    EXPECT_EQ(farewell->reason, FarewellReason::kWrongVersion);
    EXPECT_NE(ipc::get_text(farewell->sentence).find("version"), std::string_view::npos);
    EXPECT_TRUE(session.closed());
  }
}

TEST(Logon, ALargerPacketOfALaterVersionGetsTheSameSentence) {
  TestEngine engine;
  RawSession session(engine.socket());
  std::byte packet[200] = {};
  ipc::PacketHeader header;
  header.version = 9;
  header.type = ipc::PacketType::kLogonRequest;
  std::memcpy(packet, &header, sizeof(header));
  ASSERT_TRUE(session.send_bytes(packet));
  const auto farewell = session.farewell();
  ASSERT_TRUE(farewell);
  EXPECT_EQ(farewell->reason, FarewellReason::kWrongVersion);
}

TEST(Logon, RingSizesOutsideTheirRangesAreRefused) {
  TestEngine engine;
  struct Sizes {
    std::uint32_t requests;
    std::uint32_t reports;
  };
  for (const Sizes sizes :
       {Sizes{0, 4096}, Sizes{63, 4096}, Sizes{1000, 4096}, Sizes{1U << 31, 4096}, Sizes{1024, 0},
        Sizes{1024, 128}, Sizes{1024, 4097}, Sizes{1024, 1U << 31}}) {
    RawSession session(engine.socket());
    ipc::LogonRequest request = session.request("alice");
    request.request_slots = sizes.requests;
    request.report_slots = sizes.reports;
    ASSERT_TRUE(session.send(request));
    const auto farewell = session.farewell();
    ASSERT_TRUE(farewell) << sizes.requests << " and " << sizes.reports;
    EXPECT_EQ(farewell->reason, FarewellReason::kBadRingSize) << ipc::get_text(farewell->sentence);
  }
}

TEST(Logon, JunkPacketsCloseTheirOwnConnectionOnly) {
  TestEngine engine;
  RawSession trader(engine.socket());
  trader.logon("alice");
  for (const std::size_t size : {1U, 7U, 8U, 87U, 88U, 89U, 256U, 4000U}) {
    RawSession session(engine.socket());
    const std::vector<std::byte> junk(size, std::byte{0xA5});
    ASSERT_TRUE(session.send_bytes(junk));
    EXPECT_TRUE(session.closed()) << size;
    EXPECT_TRUE(trader.served()) << size;
  }
}

TEST(Logon, PacketsOutOfTurnCloseTheirOwnConnectionOnly) {
  TestEngine engine;
  RawSession trader(engine.socket());
  trader.logon("alice");
  RawSession confirms_first(engine.socket());
  ASSERT_TRUE(confirms_first.send(ipc::Confirm{}));
  EXPECT_TRUE(confirms_first.closed());

  RawSession asks_twice(engine.socket());
  ASSERT_TRUE(asks_twice.send(asks_twice.request("alice")));
  asks_twice.receive_offer();
  ASSERT_TRUE(asks_twice.send(asks_twice.request("alice")));
  EXPECT_TRUE(asks_twice.closed());

  RawSession speaks_later(engine.socket());
  speaks_later.logon("alice");
  ASSERT_TRUE(speaks_later.send(ipc::Confirm{}));
  EXPECT_TRUE(speaks_later.closed());
  EXPECT_TRUE(trader.served());
}

TEST(Logon, HalfOpenLogonsHurtNobodyAndLeaveNothingBehind) {
  TestEngine engine(usual_config().capacity("sessions = 8\n"));
  RawSession trader(engine.socket());
  trader.logon("alice");
  // More of them than there are sessions, each left at another step, then all dropped at once.
  std::vector<std::unique_ptr<RawSession>> half_open;
  for (int i = 0; i < 24; ++i) {
    half_open.push_back(std::make_unique<RawSession>(engine.socket()));
    if (i % 3 == 0) continue;
    half_open.back()->send(half_open.back()->request("bob"));
    if (i % 3 == 1) continue;
    try {
      half_open.back()->receive_offer();
    } catch (const std::runtime_error&) {
      // Places for sessions and logons of one uid are limited: a refusal is as good as an offer
      // here.
    }
  }
  EXPECT_TRUE(trader.served());
  half_open.clear();
  EXPECT_TRUE(eventually([&] {
    return engine.run({"open-orders", "--account-id", "1"}).status == 0;
  }));
  EXPECT_TRUE(trader.served());
}

}  // namespace
}  // namespace shmatch::process_test
