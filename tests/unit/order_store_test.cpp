// The order store and its index of client ids: ids, what stays known, hints, and all pairs against
// a map.
#include "core/order_store.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "tests/unit/arena_memory.h"
#include "tests/unit/random.h"

namespace shmatch::core {
namespace {

using Memory = tests::ArenaMemory;
using tests::Random;

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
    if (cl_ord_id != 0) {
      order.place_or_number =
          static_cast<std::uint32_t>(orders.client_ids().put(account, cl_ord_id, place.slot));
    }
    orders[place.slot] = order;
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

// With so many orders that hints are given: twice the same, once without those for free slots.
TEST(OrderStore, HintsChangeNothing) {
  for (const std::uint32_t finished : {0U, 1U, 100U, 2'000U, 2'001U, 2'040U}) {
    const Capacities capacities{
        .working_orders = 24'000, .finished_orders = finished, .sessions = 1};
    Store hinted(capacities);
    Store plain(capacities);
    Random random(5);
    std::vector<Index> working;
    ClOrdId cl_ord_id = 0;
    while (hinted.orders.counters().round < 3) {
      if (working.size() < 21'000 || (working.size() < 24'000 && random.one_in(2))) {
        const Index slot = hinted.enter(0, ++cl_ord_id);
        hinted.orders.prefetch_next(0, cl_ord_id);
        ASSERT_EQ(plain.enter(0, cl_ord_id), slot);
        ASSERT_EQ(plain.orders[slot].order_id, hinted.orders[slot].order_id);
        working.push_back(slot);
      } else {
        std::swap(working[random.below(working.size())], working.back());
        hinted.end(working.back());
        plain.end(working.back());
        working.pop_back();
      }
    }
    EXPECT_TRUE(hinted.orders.outgrows_cache());
    hinted.orders.check_invariants();
    plain.orders.check_invariants();
  }
}

// Also where the first free slot of a round is near the last one, as with orders that stay for long
// in all others.
TEST(OrderStore, HintsAFreeSlotBehindEachNewOrder) {
  Store store({.working_orders = 24'000, .finished_orders = 100, .sessions = 1});
  while (!store.orders.outgrows_cache()) store.enter(0, 0);
  while (store.orders.counters().cursor + 4'000 < store.orders.slot_count()) store.enter(0, 0);
  // Slot 0 has its first order in the second round.
  for (Index slot = kNoIndex; slot != 0;) {
    slot = store.enter(0, 0);
    if (slot != 0) store.end(slot);
  }
  int entered = 0;
  int hinted = 0;
  while (store.orders.counters().round < 5) {
    const Index before = store.orders.hinted();
    const Index slot = store.enter(0, 0);
    store.orders.prefetch_next(0, 0);
    ++entered;
    if (store.orders.hinted() != before) {
      ++hinted;
      EXPECT_FALSE(store.orders.known(store.orders.hinted() - 1));
      EXPECT_GT(store.orders.hinted(), slot);
    }
    store.end(slot);
  }
  EXPECT_GT(hinted, entered - 5 * 20) << "all but those at the end of a round";
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

// Small tables make every kind of collision; several salts make different ones.
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
