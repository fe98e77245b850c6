// The sessions the core knows: whose they are, what they asked for, and which of them hear of an
// account.
//
// A session ends in two steps when it chose cancel on disconnect: it stops receiving at once, and
// its slot is free again when the sweep has cancelled its orders. Thread: the core's. Finding an
// account's receivers costs one word for each 64 sessions.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "core/account_table.h"
#include "core/arena.h"

namespace shmatch::core {

inline constexpr SessionSlot kNoSession = 0xFFFF'FFFF;

struct Session {
  enum class State : std::uint8_t { kFree = 0, kOpen, kSweeping };

  SessionSerial serial;
  Index user;
  TimeNs theoretical_arrival;  // of the rate limit
  State state;
  bool cancel_on_disconnect;
  bool whole_objects;
  bool entered_orders;  // with cancel on disconnect: there may be something to sweep
};

class SessionTable {
 public:
  SessionTable(Arena& arena, const Configuration& configuration)
      : words_((configuration.capacities.sessions + 63U) / 64U),
        sessions_(arena.take<Session>(configuration.capacities.sessions)),
        all_accounts_(arena.take<std::uint64_t>(words_)),
        by_account_(arena.take<std::uint64_t>(configuration.accounts.size() * words_)) {}

  Session& operator[](SessionSlot slot) noexcept { return sessions_[slot]; }
  const Session& operator[](SessionSlot slot) const noexcept { return sessions_[slot]; }
  std::size_t size() const noexcept { return sessions_.size(); }

  // The open session in `slot` hears of its user's accounts, or of all. O(the user's accounts).
  void subscribe(SessionSlot slot, const AccountTable& accounts, bool all_accounts) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
    if (all_accounts) all_accounts_[slot / 64] |= bit;
    accounts.for_each_account(sessions_[slot].user, [&](Index account) noexcept {
      by_account_[account * words_ + slot / 64] |= bit;
    });
  }

  void unsubscribe(SessionSlot slot, const AccountTable& accounts) noexcept {
    const std::uint64_t keep = ~(std::uint64_t{1} << (slot % 64));
    all_accounts_[slot / 64] &= keep;
    accounts.for_each_account(sessions_[slot].user, [&](Index account) noexcept {
      by_account_[account * words_ + slot / 64] &= keep;
    });
  }

  // Calls f(slot), ascending, for each session that hears of `account`, and for `also` (a session
  // that hears in any case; kNoSession for none).
  template <class F>
  void for_each_receiver(Index account, SessionSlot also, F f) const noexcept {
    for (std::size_t word = 0; word < words_; ++word) {
      std::uint64_t bits = by_account_[account * words_ + word] | all_accounts_[word];
      if (also / 64 == word) bits |= std::uint64_t{1} << (also % 64);
      for (; bits != 0; bits &= bits - 1) {
        f(static_cast<SessionSlot>(word * 64 + static_cast<unsigned>(std::countr_zero(bits))));
      }
    }
  }

 private:
  std::size_t words_;
  std::span<Session> sessions_;
  std::span<std::uint64_t> all_accounts_;
  std::span<std::uint64_t> by_account_;
};

}  // namespace shmatch::core
