#include "tools/measure.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <new>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace shmatch::tools {
namespace {

using Clock = std::chrono::steady_clock;

void cpu_pause() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// Two lines, each written by one side only. 256 bytes apart: neighbouring lines are fetched in
// pairs.
struct Lines {
  alignas(256) std::atomic<std::uint64_t> ping{0};
  alignas(256) std::atomic<std::uint64_t> pong{0};
};

[[noreturn]] void answer_pings(Lines& lines, int cpu, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent || !pin_to_cpu(cpu)) _exit(1);
  for (std::uint64_t expected = 1;; ++expected) {
    while (lines.ping.load(std::memory_order_acquire) != expected) cpu_pause();
    lines.pong.store(expected, std::memory_order_release);
  }
}

constexpr std::chrono::seconds kAnswerDeadline{5};

// Takes reports until `wanted(report)`; false when the engine is silent for too long.
template <class Wanted>
bool await(Client& client, Report& report, Wanted wanted) {
  for (;;) {
    for (int spin = 0; spin < 1'000'000; ++spin) {
      if (client.poll(report)) {
        if (wanted(report)) return true;
        spin = 0;
      } else {
        cpu_pause();
      }
    }
    // Only a silent engine brings us here; a clock reading costs nothing then.
    const auto deadline = Clock::now() + kAnswerDeadline;
    while (!client.poll(report)) {
      if (Clock::now() > deadline || client.check_socket() != EngineState::kServing) return false;
      sched_yield();
    }
    if (wanted(report)) return true;
  }
}

// In place, if the client has asked for that.
bool await_reply(Client& client, Report& report, RequestId request) {
  for (int spin = 0; spin < 1'000'000; ++spin) {
    if (client.early_reply(report)) return true;
    if (client.poll(report) && replied_request(report) == request) return true;
    cpu_pause();
  }
  return await(client, report, [&](const Report& r) { return replied_request(r) == request; });
}

core::NewOrder resting_order(const RoundTripOptions& options, core::Ticks price) {
  core::NewOrder order;
  order.oms_id = 1;
  order.account_id = options.account_id;
  order.instrument_id = options.instrument_id;
  order.side = core::Side::kBuy;
  order.order_type = core::OrderType::kLimit;
  order.set_quantity(core::in_increments(1));
  order.set_limit_price(core::in_increments(price));
  return order;
}

constexpr core::Ticks kBestPrice = 10'000;

// One order in, one order out; ticks of the three moments are added when `result` is not null.
bool round_trip(Client& client, const core::NewOrder& order, RoundTrips* result) {
  Report report;
  const std::uint64_t sent = timer_ticks();
  const RequestId entry = client.send(order);
  if (entry == 0) return false;
  if (!await_reply(client, report, entry)) return false;
  const std::uint64_t accepted = timer_ticks();
  if (!report.is<core::OrderAccepted>()) return false;
  const core::OrderId order_id = report.as<core::OrderAccepted>().order_id;
  if (!await(client, report, [](const Report& r) { return r.is<core::OrderEntered>(); })) {
    return false;
  }

  core::CancelOrder cancel;
  cancel.oms_id = 1;
  cancel.order_id = order_id;
  const std::uint64_t cancelling = timer_ticks();
  const RequestId request = client.cancel(cancel);
  if (request == 0) return false;
  if (!await_reply(client, report, request)) return false;
  const std::uint64_t received = timer_ticks();
  if (!report.is<core::Receipt>() || report.as<core::Receipt>().code != core::ErrorCode::kOk) {
    return false;
  }
  if (!await(client, report, [](const Report& r) { return r.is<core::OrderChanged>(); })) {
    return false;
  }
  const std::uint64_t done = timer_ticks();
  if (report.as<core::OrderChanged>().order_id != order_id) return false;
  if (result != nullptr) {
    result->send_receipt.add(accepted - sent);
    result->cancel_receipt.add(received - cancelling);
    result->cancel_outcome.add(done - cancelling);
  }
  return true;
}

}  // namespace

std::uint64_t timer_ticks() noexcept {
#if defined(__x86_64__)
  unsigned processor = 0;
  const std::uint64_t ticks = __rdtscp(&processor);
  _mm_lfence();  // later work must not start before the reading
  return ticks;
#else
  return static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
#endif
}

std::uint64_t loose_ticks() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return timer_ticks();
#endif
}

double nanoseconds_per_tick() {
  static const double value = [] {
    const auto begin_time = Clock::now();
    const std::uint64_t begin = timer_ticks();
    while (Clock::now() - begin_time < std::chrono::milliseconds(50)) cpu_pause();
    const std::uint64_t end = timer_ticks();
    const std::chrono::duration<double, std::nano> elapsed = Clock::now() - begin_time;
    return elapsed.count() / static_cast<double>(end - begin);
  }();
  return value;
}

double timer_cost_ns() {
  Samples samples;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t begin = timer_ticks();
    samples.add(timer_ticks() - begin);
  }
  return samples.percentile_ns(0.5);
}

double Samples::percentile_ns(double fraction) {
  if (ticks_.empty()) return 0;
  if (!sorted_) std::sort(ticks_.begin(), ticks_.end());
  sorted_ = true;
  const auto rank = static_cast<std::size_t>(fraction * static_cast<double>(ticks_.size() - 1));
  return static_cast<double>(ticks_[rank]) * nanoseconds_per_tick();
}

double Samples::midmean_ns() {
  if (ticks_.empty()) return 0;
  percentile_ns(0.5);  // sorts
  const std::size_t quarter = ticks_.size() / 4;
  double sum = 0;
  for (std::size_t i = quarter; i < ticks_.size() - quarter; ++i) {
    sum += static_cast<double>(ticks_[i]);
  }
  return sum / static_cast<double>(ticks_.size() - 2 * quarter) * nanoseconds_per_tick();
}

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return Spread{values[values.size() / 2], values.front(), values.back()};
}

std::pair<double, double> median_interval(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  const double half = 0.98 * std::sqrt(n);
  const auto low = static_cast<std::size_t>(std::max(0.0, std::floor(n / 2 - half)));
  const auto high = static_cast<std::size_t>(std::min(n - 1, std::ceil(n / 2 + half)));
  return {values[low], values[high]};
}

bool pin_to_cpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

Samples ping_pong(int own_cpu, int partner_cpu, std::size_t count) {
  Samples samples;
  samples.reserve(count);
  void* memory = mmap(nullptr, sizeof(Lines), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) return samples;
  auto* lines = new (memory) Lines;
  const pid_t parent = getpid();
  const pid_t partner = fork();
  if (partner == 0) answer_pings(*lines, partner_cpu, parent);
  if (partner > 0 && pin_to_cpu(own_cpu)) {
    const std::size_t warm_up = count / 10 + 1000;
    for (std::uint64_t i = 1; i <= warm_up + count; ++i) {
      const std::uint64_t begin = timer_ticks();
      lines->ping.store(i, std::memory_order_release);
      while (lines->pong.load(std::memory_order_acquire) != i) {
        // A partner that could not be pinned has gone; a live one answers within nanoseconds.
        if (i == 1 && waitpid(partner, nullptr, WNOHANG) == partner) {
          munmap(memory, sizeof(Lines));
          return samples;
        }
        cpu_pause();
      }
      const std::uint64_t end = timer_ticks();
      if (i > warm_up) samples.add(end - begin);
    }
  }
  if (partner > 0) {
    kill(partner, SIGKILL);
    waitpid(partner, nullptr, 0);
  }
  munmap(memory, sizeof(Lines));
  return samples;
}

bool prepare_book(Client& client, const RoundTripOptions& options, std::string& error) {
  for (std::size_t i = 0; i < options.resting_orders; ++i) {
    // Twenty levels below the price at which the measured orders come and go.
    const auto depth = static_cast<core::Ticks>(1 + i % 20);
    Report reply;
    if (const Failure failure = client.call(resting_order(options, kBestPrice - depth), reply)) {
      error = failure.text;
      return false;
    }
    if (!reply.is<core::OrderAccepted>()) {
      error = "the engine refused a resting order: " +
              client.reference().describe(reply.as<core::Receipt>().refusal());
      return false;
    }
  }
  for (Report report; client.poll(report);) {
  }
  return true;
}

void RoundTrips::reserve(std::size_t more) {
  for (auto* samples : {&send_receipt, &cancel_receipt, &cancel_outcome}) samples->reserve(more);
}

bool round_trips(Client& client, const RoundTripOptions& options, std::size_t count,
                 RoundTrips& result, std::string& error) {
  return round_trips(std::span(&client, 1), options, count, result, error);
}

bool round_trips(std::span<Client> clients, const RoundTripOptions& options, std::size_t count,
                 RoundTrips& result, std::string& error) {
  core::NewOrder order = resting_order(options, kBestPrice);
  std::size_t turn = 0;
  result.reserve(count);
  const auto interval = static_cast<std::uint64_t>(options.interval_ns / nanoseconds_per_tick());
  std::uint64_t due = timer_ticks();
  for (std::size_t i = 0; i < options.warm_up + count; ++i) {
    while (interval != 0 && timer_ticks() < due) cpu_pause();
    due += interval;
    Client& client = clients[turn];
    order.account_id = options.account_id + static_cast<core::AccountId>(turn);
    if (++turn == clients.size()) turn = 0;
    if (!round_trip(client, order, i < options.warm_up ? nullptr : &result)) {
      error = "round trip " + std::to_string(i) +
              " did not go as a resting order's entry and "
              "cancel must: the engine refused, stopped or fell silent";
      return false;
    }
  }
  return true;
}

}  // namespace shmatch::tools
