// The sessions the core knows: whose they are, what they asked for, and which of them hear of an
// account. core/matching_engine.h (SessionState) has their life.
//
// Open sessions hear; resumable ones hear until they are forgotten, because whoever resumes gets
// what it missed. Thread: the core's. Finding the receivers of an account costs one load where it
// has one session and nobody hears of all accounts, else one word for each 64 sessions.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/account_table.h"
#include "core/arena.h"
#include "core/matching_engine.h"

namespace shmatch::core {

inline constexpr SessionSlot kNoSession = 0xFFFF'FFFF;

// What requests need comes first: it lies in one cache line.
struct alignas(64) Session {
  SessionSerial serial;
  Index user;
  TimeNs theoretical_arrival;  // of the rate limit
  Sequence last_request;
  const std::uint64_t* accounts;  // its user's row of the account table
  SessionState state;
  bool entered_orders;       // that its end would have to cancel
  std::uint8_t permissions;  // its user's
  Logon logon;

  // Resumable sessions hear whether a client is there or not.
  bool hears() const noexcept {
    return state == SessionState::kOpen || (state != SessionState::kFree && logon.resumable);
  }
  // What it is after its end and the cancels of its orders.
  SessionState state_at_rest() const noexcept {
    return logon.resumable ? SessionState::kDetached : SessionState::kFree;
  }

  // Its orders carry its serial: they may have to be cancelled with it. A resumable session may
  // choose cancel on disconnect later, so all its orders do.
  bool marks_orders() const noexcept { return logon.cancel_on_disconnect || logon.resumable; }
};
static_assert(offsetof(Session, logon) + offsetof(Logon, name) <= 64);

// Whether the name is filled up with zeros, and is there if the session is to be known by it.
inline bool valid_name(const Logon& logon) noexcept {
  std::size_t size = 0;
  while (size < kSessionNameBytes && logon.name[size] != '\0') ++size;
  for (std::size_t i = size; i < kSessionNameBytes; ++i) {
    if (logon.name[i] != '\0') return false;
  }
  return size < kSessionNameBytes && (size > 0 || !logon.resumable);
}

class SessionTable {
 public:
  SessionTable(Arena& arena, const Configuration& configuration)
      : words_((configuration.capacities.sessions + 63U) / 64U),
        sessions_(arena.take<Session>(configuration.capacities.sessions)),
        all_accounts_(arena.take<std::uint64_t>(words_)),
        by_account_(arena.take<std::uint64_t>(configuration.accounts.size() * words_)),
        hearers_(arena.take<Hearers>(configuration.accounts.size())) {}

  Session& operator[](SessionSlot slot) noexcept { return sessions_[slot]; }
  const Session& operator[](SessionSlot slot) const noexcept { return sessions_[slot]; }
  SessionSlot size() const noexcept { return static_cast<SessionSlot>(sessions_.size()); }

  bool is(SessionSlot slot, SessionState state) const noexcept {
    return slot < size() && sessions_[slot].state == state;
  }

  // The resumable session of this user with this name, or size().
  SessionSlot find_resumable(UserId user_id, const char (&name)[kSessionNameBytes]) const noexcept {
    SessionSlot slot = 0;
    for (; slot < size(); ++slot) {
      const Session& session = sessions_[slot];
      if (session.state != SessionState::kFree && session.logon.resumable &&
          session.logon.user_id == user_id &&
          std::memcmp(session.logon.name, name, kSessionNameBytes) == 0) {
        break;
      }
    }
    return slot;
  }

  // The session in `slot` hears of its user's accounts, and of all if it asked for that and may. O(
  // the user's accounts).
  void subscribe(SessionSlot slot, const AccountTable& accounts) noexcept {
    const Session& session = sessions_[slot];
    if (session.logon.all_accounts && (session.permissions & kPermissionOperator) != 0) {
      change(all_accounts_[slot / 64], slot, true, all_count_);
    }
    accounts.for_each_account(session.user, [&](Index account) noexcept {
      Hearers& hearers = hearers_[account];
      change(by_account_[account * words_ + slot / 64], slot, true, hearers.count);
      hearers.alone_plus_one = alone_with(account, hearers.count) + 1;
    });
  }

  void unsubscribe(SessionSlot slot, const AccountTable& accounts) noexcept {
    change(all_accounts_[slot / 64], slot, false, all_count_);
    accounts.for_each_account(sessions_[slot].user, [&](Index account) noexcept {
      Hearers& hearers = hearers_[account];
      change(by_account_[account * words_ + slot / 64], slot, false, hearers.count);
      hearers.alone_plus_one = alone_with(account, hearers.count) + 1;
    });
  }

  // The one session that hears of `account`, or `also` (a session that hears in any case;
  // kNoSession for none), or kNoSession where nobody does. False when there is more than one: then
  // for_each_receiver tells.
  bool only_receiver(Index account, SessionSlot also, SessionSlot& only) const noexcept {
    const SessionSlot alone = hearers_[account].alone_plus_one - 1;
    only = also;
    if (all_count_ == 0 && alone == also) [[likely]] {
      return true;
    }
    if (all_count_ != 0 || alone == kManySessions) return false;
    if (also == kNoSession) only = alone;
    return also == kNoSession || alone == kNoSession;
  }

  // Calls f(slot), ascending, for each session that hears of `account`, and for `also`.
  template <class F>
  void for_each_receiver(Index account, SessionSlot also, F f) const noexcept {
    // f calls others, behind whose back nothing here changes.
    const std::size_t words = words_;
    const std::uint64_t* const of_account = &by_account_[account * words];
    const std::uint64_t* const of_all = all_accounts_.data();
    const std::size_t word_of_also = also / 64;
    const std::uint64_t bit_of_also = std::uint64_t{1} << (also % 64);
    for (std::size_t word = 0; word < words; ++word) {
      std::uint64_t bits = of_account[word] | of_all[word];
      if (word == word_of_also) bits |= bit_of_also;
      for (; bits != 0; bits &= bits - 1) {
        f(static_cast<SessionSlot>(word * 64 + static_cast<unsigned>(std::countr_zero(bits))));
      }
    }
  }

 private:
  // Of the sessions whose user has the account, without those that hear of all accounts.
  struct Hearers {
    std::uint32_t count;
    // The only one, or kNoSession, or kManySessions. Plus one: memory begins as zeros, and nobody
    // hears then.
    SessionSlot alone_plus_one;
  };
  static constexpr SessionSlot kManySessions = kNoSession - 1;

  // The session's bit in `word`, and the count of such bits.
  static void change(std::uint64_t& word, SessionSlot slot, bool hears,
                     std::uint32_t& count) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
    if (((word & bit) != 0) == hears) return;
    word ^= bit;
    count += hears ? 1U : ~0U;
  }
  SessionSlot alone_with(Index account, std::uint32_t count) const noexcept {
    if (count > 1) return kManySessions;
    for (std::size_t word = 0; word < words_; ++word) {
      const std::uint64_t bits = by_account_[account * words_ + word];
      if (bits == 0) continue;
      return static_cast<SessionSlot>(word * 64 + static_cast<unsigned>(std::countr_zero(bits)));
    }
    return kNoSession;
  }

  std::size_t words_;
  std::span<Session> sessions_;
  std::span<std::uint64_t> all_accounts_;
  std::span<std::uint64_t> by_account_;
  std::span<Hearers> hearers_;
  std::uint32_t all_count_ = 0;
};

}  // namespace shmatch::core
