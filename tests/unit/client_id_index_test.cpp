// The client id index by itself, where homes are crowded: pairs are chosen so that far more of them
// have one home than its line has room for.
#include "core/client_id_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "tests/unit/arena_memory.h"
#include "tests/unit/random.h"

namespace shmatch::core {
namespace {

using tests::Random;

constexpr std::size_t kOrders = 60;
constexpr std::uint64_t kSalt = 0x5EED;

class CrowdedIndex {
 public:
  CrowdedIndex() {
    Arena arena = memory_.arena();
    orders_ = arena.take<Order>(kOrders);
    index_ = std::make_unique<ClientIdIndex>(arena, kOrders, orders_, kSalt);
  }

  // Client order ids of account 0 whose home is the line, the `count` smallest.
  std::vector<ClOrdId> at_home(std::size_t line, std::size_t count) const {
    std::vector<ClOrdId> result;
    for (ClOrdId id = 1; result.size() < count; ++id) {
      if (index_->home(0, id) == line) result.push_back(id);
    }
    return result;
  }

  void put(ClOrdId id, Index slot) {
    orders_[slot].cl_ord_id = id;
    places_[slot] = index_->put(0, id, slot);
    slots_[id] = slot;
  }
  void erase(ClOrdId id) {
    erase_order(slots_.at(id));
    slots_.erase(id);
  }
  void erase_order(Index slot) { index_->erase(places_[slot], slot); }
  void expect_agreement(const std::vector<ClOrdId>& ids) const {
    ASSERT_EQ(index_->count(), slots_.size());
    ASSERT_LE(index_->count_beyond(), slots_.size());
    ASSERT_EQ(index_->reach() == 0, index_->count_beyond() == 0);
    for (const ClOrdId id : ids) {
      const auto known = slots_.find(id);
      ASSERT_EQ(index_->find(0, id), known == slots_.end() ? kNoIndex : known->second) << id;
    }
  }
  std::size_t last_line() const { return index_->line_count() - 1; }
  std::size_t beyond() const { return index_->count_beyond(); }
  const std::map<ClOrdId, Index>& slots() const { return slots_; }

 private:
  tests::ArenaMemory memory_{[](Arena& measuring) {
    measuring.take<Order>(kOrders);
    ClientIdIndex(measuring, kOrders, {}, kSalt);
  }};
  std::span<Order> orders_;
  std::unique_ptr<ClientIdIndex> index_;
  std::map<ClOrdId, Index> slots_;
  ClientIdPlace places_[kOrders] = {};
};

// 40 pairs of one home: most of them are where their hashes say.
TEST(ClientIdIndex, FindsWhatHasNoRoomAtHome) {
  static_assert(40 > 3 * ClientIdIndex::kEntries);
  const std::size_t last = CrowdedIndex().last_line();
  ASSERT_GT(last, 4U);
  for (const std::size_t line : {std::size_t{0}, std::size_t{4}, last}) {
    CrowdedIndex crowded;
    const std::vector<ClOrdId> ids = crowded.at_home(line, 50);
    for (Index slot = 0; slot < 40; ++slot) {
      crowded.put(ids[slot], slot);
      crowded.expect_agreement(ids);
    }
    for (Index slot = 0; slot < 40; ++slot) {
      crowded.erase(ids[slot]);
      crowded.expect_agreement(ids);
    }
  }
}

// Homes beside each other stand in each other's lines; whatever was erased leaves room that is used
// again, at home or not.
TEST(ClientIdIndex, AgreesWithAMapWhenNeighbouringHomesAreCrowded) {
  CrowdedIndex crowded;
  std::vector<ClOrdId> ids = crowded.at_home(crowded.last_line(), 30);
  for (const std::size_t line : {std::size_t{0}, std::size_t{1}}) {
    const std::vector<ClOrdId> more = crowded.at_home(line, 30);
    ids.insert(ids.end(), more.begin(), more.end());
  }
  Random random(3);
  std::vector<Index> free;
  for (Index slot = 0; slot < kOrders; ++slot) free.push_back(slot);
  for (int step = 0; step < 20'000; ++step) {
    const ClOrdId id = ids[random.below(ids.size())];
    const auto known = crowded.slots().find(id);
    if (known == crowded.slots().end()) {
      if (free.empty()) continue;
      crowded.put(id, free.back());
      free.pop_back();
    } else if (!free.empty() && random.one_in(2)) {
      // A newer order takes the pair over, and the older one is forgotten before or after that.
      const Index older = known->second;
      const bool before = random.one_in(2);
      if (before) crowded.erase_order(older);
      crowded.put(id, free.back());
      if (!before) crowded.erase_order(older);
      free.back() = older;
    } else {
      free.push_back(known->second);
      crowded.erase(id);
    }
    if (step % 16 == 0) crowded.expect_agreement(ids);
  }
  while (!crowded.slots().empty()) crowded.erase(crowded.slots().begin()->first);
  crowded.expect_agreement(ids);
  EXPECT_EQ(crowded.beyond(), 0U);
}

// Pairs are put one after the other and stay, oldest forgotten first, in an index with room for all
// of them.
class FullIndex {
 public:
  explicit FullIndex(Index orders_max)
      : memory_([=](Arena& measuring) {
          measuring.take<Order>(orders_max);
          ClientIdIndex(measuring, orders_max, {}, kSalt);
        }),
        arena_(memory_.arena()),
        orders_(arena_.take<Order>(orders_max)),
        index_(arena_, orders_max, orders_, kSalt),
        places_(orders_max) {}

  void put(Index account, ClOrdId id) {
    const Index slot = next_;
    next_ = (next_ + 1) % static_cast<Index>(orders_.size());
    if (places_[slot] != ClientIdPlace::kNone) index_.erase(places_[slot], slot);
    orders_[slot].account = static_cast<std::uint16_t>(account);
    orders_[slot].cl_ord_id = id;
    places_[slot] = index_.put(account, id, slot);
  }
  // The newest order's pair is taken over by a newer one, and that again by one in the older slot.
  void put_and_forget_older(Index account, ClOrdId id) {
    const Index older = (next_ + static_cast<Index>(orders_.size()) - 1) %
                        static_cast<Index>(orders_.size());
    put(account, id);
    index_.erase(places_[older], older);
    places_[older] = ClientIdPlace::kNone;
    next_ = older;
    put(account, id);
    const Index newer = (older + 1) % static_cast<Index>(orders_.size());
    index_.erase(places_[newer], newer);
    places_[newer] = ClientIdPlace::kNone;
    next_ = newer;
  }
  void expect_all_found() const {
    for (Index slot = 0; slot < orders_.size(); ++slot) {
      if (places_[slot] == ClientIdPlace::kNone) continue;
      ASSERT_EQ(index_.find(orders_[slot].account, orders_[slot].cl_ord_id), slot);
    }
  }
  void erase_all() {
    for (Index slot = 0; slot < orders_.size(); ++slot) {
      if (places_[slot] == ClientIdPlace::kNone) continue;
      index_.erase(places_[slot], slot);
      ASSERT_EQ(index_.find(orders_[slot].account, orders_[slot].cl_ord_id), kNoIndex);
      places_[slot] = ClientIdPlace::kNone;
    }
    ASSERT_EQ(index_.count(), 0U);
  }
  const ClientIdIndex& index() const { return index_; }
  // The n-th of all ids that have one home for account 0, as whoever knows the line count can say.
  ClOrdId id_at_home(std::uint64_t home, std::uint64_t n) const {
    return static_cast<ClOrdId>(4 * (home + (n / 4 + 1) * index_.line_count()) + n % 4);
  }

 private:
  tests::ArenaMemory memory_;
  Arena arena_;
  std::span<Order> orders_;
  ClientIdIndex index_;
  std::vector<ClientIdPlace> places_;
  Index next_ = 0;
};

// More than a home counts (65,535), and one pair taken over again and again.
TEST(ClientIdIndex, HoldsAsManyPairsOfOneHomeAsThereAre) {
  constexpr Index kPairs = 70'000;
  FullIndex full(kPairs + 1);
  const auto id = [&full](std::uint64_t n) { return full.id_at_home(7, n); };
  for (int round = 0; round < 2; ++round) {
    for (Index n = 0; n < kPairs; ++n) full.put(0, id(n));
    ASSERT_EQ(full.index().home(0, id(kPairs - 1)), 7U);
    ASSERT_EQ(full.index().count_beyond(), UINT16_MAX);
    for (int again = 0; again < 300; ++again) full.put_and_forget_older(0, id(kPairs - 1));
    full.expect_all_found();
    full.erase_all();
  }
}

// Whoever knows the salt (replay tools use none) can fill the lines of all attempts of a pair.
TEST(ClientIdIndex, FindsAPairWhoseAttemptsAllFail) {
  FullIndex full(60'000);
  const ClOrdId id = full.id_at_home(7, 1'000);
  const auto fill = [&full](std::uint32_t line) {
    for (std::uint64_t n = 0; n < ClientIdIndex::kEntries; ++n) {
      full.put(0, full.id_at_home(line, n));
    }
  };
  std::set<std::uint32_t> lines{7};
  for (unsigned n = 0; n < 300; ++n) lines.insert(full.index().hashed_line(0, id, n));
  for (const std::uint32_t line : lines) fill(line);
  ASSERT_EQ(full.index().count_beyond(), 0U);
  full.put(0, id);
  EXPECT_EQ(full.index().reach(), full.index().line_count());
  full.expect_all_found();
  full.erase_all();
  EXPECT_EQ(full.index().reach(), 0U);
}

// Several clients that count up, whose ids lie over each other: full lines side by side. The index
// is as full as it can be.
TEST(ClientIdIndex, CountingAccountsAreFoundInFewAttempts) {
  Random random(9);
  for (const Index base : {0U, 16U, 100U, 200U, 1'000U}) {
    for (const Index accounts : {2U, 3U, 5U, 8U, 16U}) {
      FullIndex full(60'000);
      std::vector<ClOrdId> next(accounts, 1);
      for (int i = 0; i < 150'000; ++i) {
        const auto account = static_cast<Index>(random.below(accounts));
        full.put(base + account, next[account]++);
      }
      EXPECT_EQ(full.index().count(), 60'000U);
      EXPECT_LE(full.index().reach(), 12U) << base << ' ' << accounts;
      full.expect_all_found();
    }
  }
}

// What whoever does not know the salt can do worst: as many full lines as his orders fill, side by
// side, and one pair more for each.
TEST(ClientIdIndex, ChosenIdsAreFoundInFewAttempts) {
  FullIndex full(60'000);
  constexpr std::uint64_t kEach = ClientIdIndex::kEntries + 1;
  for (std::uint64_t home = 0; home < 60'000 / kEach; ++home) {
    for (std::uint64_t n = 0; n < kEach; ++n) full.put(0, full.id_at_home(home, n));
  }
  EXPECT_GT(full.index().count_beyond(), 4'000U);
  EXPECT_LE(full.index().reach(), 24U);
  full.expect_all_found();
  full.erase_all();
  EXPECT_EQ(full.index().count_beyond(), 0U);
}

// Clients of all accounts may count from 1.
TEST(ClientIdIndex, AccountsBeginFarFromEachOther) {
  FullIndex full(60'000);
  for (Index account = 1; account < 50; ++account) {
    EXPECT_NE(full.index().home(account, 4), full.index().home(account - 1, 4));
    EXPECT_NE(full.index().hashed_line(account, 4, 0), full.index().hashed_line(account - 1, 4, 0));
    EXPECT_NE(full.index().hashed_line(account, 4, 0), full.index().hashed_line(account, 4, 1));
  }
}

TEST(ClientIdIndex, APairThatANewerOrderTookOverIsNotErasedWithTheOlderOne) {
  CrowdedIndex crowded;
  const std::vector<ClOrdId> ids = crowded.at_home(7, 20);
  for (Index slot = 0; slot < 20; ++slot) crowded.put(ids[slot], slot);
  // The first is at home, the last is not.
  for (const std::size_t i : {std::size_t{0}, std::size_t{19}}) {
    const Index older = crowded.slots().at(ids[i]);
    crowded.put(ids[i], static_cast<Index>(30 + i));
    crowded.erase_order(older);
    crowded.expect_agreement(ids);
  }
}

// What a client has that counts up, from wherever: neighbours in fours, one line for four, the next
// line for the next, and no line with more than room for them.
TEST(ClientIdIndex, AClientThatCountsUpUsesAllLinesEvenly) {
  constexpr std::size_t kMany = 60'000;
  tests::ArenaMemory memory([](Arena& measuring) { ClientIdIndex(measuring, kMany, {}, kSalt); });
  Arena arena = memory.arena();
  const ClientIdIndex index(arena, kMany, {}, kSalt);
  for (const ClOrdId first : {ClOrdId{1}, (ClOrdId{1} << 34) - 30'000, INT64_MAX - 60'000}) {
    for (const Index account : {0U, 1U, 1'000U}) {
      std::vector<unsigned> pairs(index.line_count());
      std::size_t steps = 0;
      std::size_t leaps = 0;
      std::uint32_t before = index.home(account, first);
      for (ClOrdId id = first; id < first + static_cast<ClOrdId>(kMany); ++id) {
        const std::uint32_t home = index.home(account, id);
        steps += home == (before + 1) % index.line_count() ? 1 : 0;
        leaps += home != before && home != (before + 1) % index.line_count() ? 1 : 0;
        before = home;
        ++pairs[home];
      }
      EXPECT_GE(steps, kMany / 4 - 2);
      EXPECT_LE(leaps, 1U) << "where the upper half of the id changes";
      EXPECT_LE(std::ranges::max(pairs), leaps == 0 ? 8U : ClientIdIndex::kEntries)
          << first << ' ' << account;
    }
  }
}

// So no record need be looked at to tell them apart, whatever the salt.
TEST(ClientIdIndex, NeighbouringIdsHaveDifferentTags) {
  Random random(17);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t salt = i == 0 ? 0 : random.below(UINT64_MAX);
    tests::ArenaMemory memory([=](Arena& measuring) { ClientIdIndex(measuring, 50, {}, salt); });
    Arena arena = memory.arena();
    const ClientIdIndex index(arena, 50, {}, salt);
    for (ClOrdId first = 4'000; first < 4'400; first += 4) {
      for (ClOrdId one = first; one < first + 4; ++one) {
        ASSERT_NE(index.tag_of(3, one), 0);
        for (ClOrdId other = one + 1; other < first + 4; ++other) {
          ASSERT_NE(index.tag_of(3, one), index.tag_of(3, other)) << salt;
        }
      }
    }
  }
}

// Ids that grow by equal steps, as clients choose them: of a full index's pairs at most one in
// twenty finds its home full. (Not if the step is four times the number of lines: then all do.)
TEST(ClientIdIndex, IdsInEqualStepsCrowdFewLines) {
  constexpr Index kMany = 60'000;
  for (std::uint64_t salt = 1; salt <= 4; ++salt) {
    const auto make = [salt](Arena& arena, std::span<const Order> orders) {
      return ClientIdIndex(arena, kMany, orders, salt * 0x1234567U);
    };
    tests::ArenaMemory memory([&](Arena& measuring) {
      measuring.take<Order>(kMany);
      make(measuring, {});
    });
    for (const ClOrdId step : {ClOrdId{1}, ClOrdId{2}, ClOrdId{4}, ClOrdId{10}, ClOrdId{1'000},
                               ClOrdId{1} << 20, ClOrdId{1} << 34, (ClOrdId{1} << 32) + 1}) {
      Arena arena = memory.arena();
      const std::span<Order> orders = arena.take<Order>(kMany);
      ClientIdIndex index = make(arena, orders);
      std::vector<ClientIdPlace> places(kMany);
      for (Index slot = 0; slot < kMany; ++slot) {
        orders[slot].cl_ord_id = 1'000'000 + slot * step;
        places[slot] = index.put(0, orders[slot].cl_ord_id, slot);
      }
      const std::size_t beyond = index.count_beyond();
      EXPECT_LE(beyond, kMany / 20) << "salt " << salt << ", step " << step;
      for (Index slot = 0; slot < kMany; ++slot) {
        ASSERT_EQ(index.find(0, orders[slot].cl_ord_id), slot);
      }
      for (Index slot = 0; slot < kMany; ++slot) index.erase(places[slot], slot);
    }
  }
}

// Processors without SSE2 compare one by one.
TEST(ByteMatch, BothWaysSeeTheSameBytes) {
  Random random(5);
  for (int step = 0; step < 2'000; ++step) {
    alignas(16) std::uint8_t row[16];
    for (std::uint8_t& byte : row) byte = static_cast<std::uint8_t>(random.below(4) * 85);
    for (const std::uint8_t value : std::initializer_list<std::uint8_t>{0, 85, 170, 255, 1}) {
      ASSERT_EQ(bytes_equal(row, value), bytes_equal_one_by_one(row, value));
    }
  }
}

TEST(ClientIdIndex, TakesAsManyOrdersAsItWasMadeFor) {
  CrowdedIndex crowded;
  std::vector<ClOrdId> ids;
  for (Index slot = 0; slot < kOrders; ++slot) {
    ids.push_back(slot + 1);
    crowded.put(slot + 1, slot);
  }
  crowded.expect_agreement(ids);
}

}  // namespace
}  // namespace shmatch::core
