// An engine in a process of its own for benchmarks: spinning, pinned, one instrument, one account
// and user for each trader.
//
// Thread: one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "ipc/server.h"

namespace shmatch::bench {

class EngineProcess {
 public:
  // `journal`: the folder of its journal; empty with durability none. Accounts are 1..`traders`,
  // their users "trader1" and so on: events of an order go to its account's users only.
  EngineProcess(const std::string& socket, int cpu,
                ipc::Durability durability = ipc::Durability::kNone,
                const std::string& journal = "", std::uint32_t traders = 1);
  ~EngineProcess();
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  bool started() const noexcept { return started_; }
  pid_t id() const noexcept { return pid_; }
  // Its core is free when this returns: the kernel has said that the process stopped.
  void pause() const;
  void resume() const;

 private:
  pid_t pid_ = -1;
  bool started_ = false;
};

}  // namespace shmatch::bench
