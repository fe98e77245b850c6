// A price level, and the exact index that finds it by book side and price, unless it is the best of
// its side (core/order_book.h).
//
// Open addressing over 8-byte entries, load at most one half, backward-shift erase: no tombstones,
// so probes do not grow with age, and no growth, so no pause. An entry is a hash and a level; the
// key itself stands in the level and is compared there, so a false match of hashes costs one look,
// never a wrong answer.
//
// Prices near each other are used together, so eight neighbouring ones have their homes in one
// cache line. Probing goes from line to line at the same place of each: neighbours never stand in
// each other's way, however dense a book is. Which of the eight places a price has depends on the
// hash as well, so that one may not fill one place of all lines.
//
// Clients choose prices; core/salted_hash.h says why they cannot choose collisions.
//
// Worst case: a probe walks the longest run; with a secret salt its expected length is below 2 at
// this load. Thread: the core's.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/check.h"
#include "core/configuration.h"
#include "core/salted_hash.h"
#include "core/types.h"

namespace shmatch::core {

struct alignas(64) Level {
  Wide quantity;  // sum of the resting orders' leaves
  Ticks price;
  TimeNs changed;  // time of the last change
  Index head;      // oldest order
  Index tail;
  std::uint32_t order_count;
  std::uint32_t side_index;  // 2 * instrument + Side
  std::uint32_t side_key;    // 2 * instrument id + Side
  std::uint32_t hash;        // LevelIndex::hash, unless it was always the best of its side
  std::uint64_t digest;      // what the level adds to OrderBooks::digest
};
static_assert(sizeof(Level) == 64);

class LevelIndex {
 public:
  LevelIndex(Arena& arena, std::span<const Level> levels, std::size_t levels_max,
             std::uint64_t salt)
      : LevelIndex(arena, levels, bits_for(levels_max), salt) {}

  std::uint32_t hash(Index side_index, Ticks price) const noexcept {
    static_assert(kAmountMax >> kLineBits < std::int64_t{1} << kPriceBits);
    static_assert(2 * kInstrumentsMax <= std::size_t{1} << (64 - kPriceBits));
    const std::uint64_t key = (static_cast<std::uint64_t>(price) >> kLineBits) ^
                              (std::uint64_t{side_index} << kPriceBits);
    const std::uint64_t hash = salted_hash(key ^ salt_, multiplier_);
    return static_cast<std::uint32_t>(hash ^ static_cast<std::uint64_t>(price));
  }

  // Where the level's entry is, or the empty place where it would go. `hashed` is the key's hash.
  std::uint32_t locate(std::uint32_t hashed, Index side_index, Ticks price) const noexcept {
    std::uint32_t place = hashed & mask_;
    for (; entries_[place].level_plus_one != 0; place = next(place)) {
      if (entries_[place].hash != hashed) continue;
      const Level& level = levels_[entries_[place].level_plus_one - 1];
      if (level.price == price && level.side_index == side_index) break;
    }
    return place;
  }
  // The level there, or kNoIndex.
  Index at(std::uint32_t place) const noexcept { return entries_[place].level_plus_one - 1; }
  Index find(Index side_index, Ticks price) const noexcept {
    return at(locate(hash(side_index, price), side_index, price));
  }
  // For hints: the level that is probably there, or kNoIndex.
  Index guess(Index side_index, Ticks price) const noexcept {
    const std::uint32_t hashed = hash(side_index, price);
    const Entry& entry = entries_[hashed & mask_];
    return entry.hash == hashed ? entry.level_plus_one - 1 : kNoIndex;
  }

  // `place` is what locate found for the level's key, and empty; there are never more levels than
  // the constructor was told.
  void put(std::uint32_t place, std::uint32_t hashed, Index level) noexcept {
    entries_[place] = Entry{hashed, level + 1};
  }
  // The level must be in the index.
  void erase(std::uint32_t hashed, Index level) noexcept {
    std::uint32_t hole = hashed & mask_;
    while (entries_[hole].level_plus_one != level + 1) {
      SHMATCH_CHECK(entries_[hole].level_plus_one != 0);
      hole = next(hole);
    }
    for (std::uint32_t place = next(hole); entries_[place].level_plus_one != 0;
         place = next(place)) {
      // An entry may move back into the hole unless that would put it before its home.
      const std::uint32_t from = turn(place);
      const std::uint32_t distance_home = (from - turn(entries_[place].hash & mask_)) & mask_;
      if (distance_home < ((from - turn(hole)) & mask_)) continue;
      entries_[hole] = entries_[place];
      hole = place;
    }
    entries_[hole] = Entry{};
  }

  // How many places beyond its home a search for the level looks at, when its entry is at `place`:
  // what clustering costs.
  std::uint32_t steps_to(std::uint32_t hashed, std::uint32_t place) const noexcept {
    return (turn(place) - turn(hashed & mask_)) & mask_;
  }
  // How many entries there are; walks all places.
  std::size_t count() const noexcept {
    std::size_t count = 0;
    for (const Entry& entry : entries_) count += entry.level_plus_one != 0 ? 1 : 0;
    return count;
  }

 private:
  struct Entry {
    std::uint32_t hash;
    std::uint32_t level_plus_one;  // 0: empty
  };
  static constexpr unsigned kLineBits = 3;
  static constexpr std::uint32_t kLineMask = (1U << kLineBits) - 1;
  static_assert(sizeof(Entry) << kLineBits == 64);
  static constexpr unsigned kPriceBits = 47;

  LevelIndex(Arena& arena, std::span<const Level> levels, unsigned bits, std::uint64_t salt)
      : entries_(arena.take<Entry>(std::size_t{1} << bits)),
        levels_(levels),
        mask_((1U << bits) - 1),
        bits_(bits),
        salt_(salt),
        multiplier_(second_salt(salt) | 1) {}

  static unsigned bits_for(std::size_t levels_max) noexcept {
    return std::max(6U, static_cast<unsigned>(std::bit_width(levels_max * 2 - 1)));
  }
  // The same place of the next line; behind the last line comes the next place of the first.
  std::uint32_t next(std::uint32_t place) const noexcept {
    const std::uint32_t there = place + kLineMask + 1;
    return there <= mask_ ? there : (there + 1) & kLineMask;
  }
  // How many steps of `next` the place is away from the first one.
  std::uint32_t turn(std::uint32_t place) const noexcept {
    return (place >> kLineBits) | ((place & kLineMask) << (bits_ - kLineBits));
  }

  std::span<Entry> entries_;
  std::span<const Level> levels_;
  std::uint32_t mask_;
  unsigned bits_;
  std::uint64_t salt_;
  std::uint64_t multiplier_;
};

}  // namespace shmatch::core
