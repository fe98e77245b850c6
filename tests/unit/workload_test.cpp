// The public workload's generator: the shape that its description gives, and what becomes of it in
// the core.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bench/one_trader.h"
#include "bench/workload_requests.h"
#include "bench/zeroed_memory.h"

namespace shmatch::bench {
namespace {

using Kind = WorkloadMessage::Kind;
constexpr std::uint32_t kOrders = 200'000;

const Scenario& scenario(const std::string& name) {
  for (const Scenario& each : scenarios()) {
    if (each.name == name) return each;
  }
  ADD_FAILURE() << "no scenario " << name;
  return scenarios()[0];
}

const std::vector<WorkloadMessage>& still() {
  static const std::vector<WorkloadMessage> messages =
      make_workload(scenario("static"), kOrders, kWorkloadSeed);
  return messages;
}

// All messages about each order, as they come.
std::vector<std::vector<WorkloadMessage>> by_order(const std::vector<WorkloadMessage>& messages) {
  std::vector<std::vector<WorkloadMessage>> result(kOrders);
  for (const WorkloadMessage& message : messages) result[message.order].push_back(message);
  return result;
}

double share(std::size_t part, std::size_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

bool same(const WorkloadMessage& a, const WorkloadMessage& b) {
  return a.time == b.time && a.order == b.order && a.kind == b.kind && a.side == b.side &&
         a.immediate == b.immediate && a.price == b.price && a.quantity == b.quantity;
}

TEST(Workload, has_the_five_scenarios) {
  std::vector<std::string> names;
  for (const Scenario& each : scenarios()) names.emplace_back(each.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"static", "normal", "swing-25", "swing-40", "flash-crash"}));
}

TEST(Workload, is_the_same_for_the_same_seed_and_another_for_another) {
  const auto again = make_workload(scenario("static"), kOrders, kWorkloadSeed);
  const auto other = make_workload(scenario("static"), kOrders, kWorkloadSeed + 1);
  EXPECT_TRUE(std::equal(still().begin(), still().end(), again.begin(), again.end(), same));
  EXPECT_FALSE(std::equal(still().begin(), still().end(), other.begin(), other.end(), same));
}

TEST(Workload, comes_in_the_order_of_time_and_new_orders_are_numbered_by_it) {
  std::uint32_t next = 0;
  core::TimeNs last = 0;
  std::set<std::uint32_t> entered;
  for (const WorkloadMessage& message : still()) {
    ASSERT_GE(message.time, last);
    last = message.time;
    if (message.kind == Kind::kNew) {
      ASSERT_EQ(message.order, next++);
    } else {
      ASSERT_LT(message.order, next);
    }
  }
  EXPECT_EQ(next, kOrders);
}

TEST(Workload, mixes_orders_and_what_follows_them_as_described) {
  std::size_t immediate = 0;
  std::size_t modified = 0;
  std::size_t nearer = 0;
  std::size_t cancelled = 0;
  std::size_t twice = 0;
  std::size_t modified_and_cancelled = 0;
  std::size_t too_late = 0;
  for (const auto& story : by_order(still())) {
    const WorkloadMessage& entry = story.front();
    ASSERT_EQ(entry.kind, Kind::kNew);
    ASSERT_TRUE(entry.quantity >= 1 && entry.quantity <= 100);
    if (entry.immediate) {
      ++immediate;
      ASSERT_EQ(story.size(), 1U);
      continue;
    }
    std::size_t cancels = 0;
    std::size_t modifies = 0;
    core::TimeNs cancel_time = 0;
    for (std::size_t i = 1; i < story.size(); ++i) {
      const WorkloadMessage& message = story[i];
      if (message.kind == Kind::kCancel) {
        if (++cancels == 1) cancel_time = message.time;
      } else {
        const core::TimeNs delay = message.time - (cancels > 0 ? cancel_time : entry.time);
        ASSERT_TRUE(delay >= 30'000 && delay <= 100'000);
        too_late += cancels > 0;
        if (++modifies > 1) continue;
        ASSERT_EQ(message.quantity, entry.quantity + 1);
        const int moved = message.price - entry.price;
        ASSERT_TRUE(moved == 0 || moved == (entry.side == core::Side::kBuy ? 1 : -1));
        nearer += moved != 0;
      }
    }
    modified += modifies > 0;
    cancelled += cancels > 0;
    twice += cancels == 2;
    modified_and_cancelled += modifies > 0 && cancels > 0;
    ASSERT_LE(cancels, 2U);
  }
  const std::size_t others = kOrders - immediate;
  EXPECT_NEAR(share(immediate, kOrders), 0.15, 0.005);
  EXPECT_NEAR(share(modified, others), 0.20, 0.005);
  EXPECT_NEAR(share(nearer, modified), 0.80, 0.01);
  EXPECT_NEAR(share(cancelled, others), 0.95, 0.005);
  EXPECT_NEAR(share(twice, cancelled), 0.02, 0.002);
  EXPECT_NEAR(share(too_late, modified_and_cancelled), 0.02, 0.005);
  EXPECT_NEAR(share(still().size(), kOrders), 2.0, 0.01);
}

TEST(Workload, places_orders_by_the_described_weights) {
  std::map<int, std::size_t> counts;
  std::size_t buys = 0;
  double quantities = 0;
  for (const WorkloadMessage& message : still()) {
    if (message.kind != Kind::kNew) continue;
    const bool buy = message.side == core::Side::kBuy;
    buys += buy;
    quantities += message.quantity;
    ++counts[(buy ? 33'504 - message.price : message.price - 33'504) - 1];
  }
  EXPECT_EQ(buys, kOrders / 2);
  EXPECT_NEAR(quantities / kOrders, 50.5, 0.5);
  EXPECT_GE(counts.begin()->first, 0);
  const auto weight = [](int k) {
    return std::pow(k + 1, -2.23) + 5 * std::exp(-(k - 8) * (k - 8) / 2.0);
  };
  double sum = 0;
  for (int k = 0; k < 4096; ++k) sum += weight(k);
  for (const int k : {0, 1, 5, 8, 10}) {
    EXPECT_NEAR(share(counts[k], kOrders), weight(k) / sum, 0.004) << k;
  }
}

TEST(Workload, lives_are_exponential_and_longer_farther_away) {
  std::vector<double> lives;
  std::size_t shorter_than_mean = 0;
  for (const auto& story : by_order(still())) {
    if (story.size() != 2 || story[1].kind != Kind::kCancel) continue;
    const int away = std::abs(story[0].price - 33'504);
    lives.push_back(static_cast<double>(story[1].time - story[0].time) / std::sqrt(away));
  }
  std::sort(lives.begin(), lives.end());
  EXPECT_NEAR(lives[lives.size() / 2], 431'000, 10'000);
  for (const double life : lives) shorter_than_mean += life < 431'000 / std::log(2.0);
  EXPECT_NEAR(share(shorter_than_mean, lives.size()), 1 - std::exp(-1.0), 0.01);
}

TEST(Workload, the_middle_moves_as_far_as_the_scenario_says) {
  for (const char* name : {"normal", "swing-25"}) {
    double squares = 0;
    constexpr int kWalks = 300;
    for (int seed = 0; seed < kWalks; ++seed) {
      double last = 0;
      for (const WorkloadMessage& message :
           make_workload(scenario(name), 400, static_cast<std::uint64_t>(seed))) {
        if (message.kind == Kind::kNew && message.side == core::Side::kSell) last = message.price;
      }
      squares += std::pow(std::log(last / 33'504), 2);
    }
    // A sell stands anywhere in the second half of the walk: three quarters of the way in the mean.
    const double expected = scenario(name).swing * std::sqrt(0.75);
    EXPECT_NEAR(std::sqrt(squares / kWalks), expected, expected * 0.2) << name;
  }
}

// ------------------------------------------------------------------------------- in the core's
// book

struct Books {
  double mean_standing = 0;
  std::uint64_t fills = 0;
  std::uint64_t messages = 0;
};

Books trade(const char* name) {
  const auto messages = make_workload(scenario(name), kWorkloadOrders, kWorkloadSeed);
  const core::Configuration configuration = one_trader(1U << 17);
  const ZeroedMemory memory(core::MatchingEngine::memory_size(configuration));
  FirstHearing heard;
  core::MatchingEngine engine(configuration, memory.span(), 1, heard, false);
  engine.logon(0, {.user_id = 1}, 0);
  double standing = 0;
  const WorkloadRequests requests =
      prepare_requests(engine, heard, messages, kWorkloadOrders, WorkloadKey::kClientId,
                       [&](const auto&) { standing += engine.working_orders(); });
  EXPECT_EQ(requests.messages, messages.size());
  return {standing / static_cast<double>(messages.size()), engine.trade_count(), messages.size()};
}

TEST(WorkloadBooks, static_ones_are_as_described) {
  const Books books = trade("static");
  EXPECT_NEAR(books.mean_standing, 21'000, 500);
  EXPECT_NEAR(static_cast<double>(books.fills), 800, 80);
  EXPECT_NEAR(static_cast<double>(books.messages), 2.0e6, 1e4);
}

TEST(WorkloadBooks, those_of_a_normal_day_are_near_what_is_described) {
  const Books books = trade("normal");
  EXPECT_NEAR(books.mean_standing, 2'700, 700);
  EXPECT_NEAR(static_cast<double>(books.fills), 66'000, 4'000);
}

TEST(WorkloadBooks, those_of_a_crash_are_near_what_is_described) {
  const Books books = trade("flash-crash");
  EXPECT_LT(books.mean_standing, 1'000);
  EXPECT_NEAR(static_cast<double>(books.fills), 66'000, 4'000);
}

}  // namespace
}  // namespace shmatch::bench
