// What the core needs for one operation when requests wait in batches, beside the baseline
// (bench/baseline_engine.h) and beside what memory alone needs for a cancel (bench/bare_cancel.h).
// One instrument, 500 price levels a side, orders of one lot, all with client order ids; 16,384
// ended orders stay known. Permission check, both keys, book, ended orders and the reports, written
// to memory, are in it; no ring, no journal.
//
//   cancel_random   a random resting order, by its OrderId
//   send_rest       a limit order that rests
//   send_cross      an immediate order that takes the first order of the best level
//   mixed           half send_rest, four tenths cancel_random, one tenth send_cross, shuffled
//
// An engine works through blocks of one kind of operation; what is missing or too many afterwards
// is made good outside the measured time. Core, baseline and bare cancel take turns, at least two
// blocks and 40,000 operations each, with the same operations on the same orders. The median of the
// second half of the blocks counts: until then caches and page tables hold what the others needed.
// `bytes_per_order` is by how much MatchingEngine::memory_size grows for each working order that is
// configured; cold_ns is the same operation without looking ahead and with nothing else in flight:
// a fence stands before and behind it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/bare_cancel.h"
#include "bench/baseline_engine.h"
#include "bench/one_trader.h"
#include "bench/result_rows.h"
#include "bench/store_sink.h"
#include "bench/workload_requests.h"
#include "bench/zeroed_memory.h"
#include "tests/unit/random.h"
#include "tools/measure.h"

namespace shmatch::bench {
namespace {

using core::Side;

constexpr core::Ticks kMiddle = 1'000'000;
constexpr std::uint64_t kLevels = 500;  // a side
constexpr std::size_t kBareBatch = 32;
constexpr std::size_t kLargestBlock = 100'000;
constexpr std::size_t kOperationsATurn = 40'000;
// With so many orders a round takes most of a minute, nearly all of it untimed.
constexpr std::size_t kFewRoundsFrom = 5'000'000;
constexpr int kFewRounds = 5;

enum class Op { kCancelRandom, kSendRest, kSendCross, kMixed };
constexpr std::array kOps = {Op::kCancelRandom, Op::kMixed, Op::kSendRest, Op::kSendCross};
const char* name_of(Op op) {
  switch (op) {
    case Op::kCancelRandom:
      return "cancel_random";
    case Op::kSendRest:
      return "send_rest";
    case Op::kSendCross:
      return "send_cross";
    case Op::kMixed:
      return "mixed";
  }
  return "";
}

void wait_for_all_before() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_lfence();
#else
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

// Which orders came to rest and which ended, and how many requests were refused.
struct Notes {
  struct Note {
    core::ClOrdId cl_ord_id;
    core::OrderId order_id;  // 0: it has ended
  };

  void operator()(const std::uint64_t* report) noexcept {
    const core::ReportType type = type_of(report);
    if (type == core::ReportType::kOrderEntered || type == core::ReportType::kOrderChanged) {
      // Both begin alike. The state is in the header's third byte.
      const bool works =
          static_cast<core::OrderState>(report[0] >> 16 & 15) == core::OrderState::kWorking;
      notes[count++] = {static_cast<core::ClOrdId>(report[3]),
                        works ? static_cast<core::OrderId>(report[2]) : 0};
    } else if (type == core::ReportType::kReceipt) {
      refused += refuses(report) ? 1 : 0;
    }
  }

  std::vector<Note> notes;
  std::size_t count = 0;
  std::uint64_t refused = 0;
};
static_assert(offsetof(core::OrderChanged, order_id) == 16 &&
              offsetof(core::OrderEntered, order_id) == 16 &&
              offsetof(core::OrderChanged, cl_ord_id) == 24 &&
              offsetof(core::OrderEntered, cl_ord_id) == 24);

// An engine's population of orders. The order in place p has client order id p + 1, so that the
// same places are chosen for every engine, whatever ids it gives. Give(first, last) has the engine
// execute lines.
class Population {
 public:
  Population(std::size_t live, std::size_t block) : ids_(live + block), where_(live + block) {
    for (std::size_t place = ids_.size(); place-- > 0;) {
      free_.push_back(static_cast<std::uint32_t>(place));
    }
    sink.note.notes.resize(4 * block);
  }

  // The next lines to be executed: `count` operations.
  void plan(Op op, std::size_t count) {
    lines.clear();
    cancelled_ = 0;
    entered_ = 0;
    for (std::size_t i = 0; i < count; ++i) {
      Op one = op;
      if (op == Op::kMixed) {
        const std::uint64_t point = random_.below(10);
        one = point < 5 ? Op::kSendRest : point < 9 ? Op::kCancelRandom : Op::kSendCross;
      }
      if (one == Op::kCancelRandom) {
        put(core::CancelOrder{.oms_id = 1, .order_id = ids_[choose()]});
      } else {
        put(entry(one == Op::kSendCross));
      }
    }
    sink.note.count = 0;
  }

  // After the lines were executed.
  void take_note() {
    free_.resize(free_.size() - entered_);
    for (std::size_t i = 0; i < sink.note.count; ++i) {
      const Notes::Note& note = sink.note.notes[i];
      const auto place = static_cast<std::uint32_t>(note.cl_ord_id - 1);
      if (place >= ids_.size()) continue;  // a taker
      ids_[place] = note.order_id;
      if (note.order_id != 0) {
        where_[place] = static_cast<std::uint32_t>(live_.size());
        live_.push_back(place);
      } else {
        move_live(live_.size() - 1, where_[place]);
        live_.pop_back();
        free_.push_back(place);
      }
    }
  }

  std::size_t live() const noexcept { return live_.size(); }

  StoreSink<Notes> sink;
  std::vector<RequestLine> lines;

 private:
  template <class Message>
  void put(const Message& message) {
    core::Request request;
    request.assign(message);
    RequestLine& line = lines.emplace_back();
    for (std::size_t i = 0; i < sizeof message / 8; ++i) line.words[i] = request.words[i];
  }

  // A random live place that this plan has not chosen yet.
  std::size_t choose() {
    const std::size_t at = cancelled_ + random_.below(live_.size() - cancelled_);
    const std::uint32_t chosen = live_[at];
    move_live(cancelled_, at);
    live_[cancelled_] = chosen;
    where_[chosen] = static_cast<std::uint32_t>(cancelled_++);
    return chosen;
  }
  void move_live(std::size_t from, std::size_t to) noexcept {
    live_[to] = live_[from];
    where_[live_[to]] = static_cast<std::uint32_t>(to);
  }

  core::NewOrder entry(bool takes) {
    core::NewOrder order;
    order.oms_id = 1;
    order.account_id = 1;
    order.instrument_id = 1;
    order.side = random_.one_in(2) ? Side::kBuy : Side::kSell;
    order.order_type = core::OrderType::kLimit;
    order.set_quantity(core::in_increments(1));
    const auto away = static_cast<core::Ticks>(1 + random_.below(kLevels));
    core::Ticks price = order.side == Side::kBuy ? kMiddle - away : kMiddle + away;
    if (takes) {
      order.time_in_force = core::TimeInForce::kIoc;
      // Beyond the other side's last level.
      const auto all = static_cast<core::Ticks>(kLevels);
      price = order.side == Side::kBuy ? kMiddle + all : kMiddle - all;
      order.cl_ord_id = static_cast<core::ClOrdId>(ids_.size() + ++takers_);
    } else {
      order.cl_ord_id = static_cast<core::ClOrdId>(free_[free_.size() - ++entered_]) + 1;
    }
    order.set_limit_price(core::in_increments(price));
    return order;
  }

  std::vector<core::OrderId> ids_;  // by place; 0: free
  // Places, in few bytes: between two blocks, with many orders, fetching these takes most time.
  std::vector<std::uint32_t> live_;
  std::vector<std::uint32_t> where_;  // by place, while it is live: its index in live_
  std::vector<std::uint32_t> free_;
  std::size_t cancelled_ = 0;  // of this plan
  std::size_t entered_ = 0;
  std::uint64_t takers_ = 0;
  tests::Random random_{1};
};

// How an engine is given a block of lines.
enum class Way { kHints, kPlain, kSerialised };

class CoreSubject {
 public:
  CoreSubject(std::size_t live, std::size_t block, bool digest)
      : population(live, block),
        memory_(core::MatchingEngine::memory_size(one_trader(live + block))),
        engine_(one_trader(live + block), memory_.span(), 0x5EED, population.sink, digest),
        hints_(engine_) {
    engine_.logon(0, {.user_id = 1}, 0);
  }

  void execute(Way way) noexcept {
    const std::vector<RequestLine>& lines = population.lines;
    if (way == Way::kSerialised) {
      for (const RequestLine& line : lines) {
        wait_for_all_before();
        give_line(engine_, &line, ++number_);
      }
      return wait_for_all_before();
    }
    constexpr std::size_t kFar = core::LookAhead::kFar;
    constexpr std::size_t kNear = core::LookAhead::kNear;
    if (way == Way::kHints && hints_.worthwhile()) {
      for (std::size_t i = 0; i < lines.size() && i < kFar; ++i) hints_.far(lines[i].words);
      for (std::size_t i = 0; i < lines.size() && i < kNear; ++i) hints_.near(lines[i].words);
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool hints = way == Way::kHints && hints_.worthwhile();
      if (hints && i + kFar < lines.size()) hints_.far(lines[i + kFar].words);
      if (hints && i + kNear < lines.size()) hints_.near(lines[i + kNear].words);
      give_line(engine_, &lines[i], ++number_);
    }
  }
  std::uint64_t trades() const noexcept { return engine_.trade_count(); }

  Population population;

 private:
  ZeroedMemory memory_;
  core::MatchingEngine engine_;
  core::LookAhead hints_;
  core::Sequence number_ = 0;
};

class BaselineSubject {
 public:
  BaselineSubject(std::size_t live, std::size_t block)
      : population(live, block), engine_(one_trader(live + block), population.sink) {
    engine_.logon(0, {.user_id = 1}, 0);
  }

  void execute(Way) {
    for (const RequestLine& line : population.lines) give_line(engine_, &line, ++number_);
  }
  std::uint64_t trades() const noexcept { return engine_.trade_count(); }

  Population population;

 private:
  BaselineEngine engine_;
  core::Sequence number_ = 0;
};

template <class Work>
double nanoseconds_each(std::size_t count, Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
  return taken.count() / static_cast<double>(count);
}

template <class Subject>
double timed_block(Subject& subject, Op op, std::size_t count, Way way) {
  subject.population.plan(op, count);
  const double cost = nanoseconds_each(count, [&] { subject.execute(way); });
  subject.population.take_note();
  return cost;
}

// Brings the population back to `live` orders.
template <class Subject>
void refill(Subject& subject, std::size_t live, std::size_t block) {
  while (subject.population.live() != live) {
    const std::size_t now = subject.population.live();
    const bool more = now < live;
    timed_block(subject, more ? Op::kSendRest : Op::kCancelRandom,
                std::min(block, more ? live - now : now - live), Way::kHints);
  }
}

struct Options {
  int rounds = 21;
  bool large = false;
  bool digest = false;
  bool json = false;
};

// The default has a price level for every 16 of so many orders.
double bytes_per_order() {
  constexpr std::size_t kFew = 1U << 20;
  const std::size_t few = core::MatchingEngine::memory_size(one_trader(kFew));
  const std::size_t many = core::MatchingEngine::memory_size(one_trader(2 * kFew));
  return static_cast<double>(many - few) / static_cast<double>(kFew);
}

struct Costs {
  std::vector<double> core, unhinted, cold, baseline, speedup, bound;
};

void one_round(Op op, std::size_t live, std::size_t block, CoreSubject& fast,
               BaselineSubject& plain, BareCancel& bare, Costs& costs) {
  const std::size_t blocks = std::max<std::size_t>(2, kOperationsATurn / block);
  const auto second_half = [blocks](auto one_block) {
    std::vector<double> counted;
    for (std::size_t i = 0; i < blocks; ++i) {
      const double cost = one_block();
      if (i >= blocks / 2) counted.push_back(cost);
    }
    return tools::spread_of(counted).median;
  };
  const auto with = [&](auto& subject, Way way) {
    return second_half([&] {
      const double cost = timed_block(subject, op, block, way);
      refill(subject, live, block);
      return cost;
    });
  };
  costs.core.push_back(with(fast, Way::kHints));
  costs.baseline.push_back(with(plain, Way::kPlain));
  costs.speedup.push_back(costs.baseline.back() / costs.core.back());
  costs.unhinted.push_back(with(fast, Way::kPlain));
  with(plain, Way::kPlain);  // both see the same operations
  costs.cold.push_back(with(fast, Way::kSerialised));
  with(plain, Way::kPlain);
  costs.bound.push_back(second_half([&] {
    bare.choose(block);
    const double bound = nanoseconds_each(block, [&] { bare.cancel(); });
    bare.restore();
    return bound;
  }));
}

// False when the engines did not do the same.
bool measure(const Options& options, std::size_t live, ResultRows& rows) {
  const std::size_t block = std::min<std::size_t>(live / 4, kLargestBlock);
  CoreSubject fast(live, block, options.digest);
  BaselineSubject plain(live, block);
  BareCancel bare(live, 2 * kLevels, kBareBatch);
  refill(fast, live, block);
  refill(plain, live, block);
  std::array<Costs, kOps.size()> costs;
  const int rounds = live > kFewRoundsFrom ? std::min(options.rounds, kFewRounds) : options.rounds;
  for (int round = -1; round < rounds; ++round) {
    for (std::size_t i = 0; i < kOps.size(); ++i) {
      Costs warm_up;
      one_round(kOps[i], live, block, fast, plain, bare, round < 0 ? warm_up : costs[i]);
    }
  }
  if (fast.trades() != plain.trades() || bare.count() != live ||
      fast.population.sink.note.refused != plain.population.sink.note.refused ||
      fast.population.sink.reports != plain.population.sink.reports) {
    std::fprintf(stderr, "with %zu orders core and baseline did not do the same\n", live);
    return false;
  }
  for (std::size_t i = 0; i < kOps.size(); ++i) {
    rows.begin();
    rows.add("op", name_of(kOps[i]));
    rows.add("live_orders", static_cast<double>(live));
    rows.add("ns_per_op", costs[i].core);
    rows.add("unhinted_ns_per_op", costs[i].unhinted);
    rows.add("baseline_ns", costs[i].baseline);
    rows.add("speedup", costs[i].speedup);
    rows.add("bound_ns", costs[i].bound);
    rows.add("cold_ns", costs[i].cold);
    rows.add("bytes_per_order", bytes_per_order());
    rows.add("rounds", static_cast<double>(rounds));
    rows.add("digest", options.digest ? "state" : "none");
  }
  return true;
}

int run(const Options& options) {
  tools::pin_to_cpu(tools::allowed_cpus().back());
  ResultRows rows("core");
  std::vector<std::size_t> sizes = {10'000, 1'000'000};
  if (options.large) sizes.push_back(10'000'000);
  for (const std::size_t live : sizes) {
    if (!measure(options, live, rows)) return 1;
  }
  rows.print(options.json);
  return 0;
}

}  // namespace
}  // namespace shmatch::bench

int main(int argc, char** argv) {
  CLI::App app{"What the core needs for an operation, beside a baseline and what memory needs."};
  shmatch::bench::Options options;
  app.add_option("--rounds", options.rounds, "Turns of each operation and engine")
      ->check(CLI::Range(5, 10'000))
      ->capture_default_str();
  app.add_flag("--large", options.large,
               "Also 10,000,000 orders, five rounds at most; needs about 8 GB");
  app.add_flag("--digest", options.digest, "The core keeps the digest of its state");
  app.add_flag("--json", options.json, "One JSON object instead of a table");
  CLI11_PARSE(app, argc, argv);
  return shmatch::bench::run(options);
}
