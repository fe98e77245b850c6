// 64 clients at once on one book, while others come and go: what each session received is checked
// by itself, against what the engine says, against the other sessions of its account, and against
// an Operator that sees everything.
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "ipc/client.h"
#include "tests/process/engine.h"
#include "tests/process/event_stream.h"
#include "tests/process/trading.h"

namespace shmatch::process_test {
namespace {

constexpr int kAccounts = 16;
constexpr int kSessionsEach = 4;
constexpr int kRequests = 100;
constexpr int kVisitors = 4;
constexpr core::AccountId kFirstAccount = 101;
constexpr core::AccountId kVisitorAccount = 900;

// One of the 64: sends requests one after the other, and takes every report of its session.
class CrowdClient {
 public:
  CrowdClient(const LogonOptions& options, core::AccountId account, unsigned seed)
      : client_(logged_on(options)), account_(account), stream_(account), random_(seed) {}

  void trade() {
    for (int i = 0; i < kRequests; ++i) {
      const bool canceling = !own_.empty() && random_() % 10 < 4;
      const RequestId id = canceling ? send_cancel() : send_order();
      if (id != static_cast<RequestId>(i) + 1) throw std::runtime_error("a request was not sent");
      if (!eventually([&] { return take_all() && replied_ == id; })) {
        throw std::runtime_error("no reply");
      }
    }
  }

  // When everybody is done.
  std::string check() {
    const RequestId ping = client_.ping();
    if (!eventually([&] { return take_all() && replied_ == ping; })) {
      throw std::runtime_error("no pong: the stream has a gap");
    }
    for (const core::OrderId order : own_) {
      if (!stream_.orders().contains(order)) throw std::runtime_error("an order without an event");
    }
    stream_.compare(client_);
    core::Report report;
    if (client_.poll(report)) throw std::runtime_error("a report in a quiet market");
    return stream_.digest().text();
  }

 private:
  RequestId send_cancel() {
    return client_.cancel({.oms_id = 1, .order_id = own_[random_() % own_.size()]});
  }

  RequestId send_order() {
    const core::Side side = random_() % 2 == 0 ? core::Side::kBuy : core::Side::kSell;
    const auto price = static_cast<std::int64_t>(95 + random_() % 11);
    return client_.send(
        limit_order(account_, side, static_cast<std::int64_t>(1 + random_() % 10), price));
  }

  bool take_all() {
    for (core::Report report; client_.poll(report);) {
      if (const auto event = as_event(report)) {
        stream_.take(*event);
        continue;
      }
      if (replied_request(report) != ++replied_) throw std::runtime_error("replies out of order");
      if (report.is<core::OrderAccepted>()) {
        own_.push_back(report.as<core::OrderAccepted>().order_id);
      }
    }
    return true;
  }

  Client client_;
  core::AccountId account_;
  EventStream stream_;
  std::mt19937 random_;
  std::vector<core::OrderId> own_;
  RequestId replied_ = 0;
};

Process crowd_process(const TestEngine& engine, int number) {
  LogonOptions options = engine.options("user" + std::to_string(number / kSessionsEach));
  options.report_slots = 1U << 14;
  options.whole_objects = number % 2 == 1;
  options.cancel_on_disconnect = false;
  const core::AccountId account = kFirstAccount + number / kSessionsEach;
  return Process::branch([options, account, number] {
    CrowdClient client(options, account, static_cast<unsigned>(number));
    say("ready");
    hear();
    client.trade();
    say("done");
    hear();
    say(client.check());
    hear();
    return 0;
  });
}

// Comes, enters orders that may trade, and goes; again and again.
Process visitor_process(const TestEngine& engine) {
  const LogonOptions options = engine.options("visitor");
  return Process::branch([options] {
    for (int visit = 0; visit < 15; ++visit) {
      Client client = logged_on(options);
      for (int i = 0; i < 3; ++i) {
        place(client, limit_order(kVisitorAccount, core::Side::kBuy, 2, 94 + 2 * i));
      }
    }
    return 0;
  });
}

// The Operator that sees all: for each account, the same digest as that account's sessions.
class Observer {
 public:
  explicit Observer(const TestEngine& engine) {
    LogonOptions options = engine.options("operator");
    options.whole_objects = true;
    options.all_accounts = true;
    options.report_slots = 1U << 17;
    client_ = logged_on(options);
  }

  void take_all() {
    for (core::Report report; client_.poll(report);) {
      const auto event = as_event(report);
      if (!event) continue;
      digests_[event->account].add(*event);
      if (event->trade) trades_[event->trade_id].push_back(*event);
    }
  }

  // Takes all that was sent before now.
  void catch_up() {
    core::Report pong;
    EXPECT_FALSE(client_.call(core::Ping{}, pong, kPatience));
    take_all();
  }

  void expect_whole_trades() const {
    EXPECT_GT(trades_.size(), 100u);
    for (const auto& [id, sides] : trades_) {
      ASSERT_EQ(sides.size(), 2u) << "trade " << id;
      EXPECT_EQ(sides[0].price, sides[1].price);
      EXPECT_EQ(sides[0].quantity, sides[1].quantity);
      EXPECT_EQ(sides[0].side(), core::opposite(sides[1].side()));
    }
  }

  Client& client() { return client_; }
  std::string digest(core::AccountId account) { return digests_[account].text(); }

 private:
  Client client_;
  std::map<core::AccountId, EventDigest> digests_;
  std::map<core::TradeId, std::vector<Event>> trades_;
};

ConfigText crowd_config() {
  ConfigText config;
  config.user("operator", ::getuid(), "Operator", "[]")
      .user("visitor", ::getuid(), "Trading", "[900]");
  for (int i = 0; i < kAccounts; ++i) {
    config.user("user" + std::to_string(i), ::getuid(), "Trading",
                "[" + std::to_string(kFirstAccount + i) + "]");
  }
  return config;
}

TEST(Crowd, Of64ClientsEachReceivesExactlyItsOwn) {
  TestEngine engine(crowd_config());
  Observer observer(engine);
  std::vector<Process> crowd;
  for (int i = 0; i < kAccounts * kSessionsEach; ++i) crowd.push_back(crowd_process(engine, i));
  for (Process& process : crowd) ASSERT_EQ(process.read_line(), "ready") << process.errors();
  std::vector<Process> visitors;
  for (int i = 0; i < kVisitors; ++i) visitors.push_back(visitor_process(engine));
  for (Process& process : crowd) ASSERT_TRUE(process.write_line("go"));
  for (Process& process : crowd) {
    ASSERT_EQ(process.read_line(), "done") << process.errors();
    observer.take_all();
  }
  for (Process& process : visitors) {
    const Outcome outcome = finish(std::move(process));
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
  }
  // The last visitor's orders are cancelled when its session has ended.
  EXPECT_TRUE(eventually([&] {
    std::vector<core::OpenOrderRow> rows;
    core::Receipt refused;
    return !observer.client().open_orders(1, kVisitorAccount, rows, refused) && rows.empty();
  }));
  for (Process& process : crowd) ASSERT_TRUE(process.write_line("check"));
  std::vector<std::string> digests;
  for (Process& process : crowd) {
    const auto digest = process.read_line();
    ASSERT_TRUE(digest) << process.wait().value_or(-1) << " " << process.errors();
    digests.push_back(*digest);
  }
  observer.catch_up();
  observer.expect_whole_trades();
  for (std::size_t i = 0; i < digests.size(); ++i) {
    const auto account = kFirstAccount + static_cast<core::AccountId>(i / kSessionsEach);
    EXPECT_EQ(digests[i], observer.digest(account)) << "session " << i;
  }
  for (Process& process : crowd) EXPECT_EQ(finish(std::move(process)).status, 0);
}

TEST(Crowd, OfTheLargestSizeIsServedAndOneMoreIsRefused) {
  TestEngine engine;
  std::vector<Client> clients;
  for (int i = 0; i < 128; ++i) clients.push_back(logged_on(engine.options("alice")));
  EXPECT_EQ(Client().logon(engine.options("alice")).error, ClientError::kRefused);
  for (Client& client : clients) drain(client);
  clients.clear();
  Failure failure;
  EXPECT_TRUE(eventually([&] {
    failure = Client().logon(engine.options("alice"));
    return !failure;
  })) << failure.text
      << engine.log();
}

}  // namespace
}  // namespace shmatch::process_test
