#include "bench/workload.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "tests/unit/random.h"

namespace shmatch::bench {
namespace {

using core::Side;
using core::TimeNs;
using Kind = WorkloadMessage::Kind;

constexpr std::array<Scenario, 5> kScenarios{{{"static", 0.15, 0.0},
                                              {"normal", 0.15, 0.02},
                                              {"swing-25", 0.50, 0.25},
                                              {"swing-40", 0.50, 0.40},
                                              {"flash-crash", 0.50, 0.60}}};

constexpr double kStartTicks = 33'504;
constexpr std::size_t kDistances = 4'096;
constexpr double kYearNs = 365.25 * 86'400e9;
constexpr double kMedianLifeNs = 431e3;
constexpr std::uint64_t kDelayLowNs = 30'000;
constexpr std::uint64_t kDelayRangeNs = 70'001;

// The distributions are written out: those of the standard library differ between libraries.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {
    double sum = 0;
    for (std::size_t k = 0; k < kDistances; ++k) {
      const auto x = static_cast<double>(k);
      sum += std::pow(x + 1, -2.23) + 5 * std::exp(-(x - 8) * (x - 8) / 2);
      up_to_[k] = sum;
    }
  }

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool percent(std::uint64_t chance) { return random_.below(100) < chance; }
  // In 0..1, without 1.
  double uniform() { return static_cast<double>(random_.next() >> 11) * 0x1p-53; }
  double exponential(double mean) { return -mean * std::log(1 - uniform()); }
  // Variance 1. Near enough to a normal distribution for a walk of many steps.
  double step() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }
  std::uint32_t distance() {
    const double point = uniform() * up_to_.back();
    const auto* found = std::upper_bound(up_to_.begin(), up_to_.end(), point);
    return static_cast<std::uint32_t>(std::min<std::ptrdiff_t>(
        found - up_to_.begin(), static_cast<std::ptrdiff_t>(kDistances - 1)));
  }
  TimeNs delay() { return static_cast<TimeNs>(kDelayLowNs + below(kDelayRangeNs)); }

 private:
  tests::Random random_;
  std::array<double, kDistances> up_to_{};
};

struct Placed {
  std::int32_t price;
  std::uint32_t distance;
  Side side;
};

std::vector<Placed> place_orders(const Scenario& scenario, std::uint32_t count, Draw& draw) {
  std::vector<Placed> orders(count);
  const double step = scenario.swing / std::sqrt(static_cast<double>(count));
  double middle = kStartTicks;
  for (std::uint32_t i = 0; i < count; ++i) {
    Placed& order = orders[i];
    order.side = i < count / 2 ? Side::kBuy : Side::kSell;
    order.distance = draw.distance();
    const auto away = static_cast<std::int32_t>(1 + order.distance);
    const auto ticks = static_cast<std::int32_t>(middle + 0.5);
    order.price = std::max(1, order.side == Side::kBuy ? ticks - away : ticks + away);
    // A factor with mean 1: no drift.
    middle *= 1 + step * draw.step();
  }
  for (std::uint32_t i = count - 1; i > 0; --i) {
    std::swap(orders[i], orders[draw.below(std::uint64_t{i} + 1)]);
  }
  return orders;
}

// All that is sent about an order which may rest, after it was entered.
void follow_up(const WorkloadMessage& entry, std::uint32_t distance, Draw& draw,
               std::vector<WorkloadMessage>& messages) {
  WorkloadMessage last = entry;
  const bool modified = draw.percent(20);
  const auto modify = [&](TimeNs time) {
    last.kind = Kind::kModify;
    last.time = time;
    ++last.quantity;
    if (draw.percent(80)) last.price += last.side == Side::kBuy ? 1 : last.price > 1 ? -1 : 0;
    messages.push_back(last);
  };
  if (modified) modify(entry.time + draw.delay());
  if (!draw.percent(95)) return;
  const double mean = kMedianLifeNs / std::log(2.0) * std::sqrt(1.0 + distance);
  WorkloadMessage cancel = last;
  cancel.kind = Kind::kCancel;
  cancel.time += static_cast<TimeNs>(draw.exponential(mean));
  cancel.price = 0;
  cancel.quantity = 0;
  messages.push_back(cancel);
  const TimeNs cancelled = cancel.time;
  if (draw.percent(2)) {
    cancel.time = cancelled + draw.delay();
    messages.push_back(cancel);
  }
  if (modified && draw.percent(2)) modify(cancelled + draw.delay());
}

}  // namespace

std::span<const Scenario> scenarios() noexcept { return kScenarios; }

std::vector<WorkloadMessage> make_workload(const Scenario& scenario, std::uint32_t new_orders,
                                           std::uint64_t seed) {
  Draw draw(seed);
  const std::vector<Placed> orders = place_orders(scenario, new_orders, draw);
  std::vector<WorkloadMessage> messages;
  messages.reserve(std::size_t{new_orders} * 21 / 10);
  // A middle that does not move gives no length: the run is then as long as `normal`.
  const double swing = scenario.swing > 0 ? scenario.swing : kScenarios[1].swing;
  const double years = swing / scenario.volatility * (swing / scenario.volatility);
  const double gap = years * kYearNs / new_orders;
  double now = 0;
  for (std::uint32_t i = 0; i < new_orders; ++i) {
    now += draw.exponential(gap);
    const WorkloadMessage entry{.time = static_cast<TimeNs>(now),
                                .order = i,
                                .kind = Kind::kNew,
                                .side = orders[i].side,
                                .immediate = draw.percent(15),
                                .price = orders[i].price,
                                .quantity = static_cast<std::int32_t>(1 + draw.below(100))};
    messages.push_back(entry);
    if (!entry.immediate) follow_up(entry, orders[i].distance, draw, messages);
  }
  std::stable_sort(messages.begin(), messages.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  return messages;
}

}  // namespace shmatch::bench
