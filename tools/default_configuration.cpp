#include "tools/default_configuration.h"

namespace shmatch::tools {

core::Configuration default_configuration() {
  core::Configuration configuration;
  configuration.oms_id = 1;
  configuration.instruments = {
      {1, "BTCUSD", {1, -2}, {1, -8}},
      {2, "ETHUSD", {1, -2}, {1, -8}},
      {3, "TEST", {1, 0}, {1, 0}},
  };
  configuration.users = {
      {1, "operator", core::kPermissionOperator, {}},
      {2, "trader1", core::kPermissionTrading, {1, 5}},
      {3, "trader2", core::kPermissionTrading, {2, 6}},
      {4, "trader3", core::kPermissionTrading, {3, 7}},
      {5, "trader4", core::kPermissionTrading, {4, 8}},
  };
  configuration.accounts = {1, 2, 3, 4, 5, 6, 7, 8};
  return configuration;
}

}  // namespace shmatch::tools
