// An engine with a journal inside the test's own process, clients that trade on it and remember
// what they were told, and what must hold of that after the journal has failed or the engine has
// ended.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ipc/file_layer.h"
#include "tests/unit/test_server.h"

namespace shmatch {

// What one client was told, and checks of what must hold of that by itself.
class Told {
 public:
  struct Order {
    core::Sequence accepted = 0;
    core::Sequence canceled = 0;
    bool cancel_sent = false;
  };

  // The newest request that was sent.
  void sent(RequestId request) { last_sent_ = request; }
  // Replies must come in their order; behind a refusal because of the journal only such ones.
  void take(const Client& client, const Report& report);

  bool all_answered() const { return last_answered_ == last_sent_; }
  // So often it was told that the journal has failed, and the newest sentence about that.
  std::uint64_t refused() const { return refused_; }
  const std::string& reason() const { return reason_; }
  core::Sequence newest() const { return newest_; }  // input that a report told of
  std::map<core::OrderId, Order>& orders() { return orders_; }

 private:
  std::map<core::OrderId, Order> orders_;
  RequestId last_sent_ = 0;
  RequestId last_answered_ = 0;
  std::uint64_t refused_ = 0;
  std::string reason_;
  core::Sequence newest_ = 0;
};

// A client that enters orders and cancels some of them, many at a time, and an observer who hears
// all events.
class Trading {
 public:
  // What clients were told and may rely on.
  struct Ledger {
    std::map<core::OrderId, Told::Order> orders;
    core::Sequence newest = 0;   // input that anybody was told of
    core::Sequence durable = 0;  // input that the engine called durable
  };

  Trading(Client client, Client observer)
      : client_(std::move(client)), observer_(std::move(observer)) {}

  // Sends `count` requests and waits until all are answered.
  void round(std::uint64_t count);
  void send_one();
  // Takes reports until every request has been answered; false when that does not come.
  bool await_answers();

  Ledger ledger(core::Sequence durable);
  Client& client() { return client_; }
  Client& observer() { return observer_; }
  Told& told() { return told_; }

 private:
  Client client_;
  Client observer_;
  Told told_;
  Told observed_;
  std::uint64_t number_ = 0;
};

// An engine that can be started again on the same files, and its log.
class EngineOnFiles : public ServerTest {
 protected:
  // Small segments. `files` must outlive the engine.
  void use(ipc::FileLayer& files, const std::string& journal, ipc::Durability durability);
  ipc::Fault start_engine();
  void end_engine() { engine_.reset(); }

  // Orders of these sessions are to be found after a restart.
  LogonOptions trader(const std::string& user, bool all_accounts = false) const;
  Client logged_on(const LogonOptions& options) const;
  // What the engine has logged as errors since its start.
  std::vector<std::string> errors();

  // The engine's journal has failed for `reason`, and `trading` has heard of it.
  void check_refusing(Trading& trading, const std::string& reason);
  // The engine has ended: what the disk holds, and what a new engine makes of it, which then
  // serves.
  void check_recovered(Trading::Ledger ledger);

  std::mutex mutex_;
  std::vector<std::string> errors_;
  std::unique_ptr<ipc::Server> engine_;
};

}  // namespace shmatch
