// From (account, client order id) to the order that the pair names: the working order that has it,
// else the newest one that is still remembered.
//
// Open addressing with linear probing over 8-byte entries, load at most one half, backward-shift
// erase: no tombstones, so probes do not grow with age, and no growth, so no pause. The hash is
// salted, because clients choose the ids: without the salt they cannot choose collisions. Entries
// hold the hash (their key) and a slot; the pair itself stays in the order record and is compared
// there, so a false match of hashes costs one look, never a wrong answer. Erasing needs the key and
// the slot only: an order that is forgotten was last looked at long ago.
//
// Worst case: a probe walks the longest run; with a secret salt its expected length is below 2 at
// this load. Thread: the core's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/check.h"
#include "core/order.h"
#include "core/prefetch.h"

namespace shmatch::core {

class ClientIdIndex {
 public:
  // What the index knows a pair by; never 0.
  using Key = std::uint32_t;
  // A pair's entry, or where it would go. Good until the index changes.
  using Place = std::size_t;

  ClientIdIndex(Arena& arena, std::size_t orders_max, std::span<const Order> orders,
                std::uint64_t salt)
      : count_(2 * orders_max),
        orders_max_(orders_max),
        entries_(arena.take<Entry>(count_).data()),
        orders_(orders.data()),
        salt0_(salt),
        salt1_(salt * 0xD6E8FEB86659FD93U + 0xA0761D6478BD642FU) {}

  // Folded 128-bit product of the salted halves of the pair.
  Key key_of(Index account, ClOrdId cl_ord_id) const noexcept {
    const Wide product = static_cast<Wide>(static_cast<std::uint64_t>(cl_ord_id) ^ salt0_) *
                         ((std::uint64_t{account} * 0x9E3779B97F4A7C15U) ^ salt1_);
    const auto folded =
        static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    const auto key = static_cast<Key>(folded ^ (folded >> 32));
    return key == 0 ? 1 : key;
  }

  Place locate(Index account, ClOrdId cl_ord_id, Key key) const noexcept {
    Place place = home(key);
    for (; entries_[place].slot_plus_one != 0; place = next(place)) {
      if (entries_[place].key != key) continue;
      const Order& order = orders_[entries_[place].slot_plus_one - 1];
      if (order.cl_ord_id == cl_ord_id && order.account == account) break;
    }
    return place;
  }
  // The slot that an entry names; kNoIndex: the pair is not there.
  Index at(Place place) const noexcept { return entries_[place].slot_plus_one - 1; }

  Index find(Index account, ClOrdId cl_ord_id) const noexcept {
    return at(locate(account, cl_ord_id, key_of(account, cl_ord_id)));
  }

  // The pair whose place that is names `slot` from now on.
  void put(Place place, Key key, Index slot) noexcept {
    if (entries_[place].slot_plus_one == 0) SHMATCH_CHECK(++size_ <= orders_max_);
    entries_[place] = Entry{key, slot + 1};
  }
  void put(Index account, ClOrdId cl_ord_id, Index slot) noexcept {
    const Key key = key_of(account, cl_ord_id);
    put(locate(account, cl_ord_id, key), key, slot);
  }

  // Forgets the entry that names `slot`, if there is one: a newer order may have taken the pair
  // over.
  void erase(Key key, Index slot) noexcept {
    Place hole = home(key);
    while (entries_[hole].slot_plus_one != slot + 1) {
      if (entries_[hole].slot_plus_one == 0) return;
      hole = next(hole);
    }
    --size_;
    for (Place place = next(hole); entries_[place].slot_plus_one != 0; place = next(place)) {
      // An entry may move back into the hole unless that would put it before its home.
      if (distance(home(entries_[place].key), place) < distance(hole, place)) continue;
      entries_[hole] = entries_[place];
      hole = place;
    }
    entries_[hole] = Entry{};
  }

  // Hints: the pair will be looked for soon.
  void prefetch(Key key) const noexcept { core::prefetch(&entries_[home(key)]); }
  void prefetch(Index account, ClOrdId cl_ord_id) const noexcept {
    prefetch(key_of(account, cl_ord_id));
  }

  std::size_t size() const noexcept { return size_; }

 private:
  struct Entry {
    Key key;
    std::uint32_t slot_plus_one;  // 0: empty
  };

  // The key's share of the table: any number of entries will do, not only a power of two.
  Place home(Key key) const noexcept { return key * count_ >> 32; }
  Place next(Place place) const noexcept { return place + 1 == count_ ? 0 : place + 1; }
  // From one place on to another.
  std::size_t distance(Place from, Place to) const noexcept {
    return to >= from ? to - from : to + count_ - from;
  }

  std::uint64_t count_;
  std::size_t orders_max_;
  Entry* entries_;
  const Order* orders_;
  std::uint64_t salt0_;
  std::uint64_t salt1_;
  std::size_t size_ = 0;
};

}  // namespace shmatch::core
