#include "core/account_table.h"

namespace shmatch::core {

AccountTable::AccountTable(Arena& arena, const Configuration& configuration)
    : words_((configuration.accounts.size() + 63) / 64),
      account_ids_(arena.take<AccountId>(configuration.accounts.size())),
      users_(arena.take<UserEntry>(configuration.users.size())),
      associations_(arena.take<std::uint64_t>(configuration.users.size() * words_)),
      account_map_(arena, configuration.accounts.size()),
      user_map_(arena, configuration.users.size()) {}

void AccountTable::fill(const Configuration& configuration) noexcept {
  for (Index i = 0; i < account_ids_.size(); ++i) {
    account_ids_[i] = configuration.accounts[i];
    account_map_.insert(account_ids_[i], i);
  }
  for (Index i = 0; i < users_.size(); ++i) {
    const User& user = configuration.users[i];
    users_[i] = UserEntry{user.id, user.permissions};
    user_map_.insert(user.id, i);
    for (const AccountId id : user.accounts) {
      const Index account_index = account(id);
      SHMATCH_CHECK(account_index != kNoIndex);
      associations_[i * words_ + account_index / 64] |= std::uint64_t{1} << (account_index % 64);
    }
  }
}

}  // namespace shmatch::core
