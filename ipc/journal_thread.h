// JournalThread: takes input records from the engine thread's queue, writes them in commit groups,
// and says what is durable.
//
//   async   groups are written at once and made durable every sync_interval; nobody waits for that
//   sync    each group is made durable at once; what waited meanwhile is the next group
//
// The first fault ends it for good: error() is set, nothing more is written, and what it said to be
// durable stays so. The engine thread sees error() and stops accepting.
//
// Thread: start, stop and the destructor on one thread; durable and error from any thread. The
// writer and the queue's reading side belong to the journal thread between start and stop.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "core/types.h"
#include "ipc/journal_queue.h"
#include "ipc/journal_writer.h"
#include "ipc/server.h"

namespace shmatch::ipc {

class JournalThread {
 public:
  using Log = std::function<void(LogLevel, std::string_view)>;

  // All must outlive this object. `writer` is open.
  JournalThread(JournalWriter& writer, JournalQueue& queue, Durability durability,
                std::chrono::nanoseconds sync_interval, Log log);
  ~JournalThread() { stop(); }
  JournalThread(const JournalThread&) = delete;
  JournalThread& operator=(const JournalThread&) = delete;

  // `avoid_cpu` keeps the thread off the engine's core; -1 for none.
  void start(int avoided_cpu);
  // Writes what was published before, makes it durable, closes the journal, and ends the thread.
  void stop();

  // Newest input that is on the disk.
  core::Sequence durable() const noexcept {
    // SYNC POINT durable: pairs with the store in publish_durable; whoever reads a sequence number
    // here may tell others about inputs up to it.
    return durable_.load(std::memory_order_acquire);
  }
  // The kernel's error number of the first fault; -1 when it was no kernel's error; 0 for none.
  int error() const noexcept { return error_.load(std::memory_order_acquire); }

 private:
  void run();
  // `moved` is set to the words that were written.
  FileFault move_groups(std::size_t& moved);
  FileFault make_durable(bool idle);
  void fail(const FileFault& fault);
  DigestMark digest_up_to(core::Sequence last) const noexcept;

  JournalWriter& writer_;
  JournalQueue& queue_;
  Durability durability_;
  std::chrono::nanoseconds sync_interval_;
  Log log_;
  std::thread thread_;
  std::chrono::steady_clock::time_point last_sync_{};
  std::atomic<bool> stopping_{false};
  std::atomic<core::Sequence> durable_;
  std::atomic<int> error_{0};
};

}  // namespace shmatch::ipc
