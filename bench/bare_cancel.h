// The bound of a cancel: what memory alone asks of one in the core's layout. Of a random resting
// order it reads the record, erases its entry in the index of client ids, takes it out between its
// two neighbours, subtracts it from its level and marks its slot free; nothing is checked, nothing
// is remembered, no one is told. Lines are fetched ahead in batches, in two stages, as
// core/look_ahead.h has them fetched.
//
// Records and levels are those of the core (64 bytes each), the index has its 8-byte entries at its
// load. Thread: one at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bench/zeroed_memory.h"
#include "core/arena.h"
#include "core/order_book.h"
#include "tests/unit/random.h"

namespace shmatch::bench {

class BareCancel {
 public:
  // `live` orders in random order on `levels` levels. `batch` cancels are fetched ahead.
  BareCancel(std::size_t live, std::size_t levels, std::size_t batch)
      : batch_(batch), memory_(size_of(live, levels)) {
    core::Arena arena(memory_.span());
    take(arena, live, levels);
    for (std::size_t slot = 0; slot < live; ++slot) {
      core::Order& order = orders_[slot];
      order.order_id = static_cast<core::OrderId>(slot) + 1;
      order.leaves = 1;
      link(static_cast<core::Index>(slot));
    }
    for (std::size_t slot = 0; slot < live; ++slot) {
      places_.push_back(static_cast<core::Index>(slot));
    }
  }

  // The next block's slots, different ones.
  void choose(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(places_[i], places_[i + random_.below(places_.size() - i)]);
    }
    chosen_ = count;
  }

  // What is timed.
  void cancel() noexcept {
    for (std::size_t begin = 0; begin < chosen_; begin += batch_) {
      const std::size_t end = begin + batch_ < chosen_ ? begin + batch_ : chosen_;
      for (std::size_t i = begin; i < end; ++i) core::prefetch(&orders_[places_[i]]);
      for (std::size_t i = begin; i < end; ++i) {
        const core::Order& order = orders_[places_[i]];
        core::prefetch(&index_[entry_of(places_[i])]);
        core::prefetch(&levels_[order.level]);
        if (order.next != core::kNoIndex) core::prefetch(&orders_[order.next]);
        if (order.previous != core::kNoIndex) core::prefetch(&orders_[order.previous]);
      }
      for (std::size_t i = begin; i < end; ++i) unlink(places_[i]);
    }
  }

  // The cancelled orders rest again; not timed.
  void restore() {
    for (std::size_t i = 0; i < chosen_; ++i) link(places_[i]);
  }

  // Orders that rest.
  std::uint64_t count() const noexcept {
    std::uint64_t sum = 0;
    for (const core::Level& level : levels_) sum += level.order_count;
    return sum;
  }

 private:
  void take(core::Arena& arena, std::size_t live, std::size_t levels) {
    orders_ = arena.take<core::Order>(live);
    index_ = arena.take<std::uint64_t>(std::bit_ceil(live * 2));
    levels_ = arena.take<core::Level>(levels);
    free_ = arena.take<std::uint64_t>(live / 64 + 1);
  }
  std::size_t size_of(std::size_t live, std::size_t levels) {
    core::Arena arena;
    take(arena, live, levels);
    return arena.used();
  }

  // An odd factor: each slot has an entry of its own.
  std::size_t entry_of(core::Index slot) const noexcept {
    return slot * std::size_t{0x9E37'79B1} & (index_.size() - 1);
  }

  void link(core::Index slot) {
    core::Order& order = orders_[slot];
    order.level = static_cast<core::Index>(random_.below(levels_.size()));
    core::Level& level = levels_[order.level];
    order.next = core::kNoIndex;
    order.previous = level.order_count == 0 ? core::kNoIndex : level.tail;
    (level.order_count == 0 ? level.head : orders_[level.tail].next) = slot;
    level.tail = slot;
    ++level.order_count;
    ++level.quantity;
    index_[entry_of(slot)] = slot + std::uint64_t{1};
    free_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  }

  void unlink(core::Index slot) noexcept {
    core::Order& order = orders_[slot];
    core::Level& level = levels_[order.level];
    (order.previous == core::kNoIndex ? level.head : orders_[order.previous].next) = order.next;
    (order.next == core::kNoIndex ? level.tail : orders_[order.next].previous) = order.previous;
    --level.order_count;
    level.quantity -= static_cast<core::Wide>(order.leaves);
    index_[entry_of(slot)] = 0;
    free_[slot / 64] |= std::uint64_t{1} << (slot % 64);
    order.level = core::kNoIndex;
  }

  std::size_t batch_;
  ZeroedMemory memory_;
  std::span<core::Order> orders_;
  std::span<std::uint64_t> index_;
  std::span<core::Level> levels_;
  std::span<std::uint64_t> free_;
  std::vector<core::Index> places_;
  std::size_t chosen_ = 0;
  tests::Random random_{7};
};

}  // namespace shmatch::bench
