// The client id index by itself, where homes are crowded: pairs are chosen by their keys, so that
// far more of them have one home than its line has room for.
#include "core/client_id_index.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "tests/unit/arena_memory.h"
#include "tests/unit/random.h"

namespace shmatch::core {
namespace {

using tests::Random;

constexpr std::size_t kOrders = 60;
constexpr std::size_t kLines = 11;  // what so many orders are given
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
      if (std::uint64_t{index_->key_of(0, id)} * kLines >> 32 == line) result.push_back(id);
    }
    return result;
  }

  void put(ClOrdId id, Index slot) {
    orders_[slot].cl_ord_id = id;
    index_->put(0, id, slot);
    slots_[id] = slot;
  }
  void erase(ClOrdId id) {
    index_->erase(index_->key_of(0, id), slots_.at(id));
    slots_.erase(id);
  }
  void expect_agreement(const std::vector<ClOrdId>& ids) const {
    ASSERT_EQ(index_->count(), slots_.size());
    for (const ClOrdId id : ids) {
      const auto known = slots_.find(id);
      ASSERT_EQ(index_->find(0, id), known == slots_.end() ? kNoIndex : known->second) << id;
    }
  }
  ClientIdIndex& index() { return *index_; }
  const std::map<ClOrdId, Index>& slots() const { return slots_; }

 private:
  tests::ArenaMemory memory_{[](Arena& measuring) {
    measuring.take<Order>(kOrders);
    ClientIdIndex(measuring, kOrders, {}, kSalt);
  }};
  std::span<Order> orders_;
  std::unique_ptr<ClientIdIndex> index_;
  std::map<ClOrdId, Index> slots_;
};

// A line has 12 entries: 40 pairs of one home reach over three more lines, from the last line on
// into the first ones.
TEST(ClientIdIndex, FindsWhatHasNoRoomAtHome) {
  for (const std::size_t line : {std::size_t{0}, std::size_t{4}, kLines - 1}) {
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
  std::vector<ClOrdId> ids = crowded.at_home(kLines - 1, 30);
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
    } else {
      free.push_back(known->second);
      crowded.erase(id);
    }
    if (step % 16 == 0) crowded.expect_agreement(ids);
  }
  crowded.expect_agreement(ids);
}

TEST(ClientIdIndex, APairThatANewerOrderTookOverIsNotErasedWithTheOlderOne) {
  CrowdedIndex crowded;
  const std::vector<ClOrdId> ids = crowded.at_home(7, 20);
  for (Index slot = 0; slot < 20; ++slot) crowded.put(ids[slot], slot);
  // The first is at home, the last is not.
  for (const std::size_t i : {std::size_t{0}, std::size_t{19}}) {
    const Index older = crowded.slots().at(ids[i]);
    crowded.put(ids[i], static_cast<Index>(30 + i));
    crowded.index().erase(crowded.index().key_of(0, ids[i]), older);
    crowded.expect_agreement(ids);
  }
}

// The number of places is what the capacity asks for: twice as many as orders, whatever the number.
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
