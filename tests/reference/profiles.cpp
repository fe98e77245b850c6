// The profiles of random_stream.h.
#include <string_view>

#include "tests/reference/random_stream.h"

namespace shmatch::reference {

using namespace core;

namespace {

constexpr UserId kObserver = 90;

Configuration common_configuration() {
  Configuration configuration;
  configuration.oms_id = 1;
  configuration.instruments = {{1, "BTCUSD", {1, -2}, {1, -8}},
                               {2, "HALVES", {5, -1}, {25, -2}},
                               {3, "TENS", {3, 1}, {1, 0}}};
  configuration.accounts = {1, 2, 3, 4, 5, 6};
  configuration.users = {
      {10, "alice", kPermissionTrading, {1, 2}},
      {11, "bob", kPermissionTrading, {2, 3, 4}},
      {12, "carol", kPermissionTrading, {5}},
      {13, "outsider", kPermissionTrading, {}},
      {14, "reader", kPermissionAccountReadOnly, {1}},
      {15, "nobody", 0, {3}},
      {16, "olivia", kPermissionOperator, {}},
      {17, "oscar", kPermissionTrading | kPermissionOperator, {6}},
      {kObserver, "observer", kPermissionOperator, {}},
  };
  configuration.capacities = {4096, 4096, 8};
  return configuration;
}

// Only users that can trade, so that most requests reach the book.
Configuration traders_only() {
  Configuration configuration = common_configuration();
  configuration.users = {
      {10, "alice", kPermissionTrading, {1, 2}},
      {11, "bob", kPermissionTrading, {2, 3, 4}},
      {17, "oscar", kPermissionTrading | kPermissionOperator, {5, 6}},
      {kObserver, "observer", kPermissionOperator, {}},
  };
  return configuration;
}

Profile named(const char* name, Configuration configuration) {
  Profile profile;
  profile.name = name;
  profile.configuration = std::move(configuration);
  return profile;
}

Profile few_prices() {
  Profile profile = named("few_prices", traders_only());
  profile.price_count = 4;
  profile.client_ids = 12;
  return profile;
}

Profile wide_book() {
  Profile profile = named("wide_book", traders_only());
  profile.disconnect_percent = 0;
  profile.price_count = 4000;
  profile.cancel_percent = 30;
  profile.market_percent = 1;
  profile.recent_orders = 3000;
  profile.client_ids = 100'000;
  profile.full_check_every = 512;
  return profile;
}

Profile dead_cancels() {
  Profile profile = named("dead_cancels", traders_only());
  profile.cancel_percent = 75;
  profile.recent_orders = 400;
  profile.client_ids = 8;
  profile.configuration.capacities.finished_orders = 100;
  return profile;
}

Profile permission_mix() {
  Profile profile = named("permission_mix", common_configuration());
  profile.disconnect_percent = 0;
  profile.foreign_percent = 40;
  profile.odd_percent = 10;
  profile.session_permille = 20;
  profile.query_percent = 20;
  return profile;
}

Profile tiny(const char* name, std::uint32_t working, std::uint32_t finished) {
  Profile profile = named(name, traders_only());
  profile.configuration.capacities = {working, finished, 4};
  profile.cancel_percent = 35;
  profile.market_percent = 2;
  profile.price_count = 40;
  profile.client_ids = 10;
  profile.full_check_every = working < 32 ? 1 : 4;
  return profile;
}

Profile immediate() {
  Profile profile = named("immediate_orders", traders_only());
  profile.disconnect_percent = 0;
  profile.market_percent = 25;
  profile.ioc_percent = 25;
  profile.fok_percent = 25;
  profile.cancel_percent = 10;
  profile.quantity_max = 60;
  return profile;
}

Profile coming_and_going() {
  Profile profile = named("coming_and_going", common_configuration());
  profile.session_permille = 60;
  profile.disconnect_percent = 80;
  profile.price_count = 60;
  profile.cancel_percent = 20;
  return profile;
}

Profile dying_engine() {
  Profile profile = named("dying_engine", common_configuration());
  profile.restart_permyriad = 150;
  profile.session_permille = 20;
  profile.resumable_percent = 60;
  profile.stop_permyriad = 40;
  profile.configuration.rate_per_second = 2000;
  profile.configuration.rate_burst = 8;
  return profile;
}

Profile rate_limited() {
  Profile profile = named("rate_limited", traders_only());
  // About as many as a session sends.
  profile.configuration.rate_per_second = 250;
  profile.configuration.rate_burst = 4;
  return profile;
}

Profile odd_requests() {
  Profile profile = named("odd_requests", common_configuration());
  profile.odd_percent = 60;
  return profile;
}

Profile stopping() {
  Profile profile = named("stopping", traders_only());
  profile.stop_permyriad = 40;
  return profile;
}

Profile replacing(const char* name, std::uint32_t working, std::uint32_t finished) {
  Profile profile = tiny(name, working, finished);
  profile.cancel_percent = 60;
  profile.replace_percent = 60;
  profile.recent_orders = working;
  profile.configuration.rate_per_second = 2'000;
  profile.configuration.rate_burst = 8;
  return profile;
}

// Prices that are many more than the levels there is room for.
Profile few_levels(const char* name, std::uint32_t levels, std::uint32_t replace_percent) {
  Profile profile = tiny(name, 64, 16);
  profile.configuration.capacities.sessions = 8;
  profile.configuration.capacities.price_levels = levels;
  profile.cancel_percent = 40;
  profile.replace_percent = replace_percent;
  profile.price_count = 3 * levels;
  return profile;
}

// Prices and quantities at the ends of their ranges.
Profile large_amounts() {
  Profile profile = named("large_amounts", traders_only());
  profile.price_low = kAmountMax - 5;
  profile.price_count = 8;
  profile.quantity_max = kAmountMax;
  return profile;
}

}  // namespace

Logon Profile::observer() const {
  Logon logon;
  logon.user_id = kObserver;
  logon.all_accounts = disconnect_percent > 0;
  logon.resumable = true;
  std::string_view("observer").copy(logon.name, kSessionNameBytes - 1);
  return logon;
}

std::vector<Profile> all_profiles() {
  return {few_prices(),
          wide_book(),
          dead_cancels(),
          permission_mix(),
          tiny("tiny_8_0", 8, 0),
          tiny("tiny_64_8", 64, 8),
          tiny("tiny_1_1", 1, 1),
          immediate(),
          coming_and_going(),
          rate_limited(),
          odd_requests(),
          stopping(),
          large_amounts(),
          dying_engine(),
          replacing("replacing", 1024, 64),
          replacing("replacing_8_0", 8, 0),
          few_levels("few_levels", 12, 0),
          few_levels("few_levels_replacing", 6, 60)};
}

}  // namespace shmatch::reference
