// Clients that die, stall, fork or leave: their session ends as it should, and nobody else notices.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "ipc/client.h"
#include "tests/process/engine.h"
#include "tests/process/trading.h"

namespace shmatch::process_test {
namespace {

constexpr int kWork = 300;

// A process that logs on as alice, enters a resting order, tells its id and waits to be told to
// end.
Process resting_client(const TestEngine& engine, bool cancel_on_disconnect) {
  LogonOptions options = engine.options("alice");
  options.cancel_on_disconnect = cancel_on_disconnect;
  return Process::branch([options] {
    Client client = logged_on(options);
    say(std::to_string(place(client, limit_order(1, core::Side::kBuy, 1, 1))));
    hear();
    return 0;
  });
}

core::OrderId told_order(Process& process) {
  const auto line = process.read_line();
  if (!line) throw std::runtime_error("the client told nothing: " + process.errors());
  return std::stoll(*line);
}

// A process that trades as bob until it is told to stop, and then says how often it did.
Process working_client(const TestEngine& engine) {
  const LogonOptions options = engine.options("bob");
  return Process::branch([options] {
    Client client = logged_on(options);
    for (int round = 0; round < 50; ++round) {
      work(client, 3, 20);
      say("round");
    }
    return 0;
  });
}

TEST(Death, OfAClientCancelsItsOrdersWhenItChoseSo) {
  TestEngine engine;
  Client observer = logged_on(engine.options("operator"));
  Process worker = working_client(engine);
  ASSERT_TRUE(worker.read_until("round"));
  Process dying = resting_client(engine, true);
  const core::OrderId order = told_order(dying);
  EXPECT_EQ(state_of(observer, order), core::OrderState::kWorking);
  dying.kill();
  EXPECT_TRUE(eventually([&] { return state_of(observer, order) == core::OrderState::kCanceled; }));
  const Outcome worked = finish(std::move(worker));
  EXPECT_EQ(worked.status, 0) << worked.errors;
}

TEST(Death, OfAClientLeavesItsOrdersWhenItChoseSo) {
  TestEngine engine;
  Client observer = logged_on(engine.options("operator"));
  Process worker = working_client(engine);
  ASSERT_TRUE(worker.read_until("round"));
  Process dying = resting_client(engine, false);
  const core::OrderId order = told_order(dying);
  dying.kill();
  EXPECT_TRUE(engine.logs(" ended")) << engine.log();
  const Outcome worked = finish(std::move(worker));
  EXPECT_EQ(worked.status, 0) << worked.errors;
  EXPECT_EQ(state_of(observer, order), core::OrderState::kWorking);
}

TEST(Death, OfAClientInTheMiddleOfItsTradingHurtsNobody) {
  TestEngine engine;
  Client observer = logged_on(engine.options("operator"));
  Process worker = working_client(engine);
  for (int i = 0; i < 10; ++i) {
    const LogonOptions options = engine.options("alice");
    Process victim = Process::branch([options] {
      Client client = logged_on(options);
      for (;;) {
        work(client, 1, 1);
        say("alive");
      }
      return 0;
    });
    ASSERT_TRUE(victim.read_until("alive")) << victim.errors();
    victim.kill();
    // Its successor's account must be quiet before it starts to count.
    ASSERT_TRUE(eventually([&] {
      std::vector<core::OpenOrderRow> rows;
      core::Receipt refused;
      return !observer.open_orders(1, 1, rows, refused) && rows.empty();
    }));
  }
  const Outcome worked = finish(std::move(worker));
  EXPECT_EQ(worked.status, 0) << worked.errors;
}

TEST(Death, IsSeenThoughAForkedChildLivesOnWithTheDescriptors) {
  TestEngine engine;
  Client observer = logged_on(engine.options("operator"));
  const LogonOptions options = engine.options("alice");
  Process parent = Process::branch([options] {
    Client client = logged_on(options);
    const core::OrderId order = place(client, limit_order(1, core::Side::kBuy, 1, 1));
    const pid_t child = ::fork();
    if (child == 0) {
      // It keeps the socket and both memories open until the test closes its end of the pipe.
      say("child");
      hear();
      say("child done");
      ::_exit(0);
    }
    say(std::to_string(order));
    ::pause();
    return 0;
  });
  core::OrderId order = 0;
  for (int i = 0; i < 2; ++i) {
    const auto line = parent.read_line();
    ASSERT_TRUE(line) << parent.errors();
    if (*line != "child") order = std::stoll(*line);
  }
  ASSERT_NE(order, 0);
  parent.kill();
  EXPECT_TRUE(eventually([&] { return state_of(observer, order) == core::OrderState::kCanceled; }));
  // The child lived all the while: it still answers.
  parent.close_input();
  EXPECT_TRUE(parent.read_until("child done"));
}

TEST(Death, DoesNotUndoRequestsThatAreInTheRing) {
  TestEngine engine;
  Client observer = logged_on(engine.options("operator"));
  LogonOptions options = engine.options("alice");
  options.cancel_on_disconnect = false;
  constexpr int kOrders = 20;
  const auto committed = [options](bool log_off) {
    return Process::branch([options, log_off] {
      Client client = logged_on(options);
      say("ready");
      hear();
      for (int i = 0; i < kOrders; ++i) {
        if (client.send(limit_order(1, core::Side::kBuy, 1, 1)) == 0) return 1;
      }
      if (log_off) client.logoff();
      say("committed");
      hear();
      return 0;
    });
  };
  Process leaves = committed(true);
  Process dies = committed(false);
  ASSERT_TRUE(leaves.read_until("ready"));
  ASSERT_TRUE(dies.read_until("ready"));
  ASSERT_TRUE(engine.process().stop_running());
  for (Process* process : {&leaves, &dies}) {
    ASSERT_TRUE(process->write_line("go"));
    ASSERT_TRUE(process->read_until("committed")) << process->errors();
  }
  dies.kill();
  engine.process().go_on();
  std::vector<core::OpenOrderRow> rows;
  core::Receipt refused;
  EXPECT_TRUE(eventually(
      [&] { return !observer.open_orders(1, 1, rows, refused) && rows.size() >= 2 * kOrders; }));
  EXPECT_EQ(rows.size(), 2u * kOrders);
}

// ------------------------------------------------------------------------------------- not reading

ConfigText small_backlogs() {
  return usual_config()
      .capacity("sessions = 8\nbacklog_slots = 256\n")
      .add("[resume]\nwindow_slots = 256");
}

TEST(Stalling, AClientThatStopsReadingIsEndedInTheEndAndOthersNeverWait) {
  TestEngine engine(small_backlogs());
  LogonOptions options = engine.options("alice");
  Client trader = logged_on(options);
  options.report_slots = 256;
  Client stalled = logged_on(options);
  // 4 reports of one slot each time go to both sessions of alice, and the stalled one has room
  // for 512.
  work(trader, 1, 2000);
  EXPECT_TRUE(eventually([&] { return stalled.check_socket() == EngineState::kGone; }));
  EXPECT_NE(stalled.end_reason(), "");
  work(trader, 1, kWork);
  EXPECT_TRUE(engine.logs(stalled.end_reason())) << engine.log();
  // It may come back.
  Client again = logged_on(options);
  drain(again);
}

TEST(Stalling, EndsTheSessionAsAnyOtherEndDoes) {
  TestEngine engine(small_backlogs());
  LogonOptions options = engine.options("alice");
  Client trader = logged_on(options);
  options.report_slots = 256;
  Client stalled = logged_on(options);
  const core::OrderId order = place(stalled, limit_order(2, core::Side::kBuy, 1, 1));
  drain(trader);
  // Until the stalled session is ended, what it had entered works on.
  EXPECT_EQ(state_of(trader, order), core::OrderState::kWorking);
  for (int i = 0; i < 2000 && stalled.check_socket() == EngineState::kServing; ++i) {
    cancel(trader, place(trader, limit_order(1, core::Side::kBuy, 1, 1)));
    drain(trader);
  }
  EXPECT_TRUE(eventually([&] { return state_of(trader, order) == core::OrderState::kCanceled; }));
}

TEST(Stalling, WithFullRingsOnlyStopsTheClientItself) {
  TestEngine engine;
  LogonOptions options = engine.options("alice");
  options.request_slots = 256;
  options.report_slots = 256;
  Client stalled = logged_on(options);
  Client worker = logged_on(engine.options("bob"));
  RequestId last = 0;
  // The engine takes requests until the reports have no room; then this ring fills up.
  while (const RequestId id = stalled.cancel({.oms_id = 1, .order_id = 1})) last = id;
  work(worker, 3, kWork);
  while (const RequestId id = stalled.cancel({.oms_id = 1, .order_id = 1})) last = id;
  ASSERT_GE(last, 256u);
  work(worker, 3, kWork);
  EXPECT_EQ(stalled.check_socket(), EngineState::kServing);
  RequestId answered = 0;
  core::Report report;
  EXPECT_TRUE(eventually([&] {
    while (stalled.poll(report)) {
      if (report.as<core::Receipt>().request_sequence == answered + 1) ++answered;
    }
    return answered == last;
  }));
  EXPECT_EQ(stalled.check_socket(), EngineState::kServing);
}

TEST(Stalling, AStoppedProcessKeepsItsSessionAndMissesNothing) {
  TestEngine engine;
  LogonOptions options = engine.options("alice");
  // Its ring holds a fraction of what it misses; the backlog keeps the rest.
  options.report_slots = 256;
  constexpr int kOrders = 400;
  Process watcher = Process::branch([options] {
    Client client = logged_on(options);
    say("ready");
    int changes = 0;
    core::Report report;
    // Each order shows itself twice, entered and cancelled.
    eventually([&] {
      while (client.poll(report)) ++changes;
      return changes >= 2 * kOrders;
    });
    core::Report pong;
    if (client.call(core::Ping{}, pong, kPatience)) return 1;
    while (client.poll(report)) ++changes;
    return changes == 2 * kOrders ? 0 : 2;
  });
  ASSERT_TRUE(watcher.read_until("ready")) << watcher.errors();
  ASSERT_TRUE(watcher.stop_running());
  Client trader = logged_on(engine.options("alice"));
  work(trader, 1, kOrders);
  watcher.go_on();
  const Outcome outcome = finish(std::move(watcher));
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
}

}  // namespace
}  // namespace shmatch::process_test
