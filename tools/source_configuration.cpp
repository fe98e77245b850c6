#include "tools/source_configuration.h"

#include <utility>

namespace shmatch::tools {

const ParticipantRegister::Account* ParticipantRegister::account(std::string_view user,
                                                                 std::string_view account) {
  AccountKey key{user, account};
  const auto known = accounts_.find(key);
  if (known != accounts_.end()) return &known->second;
  std::size_t place = 0;
  if (accounts_.size() >= core::kAccountsMax || !find_user(user, place)) return nullptr;
  const auto id = static_cast<core::AccountId>(accounts_.size() + 1);
  configuration_.accounts.push_back(id);
  configuration_.users[place].accounts.push_back(id);
  return &accounts_.emplace(std::move(key), Account{id, user_names_[place]}).first->second;
}

core::InstrumentId ParticipantRegister::instrument(std::string_view symbol) {
  const auto known = instruments_.find(symbol);
  if (known != instruments_.end()) return known->second;
  if (instruments_.size() >= core::kInstrumentsMax) return 0;
  const auto id = static_cast<core::InstrumentId>(instruments_.size() + 1);
  configuration_.instruments.push_back({id, fit_symbols_.take(symbol, "symbol-"), {}, {}});
  instruments_.emplace(symbol, id);
  return id;
}

void ParticipantRegister::refine_increments(core::InstrumentId id, core::Decimal price,
                                            core::Decimal quantity) {
  core::Instrument& instrument = configuration_.instruments[static_cast<std::size_t>(id - 1)];
  refine(instrument.tick, price);
  refine(instrument.lot, quantity);
}

bool ParticipantRegister::find_user(std::string_view name, std::size_t& place) {
  const auto known = users_.find(name);
  if (known != users_.end()) {
    place = known->second;
    return true;
  }
  if (users_.size() >= core::kUsersMax) return false;
  place = users_.size();
  users_.emplace(name, place);
  user_names_.push_back(fit_user_names_.take(name, "user-"));
  configuration_.users.push_back(
      {static_cast<core::UserId>(place + 1), user_names_.back(), core::kPermissionTrading, {}});
  return true;
}

}  // namespace shmatch::tools
