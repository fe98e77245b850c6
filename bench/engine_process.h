// An engine in a process of its own for benchmarks: spinning, pinned, one instrument, one trader.
//
// Thread: one.
#pragma once

#include <sys/types.h>

#include <string>

#include "ipc/server.h"

namespace shmatch::bench {

class EngineProcess {
 public:
  // `journal`: the folder of its journal; empty with durability none.
  EngineProcess(const std::string& socket, int cpu,
                ipc::Durability durability = ipc::Durability::kNone,
                const std::string& journal = "");
  ~EngineProcess();
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  bool started() const noexcept { return started_; }
  // Its core is free when this returns: the kernel has said that the process stopped.
  void pause() const;
  void resume() const;

 private:
  pid_t pid_ = -1;
  bool started_ = false;
};

}  // namespace shmatch::bench
