// What a journal and the digest of the state cost the engine thread, for each request.
//
// One process, the same stream of requests (cancel a random resting order, enter a new one) through
// four engines in turn: without and with the incremental digest of the state, without and with the
// input log in front. The log's other end is a real journal thread that writes a real journal. A
// round gives each engine one block of requests; the order of the four changes from round to round.
// Differences are taken within a round; the interval holds the median of the differences with 95 %.
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

#include "bench/one_trader.h"
#include "bench/zeroed_memory.h"
#include "core/configuration_bytes.h"
#include "core/matching_engine.h"
#include "ipc/input_log.h"
#include "ipc/journal_folder.h"
#include "ipc/recovery.h"
#include "tests/unit/random.h"
#include "tools/measure.h"

namespace shmatch::bench {
namespace {

using tests::Random;

constexpr std::size_t kQueueWords = 1U << 17;  // as the server has it
constexpr core::Ticks kMiddle = 100'000;

class Sink final : public core::ReportSink {
 public:
  void deliver(core::SessionSlot, const core::Report& report) noexcept override {
    if (report.is<core::OrderAccepted>()) last_order_id = report.as<core::OrderAccepted>().order_id;
    if (report.is<core::Receipt>()) {
      refused += report.as<core::Receipt>().code != core::ErrorCode::kOk;
    }
  }
  std::uint64_t refused = 0;
  core::OrderId last_order_id = 0;
};

// A journal with its thread, as ipc::LiveJournal makes it.
class Journal {
 public:
  Journal(const std::string& folder, const core::Configuration& configuration)
      : folder_(files_), writer_(files_, folder), queue_(kQueueWords) {
    const std::string bytes = core::encode_configuration(configuration);
    ipc::Fault fault = folder_.take(folder);
    ipc::SegmentStart start;
    start.configuration = std::as_bytes(std::span(bytes));
    if (!fault) fault = writer_.open(start);
    if (fault) {
      std::fprintf(stderr, "%s\n", fault.text.c_str());
      std::exit(1);
    }
    thread_.emplace(writer_, queue_, ipc::Durability::kAsync, std::chrono::milliseconds(10),
                    [](ipc::LogLevel, std::string_view text) {
                      std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
                    });
    thread_->start(-1);
  }
  ipc::InputLog log() { return {queue_, *thread_, ipc::Durability::kAsync}; }

 private:
  ipc::PosixFileLayer files_;
  ipc::JournalFolder folder_;
  ipc::JournalWriter writer_;
  ipc::JournalQueue queue_;
  std::optional<ipc::JournalThread> thread_;
};

class Subject {
 public:
  Subject(std::size_t working, bool digest, ipc::InputLog log)
      : configuration_(one_trader(working)),
        memory_(core::MatchingEngine::memory_size(configuration_)),
        log_(log),
        engine_(configuration_, memory_.span(), 0x5EED, sink_, digest),
        working_(working) {
    log_.logon(0, {.user_id = 1}, 0);
    engine_.logon(0, {.user_id = 1}, 0);
    for (core::OrderId& order : working_) order = enter();
  }

  // Nanoseconds a request.
  double block(std::size_t pairs) {
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < pairs; ++i) {
      core::OrderId& order = working_[random_.below(working_.size())];
      core::CancelOrder cancel;
      cancel.oms_id = 1;
      cancel.order_id = order;
      apply(cancel);
      order = enter();
    }
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    return taken.count() / static_cast<double>(2 * pairs);
  }

  std::uint64_t refused() const noexcept { return sink_.refused; }

 private:
  core::OrderId enter() {
    core::NewOrder order;
    order.oms_id = 1;
    order.account_id = 1;
    order.instrument_id = 1;
    order.cl_ord_id = ++cl_ord_id_;
    order.side = random_.one_in(2) ? core::Side::kBuy : core::Side::kSell;
    order.order_type = core::OrderType::kLimit;
    order.time_in_force = core::TimeInForce::kGtc;
    order.set_quantity(core::in_increments(1));
    const auto away = static_cast<core::Ticks>(1 + random_.below(500));
    order.set_limit_price(
        core::in_increments(order.side == core::Side::kBuy ? kMiddle - away : kMiddle + away));
    apply(order);
    return sink_.last_order_id;
  }

  template <class Message>
  void apply(const Message& message) {
    core::Request request;
    request.assign(message);
    ++now_;
    while (!log_.room(2)) {
    }
    engine_.request(0, ++request_, request, now_);
    log_.request(0, request_, request, now_);
    log_.publish();
  }

  core::Configuration configuration_;
  ZeroedMemory memory_;
  Sink sink_;
  ipc::InputLog log_;
  core::MatchingEngine engine_;
  std::vector<core::OrderId> working_;
  Random random_{1};
  core::ClOrdId cl_ord_id_ = 0;
  core::Sequence request_ = 0;
  core::TimeNs now_ = 0;
};

int run(int rounds, std::size_t pairs, std::size_t working, const std::string& folder) {
  constexpr std::array<const char*, 4> kNames = {"no journal, no digest", "no journal, digest",
                                                 "async journal, no digest",
                                                 "async journal, digest"};
  const std::vector<int> cpus = tools::allowed_cpus();
  const core::Configuration what = one_trader(working);
  Journal plain(folder + "/plain", what);
  Journal digested(folder + "/digested", what);
  tools::pin_to_cpu(cpus.back());  // the journal threads were started before and run elsewhere
  std::array<std::optional<Subject>, 4> subjects;
  subjects[0].emplace(working, false, ipc::InputLog());
  subjects[1].emplace(working, true, ipc::InputLog());
  subjects[2].emplace(working, false, plain.log());
  subjects[3].emplace(working, true, digested.log());

  std::array<std::vector<double>, 4> costs;
  for (auto& subject : subjects) subject->block(pairs);
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      const std::size_t which = (i + static_cast<std::size_t>(round)) % subjects.size();
      costs[which].push_back(subjects[which]->block(pairs));
    }
  }
  std::printf("%d rounds of %zu requests an engine, %zu resting orders; engine on cpu %d\n\n",
              rounds, 2 * pairs, working, cpus.back());
  std::printf("%-26s %10s   %-22s\n", "ns a request", "median", "more than the first (95 %)");
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    if (subjects[i]->refused() != 0) {
      std::fputs("a request was refused\n", stderr);
      return 1;
    }
    std::vector<double> more;
    for (std::size_t round = 0; round < costs[i].size(); ++round) {
      more.push_back(costs[i][round] - costs[0][round]);
    }
    const auto [low, high] = tools::median_interval(more);
    std::printf("%-26s %10.1f   %.1f (%.1f to %.1f)\n", kNames[i],
                tools::spread_of(costs[i]).median, tools::spread_of(more).median, low, high);
  }
  return 0;
}

}  // namespace
}  // namespace shmatch::bench

int main(int argc, char** argv) {
  CLI::App app{"What a journal and the digest cost the engine thread, for each request."};
  int rounds = 41;
  std::size_t pairs = 10'000;
  std::size_t working = 10'000;
  std::string folder;
  app.add_option("--rounds", rounds, "Blocks of each engine")
      ->check(CLI::Range(5, 10'000))
      ->capture_default_str();
  app.add_option("--pairs", pairs, "Cancels and entries a block")
      ->check(CLI::Range(100, 10'000'000))
      ->capture_default_str();
  app.add_option("--resting", working, "Resting orders")
      ->check(CLI::Range(100, 10'000'000))
      ->capture_default_str();
  app.add_option("--folder", folder, "Where the journals go [a temporary folder, removed]");
  CLI11_PARSE(app, argc, argv);
  const bool temporary = folder.empty();
  if (temporary) {
    folder = std::filesystem::temp_directory_path() /
             ("shmatch-journal-cost-" + std::to_string(getpid()));
  }
  std::filesystem::create_directories(folder);
  const int result = shmatch::bench::run(rounds, pairs, working, folder);
  if (temporary) std::filesystem::remove_all(folder);
  return result;
}
