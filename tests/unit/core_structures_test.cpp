// The core's own containers against the standard library's, on seeded random streams and at their
// edges.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "core/level_tree.h"
#include "core/order_store.h"
#include "core/slot_bitmap.h"
#include "tests/unit/random.h"

namespace shmatch::core {
namespace {

using tests::Random;

// Zeroed memory for what `make(arena)` carves.
class Memory {
 public:
  template <class Make>
  explicit Memory(Make make) {
    Arena measuring;
    make(measuring);
    size_ = (measuring.used() + 4095) / 4096 * 4096;
    memory_.reset(static_cast<std::byte*>(std::aligned_alloc(4096, size_)));
    std::fill_n(memory_.get(), size_, std::byte{0});
  }
  Arena arena() { return Arena({memory_.get(), size_}); }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::size_t size_ = 0;
  std::unique_ptr<std::byte, Free> memory_;
};

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

class LevelTreeAgainstMap : public testing::TestWithParam<std::uint64_t> {};

// Ranks from a small range make splits, merges and misses frequent; from a wide one, tall trees.
TEST_P(LevelTreeAgainstMap, AgreesAfterEveryOperation) {
  const std::uint64_t range = GetParam();
  constexpr std::size_t kLevels = 3000;
  Memory memory([&](Arena& arena) { LevelNodePool pool(arena, kLevels, 1); });
  Arena arena = memory.arena();
  LevelNodePool pool(arena, kLevels, 1);
  LevelTree tree;
  std::map<Rank, Index> expected;
  Random random(range);
  for (int step = 0; step < 60'000; ++step) {
    // Phases of growth and shrinkage, so that the tree is emptied and refilled.
    const bool grow = (step / 6000) % 2 == 0;
    const auto rank = static_cast<Rank>(random.below(range)) - static_cast<Rank>(range / 2);
    if (random.below(10) < (grow ? 7U : 3U) && expected.size() < kLevels) {
      if (!expected.contains(rank)) {
        tree.insert(pool, rank, static_cast<Index>(step));
        expected[rank] = static_cast<Index>(step);
      }
    } else if (!expected.empty()) {
      auto victim = expected.lower_bound(rank);
      if (victim == expected.end()) --victim;
      tree.erase(pool, victim->first);
      expected.erase(victim);
    }
    const auto lower = expected.lower_bound(rank);
    ASSERT_EQ(tree.below(pool, rank),
              lower == expected.begin() ? kNoIndex : std::prev(lower)->second);
    const auto same = expected.find(rank);
    ASSERT_EQ(tree.find(pool, rank), same == expected.end() ? kNoIndex : same->second);
    ASSERT_EQ(tree.best(pool), expected.empty() ? kNoIndex : expected.rbegin()->second);
    if (step % 100 == 0) {
      ASSERT_EQ(tree.check_invariants(pool), expected.size());
    }
  }
  while (!expected.empty()) {
    tree.erase(pool, expected.begin()->first);
    expected.erase(expected.begin());
  }
  EXPECT_TRUE(tree.empty());
  EXPECT_EQ(pool.used(), 0U) << "every node went back to the pool";
}

INSTANTIATE_TEST_SUITE_P(Ranges, LevelTreeAgainstMap,
                         testing::Values(40U, 2000U, 100'000U, std::uint64_t{1} << 50));

TEST(LevelTree, FindsRanksAtTheEdgesOfTheirRange) {
  Memory memory([](Arena& arena) { LevelNodePool pool(arena, 8, 1); });
  Arena arena = memory.arena();
  LevelNodePool pool(arena, 8, 1);
  LevelTree tree;
  tree.insert(pool, -kAmountMax, 1);
  tree.insert(pool, kAmountMax, 2);
  EXPECT_EQ(tree.best(pool), 2U);
  EXPECT_EQ(tree.below(pool, kAmountMax), 1U);
  EXPECT_EQ(tree.below(pool, -kAmountMax), kNoIndex);
}

// The pool promises a quarter of the levels: fill it, then thin it out in ways that leave sparse
// nodes.
TEST(LevelTree, ThePoolNeverRunsOutBeforeTheLevels) {
  constexpr std::size_t kLevels = 20'000;
  Memory memory([](Arena& arena) { LevelNodePool pool(arena, kLevels, 1); });
  Arena arena = memory.arena();
  LevelNodePool pool(arena, kLevels, 1);
  LevelTree tree;
  Random random(7);
  std::set<Rank> ranks;
  for (int round = 0; round < 20; ++round) {
    while (ranks.size() < kLevels) {
      const auto rank = static_cast<Rank>(random.below(1U << 30));
      if (ranks.insert(rank).second) tree.insert(pool, rank, 0);
    }
    const std::uint64_t keep = 2 + random.below(40);
    std::uint64_t position = 0;
    for (auto it = ranks.begin(); it != ranks.end();) {
      if (position++ % keep == 0) {
        ++it;
        continue;
      }
      tree.erase(pool, *it);
      it = ranks.erase(it);
    }
    ASSERT_EQ(tree.check_invariants(pool), ranks.size());
    ASSERT_LE(pool.used(), ranks.size() / 4 + 4);
  }
}

struct Store {
  explicit Store(const Capacities& capacities, std::uint64_t salt = 1)
      : memory([&](Arena& measuring) { OrderStore measured(measuring, capacities, salt); }),
        arena(memory.arena()),
        orders(arena, capacities, salt) {
    orders.reset();
  }
  Index enter(Index account, ClOrdId cl_ord_id) {
    const OrderStore::Place place = orders.allocate();
    Order order{};
    order.order_id = place.order_id;
    order.level = kNoIndex;
    order.state = OrderState::kWorking;
    order.account = static_cast<std::uint16_t>(account);
    order.cl_ord_id = cl_ord_id;
    orders[place.slot] = order;
    if (cl_ord_id != 0) orders.client_ids().put(account, cl_ord_id, place.slot);
    return place.slot;
  }
  void end(Index slot) {
    orders[slot].state = OrderState::kCanceled;
    orders.finish(slot, {.update_time = 7, .end_sequence = 9});
    if (orders.overfull()) orders.forget_oldest();
  }
  Memory memory;
  Arena arena;
  OrderStore orders;
};

TEST(OrderStore, NumbersOrdersFromOneUpwards) {
  Store store({.working_orders = 10, .finished_orders = 10, .sessions = 1});
  EXPECT_EQ(store.orders[store.enter(0, 0)].order_id, 1);
  EXPECT_EQ(store.orders[store.enter(0, 0)].order_id, 2);
  EXPECT_EQ(store.orders.find(OrderId{3}), kNoIndex);
  EXPECT_EQ(store.orders.find(OrderId{0}), kNoIndex);
  EXPECT_EQ(store.orders.find(OrderId{-1}), kNoIndex);
}

TEST(OrderStore, IdsGrowAndAreNeverReusedOverManyRounds) {
  Store store({.working_orders = 5, .finished_orders = 3, .sessions = 1});
  OrderId last = 0;
  OrderId first = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Index slot = store.enter(0, 0);
    ASSERT_GT(store.orders[slot].order_id, last);
    last = store.orders[slot].order_id;
    if (first == 0) first = last;
    store.end(slot);
  }
  EXPECT_EQ(store.orders.find(first), kNoIndex) << "long forgotten";
  EXPECT_LT(last, 40'000) << "skipping does not use ids up quickly";
}

TEST(OrderStore, RemembersExactlyTheConfiguredNumberOfEndedOrders) {
  Store store({.working_orders = 100, .finished_orders = 4, .sessions = 1});
  std::vector<OrderId> ended;
  for (int i = 0; i < 20; ++i) {
    const Index slot = store.enter(0, i + 1);
    ended.push_back(store.orders[slot].order_id);
    store.end(slot);
    for (std::size_t k = 0; k < ended.size(); ++k) {
      const bool known = store.orders.find(ended[k]) != kNoIndex;
      ASSERT_EQ(known, ended.size() - k <= 4);
      ASSERT_EQ(store.orders.find(0, static_cast<ClOrdId>(k + 1)) != kNoIndex, known);
    }
  }
  store.orders.check_invariants();
}

TEST(OrderStore, APairNamesItsNewestOrder) {
  Store store({.working_orders = 10, .finished_orders = 2, .sessions = 1});
  const Index old = store.enter(3, 77);
  store.end(old);
  EXPECT_EQ(store.orders.find(3, 77), old);
  const Index fresh = store.enter(3, 77);
  EXPECT_EQ(store.orders.find(3, 77), fresh);
  EXPECT_EQ(store.orders.find(4, 77), kNoIndex);
  EXPECT_EQ(store.orders.end_of(old).end_sequence, 9U);
  EXPECT_EQ(store.orders.end_of(fresh).end_sequence, 0U) << "it works";
  for (int i = 0; i < 3; ++i) store.end(store.enter(0, 0));  // `old` is forgotten
  EXPECT_FALSE(store.orders.known(old)) << "though its record is as it was";
  EXPECT_EQ(store.orders.find(3, 77), fresh) << "the older order takes the pair not with it";
}

// Small tables make every kind of collision and backward shift; several salts make different ones.
TEST(ClientIdIndex, AgreesWithAMapWhateverTheSalt) {
  for (std::uint64_t salt = 1; salt <= 40; ++salt) {
    const Capacities capacities{.working_orders = 48, .finished_orders = 16, .sessions = 1};
    Store store(capacities, salt * 0x1234567U);
    Random random(salt);
    std::vector<Index> working;
    std::map<std::pair<Index, ClOrdId>, Index> newest;
    for (int step = 0; step < 3000; ++step) {
      const auto account = static_cast<Index>(random.below(3));
      const auto cl_ord_id = static_cast<ClOrdId>(1 + random.below(60));
      const Index known = store.orders.find(account, cl_ord_id);
      if (working.size() < 48 && random.one_in(2)) {
        const bool taken = known != kNoIndex && store.orders[known].state == OrderState::kWorking;
        if (!taken) {
          working.push_back(store.enter(account, cl_ord_id));
          newest[{account, cl_ord_id}] = working.back();
        }
      } else if (!working.empty()) {
        const std::size_t victim = random.below(working.size());
        store.end(working[victim]);
        working.erase(working.begin() + static_cast<std::ptrdiff_t>(victim));
      }
      const Index found = store.orders.find(account, cl_ord_id);
      if (found != kNoIndex) {
        ASSERT_EQ(found, (newest[{account, cl_ord_id}]));
      }
      if (step % 50 == 0) store.orders.check_invariants();
    }
  }
}

}  // namespace
}  // namespace shmatch::core
