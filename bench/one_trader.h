// The configuration of benchmarks that need no more than one instrument and one trader.
#pragma once

#include <cstdint>

#include "core/configuration.h"

namespace shmatch::bench {

// Room for `working` orders and a few more, and 16,384 ended ones.
inline core::Configuration one_trader(std::size_t working) {
  core::Configuration result;
  result.instruments = {{1, "TEST", {1, 0}, {1, 0}}};
  result.accounts = {1};
  result.users = {{1, "trader", core::kPermissionTrading, {1}}};
  result.capacities = {static_cast<std::uint32_t>(working + 16), 1U << 14, 1};
  return result;
}

}  // namespace shmatch::bench
