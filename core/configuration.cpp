#include "core/configuration.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace shmatch::core {

namespace {

bool configurable_id(std::int64_t id) noexcept { return id >= 1 && id <= kConfiguredIdMax; }

std::string range_fault(std::string_view what, std::int64_t id) {
  return std::string(what) + " " + std::to_string(id) + " is outside 1.." +
         std::to_string(kConfiguredIdMax);
}

// Names are shown in tables, logs and JSON: printable ASCII only.
bool printable(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::string text_fault(std::string_view what, std::string_view text, std::size_t size_max) {
  if (text.empty() || text.size() > size_max) {
    return std::string(what) + " must have 1 to " + std::to_string(size_max) + " characters";
  }
  if (!printable(text)) return std::string(what) + " must consist of printable ASCII characters";
  return "";
}

std::string count_fault(std::string_view what, std::size_t count, std::size_t max) {
  if (count == 0) return "there is no " + std::string(what);
  if (count > max) {
    return "there are more " + std::string(what) + "s than " + std::to_string(max);
  }
  return "";
}

bool valid_increment(Increment increment) noexcept {
  return increment.mantissa >= 1 && increment.mantissa <= 1000 && increment.exponent >= -18 &&
         increment.exponent <= 6;
}

std::string instrument_fault(const Instrument& instrument) {
  if (!configurable_id(instrument.id)) return range_fault("instrument id", instrument.id);
  const std::string name = "instrument " + std::to_string(instrument.id);
  std::string fault = text_fault("the symbol of " + name, instrument.symbol, kSymbolSizeMax);
  if (!fault.empty()) return fault;
  if (!valid_increment(instrument.tick)) return "the tick of " + name + " is out of range";
  if (!valid_increment(instrument.lot)) return "the lot of " + name + " is out of range";
  return "";
}

std::string instruments_fault(const std::vector<Instrument>& instruments) {
  std::string fault = count_fault("instrument", instruments.size(), kInstrumentsMax);
  if (!fault.empty()) return fault;
  std::unordered_set<InstrumentId> ids;
  std::unordered_set<std::string_view> symbols;
  for (const Instrument& instrument : instruments) {
    fault = instrument_fault(instrument);
    if (!fault.empty()) return fault;
    if (!ids.insert(instrument.id).second) {
      return "instrument id " + std::to_string(instrument.id) + " is given twice";
    }
    if (!symbols.insert(instrument.symbol).second) {
      return "instrument symbol " + instrument.symbol + " is given twice";
    }
  }
  return "";
}

std::string accounts_fault(const std::vector<AccountId>& accounts) {
  if (accounts.size() > kAccountsMax) {
    return "there are more accounts than " + std::to_string(kAccountsMax);
  }
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    if (!configurable_id(accounts[i])) return range_fault("account id", accounts[i]);
    if (i > 0 && accounts[i] <= accounts[i - 1]) {
      return "account " + std::to_string(accounts[i]) + " is given twice or out of order";
    }
  }
  return "";
}

std::string user_fault(const User& user, const std::vector<AccountId>& accounts) {
  constexpr std::uint8_t kPermissionsAll =
      kPermissionTrading | kPermissionOperator | kPermissionAccountReadOnly;
  if (!configurable_id(user.id)) return range_fault("user id", user.id);
  const std::string name = "user " + std::to_string(user.id);
  std::string fault = text_fault("the name of " + name, user.name, kUserNameSizeMax);
  if (!fault.empty()) return fault;
  if ((user.permissions & ~kPermissionsAll) != 0) return name + " has an unknown permission";
  std::unordered_set<AccountId> own;
  for (const AccountId account : user.accounts) {
    if (!std::binary_search(accounts.begin(), accounts.end(), account)) {
      return name + " names account " + std::to_string(account) + ", which does not exist";
    }
    if (!own.insert(account).second) {
      return name + " names account " + std::to_string(account) + " twice";
    }
  }
  return "";
}

std::string users_fault(const std::vector<User>& users, const std::vector<AccountId>& accounts) {
  std::string fault = count_fault("user", users.size(), kUsersMax);
  if (!fault.empty()) return fault;
  std::unordered_set<UserId> ids;
  std::unordered_set<std::string_view> names;
  for (const User& user : users) {
    fault = user_fault(user, accounts);
    if (!fault.empty()) return fault;
    if (!ids.insert(user.id).second) {
      return "user id " + std::to_string(user.id) + " is given twice";
    }
    if (!names.insert(user.name).second) return "user name " + user.name + " is given twice";
  }
  return "";
}

std::string capacity_fault(std::string_view what, std::uint32_t value, std::uint32_t min,
                           std::uint32_t max) {
  if (value >= min && value <= max) return "";
  return "the capacity " + std::string(what) + " is " + std::to_string(value) + ", outside " +
         std::to_string(min) + ".." + std::to_string(max);
}

std::string capacities_fault(const Capacities& capacities) {
  std::string fault =
      capacity_fault("working_orders", capacities.working_orders, 1, kOrdersCapacityMax);
  if (fault.empty()) {
    fault = capacity_fault("finished_orders", capacities.finished_orders, 0, kOrdersCapacityMax);
  }
  if (fault.empty()) {
    fault = capacity_fault("sessions", capacities.sessions, 1, kSessionsCapacityMax);
  }
  // A level has an order.
  if (fault.empty()) {
    fault = capacity_fault("price_levels", capacities.levels(), 1, capacities.working_orders);
  }
  return fault;
}

// ---- two configurations

std::string gone(std::string_view what, std::int64_t id) {
  return std::string(what) + " " + std::to_string(id) +
         " is configured no more, but orders and sessions may name it";
}

template <class List>
auto with_id(const List& list, std::int64_t id) -> decltype(list.data()) {
  const auto found =
      std::find_if(list.begin(), list.end(), [id](const auto& entry) { return entry.id == id; });
  return found == list.end() ? nullptr : &*found;
}

// The state may fill what there was room for.
std::string shrink_conflict(std::string_view what, std::uint32_t before, std::uint32_t after) {
  if (before <= after) return "";
  return "the capacity " + std::string(what) + " was " + std::to_string(before) +
         " and can only grow";
}

std::string capacities_conflict(const Capacities& before, const Capacities& after) {
  if (before.working_orders != after.working_orders ||
      before.finished_orders != after.finished_orders) {
    return "the capacities working_orders and finished_orders were " +
           std::to_string(before.working_orders) + " and " +
           std::to_string(before.finished_orders) +
           " and cannot change, because order ids depend on them";
  }
  std::string fault = shrink_conflict("sessions", before.sessions, after.sessions);
  if (fault.empty()) fault = shrink_conflict("price_levels", before.levels(), after.levels());
  return fault;
}

std::string instruments_conflict(const std::vector<Instrument>& before,
                                 const std::vector<Instrument>& after) {
  for (const Instrument& instrument : before) {
    const Instrument* const now = with_id(after, instrument.id);
    if (now == nullptr) return gone("instrument", instrument.id);
    if (*now != instrument) {
      return "the symbol, tick and lot of instrument " + std::to_string(instrument.id) +
             " cannot change, because its orders are counted in them";
    }
  }
  return "";
}

}  // namespace

std::string find_fault(const Configuration& configuration) {
  if (!configurable_id(configuration.oms_id)) return range_fault("oms_id", configuration.oms_id);
  std::string fault = instruments_fault(configuration.instruments);
  if (fault.empty()) fault = accounts_fault(configuration.accounts);
  if (fault.empty()) fault = users_fault(configuration.users, configuration.accounts);
  if (fault.empty()) fault = capacities_fault(configuration.capacities);
  if (fault.empty() && configuration.rate_per_second > 0 && configuration.rate_burst == 0) {
    fault = "rate_burst must be at least 1 when rate_per_second is set";
  }
  return fault;
}

std::string find_conflict(const Configuration& before, const Configuration& after) {
  if (before.oms_id != after.oms_id) {
    return "oms_id was " + std::to_string(before.oms_id) + " and cannot become " +
           std::to_string(after.oms_id);
  }
  std::string fault = capacities_conflict(before.capacities, after.capacities);
  if (fault.empty()) fault = instruments_conflict(before.instruments, after.instruments);
  for (std::size_t i = 0; fault.empty() && i < before.accounts.size(); ++i) {
    if (!std::binary_search(after.accounts.begin(), after.accounts.end(), before.accounts[i])) {
      fault = gone("account", before.accounts[i]);
    }
  }
  for (std::size_t i = 0; fault.empty() && i < before.users.size(); ++i) {
    if (with_id(after.users, before.users[i].id) == nullptr) {
      fault = gone("user", before.users[i].id);
    }
  }
  return fault;
}

}  // namespace shmatch::core
