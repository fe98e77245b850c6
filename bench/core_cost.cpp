// What the core needs for one request when requests wait in batches: cancel a random resting order,
// enter one that rests, enter one that takes a resting one. Checks, both indices, the book, ended
// orders and the reports are all in it; there is no ring, no journal, no session thread.
//
// Orders of one kind are measured at a time: a block cancels some thousand random orders, then
// enters as many again. The same engine is measured with and without looking ahead
// (core/look_ahead.h; below 4,096 orders it gives no hints, and both rows are the same),
// with and without the digest of the state.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <optional>
#include <vector>

#include "bench/one_trader.h"
#include "bench/store_sink.h"
#include "bench/zeroed_memory.h"
#include "core/input_record.h"
#include "core/look_ahead.h"
#include "core/matching_engine.h"
#include "tests/unit/random.h"
#include "tools/measure.h"

namespace shmatch::bench {
namespace {

using tests::Random;

constexpr core::Ticks kMiddle = 1'000'000;

struct Notes {
  void operator()(const std::uint64_t* report) noexcept {
    if (type_of(report) == core::ReportType::kOrderAccepted) {
      last_order_id =
          static_cast<core::OrderId>(report[offsetof(core::OrderAccepted, order_id) / 8]);
    } else if (type_of(report) == core::ReportType::kReceipt) {
      refused += refuses(report) ? 1 : 0;
    }
  }

  core::OrderId last_order_id = 0;  // of the newest accepted order
  std::uint64_t refused = 0;
};

class Subject {
 public:
  Subject(std::size_t live, std::uint64_t levels, bool digest)
      : configuration_(one_trader(live)),
        memory_(core::MatchingEngine::memory_size(configuration_)),
        engine_(configuration_, memory_.span(), 0x5EED, sink_, digest),
        hints_(engine_),
        levels_(levels),
        live_(live) {
    engine_.logon(0, {.user_id = 1}, 0);
    for (core::OrderId& order : live_) {
      entry();
      apply(records_.data(), 1, false);
      records_.clear();
      order = sink_.note.last_order_id;
    }
  }

  // Cancels `count` random orders and enters as many; nanoseconds for each cancel and each entry.
  std::array<double, 2> block(std::size_t count, bool hints) {
    for (std::size_t i = 0; i < count; ++i) {
      // Without repeats: the last of those not yet chosen takes the place of the chosen one.
      const std::size_t place = random_.below(live_.size() - i);
      std::swap(live_[place], live_[live_.size() - 1 - i]);
      core::CancelOrder cancel;
      cancel.oms_id = 1;
      cancel.order_id = live_[live_.size() - 1 - i];
      put(cancel);
    }
    const double cancels = timed(count, hints);
    for (std::size_t i = 0; i < count; ++i) entry();
    const double entries = timed(count, hints);
    for (std::size_t i = 0; i < count; ++i) live_[live_.size() - 1 - i] = entered_[i];
    return {cancels, entries};
  }

  std::uint64_t refused() const noexcept { return sink_.note.refused; }

 private:
  struct Record {
    std::uint64_t words[core::kInputRequestWords + sizeof(core::NewOrder) / 8];
  };

  template <class Message>
  void put(const Message& message) {
    core::Request request;
    request.assign(message);
    ++now_;
    core::encode_request(records_.emplace_back().words, 0, ++request_, request, now_);
  }

  void entry() {
    core::NewOrder order;
    order.oms_id = 1;
    order.account_id = 1;
    order.instrument_id = 1;
    order.cl_ord_id = ++cl_ord_id_;
    order.side = random_.one_in(2) ? core::Side::kBuy : core::Side::kSell;
    order.order_type = core::OrderType::kLimit;
    order.time_in_force = core::TimeInForce::kGtc;
    order.set_quantity(core::in_increments(1));
    const auto away = static_cast<core::Ticks>(1 + random_.below(levels_));
    order.set_limit_price(
        core::in_increments(order.side == core::Side::kBuy ? kMiddle - away : kMiddle + away));
    put(order);
  }

  void apply(const Record* records, std::size_t count, bool hints) {
    entered_.resize(count);
    if (hints) {
      for (std::size_t i = 0; i < count && i < core::LookAhead::kFar; ++i) {
        hints_.far_record(records[i].words);
        if (i < core::LookAhead::kNear) hints_.near_record(records[i].words);
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (hints) {
        if (i + core::LookAhead::kFar < count)
          hints_.far_record(records[i + core::LookAhead::kFar].words);
        if (i + core::LookAhead::kNear < count) {
          hints_.near_record(records[i + core::LookAhead::kNear].words);
        }
      }
      core::apply(engine_, records[i].words);
      entered_[i] = sink_.note.last_order_id;
    }
  }

  double timed(std::size_t count, bool hints) {
    const auto begin = std::chrono::steady_clock::now();
    apply(records_.data(), count, hints);
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    records_.clear();
    return taken.count() / static_cast<double>(count);
  }

  core::Configuration configuration_;
  ZeroedMemory memory_;
  StoreSink<Notes> sink_;
  core::MatchingEngine engine_;
  core::LookAhead hints_;
  std::uint64_t levels_;
  std::vector<core::OrderId> live_;
  std::vector<core::OrderId> entered_;
  std::vector<Record> records_;
  Random random_{1};
  core::ClOrdId cl_ord_id_ = 0;
  core::Sequence request_ = 0;
  core::TimeNs now_ = 0;
};

int run(int rounds, std::size_t count, std::size_t live, std::uint64_t levels) {
  tools::pin_to_cpu(tools::allowed_cpus().back());
  std::printf("%zu live orders, %llu price levels a side, blocks of %zu\n", live,
              static_cast<unsigned long long>(levels), count);
  for (const bool digest : {false, true}) {
    Subject subject(live, levels, digest);
    std::array<std::array<std::vector<double>, 2>, 2> costs;
    subject.block(count, true);
    for (int round = 0; round < rounds; ++round) {
      for (const bool hints : {false, true}) {
        const std::array<double, 2> cost = subject.block(count, hints);
        costs[hints][0].push_back(cost[0]);
        costs[hints][1].push_back(cost[1]);
      }
    }
    for (const bool hints : {false, true}) {
      const tools::Spread cancel = tools::spread_of(costs[hints][0]);
      const tools::Spread entry = tools::spread_of(costs[hints][1]);
      std::printf("%-10s %-9s  cancel %6.1f (%.1f to %.1f)   entry %6.1f (%.1f to %.1f)\n",
                  digest ? "digest" : "no digest", hints ? "ahead" : "not ahead", cancel.median,
                  cancel.low, cancel.high, entry.median, entry.low, entry.high);
    }
    if (subject.refused() != 0) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace shmatch::bench

int main(int argc, char** argv) {
  CLI::App app{"What the core needs for each request when requests wait in batches."};
  int rounds = 21;
  std::size_t count = 2'000;
  std::size_t live = 10'000;
  std::uint64_t levels = 500;
  app.add_option("--rounds", rounds)->check(CLI::Range(5, 10'000))->capture_default_str();
  app.add_option("--block", count)->check(CLI::Range(100, 1'000'000))->capture_default_str();
  app.add_option("--live", live)->check(CLI::Range(1'000, 10'000'000))->capture_default_str();
  app.add_option("--levels", levels)->check(CLI::Range(1, 100'000))->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return shmatch::bench::run(rounds, std::min(count, live), live, levels);
}
