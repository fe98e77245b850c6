// From (account, client order id) to the order that the pair names: the working order that has it,
// else the newest one that is still remembered.
//
// A table of cache lines with room for twelve entries each, less than half full. A pair has a home
// line, which follows from the id alone: clients mostly count their ids up, so four neighbouring
// ids of an account have one home, the next four the next line, and one client that counts up has
// at most eight pairs a line when as many orders are known as there can be. A pair whose home is
// full goes to the first line with room of those that salted hashes name one after another: a
// client may choose which homes are full, but not where his pairs go then. Each attempt has a hash
// of its own, because full homes lie side by side.
//
// A home counts its entries that are elsewhere, knows how many attempts they took at most and which
// tags they can have, so a search ends at home nearly always, whether the pair is known or not.
// Erasing empties a place and moves nothing: no tombstones, so searches do not grow with age, and
// no growth, so no pause; and whoever has put a pair knows where it is until it is erased. Nothing
// here asks the processor to guess where a run of entries ends: open addressing did, and its wrong
// guesses were a third of a cancel's cost (docs/decisions.md).
//
// An entry is one byte of a salted hash, its tag, and a slot; the pair itself stays in the order
// record and is compared there, so a false match of bytes costs one look, never a wrong answer.
// Erasing an entry that is at home needs the place and the slot only: an order that is forgotten
// was last looked at long ago.
//
// Worst case: a search looks at its home and as many lines as the home says: with a secret salt a
// handful in a full index, whatever ids there are, because less than half of the lines are full
// (tests CountingAccountsAreFoundInFewAttempts and ChosenIdsAreFoundInFewAttempts). Who knows the
// salt can fill the lines of all attempts of a pair: for its home it is then all lines, and no
// worse. Thread: the core's.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
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

  // A pair's entry, or where it would go; never 0. Opaque. What locate says is good until another
  // entry is put; of a pair that was put, until it is erased: nothing moves.
  using Place = ClientIdPlace;
  struct Found {
    Place place;
    Index slot;  // kNoIndex: the pair is not there
    std::uint8_t tag;  // the pair's, for put
  };

  ClientIdIndex(Arena& arena, std::size_t orders_max, std::span<const Order> orders,
                std::uint64_t salt)
      : line_count_(lines_for(orders_max)),
        reciprocal_(UINT64_MAX / line_count_ + 1),
        lines_(arena.take<Line>(line_count_).data()),
        orders_(orders.data()),
        salt0_(salt),
        salt1_(second_salt(salt)),
        tag_factor_(tag_factor_for(salt1_)) {}

  Found locate(Index account, ClOrdId cl_ord_id) const noexcept {
    const std::uint32_t at_home = home(account, cl_ord_id);
    const std::uint8_t tag = tag_of(account, cl_ord_id);
    const Line& line = lines_[at_home];
    const unsigned entry = entry_of(line, account, cl_ord_id, tag);
    if (entry != kEntries) return {place(at_home, entry, kAtHome), line.slots[entry] - 1, tag};
    const std::uint32_t empty = line.tagged(0);
    if (line.may_be_beyond(tag) || empty == 0) [[unlikely]] {
      return locate_beyond(account, cl_ord_id);
    }
    return {place(at_home, static_cast<unsigned>(std::countr_zero(empty)), kAtHome), kNoIndex, tag};
  }
  Index find(Index account, ClOrdId cl_ord_id) const noexcept {
    return locate(account, cl_ord_id).slot;
  }

  // The pair, whose place and tag these are, names `slot` from now on.
  void put(Place place, std::uint8_t tag, Index account, ClOrdId cl_ord_id, Index slot) noexcept {
    Line& line = line_of(place);
    const std::size_t entry = entry_of(place);
    if (away(place) && line.tags[entry] == 0) [[unlikely]] {
      note_beyond(place, account, cl_ord_id);
    }
    line.tags[entry] = tag;
    line.slots[entry] = slot + 1;
  }
  Place put(Index account, ClOrdId cl_ord_id, Index slot) noexcept {
    const Found found = locate(account, cl_ord_id);
    put(found.place, found.tag, account, cl_ord_id, slot);
    return found.place;
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
    core::prefetch(&lines_[home(account, cl_ord_id)]);
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

  // The line that is the pair's home, below line_count(). Accounts begin far from each other, since
  // clients of all of them may count from 1; so do ids that differ in their upper halves only.
  std::uint32_t home(Index account, ClOrdId cl_ord_id) const noexcept {
    const std::uint64_t key = key_of(account, cl_ord_id) >> kNeighbourBits;
    const auto four = static_cast<std::uint32_t>(key) +
                      static_cast<std::uint32_t>(key >> 32) *
                          static_cast<std::uint32_t>(kHashMultiplier);
    // The remainder of a division by the line count, in two multiplications (Lemire, Kaser, Kurz,
    // "Faster remainder by direct computation", 2019: exact for 32 bits).
    return static_cast<std::uint32_t>(static_cast<Wide>(reciprocal_ * four) * line_count_ >> 64);
  }
  // Where its entry can be if that is full: the line of the n-th attempt, from 0 on.
  std::uint32_t hashed_line(Index account, ClOrdId cl_ord_id, unsigned n) const noexcept {
    const std::uint64_t id = (static_cast<std::uint64_t>(cl_ord_id) ^ salt0_) + n * kHashMultiplier;
    const auto hash = static_cast<std::uint32_t>(
        salted_hash(id, (std::uint64_t{account} * kHashMultiplier) ^ salt1_));
    return static_cast<std::uint32_t>(hash * line_count_ >> 32);
  }
  // The byte that is compared before a record is looked at; never 0. Neighbours' are different.
  std::uint8_t tag_of(Index account, ClOrdId cl_ord_id) const noexcept {
    const auto tag = static_cast<std::uint8_t>(key_of(account, cl_ord_id) * tag_factor_ >> 56);
    return tag | std::uint8_t{tag == 0};
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
  // How many lines beyond its home a search looks at, at worst; walks all lines.
  std::uint64_t reach() const noexcept {
    std::uint64_t most = 0;
    for (std::uint32_t line = 0; line < line_count_; ++line) {
      const Line& at = lines_[line];
      if (at.beyond_filter == 0) continue;
      most = std::max(most, at.reach == kEverywhere ? line_count_ : at.reach + std::uint64_t{1});
    }
    return most;
  }

 private:
  // Entries of a line when all orders are known that can be, on average.
  static constexpr std::size_t kUsualEntries = 5;
  // The lowest bit of a place: whether the pair went where a hash says.
  static constexpr std::uint32_t kAtHome = 0;
  static constexpr std::uint32_t kAway = 1;
  // From so many on the entries beyond a home are not counted: it keeps those that it has.
  static constexpr std::uint16_t kMany = UINT16_MAX;
  // Attempts before any line with room will do: so many fail only by design of whoever knows the
  // salt, each line being full with a chance below a half.
  static constexpr unsigned kAttempts = UINT8_MAX;
  // The reach of a home that has such pairs: what is not at home is looked for in all lines.
  static constexpr std::uint8_t kEverywhere = kAttempts;
  static constexpr unsigned kLineShift = 5;
  // Working and ended orders, and free slots, of which there are fewer than kOrdersCapacityMax.
  static_assert(3 * std::uint64_t{kOrdersCapacityMax} / kUsualEntries < 1ULL << (32 - kLineShift));

  struct alignas(64) Line {
    std::uint32_t slots[kEntries];  // plus one; 0: empty
    std::uint8_t tags[kEntries];    // 0: empty
    // Of the pairs that have their home here and an entry elsewhere: the filter bits of their tags,
    // the last attempt that one of them took, and how many they are.
    std::uint8_t beyond_filter;
    std::uint8_t reach;
    std::uint16_t beyond;

    bool may_be_beyond(std::uint8_t tag) const noexcept {
      return (beyond_filter & filter_bit(tag)) != 0;
    }

    // The entries with this tag, a bit each. The row's last four bytes are the counters.
    std::uint32_t tagged(std::uint8_t tag) const noexcept {
      return bytes_equal(tags, tag) & ((1U << kEntries) - 1);
    }
  };
  static_assert(sizeof(Line) == 64 && offsetof(Line, tags) == 64 - 16);

  // Odd, and no multiple of what people like to count by: ids in equal steps then use all lines.
  static std::uint64_t lines_for(std::size_t orders_max) noexcept {
    std::uint64_t count = orders_max / kUsualEntries + 1;
    while (std::gcd(count, std::uint64_t{2 * 3 * 5 * 7 * 11 * 13}) != 1) ++count;
    return count;
  }
  // What a tag is the highest byte of a product with: odd, and such that this byte grows by 0x5B or
  // one more from one neighbour to the next.
  static std::uint64_t tag_factor_for(std::uint64_t salt) noexcept {
    return (salt & UINT64_MAX >> 8) | std::uint64_t{0x5B} << 56 | 1;
  }
  static std::uint64_t key_of(Index account, ClOrdId cl_ord_id) noexcept {
    return static_cast<std::uint64_t>(cl_ord_id) + account * kHashMultiplier;
  }
  static std::uint8_t filter_bit(std::uint8_t tag) noexcept {
    return static_cast<std::uint8_t>(1U << (tag >> 5));
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
  unsigned entry_of(const Line& line, Index account, ClOrdId cl_ord_id,
                    std::uint8_t tag) const noexcept {
    for (std::uint32_t same = line.tagged(tag); same != 0; same &= same - 1) {
      const auto entry = static_cast<unsigned>(std::countr_zero(same));
      const Order& order = orders_[line.slots[entry] - 1];
      if (order.cl_ord_id == cl_ord_id && order.account == account) return entry;
    }
    return kEntries;
  }
  [[gnu::noinline]] Found locate_beyond(Index account, ClOrdId cl_ord_id) const noexcept {
    const Line& at_home = lines_[home(account, cl_ord_id)];
    const std::uint8_t tag = tag_of(account, cl_ord_id);
    if (at_home.may_be_beyond(tag)) {
      const bool everywhere = at_home.reach == kEverywhere;
      const std::uint64_t looks = everywhere ? line_count_ : at_home.reach + std::uint64_t{1};
      for (std::uint32_t n = 0; n < looks; ++n) {
        const std::uint32_t line = everywhere ? n : hashed_line(account, cl_ord_id, n);
        const unsigned entry = entry_of(lines_[line], account, cl_ord_id, tag);
        if (entry != kEntries) {
          return {place(line, entry, kAway), lines_[line].slots[entry] - 1, tag};
        }
      }
    }
    return {first_room(account, cl_ord_id), kNoIndex, tag};
  }
  // There is room: more than half of all places are empty.
  Place first_room(Index account, ClOrdId cl_ord_id) const noexcept {
    const auto empty_in = [this](std::uint32_t line) noexcept { return lines_[line].tagged(0); };
    const auto first = [](std::uint32_t empty) noexcept {
      return static_cast<unsigned>(std::countr_zero(empty));
    };
    const std::uint32_t at_home = home(account, cl_ord_id);
    if (const std::uint32_t empty = empty_in(at_home)) return place(at_home, first(empty), kAtHome);
    for (unsigned n = 0; n < kAttempts; ++n) {
      const std::uint32_t line = hashed_line(account, cl_ord_id, n);
      if (const std::uint32_t empty = empty_in(line)) return place(line, first(empty), kAway);
    }
    for (std::uint32_t line = 0; line < line_count_; ++line) {
      if (const std::uint32_t empty = empty_in(line)) return place(line, first(empty), kAway);
    }
    check_failed("the client id index has room", __FILE__, __LINE__);
  }

  [[gnu::noinline]] void note_beyond(Place place, Index account, ClOrdId cl_ord_id) noexcept {
    Line& at_home = lines_[home(account, cl_ord_id)];
    unsigned attempt = 0;
    while (attempt < kEverywhere &&
           hashed_line(account, cl_ord_id, attempt) != line_number(place)) {
      ++attempt;
    }
    if (at_home.beyond != kMany) ++at_home.beyond;
    at_home.beyond_filter |= filter_bit(tag_of(account, cl_ord_id));
    at_home.reach = std::max(at_home.reach, static_cast<std::uint8_t>(attempt));
  }

  [[gnu::noinline]] void note_less_beyond(const Order& order) noexcept {
    Line& at_home = lines_[home(order.account, order.cl_ord_id)];
    if (at_home.beyond != kMany && --at_home.beyond == 0) {
      at_home.reach = 0;
      at_home.beyond_filter = 0;
    }
  }

  std::uint64_t line_count_;
  std::uint64_t reciprocal_;  // 2^64 / line_count_, rounded up
  Line* lines_;
  const Order* orders_;
  std::uint64_t salt0_;
  std::uint64_t salt1_;
  std::uint64_t tag_factor_;
};

}  // namespace shmatch::core
