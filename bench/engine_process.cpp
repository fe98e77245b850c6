#include "bench/engine_process.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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
                             const std::string& journal) {
  ipc::ServerOptions options;
  options.configuration.instruments = {{3, "TEST", {1, 0}, {1, 0}}};
  options.configuration.accounts = {1};
  options.configuration.users = {{1, "trader", core::kPermissionTrading, {1}}};
  options.configuration.capacities = {1U << 16, 1U << 16, 16};
  options.logon_rules = {{getuid(), {1}}};
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
  kill(pid_, SIGSTOP);
  waitpid(pid_, nullptr, WUNTRACED);
}

void EngineProcess::resume() const { kill(pid_, SIGCONT); }

}  // namespace shmatch::bench
