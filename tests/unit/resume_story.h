// What tests of resumed sessions share: clients that come back, and what they have seen.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ipc/report_mark.h"
#include "ipc/session_link.h"
#include "tests/unit/test_server.h"

namespace shmatch {

using Reports = std::vector<Report>;
using Name = std::pair<core::Sequence, std::uint32_t>;

inline std::vector<Name> names_of(const Reports& reports) {
  std::vector<Name> names;
  for (const Report& report : reports) {
    const ipc::Mark mark = ipc::mark_of(report);
    names.emplace_back(mark.sequence, mark.ordinal);
  }
  return names;
}

// Events and no replies: what every session that hears of an account gets.
inline Reports events_of(Reports reports) {
  std::erase_if(reports, [](const Report& report) { return replied_request(report) != 0; });
  return reports;
}

class ResumeTest : public ServerTest {
 protected:
  ResumeTest() {
    options_.resume_window_slots = 1024;
    options_.backlog_slots = 1024;
  }

  LogonOptions resumable(const std::string& user, const std::string& name = "desk") const {
    LogonOptions options = logon_as(user);
    options.session_name = name;
    options.resumable = true;
    options.cancel_on_disconnect = false;
    return options;
  }

  // The same session, gone on with by a client that has processed `seen`.
  LogonOptions resuming(LogonOptions options, const Reports& seen = {}) const {
    options.resume = true;
    ipc::Mark mark;
    for (const Report& report : seen) {
      if (const ipc::Mark behind = ipc::mark_behind(report); mark < behind) mark = behind;
    }
    options.seen_sequence = mark.sequence;
    options.seen_ordinal = mark.ordinal;
    options.seen_run = run_;
    return options;
  }

  Client logged_on_with(const LogonOptions& options) {
    Client client;
    const Failure failed = client.logon(options);
    EXPECT_FALSE(failed) << failed.text;
    run_ = client.session().run;
    return client;
  }

  // What the engine says to one attempt, where the library would try again until the time is over.
  static std::string refusal_of(const LogonOptions& options) {
    ipc::SessionLink link;
    const Failure failed = ipc::open_session(options, link);
    EXPECT_EQ(failed.error, ClientError::kRefused) << failed.text;
    return failed.text;
  }

  // Everything that the engine has for this client by now.
  static Reports drain(Client& client) {
    EXPECT_TRUE(answers(client));
    Reports reports;
    for (Report report; client.poll(report);) reports.push_back(report);
    return reports;
  }

  // What waits for this client and needs no engine.
  static Reports left(Client& client) {
    Reports reports;
    for (Report report; client.poll(report);) reports.push_back(report);
    return reports;
  }

  // Bob buys from or sells to whoever is best, and does not care what he hears of it.
  static void trade(Client& bob, core::Side side, core::Ticks price, core::Lots quantity) {
    core::NewOrder order = limit_order(2, side, price, quantity);
    order.time_in_force = core::TimeInForce::kIoc;
    enter(bob, order);
    left(bob);
  }

  void stop() {
    server_.request_stop();
    server_.wait();
  }

  core::EngineRun run_;  // in which a client logged on last
};

}  // namespace shmatch
