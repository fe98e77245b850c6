// How many requests an engine takes from one client that never waits, without a journal and with
// one (durability async), and how many when the client has only so many under way.
//
// Engines run in processes of their own, pinned to the same core, all but one of them stopped; this
// process is their client, pinned to another. A round enters orders that rest, in random places of
// the book, and then cancels all of them in random order; both are timed from the first request
// sent to the last report heard (of a cancel: its receipt and its outcome). The client keeps
// 256 requests under way. Engines take turns; differences are taken within a round. The
// engine without a journal then repeats the round for each number of requests under way. The rings
// are as large as a logon gets them that does not ask for more.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/json_writer.h"
#include "bench/steady_rounds.h"
#include "tests/unit/random.h"
#include "tools/measure.h"

namespace shmatch::bench {
namespace {

constexpr core::Ticks kMiddle = 100'000;
constexpr std::uint64_t kLevels = 500;  // a side
// The last one: as many as the request ring holds.
constexpr std::array<std::size_t, 8> kUnderWay = {1, 2, 4, 8, 16, 64, 256, 1024};
static_assert(kUnderWay.back() == LogonOptions{}.request_slots);
// Enough that the engine always finds some. More only lie in the way: they are more lines that it
// and the client take from each other's caches.
constexpr std::size_t kSaturated = 256;
constexpr std::array kNames = {"none", "async"};

struct Options {
  int rounds = 31;
  std::size_t orders = 10'000;
  bool json = false;
};

// One engine's rounds of one kind, in nanoseconds a request.
struct Costs {
  std::vector<double> entry;
  std::vector<double> cancel;
  std::vector<double> waits;      // share of the client's visits that had to wait for the engine
  std::vector<double> under_way;  // mean number of cancels under way

  void add(const Costs& more) {
    entry.insert(entry.end(), more.entry.begin(), more.entry.end());
    cancel.insert(cancel.end(), more.cancel.begin(), more.cancel.end());
    waits.insert(waits.end(), more.waits.begin(), more.waits.end());
    under_way.insert(under_way.end(), more.under_way.begin(), more.under_way.end());
  }
};

class Trader {
 public:
  std::string start(const SubjectOptions& options) {
    std::string error = subject_.start(options);
    subject_.pause();
    return error;
  }

  // A sentence when it did not go as it should.
  std::string round(std::size_t orders, std::size_t under_way, Costs& costs) {
    subject_.resume();
    // The kernel takes its time to let the engine go on.
    Report reply;
    if (const Failure failure = subject_.client().call(core::Ping{}, reply)) return failure.text;
    working_.clear();
    refused_ = 0;
    const Stream entries = stream(
        orders, kSaturated, [&](std::size_t) { return subject_.client().send(next_order()); });
    for (std::size_t i = working_.size(); i > 1; --i) {
      std::swap(working_[i - 1], working_[random_.below(i)]);
    }
    const Stream cancels = stream(working_.size(), under_way, [&](std::size_t i) {
      return subject_.client().cancel({.oms_id = 1, .order_id = working_[i]});
    });
    subject_.pause();
    costs.entry.push_back(entries.ns);
    costs.cancel.push_back(cancels.ns);
    costs.waits.push_back(cancels.waits);
    costs.under_way.push_back(cancels.under_way);
    return refused_ == 0 && working_.size() == orders ? "" : "a request was refused";
  }

 private:
  struct Stream {
    double ns = 0;  // a request
    double waits = 0;
    double under_way = 0;
  };

  template <class Send>
  Stream stream(std::size_t count, std::size_t under_way, Send send) {
    constexpr std::size_t kBurst = 16;
    std::size_t sent = 0;
    std::size_t done = 0;
    std::size_t visits = 0;
    std::size_t waits = 0;
    std::size_t sum_under_way = 0;
    const auto begin = std::chrono::steady_clock::now();
    while (done < count && refused_ == 0) {
      std::size_t now = 0;
      for (std::size_t i = 0; i < kBurst && sent < count && sent - done < under_way; ++i) {
        if (send(sent) == 0) break;
        ++sent;
        ++now;
      }
      // What is left at the end is no longer a stream.
      visits += sent < count;
      waits += sent < count && now < kBurst;
      sum_under_way += sent < count ? sent - done : 0;
      for (Report report; subject_.client().poll(report);) {
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
    const auto share = [&](std::size_t part) {
      return visits == 0 ? 0 : static_cast<double>(part) / static_cast<double>(visits);
    };
    return {taken.count() / static_cast<double>(count), share(waits), share(sum_under_way)};
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

  Subject subject_;
  tests::Random random_{1};
  std::vector<core::OrderId> working_;
  core::ClOrdId cl_ord_id_ = 0;
  std::size_t refused_ = 0;
};

struct Results {
  std::array<Costs, 2> engines;  // none, async
  std::array<Costs, kUnderWay.size()> batches;
  RoundsDone rounds;

  void add(const Results& more) {
    for (std::size_t i = 0; i < engines.size(); ++i) engines[i].add(more.engines[i]);
    for (std::size_t i = 0; i < batches.size(); ++i) batches[i].add(more.batches[i]);
  }
};

// Who the other one waits for. A client that mostly may not send a burst is waiting for the engine.
const char* limited_by(const Costs& costs) {
  return tools::spread_of(costs.waits).median > 0.5 ? "engine" : "client";
}

void print_text(const Results& results, const Options& options) {
  std::printf(
      "%d rounds of %zu entries and as many cancels, %d more discarded; medians; floor p50 %.0f "
      "ns\n\n",
      options.rounds, options.orders, results.rounds.discarded,
      tools::spread_of(results.rounds.floor_p50).median);
  std::printf("%-8s %12s %12s %16s   limited by\n", "", "entry, ns", "cancel, ns",
              "cancels a second");
  for (std::size_t i = 0; i < 2; ++i) {
    const Costs& costs = results.engines[i];
    const double cancel = tools::spread_of(costs.cancel).median;
    std::printf("%-8s %12.1f %12.1f %16.0f   %s\n", kNames[i], tools::spread_of(costs.entry).median,
                cancel, 1e9 / cancel, limited_by(costs));
  }
  for (const bool entries : {true, false}) {
    std::vector<double> more;
    const auto of = [&](std::size_t i) -> const std::vector<double>& {
      return entries ? results.engines[i].entry : results.engines[i].cancel;
    };
    for (std::size_t i = 0; i < of(0).size(); ++i) more.push_back(of(1)[i] - of(0)[i]);
    const auto [low, high] = tools::median_interval(more);
    std::printf("async more than none, a%s: %.1f ns (95 %%: %.1f to %.1f)\n",
                entries ? "n entry" : " cancel", tools::spread_of(more).median, low, high);
  }
  std::printf("\n%-10s %12s %16s   without a journal\n", "under way", "cancel, ns",
              "cancels a second");
  for (std::size_t i = 0; i < kUnderWay.size(); ++i) {
    const double cancel = tools::spread_of(results.batches[i].cancel).median;
    std::printf("%-10zu %12.1f %16.0f\n", kUnderWay[i], cancel, 1e9 / cancel);
  }
}

void write_cancels(JsonWriter& json, const Costs& costs) {
  const tools::Spread ns = tools::spread_of(costs.cancel);
  json.spread("cancels_per_second", {1e9 / ns.median, 1e9 / ns.high, 1e9 / ns.low});
  json.number("ns_per_cancel", ns.median);
}

void write_engine(JsonWriter& json, const Costs& costs) {
  write_cancels(json, costs);
  json.number("ns_per_entry", tools::spread_of(costs.entry).median);
  json.text("limited_by", limited_by(costs));
  json.number("waiting_share", tools::spread_of(costs.waits).median);
  json.number("under_way_mean", tools::spread_of(costs.under_way).median);
}

void print_json(const Results& results, const Options& options) {
  JsonWriter json;
  json.begin_object("throughput");
  json.count("rounds", static_cast<std::uint64_t>(options.rounds));
  json.count("rounds_discarded", static_cast<std::uint64_t>(results.rounds.discarded));
  json.count("cancels_a_round", options.orders);
  json.number("floor_p50_ns", tools::spread_of(results.rounds.floor_p50).median);
  write_engine(json, results.engines[0]);
  json.begin_object("async");
  write_engine(json, results.engines[1]);
  json.end_object();
  json.begin_array("batch");
  for (std::size_t i = 0; i < kUnderWay.size(); ++i) {
    json.begin_object();
    json.count("under_way", kUnderWay[i]);
    write_cancels(json, results.batches[i]);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.print();
}

std::string measure(std::array<Trader, 2>& traders, const Options& options, int round,
                    Results& results) {
  std::string error;
  for (std::size_t i = 0; i < 2 && error.empty(); ++i) {
    const std::size_t which = (i + static_cast<std::size_t>(round)) % 2;
    error = traders[which].round(options.orders, kSaturated, results.engines[which]);
  }
  for (std::size_t i = 0; i < kUnderWay.size() && error.empty(); ++i) {
    error = traders[0].round(options.orders, kUnderWay[i], results.batches[i]);
  }
  return error;
}

int run(const Options& options) {
  const auto cores = two_cores();
  if (!cores) return 1;
  const TemporaryFolder folder("throughput");
  std::array<Trader, 2> traders;
  std::string error;
  for (std::size_t i = 0; i < 2 && error.empty(); ++i) {
    error =
        traders[i].start({.folder = folder.path() + "/" + kNames[i],
                          .cpu = cores->engine,
                          .durability = i == 0 ? ipc::Durability::kNone : ipc::Durability::kAsync});
  }
  Results present;
  tools::pin_to_cpu(cores->client);
  if (error.empty()) error = measure(traders, options, 0, present);  // warms up
  Results results;
  const auto measure_round = [&](int round) {
    present = {};
    return measure(traders, options, round, present);
  };
  const auto keep = [&](tools::Samples&) { results.add(present); };
  if (error.empty()) {
    error =
        steady_rounds(*cores, options.rounds, options.orders, measure_round, keep, results.rounds);
  }
  if (!error.empty()) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  (options.json ? print_json : print_text)(results, options);
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
  app.add_flag("--json", options.json, "One JSON object instead of tables");
  CLI11_PARSE(app, argc, argv);
  return shmatch::bench::run(options);
}
