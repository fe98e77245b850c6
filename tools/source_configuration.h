// ParticipantRegister: who and what a log of many parties names, and the configuration in which
// they all exist.
//
// Thread: one thread at a time.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "core/configuration.h"
#include "tools/log_names.h"

namespace shmatch::tools {

class ParticipantRegister {
 public:
  struct Account {
    core::AccountId id = 0;
    std::string_view user;  // valid as long as the register
  };

  // The account that the party `user` calls `account`: each party has its own. Null when there are
  // more users or accounts than an engine can have. Valid as long as the register.
  const Account* account(std::string_view user, std::string_view account);

  // The instrument of that symbol; 0 when there are more than an engine can have.
  core::InstrumentId instrument(std::string_view symbol);

  // An order of these amounts was seen: the increments become fine enough for them. `id` must be
  // one that instrument() gave.
  void refine_increments(core::InstrumentId id, core::Decimal price, core::Decimal quantity);

  // Ids are numbered from 1 in the order of appearance. Capacities are the default ones.
  const core::Configuration& configuration() const { return configuration_; }

 private:
  using AccountKey = std::pair<std::string, std::string>;

  // The place in configuration_ of a user.
  bool find_user(std::string_view name, std::size_t& place);

  core::Configuration configuration_;
  std::map<std::string, std::size_t, std::less<>> users_;
  std::deque<std::string> user_names_;
  std::map<AccountKey, Account> accounts_;
  std::map<std::string, core::InstrumentId, std::less<>> instruments_;
  UniqueNames fit_user_names_{core::kUserNameSizeMax};
  UniqueNames fit_symbols_{core::kSymbolSizeMax};
};

}  // namespace shmatch::tools
