// The core's own containers against the standard library's, on seeded random streams and at their
// edges; and the memory that an engine takes. The order store: order_store_test.cpp.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "core/id_map.h"
#include "core/level_index.h"
#include "core/matching_engine.h"
#include "core/price_ladder.h"
#include "core/slot_bitmap.h"
#include "tests/unit/arena_memory.h"
#include "tests/unit/random.h"

namespace shmatch::core {
namespace {

using Memory = tests::ArenaMemory;
using tests::Random;

TEST(SlotBitmap, FindsTheNextMemberLikeASet) {
  for (const std::size_t slots : {1U, 63U, 64U, 65U, 4096U, 4097U, 300'000U}) {
    Memory memory([&](Arena& arena) { SlotBitmap bitmap(arena, slots); });
    Arena arena = memory.arena();
    SlotBitmap bitmap(arena, slots);
    std::set<Index> expected;
    Random random(slots);
    for (int step = 0; step < 4000; ++step) {
      const auto slot = static_cast<Index>(random.below(slots));
      if (random.one_in(2)) {
        bitmap.insert(slot);
        expected.insert(slot);
      } else {
        bitmap.erase(slot);
        expected.erase(slot);
      }
      const auto from = static_cast<Index>(random.below(slots + 1));
      const auto found = expected.lower_bound(from);
      ASSERT_EQ(bitmap.at_or_after(from), found == expected.end() ? kNoIndex : *found)
          << "slots " << slots << " step " << step;
      ASSERT_EQ(bitmap.contains(slot), expected.contains(slot));
    }
  }
}

// A ladder and the ranks that it should have.
class Ladder {
 public:
  explicit Ladder(std::size_t levels)
      : memory_([=](Arena& arena) { LadderNodes nodes(arena, levels, 1); }),
        arena_(memory_.arena()),
        nodes_(arena_, levels, 1) {}

  void insert(Rank rank) {
    ladder_.insert(nodes_, rank);
    expected_.insert(rank);
  }
  void erase(Rank rank) {
    expected_.erase(rank);
    ladder_.erase(nodes_, rank);
  }
  // What is asked with this rank is answered as by the set.
  void compare_at(Rank rank) const {
    const auto lower = expected_.lower_bound(rank);
    ASSERT_EQ(ladder_.below(nodes_, rank),
              lower == expected_.begin() ? kNoRank : *std::prev(lower));
    ASSERT_EQ(ladder_.greatest(nodes_), greatest());
  }
  // So is a walk over all; nodes are as many as promised.
  void compare_all() const {
    ASSERT_EQ(ladder_.check_invariants(nodes_), expected_.size());
    Rank rank = ladder_.greatest(nodes_);
    std::set<Rank> blocks;
    for (auto it = expected_.rbegin(); it != expected_.rend(); ++it) {
      ASSERT_EQ(rank, *it);
      blocks.insert(rank >> kBlockBits);
      rank = ladder_.below(nodes_, rank);
    }
    ASSERT_EQ(rank, kNoRank);
    ASSERT_LE(nodes_.used(), blocks.size() / (kFillMin - 1) + 1);
  }
  const std::set<Rank>& expected() const { return expected_; }
  Rank greatest() const { return expected_.empty() ? kNoRank : *expected_.rbegin(); }
  Index nodes_used() const { return nodes_.used(); }

 private:
  Memory memory_;
  Arena arena_;
  LadderNodes nodes_;
  PriceLadder ladder_;
  std::set<Rank> expected_;
};

class PriceLadderAgainstSet : public testing::TestWithParam<std::uint64_t> {};

// Ranks from a small range share blocks and make hits and misses frequent; from a wide one, each
// has its own block, and trees are tall.
TEST_P(PriceLadderAgainstSet, AgreesAfterEveryOperation) {
  const std::uint64_t range = GetParam();
  constexpr std::size_t kLevels = 6000;
  Ladder ladder(kLevels);
  const std::set<Rank>& expected = ladder.expected();
  Random random(range);
  for (int step = 0; step < 60'000; ++step) {
    // Phases of growth and shrinkage, so that the ladder is emptied and refilled.
    const bool grow = (step / 10'000) % 2 == 0;
    const auto rank = static_cast<Rank>(random.below(range)) - static_cast<Rank>(range / 2);
    if (random.below(10) < (grow ? 8U : 2U) && expected.size() < kLevels) {
      if (!expected.contains(rank)) ladder.insert(rank);
    } else if (!expected.empty()) {
      auto victim = expected.lower_bound(rank);
      if (victim == expected.end() || random.one_in(4)) victim = std::prev(expected.end());
      ladder.erase(*victim);
    }
    ladder.compare_at(rank);
    if (step % 500 == 0) ladder.compare_all();
    if (HasFatalFailure()) FAIL() << "range " << range << " step " << step;
  }
  while (!expected.empty()) ladder.erase(*expected.begin());
  ladder.compare_all();
  EXPECT_EQ(ladder.nodes_used(), 1U) << "all but the root went back to the pool";
}

INSTANTIATE_TEST_SUITE_P(Ranges, PriceLadderAgainstSet,
                         testing::Values(40U, 600U, 8'000U, 100'000U, std::uint64_t{1} << 20,
                                         std::uint64_t{2} * kAmountMax));

TEST(PriceLadder, FindsRanksAtTheEdgesOfTheirRange) {
  Ladder ladder(8);
  ladder.compare_at(0);
  for (const Rank rank : {-kAmountMax - 1, kAmountMax, Rank{-2}, Rank{1}}) ladder.insert(rank);
  for (const Rank rank : {kNoRank, Rank{INT64_MAX}, -kAmountMax - 1, kAmountMax}) {
    ladder.compare_at(rank);
  }
  ladder.compare_all();
}

// First and last rank of a block, and their neighbours in the blocks beside it.
TEST(PriceLadder, FindsRanksAtTheEdgesOfBlocks) {
  constexpr Rank kBlock = 64;
  for (const Rank start : {-2 * kBlock, -kBlock, Rank{0}, kBlock, 1'000 * kBlock}) {
    Ladder ladder(8);
    for (const Rank rank : {start, start - 1, start + kBlock - 1, start + kBlock}) {
      ladder.insert(rank);
      for (Rank at = start - kBlock - 1; at <= start + 2 * kBlock; ++at) ladder.compare_at(at);
    }
    for (const Rank rank : {start + kBlock - 1, start - 1, start + kBlock, start}) {
      ladder.erase(rank);
      for (Rank at = start - kBlock - 1; at <= start + 2 * kBlock; ++at) ladder.compare_at(at);
    }
  }
}

// In rising, falling and alternating order, which put all the work at one end of the nodes.
TEST(PriceLadder, TakesSparsePricesInAnyOrder) {
  constexpr Rank kCount = 6000;
  for (const Rank factor : {1, -1, 7, -7}) {
    Ladder ladder(kCount);
    const auto rank = [=](Rank i) { return (i * factor % kCount) * 1'000; };
    for (Rank i = 0; i < kCount; ++i) {
      if (!ladder.expected().contains(rank(i))) ladder.insert(rank(i));
    }
    ladder.compare_all();
    for (Rank i = kCount - 1; i >= 0; i -= 2) {
      if (ladder.expected().contains(rank(i))) ladder.erase(rank(i));
      if (i % 501 == 0) ladder.compare_all();
    }
    while (!ladder.expected().empty()) ladder.erase(ladder.greatest());
    ladder.compare_all();
  }
}

// What the pool's size is derived from: fill it at one level a block, then thin it out in ways that
// leave sparse nodes.
TEST(PriceLadder, ThePoolNeverRunsOutBeforeTheLevels) {
  constexpr std::size_t kLevels = 20'000;
  Ladder ladder(kLevels);
  Random random(7);
  for (int round = 0; round < 20; ++round) {
    while (ladder.expected().size() < kLevels) {
      const auto rank = static_cast<Rank>(random.below(1U << 30)) * 64;
      if (!ladder.expected().contains(rank)) ladder.insert(rank);
    }
    ladder.compare_all();
    const std::uint64_t keep = 2 + random.below(40);
    std::uint64_t position = 0;
    const std::set<Rank> before = ladder.expected();
    for (const Rank rank : before) {
      if (position++ % keep != 0) ladder.erase(rank);
    }
    ladder.compare_all();
    ASSERT_FALSE(HasFatalFailure());
  }
}

// Levels that are found by an index, beside a map that knows where they are.
class Levels {
 public:
  Levels(std::size_t capacity, std::uint64_t salt)
      : memory_([=](Arena& arena) { carve(arena, capacity, salt); }),
        arena_(memory_.arena()),
        levels_(arena_.take<Level>(capacity)),
        index_(arena_, levels_, capacity, salt) {
    for (std::size_t i = capacity; i-- > 0;) free_.push_back(static_cast<Index>(i));
  }

  bool full() const { return free_.empty(); }
  bool contains(Index side, Ticks price) const { return expected_.contains({side, price}); }
  void put(Index side, Ticks price) {
    const Index level = free_.back();
    free_.pop_back();
    const std::uint32_t hash = index_.hash(side, price);
    levels_[level].price = price;
    levels_[level].side_index = side;
    levels_[level].hash = hash;
    index_.put(index_.locate(hash, side, price), hash, level);
    expected_[{side, price}] = level;
  }
  void erase(Index side, Ticks price) {
    const Index level = expected_.at({side, price});
    index_.erase(levels_[level].hash, level);
    expected_.erase({side, price});
    free_.push_back(level);
  }
  void compare_at(Index side, Ticks price) const {
    const auto found = expected_.find({side, price});
    const Index level = found == expected_.end() ? kNoIndex : found->second;
    ASSERT_EQ(index_.find(side, price), level);
    // A guess may be none, but names no other level than that with the same hash.
    const Index guessed = index_.guess(side, price);
    ASSERT_TRUE(guessed == level || guessed == kNoIndex ||
                levels_[guessed].hash == index_.hash(side, price));
  }
  void compare_all() const {
    for (const auto& [key, level] : expected_) compare_at(key.first, key.second);
    ASSERT_EQ(index_.count(), expected_.size());
  }
  const std::map<std::pair<Index, Ticks>, Index>& expected() const { return expected_; }

 private:
  static void carve(Arena& arena, std::size_t capacity, std::uint64_t salt) {
    const std::span<Level> levels = arena.take<Level>(capacity);
    LevelIndex index(arena, levels, capacity, salt);
  }
  Memory memory_;
  Arena arena_;
  std::span<Level> levels_;
  LevelIndex index_;
  std::vector<Index> free_;
  std::map<std::pair<Index, Ticks>, Index> expected_;
};

struct LevelRange {
  std::size_t capacity;
  std::uint64_t sides;
  std::uint64_t prices;
  Ticks step;
};
class LevelIndexAgainstMap : public testing::TestWithParam<LevelRange> {};

// Filled to the last level, emptied and refilled, under several salts.
TEST_P(LevelIndexAgainstMap, AgreesAfterEveryOperation) {
  const LevelRange& range = GetParam();
  for (const std::uint64_t salt : {std::uint64_t{0}, std::uint64_t{1}, 0x1234'5678'9ABC'DEF1U}) {
    Levels levels(range.capacity, salt);
    Random random(salt + range.capacity);
    for (int step = 0; step < 30'000; ++step) {
      const bool grow = (step / 5'000) % 2 == 0;
      const auto side = static_cast<Index>(random.below(range.sides));
      const Ticks price = 1 + static_cast<Ticks>(random.below(range.prices)) * range.step;
      if (random.below(10) < (grow ? 9U : 1U)) {
        if (!levels.full() && !levels.contains(side, price)) levels.put(side, price);
      } else if (!levels.expected().empty()) {
        auto victim = levels.expected().lower_bound({side, price});
        if (victim == levels.expected().end()) --victim;
        const auto [gone_side, gone_price] = victim->first;
        levels.erase(gone_side, gone_price);
        levels.compare_at(gone_side, gone_price);
      }
      levels.compare_at(side, price);
      if (step % 1'000 == 0) levels.compare_all();
      ASSERT_FALSE(HasFatalFailure()) << "salt " << salt << " step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ranges, LevelIndexAgainstMap,
                         testing::Values(LevelRange{1, 2, 3, 1},        // as few as there can be
                                         LevelRange{32, 2, 200, 1},     // as full as can be, dense
                                         LevelRange{1'000, 2, 600, 1},  // dense
                                         LevelRange{1'000, 2, 1'500, 8},  // one price a line
                                         LevelRange{1'000, 2, 1'000'000, 999'999'937},  // wide
                                         LevelRange{1'000, 131'070, 1'000'000,
                                                    1}));  // all sides that there can be

// When keys were folded once, the last two salts made searches up to 89 steps long on average.
TEST(LevelIndex, PricesInEqualStepsStayNearTheirHomes) {
  constexpr std::size_t kMany = 20'000;
  const std::vector<Level> none(kMany);
  const auto carve = [&](Arena& arena, std::uint64_t salt) {
    return LevelIndex(arena, none, kMany, salt);
  };
  std::vector<std::uint64_t> salts = {0, 1, 2, 3, 4, 5, 6, 7};
  for (const std::uint64_t seed : {86U, 174U}) {
    salts.push_back(seed * 0x9E37'79B9'7F4A'7C15U * (seed | 1) + seed * 0x0123'4567U);
  }
  for (const std::uint64_t salt : salts) {
    for (const Ticks step : {1L, 8L, 100L, 1'024L, 1L << 20, 1L << 24, 1L << 29, (1L << 32) + 1}) {
      Memory memory([&](Arena& arena) { carve(arena, salt); });
      Arena arena = memory.arena();
      LevelIndex index = carve(arena, salt);
      std::uint64_t steps = 0;
      for (Index level = 0; level < kMany; ++level) {
        const Ticks price = 1'000'000 + static_cast<Ticks>(level) * step;
        const std::uint32_t hash = index.hash(0, price);
        const std::uint32_t place = index.locate(hash, 0, price);
        index.put(place, hash, level);
        steps += index.steps_to(hash, place);
      }
      EXPECT_LT(steps, kMany * 3 / 4) << "salt " << salt << ", step " << step;
    }
  }
}

TEST(IdMap, FindsSmallAndLargeIdsAndNothingElse) {
  const std::vector<std::int64_t> ids = {1,   7,    510,       511,           512,
                                         513, 1024, 4'000'000, 2'147'483'647, 77};
  Memory memory([&](Arena& arena) { IdMap map(arena, ids.size()); });
  Arena arena = memory.arena();
  IdMap map(arena, ids.size());
  for (Index i = 0; i < ids.size(); ++i) map.insert(ids[i], i);
  for (Index i = 0; i < ids.size(); ++i) EXPECT_EQ(map.find(ids[i]), i);
  for (const std::int64_t id : {INT64_MIN, std::int64_t{-512}, std::int64_t{-1}, std::int64_t{0},
                                std::int64_t{2}, std::int64_t{509}, std::int64_t{514}, INT64_MAX}) {
    EXPECT_EQ(map.find(id), kNoIndex) << id;
  }
}

// Everything included; ended orders that stay known are a capacity of their own.
TEST(EngineMemory, IsAtMost160BytesForEachOfAMillionOrdersAndMore) {
  Configuration configuration;
  configuration.instruments = {{1, "TEST", {1, 0}, {1, 0}}};
  configuration.accounts = {1};
  configuration.users = {{1, "trader", kPermissionTrading, {1}}};
  for (const std::uint32_t orders :
       {1'000'000U, 1U << 20, (1U << 20) + 16, 1'500'000U, (1U << 22) + 16, 1U << 26}) {
    configuration.capacities = {orders, 0, 1};
    EXPECT_LE(MatchingEngine::memory_size(configuration), std::size_t{160} * orders) << orders;
  }
}

}  // namespace
}  // namespace shmatch::core
