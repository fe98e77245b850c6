// The client id index by itself, where homes are crowded: pairs are chosen by their keys, so that
// far more of them have one home than its line has room for.
#include "core/client_id_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <memory>
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
      if (index_->home(index_->key_of(0, id)) == line) result.push_back(id);
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
    for (const ClOrdId id : ids) {
      const auto known = slots_.find(id);
      ASSERT_EQ(index_->find(0, id), known == slots_.end() ? kNoIndex : known->second) << id;
    }
  }
  std::size_t last_line() const { return index_->line_count() - 1; }
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

// 40 pairs of one home reach over three more lines, from the last line on into the first ones.
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
}

// More than a home counts, and farther away than it measures (255), and one pair taken over as
// often: whoever knows the salt can do that.
TEST(ClientIdIndex, HoldsAsManyPairsOfOneHomeAsThereAre) {
  constexpr Index kMany = 4'000;
  constexpr Index kPairs = 3'200;
  tests::ArenaMemory memory([](Arena& measuring) {
    measuring.take<Order>(kMany);
    ClientIdIndex(measuring, kMany, {}, kSalt);
  });
  Arena arena = memory.arena();
  const std::span<Order> orders = arena.take<Order>(kMany);
  ClientIdIndex index(arena, kMany, orders, kSalt);
  std::vector<ClOrdId> ids;
  for (ClOrdId id = 1; ids.size() < kPairs; ++id) {
    if (index.home(index.key_of(0, id)) == 7) ids.push_back(id);
  }
  std::vector<ClientIdPlace> places(kMany);
  for (int round = 0; round < 2; ++round) {
    for (Index slot = 0; slot < ids.size(); ++slot) {
      orders[slot].cl_ord_id = ids[slot];
      places[slot] = index.put(0, ids[slot], slot);
    }
    for (Index again = 0; again < 300; ++again) {
      const Index older = again % 2 == 0 ? kPairs - 1 : kPairs;
      const Index newer = 2 * kPairs - 1 - older;
      orders[newer].cl_ord_id = ids.back();
      places[newer] = index.put(0, ids.back(), newer);
      index.erase(places[older], older);
    }
    ASSERT_EQ(index.count(), ids.size());
    for (Index slot = 0; slot < ids.size(); ++slot) ASSERT_EQ(index.find(0, ids[slot]), slot);
    for (Index slot = 0; slot < ids.size(); ++slot) {
      ASSERT_EQ(index.find(0, ids.back()), kPairs - 1);
      index.erase(places[slot], slot);
      ASSERT_EQ(index.find(0, ids[slot]), kNoIndex);
    }
    ASSERT_EQ(index.count(), 0U);
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

// Ids that grow by equal steps, as clients choose them, spread like any others, whatever the salt;
// neighbours do in fours. Of a full index's lines so few have more pairs than room: by chance one
// in 26 if all ids are neighbours, one in 70 if every other one is there, one in 500 of all others.
TEST(ClientIdIndex, IdsInEqualStepsCrowdFewLines) {
  constexpr std::size_t kMany = 60'000;
  struct Steps {
    ClOrdId step;
    std::size_t one_in;
  };
  for (std::uint64_t salt = 1; salt <= 8; ++salt) {
    tests::ArenaMemory memory(
        [&](Arena& measuring) { ClientIdIndex(measuring, kMany, {}, salt * 0x1234567U); });
    Arena arena = memory.arena();
    const ClientIdIndex index(arena, kMany, {}, salt * 0x1234567U);
    for (const auto [step, one_in] : {Steps{1, 20}, Steps{2, 50}, Steps{4, 280}, Steps{10, 280},
                                      Steps{1L << 29, 280}, Steps{(1L << 32) + 1, 280}}) {
      std::vector<unsigned> pairs(index.line_count());
      for (ClOrdId i = 1; i <= static_cast<ClOrdId>(kMany); ++i) {
        ++pairs[index.home(index.key_of(3, 1'000'000 + i * step))];
      }
      const auto crowded = std::ranges::count_if(
          pairs, [](unsigned count) { return count > ClientIdIndex::kEntries; });
      EXPECT_LE(static_cast<std::size_t>(crowded) * one_in, index.line_count())
          << "salt " << salt << ", step " << step;
    }
  }
}

// So the line of one is the line of four, and no record need be looked at to tell them apart.
TEST(ClientIdIndex, NeighbouringIdsHaveOneHomeAndKeysOfTheirOwn) {
  tests::ArenaMemory memory([](Arena& measuring) { ClientIdIndex(measuring, 60'000, {}, kSalt); });
  Arena arena = memory.arena();
  const ClientIdIndex index(arena, 60'000, {}, kSalt);
  std::size_t apart = 0;
  std::size_t alike = 0;
  for (ClOrdId first = 4; first < 4'000; first += 4) {
    for (ClOrdId id = first + 1; id < first + 4; ++id) {
      apart += index.home(index.key_of(3, id)) != index.home(index.key_of(3, first)) ? 1 : 0;
      alike += index.key_of(3, id) == index.key_of(3, id - 1) ? 1 : 0;
    }
    EXPECT_NE(index.key_of(3, first), index.key_of(2, first));
  }
  // A home is the key's share of the lines: few of a thousand fours lie across a border. A key
  // whose lowest byte would be 0 has a 1 there, as the neighbour's may: two fours in 128.
  EXPECT_LE(apart, 2U);
  EXPECT_LE(alike, 40U);
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
