// The life of an engine and its socket, and the exit statuses of both programs.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string_view>
#include <vector>

#include "core/message.h"
#include "ipc/client.h"
#include "tests/process/engine.h"
#include "tests/process/exec_session.h"

namespace shmatch::process_test {
namespace {

using namespace std::chrono_literals;

// An error of kind 2 to 4: one sentence on standard error, nothing on standard output.
void expect_failure(const Outcome& outcome, int status) {
  EXPECT_EQ(outcome.status, status);
  EXPECT_EQ(outcome.output, "");
  EXPECT_GT(outcome.errors.size(), 10u);
  EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1) << outcome.errors;
}

bool is_socket(const std::string& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

TEST(Lifecycle, SigtermStopsCleanlyAndRemovesTheSocket) {
  TestEngine engine;
  EXPECT_TRUE(is_socket(engine.socket()));
  EXPECT_EQ(engine.stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(engine.socket()));
}

TEST(Lifecycle, SigintStopsCleanlyToo) {
  TestEngine engine;
  engine.process().signal(SIGINT);
  EXPECT_EQ(engine.process().wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(engine.socket()));
}

TEST(Lifecycle, TheDoctorNeedsNoEngine) {
  const Outcome outcome = finish(Process::execute({shmatch_program(), "--json", "doctor"}));
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_NE(outcome.output.find("\"check\":\"clock source\""), std::string::npos);
  EXPECT_NE(outcome.output.find("\"lost_share\":"), std::string::npos);
}

TEST(Lifecycle, ASecondEngineOnTheSameSocketRefuses) {
  TestEngine engine;
  const Outcome second = finish(Process::execute(engine.command()));
  EXPECT_EQ(second.status, 1);
  EXPECT_EQ(second.output, "");
  EXPECT_NE(second.errors.find(engine.socket()), std::string::npos) << second.errors;
  EXPECT_EQ(engine.run({"open-orders", "--account-id", "1"}).status, 0);
}

TEST(Lifecycle, AnEngineStartsOverTheSocketOfOneThatWasKilled) {
  TestEngine engine;
  engine.process().kill();
  ASSERT_TRUE(is_socket(engine.socket()));
  engine.start();
  EXPECT_EQ(engine.run({"open-orders", "--account-id", "1"}).status, 0);
  EXPECT_EQ(engine.stop(), 0);
  engine.start();
  EXPECT_EQ(engine.run({"open-orders", "--account-id", "1"}).status, 0);
}

TEST(Lifecycle, WhatIsNoSocketIsNotReplaced) {
  TestEngine engine;
  ASSERT_EQ(engine.stop(), 0);
  engine.folder().add("engine.sock", "precious");
  const Outcome refused = finish(Process::execute(engine.command()));
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(std::filesystem::file_size(engine.socket()), 8u);
}

TEST(Lifecycle, AWrongConfigurationIsRefusedWithFileAndLine) {
  const TemporaryFolder folder;
  const std::string file = folder.add("engine.toml", usual_config().text() + "surprise = 1\n");
  const Outcome outcome = finish(
      Process::execute({shmatchd_program(), "--socket", folder.file("s"), "--config", file}));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.output, "");
  EXPECT_NE(outcome.errors.find(file + ":"), std::string::npos) << outcome.errors;
  EXPECT_NE(outcome.errors.find("surprise"), std::string::npos) << outcome.errors;
}

TEST(Lifecycle, ClientsSeeThatTheEngineStopped) {
  TestEngine engine;
  Client client;
  ASSERT_FALSE(client.logon(engine.options("alice")));
  ASSERT_EQ(client.engine_state(), EngineState::kServing);
  EXPECT_EQ(engine.stop(), 0);
  EXPECT_EQ(client.engine_state(), EngineState::kStopped);
}

TEST(Lifecycle, ClientsSeeThatTheEngineDied) {
  TestEngine engine;
  Client client;
  ASSERT_FALSE(client.logon(engine.options("alice")));
  engine.process().kill();
  EXPECT_EQ(client.check_socket(), EngineState::kGone);
  core::Report reply;
  const Failure failure = client.call(core::Ping{}, reply, kPatience);
  EXPECT_EQ(failure.error, ClientError::kEngineGone) << failure.text;
}

TEST(Lifecycle, TheHeartbeatMovesInAnIdleEngineAndStandsStillInAStoppedOne) {
  TestEngine engine;
  Client client;
  ASSERT_FALSE(client.logon(engine.options("alice")));
  const std::uint64_t first = client.heartbeat();
  EXPECT_TRUE(eventually([&] { return client.heartbeat() != first; }));
  ASSERT_TRUE(engine.process().stop_running());
  const std::uint64_t frozen = client.heartbeat();
  EXPECT_FALSE(eventually([&] { return client.heartbeat() != frozen; }, 50ms));
  engine.process().go_on();
  EXPECT_TRUE(eventually([&] { return client.heartbeat() != frozen; }));
}

// While it stops, an engine answers what is already in the rings with 102, and then nothing else.
// Whether the stop came before the engine had served all that was in flight.
bool stop_with_requests_in_flight() {
  TestEngine engine;
  LogonOptions options = engine.options("alice");
  options.request_slots = 1U << 16;
  options.report_slots = 1U << 17;
  Client client;
  EXPECT_FALSE(client.logon(options));
  // The ring is filled while the engine stands still, so that the signal and the requests reach it
  // together.
  EXPECT_TRUE(engine.process().stop_running());
  RequestId last = 0;
  while (const RequestId id = client.cancel({.oms_id = 1, .order_id = 1})) last = id;
  EXPECT_EQ(last, 1U << 16);
  engine.process().signal(SIGTERM);
  engine.process().go_on();

  RequestId answered = 0;
  bool stopping = false;
  const auto take_replies = [&] {
    core::Report report;
    while (client.poll(report)) {
      ASSERT_TRUE(report.is<core::Receipt>());
      const auto receipt = report.as<core::Receipt>();
      ASSERT_EQ(receipt.request_sequence, ++answered);
      if (receipt.code == core::ErrorCode::kServerError) {
        stopping = true;
        EXPECT_EQ(receipt.detail, core::Detail::kStopping);
      } else {
        EXPECT_EQ(receipt.code, core::ErrorCode::kNotFound);
        ASSERT_FALSE(stopping) << "served again after 102";
      }
    }
  };
  EXPECT_TRUE(eventually([&] {
    take_replies();
    return !engine.process().running();
  }));
  take_replies();
  EXPECT_EQ(engine.process().wait(), 0);
  EXPECT_EQ(answered, last);
  EXPECT_EQ(client.engine_state(), EngineState::kStopped);
  return stopping;
}

TEST(Lifecycle, RequestsInFlightAtTheStopAreAnswered102) {
  // All of them are served within milliseconds, and the thread that hears of the signal may get its
  // turn later than that.
  EXPECT_TRUE(
      eventually([] { return stop_with_requests_in_flight() || testing::Test::HasFailure(); }));
}

TEST(ExitStatus, IsZeroWhenDoneAndOneWhenTheEngineRefused) {
  TestEngine engine;
  EXPECT_EQ(engine.run({"open-orders", "--account-id", "1"}).status, 0);
  const Outcome refused = engine.run({"--json", "cancel", "--order-id", "77"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(difference(json(refused.output), json(R"({"result":false,
      "errormsg":"Resource Not Found","errorcode":104,
      "detail":"order 77 was never issued, or ended too long ago to be remembered"})")),
            "");
  EXPECT_EQ(engine.run({"cancel", "--order-id", "77"}).status, 1);
  EXPECT_EQ(engine.run({"status", "--order-id", "77"}).status, 1);
  EXPECT_EQ(engine.run({"--user", "bob", "open-orders", "--account-id", "1"}).status, 1);
}

TEST(ExitStatus, IsTwoForAWrongCommandLine) {
  TestEngine engine;
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                    {"fly"},
                                                    {"cancel", "--no-such-flag"},
                                                    {"watch", "extra"},
                                                    {"cancel", "--order-id", "many"},
                                                    {"send", "--quantity", "1x"}}) {
    expect_failure(engine.run(arguments), 2);
  }
}

TEST(ExitStatus, IsThreeWithinASecondWhenThereIsNoEngine) {
  TestEngine engine;
  ASSERT_EQ(engine.stop(), 0);
  const auto start = Clock::now();
  expect_failure(engine.run({"open-orders", "--account-id", "1"}), 3);
  expect_failure(engine.run({"watch"}), 3);
  expect_failure(engine.run({"exec"}, "{}"), 3);
  EXPECT_LT(Clock::now() - start, 3s);
  // What a killed engine leaves behind is a socket that nobody serves.
  engine.start();
  engine.process().kill();
  expect_failure(engine.run({"open-orders", "--account-id", "1"}), 3);
}

Process begin_watch(TestEngine& engine) {
  Process watch = Process::execute(engine.shmatch({"--json", "watch"}));
  EXPECT_TRUE(engine.logs("session shmatch watch")) << engine.log();
  return watch;
}

void expect_watch_ends(Process& watch) {
  const auto start = Clock::now();
  EXPECT_EQ(watch.wait(), 4);
  EXPECT_LT(Clock::now() - start, 1s);
  EXPECT_EQ(watch.output(), "");
  const std::string errors = watch.errors();
  EXPECT_EQ(errors.find('\n'), errors.size() - 1) << errors;
}

TEST(ExitStatus, IsFourWhenTheEngineDiesDuringWatch) {
  TestEngine engine;
  Process watch = begin_watch(engine);
  const Outcome sent =
      engine.run({"--user", "alice", "send", "--account-id", "1", "--instrument-id", "3", "--side",
                  "Buy", "--order-type", "Limit", "--quantity", "1", "--limit-price", "1"});
  EXPECT_EQ(sent.status, 0) << sent.errors;
  const auto event = watch.read_line();
  ASSERT_TRUE(event);
  EXPECT_EQ(parse_frame(*event).function, "OrderStateEvent") << *event;
  engine.process().kill();
  expect_watch_ends(watch);
}

TEST(ExitStatus, IsFourWhenTheEngineDiesDuringExec) {
  TestEngine engine;
  ExecSession exec(engine, "alice");
  ASSERT_GT(exec.place("alice", 1, 'B', 1, 1), 0);
  engine.process().kill();
  ASSERT_TRUE(exec.process().write_line(R"({"n":"Ping","o":{}})"));
  const auto start = Clock::now();
  EXPECT_EQ(exec.process().wait(), 4);
  EXPECT_LT(Clock::now() - start, 1s);
  EXPECT_EQ(exec.process().output(), "");
  const std::string errors = exec.process().errors();
  EXPECT_EQ(errors.find('\n'), errors.size() - 1) << errors;
}

TEST(ExitStatus, IsFourWhenTheEngineStopsDuringWatch) {
  TestEngine engine;
  Process watch = begin_watch(engine);
  EXPECT_EQ(engine.stop(), 0);
  expect_watch_ends(watch);
}

TEST(ExitStatus, OfExecIsOneWhenALineWasNoFrame) {
  TestEngine engine;
  const Outcome outcome = engine.run({"exec"}, "no frame\n{\"n\":\"Ping\",\"o\":{}}\n");
  EXPECT_EQ(outcome.status, 1);
  const std::size_t end = outcome.output.find('\n');
  const Frame error = parse_frame(outcome.output.substr(0, end));
  EXPECT_EQ(error.kind, "5");
  EXPECT_NE(error.payload.text.find("1"), std::string::npos) << error.line;
  EXPECT_NE(outcome.output.find("PONG"), std::string::npos);
}

}  // namespace
}  // namespace shmatch::process_test
