// From (account, client order id) to the order that the pair names: the working order that has it,
// else the newest one that is still remembered.
//
// A table of cache lines with room for twelve entries each, filled by half. A pair has a home line;
// its entry is there unless that was full, else in the next line with room: when as many orders
// are known as there can be, one line in a hundred has more pairs than room.
// A home counts its entries that are elsewhere and knows how far they can be, so a search ends at
// home nearly always, whether the pair is known or not. Erasing empties a place and moves nothing:
// no tombstones, so searches do not grow with age, and no growth, so no pause. Nothing here asks
// the processor to guess where a run of entries ends: open addressing did, and its wrong guesses
// were a third of a cancel's cost (docs/decisions.md).
//
// The hash is salted, because clients choose the ids: without the salt they cannot choose
// collisions. An entry is one byte of the hash and a slot; the pair itself stays in the order
// record and is compared there, so a false match of bytes costs one look, never a wrong answer.
// Erasing needs the key and the slot only: an order that is forgotten was last looked at long ago.
//
// Worst case: a search walks as many lines as its home says; with a secret salt two lines are rare
// and three all but unheard of. Thread: the core's.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/arena.h"
#include "core/byte_match.h"
#include "core/check.h"
#include "core/order.h"
#include "core/prefetch.h"
#include "core/salted_hash.h"

namespace shmatch::core {

class ClientIdIndex {
 public:
  static constexpr unsigned kEntries = 12;  // room of a line

  // What the index knows a pair by; its lowest byte is never 0.
  using Key = std::uint32_t;
  // A pair's entry, or where it would go. Good until another entry is put. Opaque; one word,
  // because smaller parts that are written one by one and fetched as one would have to wait.
  using Place = std::uint64_t;

  ClientIdIndex(Arena& arena, std::size_t orders_max, std::span<const Order> orders,
                std::uint64_t salt)
      : line_count_(orders_max / (kEntries / 2) + 1),
        lines_(arena.take<Line>(line_count_).data()),
        orders_(orders.data()),
        salt0_(salt),
        salt1_(second_salt(salt)) {}

  Key key_of(Index account, ClOrdId cl_ord_id) const noexcept {
    const auto key =
        static_cast<Key>(salted_hash(static_cast<std::uint64_t>(cl_ord_id) ^ salt0_,
                                     (std::uint64_t{account} * kHashMultiplier) ^ salt1_));
    return key | Key{tag_of(key) == 0};
  }

  Place locate(Index account, ClOrdId cl_ord_id, Key key) const noexcept {
    const std::uint32_t at_home = home(key);
    const Line& line = lines_[at_home];
    const unsigned entry = entry_of(line, account, cl_ord_id, key);
    if (entry != kEntries) return place(at_home, entry, 0);
    const std::uint32_t empty = line.tagged(0);
    if (line.reach != 0 || empty == 0) [[unlikely]] {
      return locate_beyond(account, cl_ord_id, key);
    }
    return place(at_home, static_cast<unsigned>(std::countr_zero(empty)), 0);
  }
  // The slot that an entry names; kNoIndex: the pair is not there.
  Index at(Place place) const noexcept { return line_of(place).slots[entry_of(place)] - 1; }

  Index find(Index account, ClOrdId cl_ord_id) const noexcept {
    return at(locate(account, cl_ord_id, key_of(account, cl_ord_id)));
  }

  // The pair whose place that is names `slot` from now on.
  void put(Place place, Key key, Index slot) noexcept {
    Line& line = line_of(place);
    const std::size_t entry = entry_of(place);
    if ((place & kAway) != 0 && line.tags[entry] == 0) [[unlikely]] {
      note_beyond(place, key);
    }
    line.tags[entry] = tag_of(key);
    line.slots[entry] = slot + 1;
  }
  void put(Index account, ClOrdId cl_ord_id, Index slot) noexcept {
    const Key key = key_of(account, cl_ord_id);
    put(locate(account, cl_ord_id, key), key, slot);
  }

  // Forgets the entry that names `slot`, if there is one: a newer order may have taken the pair
  // over.
  void erase(Key key, Index slot) noexcept {
    Line& line = lines_[home(key)];
    if (erase_from(line, key, slot)) [[likely]] {
      return;
    }
    if (line.beyond != 0) [[unlikely]] {
      erase_beyond(line, key, slot);
    }
  }

  // Hints: the pair will be looked for soon.
  void prefetch(Key key) const noexcept { core::prefetch(&lines_[home(key)]); }
  void prefetch(Index account, ClOrdId cl_ord_id) const noexcept {
    prefetch(key_of(account, cl_ord_id));
  }

  // The line that is the key's home, below line_count(): its share of the lines. Any number of them
  // will do, not only a power of two. The share is the key's upper bits, so the lower ones tell the
  // pairs of a line apart.
  std::uint32_t home(Key key) const noexcept {
    return static_cast<std::uint32_t>(key * line_count_ >> 32);
  }
  std::size_t line_count() const noexcept { return line_count_; }
  // How many entries there are; walks all lines.
  std::size_t count() const noexcept {
    std::size_t count = 0;
    for (std::uint32_t line = 0; line < line_count_; ++line) {
      count += kEntries - static_cast<std::size_t>(std::popcount(lines_[line].tagged(0)));
    }
    return count;
  }

 private:
  static constexpr Place kAway = 1;  // not in the pair's home
  static constexpr unsigned kLineShift = 5;

  struct alignas(64) Line {
    std::uint32_t slots[kEntries];  // plus one; 0: empty
    std::uint8_t tags[kEntries];    // 0: empty
    // Of the pairs that have their home here: entries in other lines, and how many lines on the
    // farthest of them can be.
    std::uint16_t beyond;
    std::uint16_t reach;

    // The entries with this tag, a bit each. The row's last four bytes are the counters.
    std::uint32_t tagged(std::uint8_t tag) const noexcept {
      return bytes_equal(tags, tag) & ((1U << kEntries) - 1);
    }
  };
  static_assert(sizeof(Line) == 64 && offsetof(Line, tags) == 64 - 16);

  static std::uint8_t tag_of(Key key) noexcept { return static_cast<std::uint8_t>(key); }
  std::uint32_t next(std::uint32_t line) const noexcept {
    return line + 1 == line_count_ ? 0 : line + 1;
  }
  static Place place(std::uint32_t line, unsigned entry, Place away) noexcept {
    return (Place{line} << kLineShift) | (entry << 1) | away;
  }
  Line& line_of(Place place) const noexcept { return lines_[place >> kLineShift]; }
  static std::size_t entry_of(Place place) noexcept { return place >> 1 & 15; }

  // Which entry of the line is the pair's; kEntries: none.
  unsigned entry_of(const Line& line, Index account, ClOrdId cl_ord_id, Key key) const noexcept {
    for (std::uint32_t same = line.tagged(tag_of(key)); same != 0; same &= same - 1) {
      const auto entry = static_cast<unsigned>(std::countr_zero(same));
      const Order& order = orders_[line.slots[entry] - 1];
      if (order.cl_ord_id == cl_ord_id && order.account == account) return entry;
    }
    return kEntries;
  }
  [[gnu::noinline]] Place locate_beyond(Index account, ClOrdId cl_ord_id, Key key) const noexcept {
    std::uint32_t line = home(key);
    for (std::uint32_t left = lines_[line].reach; left > 0; --left) {
      line = next(line);
      const unsigned entry = entry_of(lines_[line], account, cl_ord_id, key);
      if (entry != kEntries) return place(line, entry, kAway);
    }
    return first_room(key);
  }
  // There is room: half of all places are empty.
  Place first_room(Key key) const noexcept {
    std::uint32_t line = home(key);
    for (std::uint32_t walked = 0; walked < line_count_; ++walked) {
      const std::uint32_t empty = lines_[line].tagged(0);
      if (empty != 0) {
        return place(line, static_cast<unsigned>(std::countr_zero(empty)), walked == 0 ? 0 : kAway);
      }
      line = next(line);
    }
    check_failed("the client id index has room", __FILE__, __LINE__);
  }

  [[gnu::noinline]] void note_beyond(Place place, Key key) noexcept {
    const std::uint64_t line = place >> kLineShift;
    Line& at_home = lines_[home(key)];
    const std::uint64_t distance =
        line > home(key) ? line - home(key) : line + line_count_ - home(key);
    SHMATCH_CHECK(distance <= UINT16_MAX && at_home.beyond < UINT16_MAX);
    ++at_home.beyond;
    if (distance > at_home.reach) at_home.reach = static_cast<std::uint16_t>(distance);
  }

  bool erase_from(Line& line, Key key, Index slot) noexcept {
    for (std::uint32_t same = line.tagged(tag_of(key)); same != 0; same &= same - 1) {
      const int entry = std::countr_zero(same);
      if (line.slots[entry] != slot + 1) continue;
      line.slots[entry] = 0;
      line.tags[entry] = 0;
      return true;
    }
    return false;
  }
  [[gnu::noinline]] void erase_beyond(Line& at_home, Key key, Index slot) noexcept {
    std::uint32_t line = home(key);
    for (std::uint32_t left = at_home.reach; left > 0; --left) {
      line = next(line);
      if (!erase_from(lines_[line], key, slot)) continue;
      if (--at_home.beyond == 0) at_home.reach = 0;
      return;
    }
  }

  std::uint64_t line_count_;
  Line* lines_;
  const Order* orders_;
  std::uint64_t salt0_;
  std::uint64_t salt1_;
};

}  // namespace shmatch::core
