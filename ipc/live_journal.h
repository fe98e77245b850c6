// LiveJournal: the journal of an engine that serves: its folder, what recovery found there, and the
// threads that write it and make snapshots of it.
//
//   LiveJournal journal(options);
//   journal.open(replica)     takes the folder, recovers, makes the end durable, opens a new
//   segment journal.start()           the journal thread, and the snapshot thread if wanted
//   journal.finish()          everything that was published is on the disk; the threads have ended
//
// Thread: all on one thread, but log(), which is for the engine's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "ipc/file_layer.h"
#include "ipc/input_log.h"
#include "ipc/journal_folder.h"
#include "ipc/journal_queue.h"
#include "ipc/journal_thread.h"
#include "ipc/journal_writer.h"
#include "ipc/recovery.h"
#include "ipc/replica.h"
#include "ipc/server.h"
#include "ipc/snapshotter.h"

namespace shmatch::ipc {

class LiveJournal {
 public:
  // `options.journal` names a folder. `options` must outlive this object.
  explicit LiveJournal(const ServerOptions& options);

  // Brings `replica` to the recovered state, under the configuration of `options`, or to a fresh
  // one. Faults: another engine owns the folder; the journal is damaged (shmatch journal verify
  // says more); the configuration contradicts the state; no memory; the file system's.
  Fault open(Replica& replica);
  // True when open found records: the engine's first input is then a restart.
  bool recovered() const noexcept { return report_.last_sequence != 0; }

  void start();
  void finish();

  InputLog log() noexcept;
  core::Sequence durable() const noexcept { return thread_->durable(); }

 private:
  Fault read(Replica& replica, SegmentStart& start);
  void say(LogLevel level, const std::string& sentence) const;

  const ServerOptions& options_;
  FileLayer& layer_;
  JournalFolder folder_;
  RecoveryReport report_;
  JournalWriter writer_;
  std::optional<JournalQueue> queue_;
  std::optional<JournalThread> thread_;
  std::optional<Snapshotter> snapshotter_;
};

}  // namespace shmatch::ipc
