#include "bench/engine_process.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace shmatch::bench {
namespace {

[[noreturn]] void serve(const ipc::ServerOptions& options, int ready, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  ipc::Server server;
  if (const auto fault = server.start(options)) {
    std::fprintf(stderr, "the engine did not start: %s\n", fault.text.c_str());
    _exit(1);
  }
  if (write(ready, "r", 1) != 1) _exit(1);
  server.wait();
  _exit(0);
}

}  // namespace

EngineProcess::EngineProcess(const std::string& socket, int cpu, ipc::Durability durability,
                             const std::string& journal, std::uint32_t traders) {
  ipc::ServerOptions options;
  options.configuration.instruments = {{3, "TEST", {1, 0}, {1, 0}}};
  ipc::LogonRule rule{.uid = getuid(), .users = {}};
  for (std::uint32_t i = 1; i <= traders; ++i) {
    options.configuration.accounts.push_back(i);
    options.configuration.users.push_back(
        {i, "trader" + std::to_string(i), core::kPermissionTrading, {i}});
    rule.users.push_back(i);
  }
  options.configuration.capacities = {1U << 16, 1U << 16, std::max(16U, traders)};
  options.logon_rules = {rule};
  options.socket_path = socket;
  options.cpu = cpu;
  options.idle = ipc::IdleMode::kSpin;
  options.durability = durability;
  options.journal = journal;
  int ready[2];
  if (pipe(ready) != 0) return;
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    close(ready[0]);
    serve(options, ready[1], parent);
  }
  close(ready[1]);
  char byte = 0;
  started_ = read(ready[0], &byte, 1) == 1;
  close(ready[0]);
}

EngineProcess::~EngineProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void EngineProcess::pause() const {
  if (pid_ <= 0) return;  // kill(-1) would reach everybody
  kill(pid_, SIGSTOP);
  waitpid(pid_, nullptr, WUNTRACED);
}

void EngineProcess::resume() const {
  if (pid_ > 0) kill(pid_, SIGCONT);
}

}  // namespace shmatch::bench
