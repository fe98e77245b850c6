// What an engine serves when no file configures it: OMS 1; instruments BTCUSD, ETHUSD and TEST;
// accounts 1 to 8; users operator and trader1 to trader4, where trader K has the accounts K and
// K+4. Frames of captured logs are read for the same.
//
// Thread: any.
#pragma once

#include "core/configuration.h"

namespace shmatch::tools {

core::Configuration default_configuration();

}  // namespace shmatch::tools
