#include "ipc/snapshotter.h"

#include <pthread.h>
#include <sys/resource.h>

#include <chrono>

#include "ipc/cpu.h"
#include "ipc/make_snapshot.h"

namespace shmatch::ipc {
namespace {

constexpr std::chrono::milliseconds kLook{50};
constexpr int kLowestPriority = 19;

}  // namespace

void Snapshotter::start() {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "shmatch-snap");
    // On Linux a thread id means the thread alone.
    ::setpriority(PRIO_PROCESS, 0, kLowestPriority);
    if (options_.cpu) avoid_cpu(*options_.cpu);
    run();
  });
}

void Snapshotter::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

void Snapshotter::run() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    const core::Sequence durable = journal_.durable();
    if (durable < last_ + options_.snapshot_every) {
      std::this_thread::sleep_for(kLook);
      continue;
    }
    SnapshotReport report;
    const Fault fault = make_snapshot(layer_, options_.journal,
                                      {.up_to = durable,
                                       .window_slots = options_.resume_window_slots,
                                       .remove_segments = options_.remove_old_segments},
                                      report);
    last_ = durable;
    if (!options_.log) continue;
    if (fault) {
      options_.log(LogLevel::kError, "snapshot: " + fault.text);
    } else if (report.sequence != 0) {
      options_.log(LogLevel::kInfo, "snapshot: " + report.path + ", " +
                                        std::to_string(report.bytes) + " bytes, read back and " +
                                        "verified; " + std::to_string(report.removed.size()) +
                                        " files removed");
    }
  }
}

}  // namespace shmatch::ipc
