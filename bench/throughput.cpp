// How many requests an engine takes from one client that never waits, without a journal and with
// one (durability async).
//
// Engines run in processes of their own, pinned to the same core, all but one of them stopped; this
// process is their client, pinned to another. A round enters orders that rest, in random places of
// the book, and then cancels all of them in random order; both are timed from the first request
// sent to the last report heard (of a cancel: its receipt and its outcome). The client keeps as
// much under way as the rings hold. Engines take turns; differences are taken within a round.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/engine_process.h"
#include "tests/unit/random.h"
#include "tools/measure.h"

namespace shmatch::bench {
namespace {

constexpr core::Ticks kMiddle = 100'000;
constexpr std::uint64_t kLevels = 500;  // a side

struct Options {
  int rounds = 31;
  std::size_t orders = 20'000;
  bool pairs = false;
};

class Subject {
 public:
  // A sentence when it did not go as it should.
  std::string start(const std::string& folder, int cpu, ipc::Durability durability, bool pairs) {
    std::filesystem::create_directories(folder);
    const bool journal = durability != ipc::Durability::kNone;
    engine_.emplace(folder + "/engine.sock", cpu, durability, journal ? folder + "/journal" : "");
    if (!engine_->started()) return "the engine did not start";
    LogonOptions logon;
    logon.socket = folder + "/engine.sock";
    logon.request_slots = 1U << 12;
    logon.report_slots = 1U << 14;
    logon.paired_replies = pairs;
    if (const Failure failure = client_.logon(logon)) return failure.text;
    engine_->pause();
    return {};
  }

  // Nanoseconds a request, of entries and of cancels.
  std::string round(std::size_t orders, std::array<double, 2>& cost) {
    engine_->resume();
    working_.clear();
    refused_ = 0;
    cost[0] = stream(orders, [&](std::size_t) { return client_.send(next_order()); });
    for (std::size_t i = working_.size(); i > 1; --i) {
      std::swap(working_[i - 1], working_[random_.below(i)]);
    }
    cost[1] = stream(working_.size(), [&](std::size_t i) {
      return client_.cancel({.oms_id = 1, .order_id = working_[i]});
    });
    engine_->pause();
    return refused_ == 0 && working_.size() == orders ? "" : "a request was refused";
  }

 private:
  template <class Send>
  double stream(std::size_t count, Send send) {
    constexpr std::size_t kBurst = 16;
    std::size_t sent = 0;
    std::size_t done = 0;
    const auto begin = std::chrono::steady_clock::now();
    while (done < count && refused_ == 0) {
      for (std::size_t i = 0; i < kBurst && sent < count && send(sent) != 0; ++i) ++sent;
      for (Report report; client_.poll(report);) {
        if (report.is<core::OrderAccepted>()) {
          working_.push_back(report.as<core::OrderAccepted>().order_id);
        } else if (report.is<core::Receipt>()) {
          refused_ += report.as<core::Receipt>().code != core::ErrorCode::kOk;
        } else {
          ++done;  // each order's own event comes last
        }
      }
    }
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    return taken.count() / static_cast<double>(count);
  }

  core::NewOrder next_order() {
    core::NewOrder order;
    order.oms_id = 1;
    order.account_id = 1;
    order.instrument_id = 3;
    order.cl_ord_id = ++cl_ord_id_;
    order.side = random_.one_in(2) ? core::Side::kBuy : core::Side::kSell;
    order.order_type = core::OrderType::kLimit;
    order.set_quantity(core::in_increments(1));
    const auto away = static_cast<core::Ticks>(1 + random_.below(kLevels));
    order.set_limit_price(
        core::in_increments(order.side == core::Side::kBuy ? kMiddle - away : kMiddle + away));
    return order;
  }

  std::optional<EngineProcess> engine_;
  Client client_;
  tests::Random random_{1};
  std::vector<core::OrderId> working_;
  core::ClOrdId cl_ord_id_ = 0;
  std::size_t refused_ = 0;
};

int run(const Options& options, const std::string& folder) {
  const std::vector<int> cpus = tools::allowed_cpus();
  if (cpus.size() < 2) {
    std::fputs("engine and client need a processor each\n", stderr);
    return 1;
  }
  constexpr std::array kNames = {"none", "async"};
  std::array<Subject, 2> subjects;
  std::string error =
      subjects[0].start(folder + "/none", cpus[1], ipc::Durability::kNone, options.pairs);
  if (error.empty()) {
    error = subjects[1].start(folder + "/async", cpus[1], ipc::Durability::kAsync, options.pairs);
  }
  tools::pin_to_cpu(cpus[0]);
  std::array<std::array<std::vector<double>, 2>, 2> costs;  // by engine; entries and cancels
  for (int round = -1; error.empty() && round < options.rounds; ++round) {
    for (std::size_t i = 0; i < 2 && error.empty(); ++i) {
      const std::size_t which = (i + static_cast<std::size_t>(round + 1)) % 2;
      std::array<double, 2> cost;
      error = subjects[which].round(options.orders, cost);
      if (round < 0) continue;  // warm-up
      costs[which][0].push_back(cost[0]);
      costs[which][1].push_back(cost[1]);
    }
  }
  if (!error.empty()) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  std::printf("%d rounds of %zu entries and as many cancels; medians\n\n", options.rounds,
              options.orders);
  std::printf("%-8s %12s %12s %16s\n", "", "entry, ns", "cancel, ns", "cancels a second");
  for (std::size_t i = 0; i < 2; ++i) {
    const double cancel = tools::spread_of(costs[i][1]).median;
    std::printf("%-8s %12.1f %12.1f %16.0f\n", kNames[i], tools::spread_of(costs[i][0]).median,
                cancel, 1e9 / cancel);
  }
  for (std::size_t kind = 0; kind < 2; ++kind) {
    std::vector<double> more;
    for (std::size_t i = 0; i < costs[0][kind].size(); ++i) {
      more.push_back(costs[1][kind][i] - costs[0][kind][i]);
    }
    const auto [low, high] = tools::median_interval(more);
    std::printf("async more than none, a%s: %.1f ns (95 %%: %.1f to %.1f)\n",
                kind == 0 ? "n entry" : " cancel", tools::spread_of(more).median, low, high);
  }
  return 0;
}

}  // namespace
}  // namespace shmatch::bench

int main(int argc, char** argv) {
  CLI::App app{"How many requests an engine takes from one client that never waits."};
  shmatch::bench::Options options;
  app.add_option("--rounds", options.rounds, "Rounds of each engine")
      ->check(CLI::Range(5, 1000))
      ->capture_default_str();
  app.add_option("--orders", options.orders, "Orders a round")
      ->check(CLI::Range(1000, 60'000))
      ->capture_default_str();
  app.add_flag("--pairs", options.pairs, "Let a reply and its first event come in one message");
  CLI11_PARSE(app, argc, argv);
  const std::string folder =
      std::filesystem::temp_directory_path() / ("shmatch-throughput-" + std::to_string(getpid()));
  const int result = shmatch::bench::run(options, folder);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return result;
}
