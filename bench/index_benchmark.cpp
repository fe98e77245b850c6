// The index by (account, client order id) beside boost::unordered_flat_map with the same duties: a
// cancel-heavy life, in which each step finds a random live order, forgets it, and enters a new one
// under a fresh id. The live count holds.
//
// Both find the order's slot; ours compares the key in the order record, as the engine does, so its
// record array is part of the working set, and the map's is not.
#include <benchmark/benchmark.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <vector>

#include "bench/zeroed_memory.h"
#include "core/client_id_index.h"
#include "tests/unit/random.h"

namespace shmatch::bench {
namespace {

using tests::Random;

struct Key {
  core::Index account;
  core::ClOrdId cl_ord_id;
  friend bool operator==(const Key&, const Key&) = default;
};

struct KeyHash {
  std::size_t operator()(const Key& key) const noexcept {
    return boost::hash<std::uint64_t>()(static_cast<std::uint64_t>(key.cl_ord_id) * 8 +
                                        key.account);
  }
};

// Client order ids as clients choose them: increasing.
Key nth_key(std::uint64_t n) noexcept {
  return {static_cast<core::Index>(n % 8), static_cast<core::ClOrdId>(1'000'000 + n)};
}

void OurIndex(benchmark::State& state) {
  const auto live = static_cast<std::size_t>(state.range(0));
  core::Arena measuring;
  measuring.take<core::Order>(live);
  core::ClientIdIndex(measuring, live, {}, 1);
  const ZeroedMemory memory(measuring.used() + 64);
  core::Arena arena(memory.span());
  const std::span<core::Order> orders = arena.take<core::Order>(live);
  core::ClientIdIndex index(arena, live, orders, 0x5EED);
  std::vector<core::ClientIdPlace> places(live);
  std::uint64_t next = 0;
  const auto enter = [&](core::Index slot) {
    const Key key = nth_key(next++);
    orders[slot].account = static_cast<std::uint16_t>(key.account);
    orders[slot].cl_ord_id = key.cl_ord_id;
    places[slot] = index.put(key.account, key.cl_ord_id, slot);
  };
  std::vector<Key> keys(live);
  for (core::Index slot = 0; slot < live; ++slot) {
    keys[slot] = nth_key(next);
    enter(slot);
  }
  Random random(1);
  for (auto _ : state) {
    const auto victim = static_cast<core::Index>(random.below(live));
    const Key key = keys[victim];
    const core::Index slot = index.find(key.account, key.cl_ord_id);
    if (slot != victim) state.SkipWithError("lost an order");
    index.erase(places[slot], slot);
    keys[victim] = nth_key(next);
    enter(slot);
  }
  state.SetItemsProcessed(state.iterations());
}

void BoostUnorderedFlatMap(benchmark::State& state) {
  const auto live = static_cast<std::size_t>(state.range(0));
  boost::unordered_flat_map<Key, core::Index, KeyHash> index;
  index.reserve(live * 2);
  std::uint64_t next = 0;
  std::vector<Key> keys(live);
  for (core::Index slot = 0; slot < live; ++slot) {
    keys[slot] = nth_key(next++);
    index.emplace(keys[slot], slot);
  }
  Random random(1);
  for (auto _ : state) {
    const auto victim = static_cast<core::Index>(random.below(live));
    const auto found = index.find(keys[victim]);
    if (found == index.end() || found->second != victim) state.SkipWithError("lost an order");
    const core::Index slot = found->second;
    index.erase(found);
    keys[victim] = nth_key(next++);
    index.emplace(keys[victim], slot);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(OurIndex)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(BoostUnorderedFlatMap)->Arg(10'000)->Arg(1'000'000);

}  // namespace
}  // namespace shmatch::bench

BENCHMARK_MAIN();
