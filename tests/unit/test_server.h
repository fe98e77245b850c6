// A small engine inside the test's own process, and what tests of sessions ask of it.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include "ipc/client.h"
#include "ipc/server.h"

namespace shmatch {

// Looks at `condition` until it holds; false when a generous bound has passed, which never decides
// a good run.
template <class Condition>
bool eventually(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::sched_yield();
  }
  return true;
}

// A folder of its own for each test, removed with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = "/tmp/shmatch-test-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline constexpr core::UserId kOperatorUser = 10;
inline constexpr core::UserId kAliceUser = 11;  // Trading, account 1
inline constexpr core::UserId kBobUser = 12;    // Trading, account 2
inline constexpr core::UserId kCarolUser = 13;  // exists, but this uid may not be her

// Instrument 1 counts in whole ticks and lots.
inline core::Configuration small_configuration() {
  core::Configuration configuration;
  configuration.instruments = {{.id = 1, .symbol = "TEST", .tick = {1, 0}, .lot = {1, 0}}};
  configuration.users = {
      {.id = kOperatorUser,
       .name = "operator",
       .permissions = core::kPermissionOperator,
       .accounts = {}},
      {.id = kAliceUser, .name = "alice", .permissions = core::kPermissionTrading, .accounts = {1}},
      {.id = kBobUser, .name = "bob", .permissions = core::kPermissionTrading, .accounts = {2}},
      {.id = kCarolUser,
       .name = "carol",
       .permissions = core::kPermissionTrading,
       .accounts = {3}}};
  configuration.accounts = {1, 2, 3};
  configuration.capacities = {.working_orders = 8192, .finished_orders = 1024, .sessions = 4};
  return configuration;
}

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    options_.configuration = small_configuration();
    options_.logon_rules = {{::geteuid(), {kAliceUser, kBobUser, kOperatorUser}}};
    options_.socket_path = folder_.file("engine.sock");
    options_.idle = ipc::IdleMode::kYield;
    options_.backlog_slots = 256;
    options_.resume_window_slots = 256;
  }

  void start() {
    const ipc::Fault fault = server_.start(options_);
    ASSERT_FALSE(fault) << fault.text;
  }

  LogonOptions logon_as(const std::string& user) const {
    LogonOptions options;
    options.socket = options_.socket_path;
    options.user = user;
    options.request_slots = 256;
    options.report_slots = 256;
    options.timeout = std::chrono::seconds(30);
    return options;
  }

  // A client that is logged on, or a failed test.
  Client logged_on(const std::string& user) {
    Client client;
    const Failure failed = client.logon(logon_as(user));
    EXPECT_FALSE(failed) << failed.text;
    return client;
  }

  static core::NewOrder limit_order(core::AccountId account, core::Side side, core::Ticks price,
                                    core::Lots quantity, core::ClOrdId cl_ord_id = 0) {
    core::NewOrder order;
    order.oms_id = 1;
    order.account_id = account;
    order.instrument_id = 1;
    order.cl_ord_id = cl_ord_id;
    order.set_quantity(core::in_increments(quantity));
    order.set_limit_price(core::in_increments(price));
    order.side = side;
    order.order_type = core::OrderType::kLimit;
    return order;
  }

  // The id of an order that the engine accepted; 0 after a failed expectation.
  static core::OrderId enter(Client& client, const core::NewOrder& order) {
    Report reply;
    const Failure failed = client.call(order, reply, kPatience);
    EXPECT_FALSE(failed) << failed.text;
    EXPECT_TRUE(reply.is<core::OrderAccepted>()) << int{reply.type()};
    return reply.is<core::OrderAccepted>() ? reply.as<core::OrderAccepted>().order_id : 0;
  }

  // True when the engine still answers this client.
  static bool answers(Client& client) {
    Report reply;
    return !client.call(core::Ping{}, reply, kPatience) && reply.is<core::Pong>();
  }

  // The next report; fails the test when none comes.
  static Report next(Client& client) {
    Report report;
    EXPECT_TRUE(eventually([&] { return client.poll(report); }));
    return report;
  }

  static constexpr std::chrono::milliseconds kPatience{30'000};

  TemporaryFolder folder_;
  ipc::ServerOptions options_;
  ipc::Server server_;
};

}  // namespace shmatch
