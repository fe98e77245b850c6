// What an engine is built from: instruments, accounts, users, capacities. Configuration is an input
// of the engine like any other: equal configurations and equal inputs give equal reports.
//
// Ownership: a plain value; the engine copies what it needs at construction. Thread: build it on
// any one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/decimal.h"
#include "core/types.h"

namespace shmatch::core {

struct Instrument {
  InstrumentId id = 0;  // 1..kConfiguredIdMax
  std::string symbol;   // 1..23 printable characters, unique
  Increment tick;       // price increment
  Increment lot;        // quantity increment

  friend bool operator==(const Instrument&, const Instrument&) = default;
};

struct User {
  UserId id = 0;                    // 1..kConfiguredIdMax
  std::string name;                 // 1..31 characters, unique
  std::uint8_t permissions = 0;     // kPermission... bits
  std::vector<AccountId> accounts;  // accounts the user is associated with

  friend bool operator==(const User&, const User&) = default;
};

// Every capacity the core has. All memory is taken at construction; a request that would need more
// is refused with the capacity's name and changes nothing.
struct Capacities {
  std::uint32_t working_orders = 1U << 20;   // 1..2^26
  std::uint32_t finished_orders = 1U << 20;  // 0..2^26: how many ended orders stay known
  std::uint32_t sessions = 256;              // 1..4096 at the same time
  // 1..working_orders: how many prices at which orders rest, over all books and both sides; 0 is
  // another way to say default_price_levels(working_orders).
  std::uint32_t price_levels = 0;

  // How many price levels there is room for.
  std::uint32_t levels() const noexcept;

  // Equal when there is equal room.
  friend bool operator==(const Capacities& one, const Capacities& other) noexcept {
    return one.working_orders == other.working_orders &&
           one.finished_orders == other.finished_orders && one.sessions == other.sessions &&
           one.levels() == other.levels();
  }
};

// As many as orders where that is little memory, so that small engines never run out of levels
// before orders; in large ones, one for 32 orders. docs/decisions.md has the reasons.
constexpr std::uint32_t default_price_levels(std::uint32_t working_orders) noexcept {
  constexpr std::uint32_t kLittle = 1U << 15;
  if (working_orders <= kLittle) return working_orders;
  return working_orders / 32 > kLittle ? working_orders / 32 : kLittle;
}

inline std::uint32_t Capacities::levels() const noexcept {
  return price_levels != 0 ? price_levels : default_price_levels(working_orders);
}

struct Configuration {
  OmsId oms_id = 1;
  std::vector<Instrument> instruments;  // 1..65535
  std::vector<User> users;              // 1..4096
  std::vector<AccountId> accounts;      // every account that exists, ascending, at most 65536
  Capacities capacities;
  // SendOrder and CancelOrder requests a second and session; 0 switches the limit off. `rate_burst`
  // requests may come at once after a pause.
  std::uint32_t rate_per_second = 0;
  std::uint32_t rate_burst = 1;

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

// Bounds that configuration loaders check and the core asserts.
inline constexpr std::size_t kInstrumentsMax = 65'535;
inline constexpr std::size_t kUsersMax = 4'096;
inline constexpr std::size_t kAccountsMax = 65'536;
inline constexpr std::size_t kSymbolSizeMax = 23;
inline constexpr std::size_t kUserNameSizeMax = 31;
inline constexpr std::uint32_t kOrdersCapacityMax = 1U << 26;
inline constexpr std::uint32_t kSessionsCapacityMax = 4'096;

// Empty when `configuration` can be served, else one sentence that says what is wrong.
std::string find_fault(const Configuration& configuration);

// Why an engine with a state that came about under `before` cannot be served under `after`; empty
// when it can. Both are without fault. What may change: instruments, users and accounts may be
// added and listed in another order; users' names, permissions and accounts; more session slots
// and price levels; the rate limit. What may not: the OMS id, the capacities for orders, an
// instrument's symbol, tick and lot, and nothing that the state may name may go.
std::string find_conflict(const Configuration& before, const Configuration& after);

}  // namespace shmatch::core
