// What a message of the public workload (bench/workload.h) costs: the core in one thread, reports
// written to memory; the baseline (bench/baseline_engine.h) the same; and the core with its reports
// handed to a second thread through our ring, until that thread has read the last one. Requests lie
// ready; the engine has one session, one account and one instrument, room for 65,536 working orders
// (42,302 stand at most) and for 16,384 ended ones. The core looks ahead over 16 requests at a
// time, as the engine's loop does when several wait.
//
// Before anything is timed both engines execute the workload once, and the digests of their reports
// must be equal. Engines are new for every round; rounds of the three alternate.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/baseline_engine.h"
#include "bench/one_trader.h"
#include "bench/own_ring.h"
#include "bench/result_rows.h"
#include "bench/store_sink.h"
#include "bench/workload_requests.h"
#include "bench/zeroed_memory.h"
#include "tools/measure.h"

namespace shmatch::bench {
namespace {

constexpr std::size_t kBatch = 16;
constexpr std::uint32_t kRingSlots = 1U << 16;
constexpr int kPausesWhenEmpty = 4096;  // some 40 to 160 microseconds

void cpu_pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

class Clock {
 public:
  double nanoseconds_for(std::uint64_t messages) const {
    const std::chrono::duration<double, std::nano> taken =
        std::chrono::steady_clock::now() - begin_;
    return taken.count() / static_cast<double>(messages);
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// Reports for a second thread. Waits where the ring is full: the reader is never far behind.
class RingSink final : public core::ReportPort {
 public:
  RingSink() noexcept : ReportPort(&next_) { make_room(); }

  void send(core::SessionSlot, std::uint32_t slots) noexcept override {
    ring_.writer().publish(slots);
    ++reports;
    make_room();
  }

  // What the second thread does: takes `count` reports. The sum shows that it has read them.
  std::uint64_t drain(std::uint64_t count) noexcept {
    std::uint64_t words[core::kMessageWordsMax] = {};
    std::uint64_t sum = 0;
    while (count > 0) {
      if (ring_.reader().read(words) == ipc::RingResult::kDone) {
        sum += words[0] ^ words[1];
        --count;
      } else {
        // Whoever looks all the time takes each line away while it is being written; whoever comes
        // back later finds many that are complete.
        for (int i = 0; i < kPausesWhenEmpty; ++i) cpu_pause();
      }
    }
    return sum;
  }

  std::uint64_t reports = 0;

 private:
  void make_room() noexcept {
    while (ring_.writer().reserve(core::kSlotsPerMessageMax) != ipc::RingResult::kDone) cpu_pause();
    next_ = ring_.writer().room();
  }

  OwnRing<kRingSlots> ring_;
  std::uint64_t* next_ = nullptr;
};

// A core and its memory, which is the same pages for each of them.
class Core {
 public:
  Core(const core::Configuration& configuration, const ZeroedMemory& memory, core::ReportPort& port)
      : engine_(configuration, memory.span(), 0x5EED, port, false), hints_(engine_) {
    engine_.logon(0, {.user_id = 1}, 0);
  }
  core::MatchingEngine& engine() noexcept { return engine_; }

  void execute(const WorkloadRequests& workload, bool hints) {
    const RequestLine* line = workload.lines.data();
    const RequestLine* const end = line + workload.lines.size();
    core::Sequence number = 0;
    while (line != end) {
      const auto batch = std::min(static_cast<std::size_t>(end - line), kBatch);
      const RequestLine* const stop = line + batch;
      if (hints && hints_.worthwhile()) {
        for (std::size_t i = 0; i < batch; ++i) hints_.far(line[i].words);
        for (std::size_t i = 0; i < batch; ++i) hints_.near(line[i].words);
      }
      while (line < stop) line = give_line(engine_, line, ++number);
    }
  }

 private:
  core::MatchingEngine engine_;
  core::LookAhead hints_;
};

class Subject {
 public:
  Subject(const core::Configuration& configuration, const ZeroedMemory& memory,
          const Scenario& scenario, std::uint32_t orders, std::uint64_t seed, WorkloadKey key)
      : configuration_(configuration), memory_(memory) {
    const std::vector<WorkloadMessage> messages = make_workload(scenario, orders, seed);
    {
      FirstHearing heard;
      clear();
      Core core(configuration_, memory_, heard);
      std::uint64_t standing = 0;
      core_ = prepare_requests(core.engine(), heard, messages, orders, key,
                               [&](const auto&) { standing += core.engine().working_orders(); });
      mean_standing_ = standing / core_.messages;
      fills_ = core.engine().trade_count();
    }
    FirstHearing heard;
    BaselineEngine baseline(configuration_, heard);
    baseline.logon(0, {.user_id = 1}, 0);
    baseline_ = prepare_requests(baseline, heard, messages, orders, key, [](const auto&) {});
  }

  bool engines_agree() const noexcept {
    return core_.digest == baseline_.digest && core_.reports == baseline_.reports;
  }
  std::uint64_t messages() const noexcept { return core_.messages; }
  std::uint64_t reports() const noexcept { return core_.reports; }
  std::uint64_t mean_standing() const noexcept { return mean_standing_; }
  std::uint64_t fills() const noexcept { return fills_; }
  // Reports of timed runs that were not those of the first one; 0 when all is well.
  std::uint64_t missing() const noexcept { return missing_; }

  double core_round(bool hints) {
    StoreSink<> sink;
    clear();
    Core core(configuration_, memory_, sink);
    const Clock clock;
    core.execute(core_, hints);
    const double taken = clock.nanoseconds_for(core_.messages);
    missing_ += core_.reports - sink.reports;
    return taken;
  }

  double baseline_round() {
    StoreSink<> sink;
    BaselineEngine engine(configuration_, sink);
    engine.logon(0, {.user_id = 1}, 0);
    const RequestLine* line = baseline_.lines.data();
    const RequestLine* const end = line + baseline_.lines.size();
    core::Sequence number = 0;
    const Clock clock;
    while (line != end) line = give_line(engine, line, ++number);
    const double taken = clock.nanoseconds_for(baseline_.messages);
    missing_ += baseline_.reports - sink.reports;
    return taken;
  }

  double total_round(int reader_cpu) {
    RingSink sink;
    clear();
    Core core(configuration_, memory_, sink);
    std::atomic<bool> ready{false};
    std::atomic<std::uint64_t> sum{0};
    std::thread reader([&] {
      tools::pin_to_cpu(reader_cpu);
      ready = true;
      sum = sink.drain(core_.reports);
    });
    while (!ready) cpu_pause();
    const Clock clock;
    core.execute(core_, true);
    reader.join();
    const double taken = clock.nanoseconds_for(core_.messages);
    missing_ += core_.reports - sink.reports + (sum == 0 ? 1 : 0);
    return taken;
  }

 private:
  void clear() { std::fill(memory_.span().begin(), memory_.span().end(), std::byte{}); }

  const core::Configuration& configuration_;
  const ZeroedMemory& memory_;
  WorkloadRequests core_;
  WorkloadRequests baseline_;
  std::uint64_t mean_standing_ = 0;
  std::uint64_t fills_ = 0;
  std::uint64_t missing_ = 0;
};

struct Options {
  int rounds = 5;
  std::uint32_t orders = kWorkloadOrders;
  std::uint64_t seed = kWorkloadSeed;
  std::string scenario;  // empty: all
  std::uint32_t working = 1U << 16;
  std::uint32_t finished = 1U << 14;
  std::string key = "order-id";
  bool json = false;
};

enum Kind { kCore, kUnhinted, kBaseline, kTotal, kKinds };

// False when the engines do not agree.
bool measure(const Options& options, const core::Configuration& configuration,
             const ZeroedMemory& memory, const Scenario& scenario, int reader_cpu,
             ResultRows& rows) {
  const auto key = options.key == "order-id" ? WorkloadKey::kOrderId : WorkloadKey::kClientId;
  Subject subject(configuration, memory, scenario, options.orders, options.seed, key);
  if (!subject.engines_agree()) {
    std::fprintf(stderr, "core and baseline do not report the same in scenario %s\n",
                 scenario.name);
    return false;
  }
  std::array<std::vector<double>, kKinds> costs;
  std::vector<double> speedups;
  for (int round = 0; round < options.rounds; ++round) {
    costs[kCore].push_back(subject.core_round(true));
    costs[kBaseline].push_back(subject.baseline_round());
    costs[kUnhinted].push_back(subject.core_round(false));
    costs[kTotal].push_back(subject.total_round(reader_cpu));
    speedups.push_back(costs[kBaseline].back() / costs[kCore].back());
  }
  if (subject.missing() != 0) {
    std::fprintf(stderr, "a timed run of scenario %s reported something else than the first one\n",
                 scenario.name);
    return false;
  }
  rows.begin();
  rows.add("scenario", scenario.name);
  rows.add("messages", static_cast<double>(subject.messages()));
  rows.add("reports", static_cast<double>(subject.reports()));
  rows.add("fills", static_cast<double>(subject.fills()));
  rows.add("mean_live_orders", static_cast<double>(subject.mean_standing()));
  rows.add("core_ns_per_message", costs[kCore]);
  rows.add("core_unhinted_ns_per_message", costs[kUnhinted]);
  rows.add("baseline_ns_per_message", costs[kBaseline]);
  rows.add("core_speedup", speedups);
  rows.add("total_ns_per_message", costs[kTotal]);
  rows.add("rounds", static_cast<double>(options.rounds));
  rows.add("key", options.key);
  rows.add("digest", "none");
  return true;
}

int run(const Options& options) {
  const std::vector<int> cpus = tools::allowed_cpus();
  if (cpus.size() < 2) {
    std::fprintf(stderr, "the hand-over to a second thread needs two processors\n");
    return 3;
  }
  tools::pin_to_cpu(cpus.back());
  core::Configuration configuration = one_trader(options.working);
  configuration.capacities.finished_orders = options.finished;
  const ZeroedMemory memory(core::MatchingEngine::memory_size(configuration));
  ResultRows rows("workload");
  for (const Scenario& scenario : scenarios()) {
    if (!options.scenario.empty() && options.scenario != scenario.name) continue;
    if (!measure(options, configuration, memory, scenario, cpus.front(), rows)) return 1;
  }
  rows.print(options.json);
  return 0;
}

}  // namespace
}  // namespace shmatch::bench

int main(int argc, char** argv) {
  CLI::App app{"What a message of the public workload costs, scenario by scenario."};
  shmatch::bench::Options options;
  app.add_option("--rounds", options.rounds, "Rounds of each engine")
      ->check(CLI::Range(5, 1000))
      ->capture_default_str();
  app.add_option("--orders", options.orders, "New orders a run")
      ->check(CLI::Range(1000U, shmatch::bench::kWorkloadOrders))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of the workload")->capture_default_str();
  std::vector<std::string> names;
  for (const auto& scenario : shmatch::bench::scenarios()) names.emplace_back(scenario.name);
  app.add_option("--scenario", options.scenario, "One scenario only")->check(CLI::IsMember(names));
  app.add_option("--working", options.working, "Working orders that the engines have room for")
      ->check(CLI::Range(1U << 10, 1U << 26))
      ->capture_default_str();
  app.add_option("--finished", options.finished, "Ended orders that stay known")
      ->check(CLI::Range(0U, 1U << 26))
      ->capture_default_str();
  app.add_option("--key", options.key, "What cancels name orders by")
      ->check(CLI::IsMember({"order-id", "client-id"}))
      ->capture_default_str();
  app.add_flag("--json", options.json, "One JSON object instead of a table");
  CLI11_PARSE(app, argc, argv);
  return shmatch::bench::run(options);
}
