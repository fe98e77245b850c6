// From (account, client order id) to the order that the pair names: the working order that has it,
// else the newest one that is still remembered.
//
// Open addressing with linear probing over 8-byte entries, load at most one half, backward-shift
// erase: no tombstones, so probes do not grow with age, and no growth, so no pause. The hash is
// salted, because clients choose the ids: without the salt they cannot choose collisions. Entries
// hold the hash and a slot; the key itself stays in the order record and is compared there, so a
// false match of hashes costs one look, never a wrong answer.
//
// Worst case: a probe walks the longest run; with a secret salt its expected length is below 2 at
// this load. Thread: the core's.
#pragma once

#include <bit>
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
  ClientIdIndex(Arena& arena, std::size_t orders_max, std::span<const Order> orders,
                std::uint64_t salt)
      : entries_(arena.take<Entry>(std::bit_ceil(orders_max * 2))),
        orders_(orders),
        salt0_(salt),
        salt1_(salt * 0xD6E8FEB86659FD93U + 0xA0761D6478BD642FU) {}

  Index find(Index account, ClOrdId cl_ord_id) const noexcept {
    const std::size_t place = locate(account, cl_ord_id, hash(account, cl_ord_id));
    return entries_[place].slot_plus_one - 1;  // 0 becomes kNoIndex
  }

  // The pair names `slot` from now on. `orders[slot]` must already hold the pair.
  void put(Index account, ClOrdId cl_ord_id, Index slot) noexcept {
    const std::uint32_t hashed = hash(account, cl_ord_id);
    const std::size_t place = locate(account, cl_ord_id, hashed);
    if (entries_[place].slot_plus_one == 0) {
      SHMATCH_CHECK(++size_ <= entries_.size() / 2);
    }
    entries_[place] = Entry{hashed, slot + 1};
  }

  // Forgets the pair if it still names `slot`; a newer order that took the pair over keeps it.
  void erase(Index account, ClOrdId cl_ord_id, Index slot) noexcept {
    std::size_t hole = locate(account, cl_ord_id, hash(account, cl_ord_id));
    if (entries_[hole].slot_plus_one != slot + 1) return;
    --size_;
    for (std::size_t place = next(hole); entries_[place].slot_plus_one != 0; place = next(place)) {
      // An entry may move back into the hole unless that would put it before its home.
      const std::size_t distance_home = (place - entries_[place].hash) & mask();
      const std::size_t distance_hole = (place - hole) & mask();
      if (distance_home < distance_hole) continue;
      entries_[hole] = entries_[place];
      hole = place;
    }
    entries_[hole] = Entry{};
  }

  // A hint: the pair will be looked for soon.
  void prefetch(Index account, ClOrdId cl_ord_id) const noexcept {
    core::prefetch(&entries_[hash(account, cl_ord_id) & mask()]);
  }

  std::size_t size() const noexcept { return size_; }

 private:
  struct Entry {
    std::uint32_t hash;
    std::uint32_t slot_plus_one;  // 0: empty
  };

  std::size_t mask() const noexcept { return entries_.size() - 1; }
  std::size_t next(std::size_t place) const noexcept { return (place + 1) & mask(); }

  // Folded 128-bit product of the salted halves of the key.
  std::uint32_t hash(Index account, ClOrdId cl_ord_id) const noexcept {
    const Wide product = static_cast<Wide>(static_cast<std::uint64_t>(cl_ord_id) ^ salt0_) *
                         ((std::uint64_t{account} * 0x9E3779B97F4A7C15U) ^ salt1_);
    const auto folded =
        static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    return static_cast<std::uint32_t>(folded ^ (folded >> 32));
  }

  // Where the key's entry is, or the empty entry where it would go.
  std::size_t locate(Index account, ClOrdId cl_ord_id, std::uint32_t hashed) const noexcept {
    std::size_t place = hashed & mask();
    for (; entries_[place].slot_plus_one != 0; place = next(place)) {
      if (entries_[place].hash != hashed) continue;
      const Order& order = orders_[entries_[place].slot_plus_one - 1];
      if (order.cl_ord_id == cl_ord_id && order.account == account) break;
    }
    return place;
  }

  std::span<Entry> entries_;
  std::span<const Order> orders_;
  std::uint64_t salt0_;
  std::uint64_t salt1_;
  std::size_t size_ = 0;
};

}  // namespace shmatch::core
