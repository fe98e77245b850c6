// Snapshotter: makes a snapshot of a live journal whenever enough inputs have become durable. The
// engine thread has no part in it.
//
// Thread: start, stop and the destructor on one; the work is done on a thread of its own with the
// lowest priority.
#pragma once

#include <atomic>
#include <thread>

#include "ipc/file_layer.h"
#include "ipc/journal_thread.h"
#include "ipc/server.h"

namespace shmatch::ipc {

class Snapshotter {
 public:
  // All must outlive this object. `last` is the newest snapshot that there is.
  Snapshotter(FileLayer& layer, const ServerOptions& options, const JournalThread& journal,
              core::Sequence last)
      : layer_(layer), options_(options), journal_(journal), last_(last) {}
  ~Snapshotter() { stop(); }
  Snapshotter(const Snapshotter&) = delete;
  Snapshotter& operator=(const Snapshotter&) = delete;

  void start();
  void stop();

 private:
  void run();

  FileLayer& layer_;
  const ServerOptions& options_;
  const JournalThread& journal_;
  core::Sequence last_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
};

}  // namespace shmatch::ipc
