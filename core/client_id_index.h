// From (account, client order id) to the order that the pair names: the working order that has it,
// else the newest one that is still remembered.
//
// A table of cache lines with room for twelve entries each, less than half full. A pair has a home
// line; its entry is there unless that was full, else in the next line with room. Clients mostly
// count their ids up, and orders that come together also go together: four neighbouring ids of an
// account have one home, so that its line is fetched once for the four of them. When as many orders
// are known as there can be, one line in 495 has more pairs than room, and one in 26 if all ids are
// neighbours (test IdsInEqualStepsCrowdFewLines).
//
// A home counts its entries that are elsewhere, knows how far they can be and which keys they can
// have, so a search ends at home nearly always, whether the pair is known or not. Erasing empties a
// place and moves nothing: no tombstones, so searches do not grow with age, and no growth, so no
// pause; and whoever has put a pair knows where it is until it is erased. Nothing here asks the
// processor to guess where a run of entries ends: open addressing did, and its wrong guesses were a
// third of a cancel's cost (docs/decisions.md).
//
// The hash is salted, because clients choose the ids: without the salt they cannot choose
// collisions, beyond the neighbours' three. An entry is one byte of the hash and a slot; the pair
// itself stays in the order record and is compared there, so a false match of bytes costs one look,
// never a wrong answer. Erasing an entry that is at home needs the place and the slot only: an
// order that is forgotten was last looked at long ago.
//
// Worst case: a search walks as many lines as its home says. With a secret salt that is none but
// for the homes above, then one line, and two for one home in some two hundred of neighbours. Who
// knows the salt can choose ids for which it is all lines, and no worse. Thread: the core's.
#pragma once

#include <algorithm>
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
  // Ids that differ in these low bits only have one home.
  static constexpr unsigned kNeighbourBits = 2;

  // What the index knows a pair by; its lowest byte is never 0.
  using Key = std::uint32_t;
  // A pair's entry, or where it would go; never 0. Opaque. What locate says is good until another
  // entry is put; of a pair that was put, until it is erased: nothing moves.
  using Place = ClientIdPlace;

  ClientIdIndex(Arena& arena, std::size_t orders_max, std::span<const Order> orders,
                std::uint64_t salt)
      : line_count_(orders_max / kUsualEntries + 1),
        lines_(arena.take<Line>(line_count_).data()),
        orders_(orders.data()),
        salt0_(salt),
        salt1_(second_salt(salt)) {}

  Key key_of(Index account, ClOrdId cl_ord_id) const noexcept {
    const auto id = static_cast<std::uint64_t>(cl_ord_id);
    const auto key =
        static_cast<Key>(salted_hash((id >> kNeighbourBits) ^ salt0_,
                                     (std::uint64_t{account} * kHashMultiplier) ^ salt1_)) ^
        static_cast<Key>(id & ((1U << kNeighbourBits) - 1));
    return key | Key{tag_of(key) == 0};
  }

  Place locate(Index account, ClOrdId cl_ord_id, Key key) const noexcept {
    const std::uint32_t at_home = home(key);
    const Line& line = lines_[at_home];
    const unsigned entry = entry_of(line, account, cl_ord_id, key);
    if (entry != kEntries) return place(at_home, entry, kAtHome);
    const std::uint32_t empty = line.tagged(0);
    if (line.may_be_beyond(key) || empty == 0) [[unlikely]] {
      return locate_beyond(account, cl_ord_id, key);
    }
    return place(at_home, static_cast<unsigned>(std::countr_zero(empty)), kAtHome);
  }
  Place locate(Index account, ClOrdId cl_ord_id) const noexcept {
    return locate(account, cl_ord_id, key_of(account, cl_ord_id));
  }
  // The slot that an entry names; kNoIndex: the pair is not there.
  Index at(Place place) const noexcept { return line_of(place).slots[entry_of(place)] - 1; }

  Index find(Index account, ClOrdId cl_ord_id) const noexcept {
    return at(locate(account, cl_ord_id));
  }

  // The pair whose place that is names `slot` from now on.
  void put(Place place, Key key, Index slot) noexcept {
    Line& line = line_of(place);
    const std::size_t entry = entry_of(place);
    if (away(place) && line.tags[entry] == 0) [[unlikely]] {
      note_beyond(place, key);
    }
    line.tags[entry] = tag_of(key);
    line.slots[entry] = slot + 1;
  }
  Place put(Index account, ClOrdId cl_ord_id, Index slot) noexcept {
    const Key key = key_of(account, cl_ord_id);
    const Place where = locate(account, cl_ord_id, key);
    put(where, key, slot);
    return where;
  }

  // Forgets the entry that was put there for the order in `slot`, whose record still has the pair;
  // nothing if a newer order has taken the pair over.
  void erase(Place place, Index slot) noexcept {
    Line& line = line_of(place);
    const std::size_t entry = entry_of(place);
    if (line.slots[entry] != slot + 1) return;
    if (away(place)) [[unlikely]] {
      note_less_beyond(orders_[slot]);
    }
    line.slots[entry] = 0;
    line.tags[entry] = 0;
  }

  // Hints: the pair will be looked for soon, or its entry erased.
  void prefetch(Index account, ClOrdId cl_ord_id) const noexcept {
    core::prefetch(&lines_[home(key_of(account, cl_ord_id))]);
  }
  void prefetch(Place place) const noexcept { core::prefetch(&line_of(place)); }
  // For after a new order: its client will probably go on counting, and then needs the home of the
  // next neighbours.
  void prefetch_following(Index account, ClOrdId cl_ord_id) const noexcept {
    constexpr std::uint64_t kNeighbours = 1U << kNeighbourBits;
    const auto id = static_cast<std::uint64_t>(cl_ord_id);
    if (cl_ord_id <= 0 || id % kNeighbours != 0) return;
    prefetch(account, static_cast<ClOrdId>(id + kNeighbours));
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
  // How many entries their homes count as elsewhere; walks all lines.
  std::size_t count_beyond() const noexcept {
    std::size_t count = 0;
    for (std::uint32_t line = 0; line < line_count_; ++line) count += lines_[line].beyond;
    return count;
  }

 private:
  // Entries of a line when all orders are known that can be, on average.
  static constexpr std::size_t kUsualEntries = 5;
  // The lowest bit of a place: whether it is in another line than the pair's home.
  static constexpr std::uint32_t kAtHome = 0;
  static constexpr std::uint32_t kAway = 1;
  // From so many on the entries beyond a home are not counted, and their distance not measured: it
  // keeps those that it has, and what is not at home is looked for in all lines.
  static constexpr std::uint8_t kMany = UINT8_MAX;
  static constexpr unsigned kLineShift = 5;
  // Working and ended orders, and free slots, of which there are fewer than kOrdersCapacityMax.
  static_assert(3 * std::uint64_t{kOrdersCapacityMax} / kUsualEntries < 1ULL << (32 - kLineShift));

  struct alignas(64) Line {
    std::uint32_t slots[kEntries];  // plus one; 0: empty
    std::uint8_t tags[kEntries];    // 0: empty
    // Of the pairs that have their home here and an entry in another line: how many, how many lines
    // on the farthest of them can be, and the filter bits of their keys.
    std::uint8_t beyond;
    std::uint8_t reach;
    std::uint16_t beyond_filter;

    bool may_be_beyond(Key key) const noexcept { return (beyond_filter & filter_bit(key)) != 0; }

    // The entries with this tag, a bit each. The row's last four bytes are the counters.
    std::uint32_t tagged(std::uint8_t tag) const noexcept {
      return bytes_equal(tags, tag) & ((1U << kEntries) - 1);
    }
  };
  static_assert(sizeof(Line) == 64 && offsetof(Line, tags) == 64 - 16);

  static std::uint16_t filter_bit(Key key) noexcept {
    return static_cast<std::uint16_t>(1U << (key >> 4 & 15));
  }
  static std::uint8_t tag_of(Key key) noexcept { return static_cast<std::uint8_t>(key); }
  std::uint32_t next(std::uint32_t line) const noexcept {
    return line + 1 == line_count_ ? 0 : line + 1;
  }
  static Place place(std::uint32_t line, unsigned entry, std::uint32_t away) noexcept {
    return Place{(line << kLineShift) | ((entry + 1) << 1) | away};
  }
  static std::uint32_t line_number(Place place) noexcept {
    return static_cast<std::uint32_t>(place) >> kLineShift;
  }
  Line& line_of(Place place) const noexcept { return lines_[line_number(place)]; }
  static std::size_t entry_of(Place place) noexcept {
    return (static_cast<std::uint32_t>(place) >> 1 & 15) - 1;
  }
  static bool away(Place place) noexcept {
    return (static_cast<std::uint32_t>(place) & kAway) != 0;
  }

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
    const std::uint64_t reach = lines_[line].reach;
    for (std::uint64_t left = reach == kMany ? line_count_ - 1 : reach; left > 0; --left) {
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
        return place(line, static_cast<unsigned>(std::countr_zero(empty)),
                     walked == 0 ? kAtHome : kAway);
      }
      line = next(line);
    }
    check_failed("the client id index has room", __FILE__, __LINE__);
  }

  [[gnu::noinline]] void note_beyond(Place place, Key key) noexcept {
    const std::uint64_t line = line_number(place);
    const std::uint64_t at = home(key);
    Line& at_home = lines_[at];
    const std::uint64_t distance = line > at ? line - at : line + line_count_ - at;
    if (at_home.beyond != kMany) ++at_home.beyond;
    at_home.beyond_filter |= filter_bit(key);
    if (distance > at_home.reach) {
      at_home.reach = static_cast<std::uint8_t>(std::min(distance, std::uint64_t{kMany}));
    }
  }

  [[gnu::noinline]] void note_less_beyond(const Order& order) noexcept {
    Line& at_home = lines_[home(key_of(order.account, order.cl_ord_id))];
    if (at_home.beyond != kMany && --at_home.beyond == 0) {
      at_home.reach = 0;
      at_home.beyond_filter = 0;
    }
  }

  std::uint64_t line_count_;
  Line* lines_;
  const Order* orders_;
  std::uint64_t salt0_;
  std::uint64_t salt1_;
};

}  // namespace shmatch::core
