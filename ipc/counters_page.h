// CountersPage: the engine's side of the page that watchers map (ipc/counters_layout.h): the sealed
// memory, and the one who writes it.
//
// Writing is a few dozen stores to memory of this process, whether or not anybody watches: no lock,
// no system call, no wait. A watcher has nothing to write to; that it reads takes cache lines of
// the page alone.
//
// Thread: create before the engine thread runs; show on the engine thread; engine, handle and size
// on any thread once created.
#pragma once

#include <cstdint>

#include "core/types.h"
#include "ipc/counters_layout.h"
#include "ipc/fault.h"
#include "ipc/file_descriptor.h"
#include "ipc/sealed_memory.h"
#include "ipc/server.h"

namespace shmatch::ipc {

class CountersPage {
 public:
  // Makes, maps and seals the memory, and writes its header: nobody but this mapping can ever write
  // it. Fault: not enough memory.
  Fault create(const ServerOptions& options);

  void show(const EngineCounters& counters) noexcept;
  void show(core::SessionSlot slot, const SessionCounters& counters) noexcept;

  // What was shown last.
  EngineCounters engine() const noexcept;

  int handle() const noexcept { return memory_.get(); }
  std::size_t size() const noexcept { return mapping_.size(); }

 private:
  std::uint64_t* words_at(std::size_t byte) const noexcept;

  FileDescriptor memory_;
  Mapping mapping_;
};

}  // namespace shmatch::ipc
