#include "tests/process/kill_engine.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "core/check.h"
#include "tests/process/engine.h"
#include "tests/support/power_cut_layer.h"

namespace shmatch::process_test {
namespace {

constexpr core::UserId kOperator = 10;

void print_log(ipc::LogLevel, std::string_view sentence) {
  std::fprintf(stderr, "engine: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
}

void print_broken(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "engine: broken invariant: %s (%s:%d)\n", condition, file, line);
}

ipc::ServerOptions server_options(const EnginePlan& plan) {
  ipc::ServerOptions options;
  options.configuration = kill_configuration();
  ipc::LogonRule rule{.uid = ::getuid(), .users = {}};
  for (const core::User& user : options.configuration.users) rule.users.push_back(user.id);
  options.logon_rules = {rule};
  options.socket_path = plan.socket;
  options.idle = ipc::IdleMode::kYield;
  options.journal = tests::journal_folder(plan.root);
  options.durability = plan.durability;
  options.journal_segment_bytes = plan.segment_bytes;
  options.journal_sync_interval = plan.sync_interval;
  options.journal_digest_every = plan.digest_every;
  options.snapshot_every = plan.snapshot_every;
  options.remove_old_segments = plan.remove_old_segments;
  options.resume_grace = plan.resume_grace;
  options.log = print_log;
  return options;
}

int serve(const EnginePlan& plan) {
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  core::check_handler = print_broken;
  tests::PowerCutLayer files(plan.root);
  if (!plan.dies_at.empty()) files.die_at(plan.dies_at, plan.occurrence);
  files.delay_syncs(plan.sync_delay);
  if (plan.pretend_syncs) files.pretend_syncs();
  ipc::ServerOptions options = server_options(plan);
  options.file_layer = &files;
  ipc::Server server;
  if (const ipc::Fault fault = server.start(options)) {
    std::fprintf(stderr, "%s\n", fault.text.c_str());
    return 1;
  }
  say("ready " + plan.socket);
  int signal = 0;
  ::sigwait(&stop, &signal);
  server.request_stop();
  server.wait();
  return 0;
}

// The same for shmatchd, as a configuration file.
std::string configuration_text(const EnginePlan& plan) {
  ConfigText config;
  config.user("operator", ::getuid(), "Operator", "[]");
  for (core::AccountId account = 1; account <= kTraders; ++account) {
    config.user(trader_name(account), ::getuid(), "Trading", "[" + std::to_string(account) + "]");
  }
  const core::Capacities capacities = kill_configuration().capacities;
  config.capacity("working_orders = " + std::to_string(capacities.working_orders) +
                  "\nfinished_orders = " + std::to_string(capacities.finished_orders) +
                  "\nsessions = " + std::to_string(capacities.sessions) + "\n");
  config.add("[journal]\nsegment_bytes = " + std::to_string(plan.segment_bytes) +
             "\nsync_interval_ms = " + std::to_string(plan.sync_interval.count()) +
             "\ndigest_every = " + std::to_string(plan.digest_every) +
             "\nsnapshot_every = " + std::to_string(plan.snapshot_every) + "\nkeep = \"" +
             (plan.remove_old_segments ? "snapshot" : "all") +
             "\"\n[resume]\ngrace_ms = " + std::to_string(plan.resume_grace.count()));
  return config.text();
}

Process start_program(const EnginePlan& plan) {
  const std::string file = plan.root + "/engine.toml";
  std::filesystem::create_directories(tests::journal_folder(plan.root));
  std::ofstream(file) << configuration_text(plan);
  return Process::execute({shmatchd_program(), "--config", file, "--socket", plan.socket, "--idle",
                           "yield", "--journal", tests::journal_folder(plan.root), "--durability",
                           plan.durability == ipc::Durability::kSync ? "sync" : "async"});
}

}  // namespace

core::Configuration kill_configuration() {
  core::Configuration configuration;
  configuration.instruments = {{.id = 3, .symbol = "TEST", .tick = {1, 0}, .lot = {1, 0}}};
  configuration.users = {{.id = kOperator,
                          .name = "operator",
                          .permissions = core::kPermissionOperator,
                          .accounts = {}}};
  for (core::AccountId account = 1; account <= kTraders; ++account) {
    configuration.accounts.push_back(account);
    configuration.users.push_back({.id = kOperator + account,
                                   .name = trader_name(account),
                                   .permissions = core::kPermissionTrading,
                                   .accounts = {account}});
  }
  // Enough that no order is forgotten that a test still asks for.
  configuration.capacities = {
      .working_orders = 1U << 12, .finished_orders = 1U << 16, .sessions = 64};
  return configuration;
}

std::string trader_name(core::AccountId account) { return "trader" + std::to_string(account); }

Process start_engine(const EnginePlan& plan) {
  if (plan.program) return start_program(plan);
  return Process::branch([plan] { return serve(plan); });
}

bool serves(Process& engine, const EnginePlan& plan) {
  return engine.read_until("ready " + plan.socket);
}

}  // namespace shmatch::process_test
