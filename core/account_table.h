// Accounts, users and instruments of the configuration, by dense index: who may do what to which
// account.
//
// Immutable once built. Thread: the core's. Every question is answered in constant time.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "core/configuration.h"
#include "core/id_map.h"

namespace shmatch::core {

class AccountTable {
 public:
  AccountTable(Arena& arena, const Configuration& configuration);

  // Call once, when the arena was real, with the same configuration.
  void fill(const Configuration& configuration) noexcept;

  // kNoIndex for an id that is not configured.
  Index account(AccountId id) const noexcept { return account_map_.find(id); }
  Index user(UserId id) const noexcept { return user_map_.find(id); }

  AccountId account_id(Index account) const noexcept { return account_ids_[account]; }
  UserId user_id(Index user) const noexcept { return users_[user].id; }
  std::uint8_t permissions(Index user) const noexcept { return users_[user].permissions; }
  // The accounts that a user is associated with, one bit each.
  const std::uint64_t* row_of(Index user) const noexcept { return &associations_[user * words_]; }
  static bool in_row(const std::uint64_t* row, Index account) noexcept {
    return (row[account / 64] >> (account % 64) & 1) != 0;
  }
  // Calls f(account), ascending, for each account that the user is associated with.
  template <class F>
  void for_each_account(Index user, F f) const noexcept {
    for (std::size_t word = 0; word < words_; ++word) {
      for (std::uint64_t bits = associations_[user * words_ + word]; bits != 0; bits &= bits - 1) {
        f(static_cast<Index>(word * 64 + static_cast<unsigned>(std::countr_zero(bits))));
      }
    }
  }
  std::size_t account_count() const noexcept { return account_ids_.size(); }

 private:
  struct UserEntry {
    UserId id;
    std::uint8_t permissions;
  };

  std::size_t words_;  // of one user's bitmap of accounts
  std::span<AccountId> account_ids_;
  std::span<UserEntry> users_;
  std::span<std::uint64_t> associations_;
  IdMap account_map_;
  IdMap user_map_;
};

}  // namespace shmatch::core
