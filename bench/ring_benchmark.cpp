// Our ring beside boost::lockfree::spsc_queue, both with 56-byte messages and between two threads
// pinned to two cores.
//
// RoundTrip: a message there and one back, one in flight; the latency that a client sees of the
// transport alone. Stream: messages one way as fast as they go, with the producer waiting for room;
// the cost of a message under load.
#include <benchmark/benchmark.h>

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <memory>
#include <thread>

#include "bench/own_ring.h"
#include "tools/measure.h"

namespace shmatch::bench {
namespace {

constexpr std::uint32_t kSlots = 1024;

struct Message {
  std::uint64_t words[core::kSlotWords];
};

void cpu_pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

class OurRing {
 public:
  bool push(const Message& message) noexcept {
    return ring_.writer().write(message.words, 1) == ipc::RingResult::kDone;
  }
  bool pop(Message& message) noexcept {
    std::uint64_t words[core::kMessageWordsMax];
    if (ring_.reader().read(words) != ipc::RingResult::kDone) return false;
    std::copy_n(words, core::kSlotWords, message.words);
    return true;
  }
  // Where a message says how many slots it has.
  static constexpr std::uint64_t kFirstWord = 0x0100;

 private:
  OwnRing<kSlots> ring_;
};

class BoostRing {
 public:
  bool push(const Message& message) noexcept { return queue_->push(message); }
  bool pop(Message& message) noexcept { return queue_->pop(message); }
  static constexpr std::uint64_t kFirstWord = 0x0100;

 private:
  using Queue = boost::lockfree::spsc_queue<Message, boost::lockfree::capacity<kSlots>>;
  std::unique_ptr<Queue> queue_ = std::make_unique<Queue>();
};

// The two processors a benchmark uses; it cannot say anything with fewer.
bool two_cpus(benchmark::State& state, int& own, int& partner) {
  static const std::vector<int> cpus = tools::allowed_cpus();
  if (cpus.size() < 2) {
    state.SkipWithError("needs two processors");
    return false;
  }
  own = cpus[0];
  partner = cpus[1];
  return tools::pin_to_cpu(own);
}

template <class Ring>
void RoundTrip(benchmark::State& state) {
  int own = 0;
  int partner = 0;
  if (!two_cpus(state, own, partner)) return;
  auto there = std::make_unique<Ring>();
  auto back = std::make_unique<Ring>();
  std::atomic<bool> stop{false};
  std::thread echo([&] {
    tools::pin_to_cpu(partner);
    Message message;
    while (!stop.load(std::memory_order_relaxed)) {
      if (there->pop(message)) {
        while (!back->push(message)) cpu_pause();
      } else {
        cpu_pause();
      }
    }
  });
  Message message{{Ring::kFirstWord}};
  for (auto _ : state) {
    ++message.words[1];
    const std::uint64_t expected = message.words[1];
    while (!there->push(message)) cpu_pause();
    while (!back->pop(message)) cpu_pause();
    if (message.words[1] != expected) state.SkipWithError("another message came back");
  }
  stop = true;
  echo.join();
}

template <class Ring>
void Stream(benchmark::State& state) {
  int own = 0;
  int partner = 0;
  if (!two_cpus(state, own, partner)) return;
  auto ring = std::make_unique<Ring>();
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> taken{0};
  std::thread consumer([&] {
    tools::pin_to_cpu(partner);
    Message message;
    std::uint64_t count = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      if (ring->pop(message)) {
        ++count;
      } else {
        taken.store(count, std::memory_order_relaxed);
        cpu_pause();
      }
    }
  });
  Message message{{Ring::kFirstWord}};
  std::uint64_t sent = 0;
  for (auto _ : state) {
    ++message.words[1];
    while (!ring->push(message)) cpu_pause();
    ++sent;
  }
  while (taken.load(std::memory_order_relaxed) != sent) cpu_pause();
  stop = true;
  consumer.join();
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(RoundTrip<OurRing>)->UseRealTime();
BENCHMARK(RoundTrip<BoostRing>)->UseRealTime();
BENCHMARK(Stream<OurRing>)->UseRealTime();
BENCHMARK(Stream<BoostRing>)->UseRealTime();

}  // namespace
}  // namespace shmatch::bench

BENCHMARK_MAIN();
