// From configured ids (accounts, instruments, users) to their dense indices. Built once, never
// changed; ids come from the configuration, so nobody can choose colliding ones at run time.
//
// Small ids, which is what nearly every configuration has, are looked up in an array; the others by
// open addressing at a load of at most one half. Thread: the core's.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/types.h"

namespace shmatch::core {

class IdMap {
 public:
  IdMap(Arena& arena, std::size_t count)
      : small_(arena.take<Index>(kSmallIds)),
        entries_(arena.take<Entry>(std::bit_ceil(count * 2 + 1))) {}

  // `id` is positive and not yet in the map.
  void insert(std::int64_t id, Index index) noexcept {
    if (id < kSmallIds) {
      small_[static_cast<std::size_t>(id)] = index + 1;
      return;
    }
    std::size_t place = home(id);
    while (entries_[place].id != 0) place = (place + 1) & (entries_.size() - 1);
    entries_[place] = Entry{id, index};
  }

  // kNoIndex for an id that is not there, and for every id that is not positive.
  Index find(std::int64_t id) const noexcept {
    if (static_cast<std::uint64_t>(id) < kSmallIds) [[likely]] {
      return small_[static_cast<std::size_t>(id)] - 1;  // 0 becomes kNoIndex
    }
    return id < 0 ? kNoIndex : find_large(id);
  }

 private:
  static constexpr std::int64_t kSmallIds = 512;

  struct Entry {
    std::int64_t id;  // 0: empty
    Index index;
  };

  [[gnu::noinline]] Index find_large(std::int64_t id) const noexcept {
    for (std::size_t place = home(id);; place = (place + 1) & (entries_.size() - 1)) {
      if (entries_[place].id == id) return entries_[place].index;
      if (entries_[place].id == 0) return kNoIndex;
    }
  }

  std::size_t home(std::int64_t id) const noexcept {
    const std::uint64_t mixed = static_cast<std::uint64_t>(id) * 0x9E3779B97F4A7C15U;
    return static_cast<std::size_t>(mixed >> 32) & (entries_.size() - 1);
  }

  std::span<Index> small_;  // index plus one, by id
  std::span<Entry> entries_;
};

}  // namespace shmatch::core
