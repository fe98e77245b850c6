// A file system that can lose its power: what programs see, and beside it what is on the disk.
//
//   ROOT/seen/FOLDER/...       real files: what programs see, and what survives a program's death
//   ROOT/kept/bytes/N          what of the file with the inode N has been made durable
//   ROOT/kept/names/FOLDER/..  the names that have been made durable: links to those bytes
//   ROOT/kept/unnamed/FOLDER/  the same for a folder whose own name is not durable yet
//   ROOT/removed/              segments that were removed, for tests that want all records
//
// The strictest behaviour that POSIX allows: bytes become durable by a sync of their file, names by
// a sync of their folder, and nothing else does it. The kill of a process leaves `seen` as it is;
// lose_power then brings it to what was durable, and to some of the rest if the test wants: any
// bytes and names that were not synced may still have reached the disk, in any order.
//
// Thread: as FileLayer; the functions beside the class while no process uses ROOT. What fails here
// is the test's own environment: it throws, and out of a layer's function ends the process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "ipc/file_layer.h"
#include "tests/unit/random.h"

namespace shmatch::tests {

class PowerCutLayer final : public ipc::PosixFileLayer {
 public:
  // ROOT exists already; several processes may use it one after the other.
  explicit PowerCutLayer(std::string root);

  // The process is killed, as by SIGKILL, when it comes to this step for the n-th time. Set it
  // before the first use.
  void die_at(std::string step, std::uint32_t occurrence);
  // Each sync takes at least so long.
  void delay_syncs(std::chrono::microseconds delay) { delay_ = delay; }
  // Syncs succeed and make nothing durable: what a disk does that lies.
  void pretend_syncs() { pretend_ = true; }

  int open(const std::string& path, ipc::OpenMode mode) noexcept override;
  std::int64_t write(int handle, std::span<const std::byte> bytes,
                     std::uint64_t offset) noexcept override;
  int sync_data(int handle) noexcept override { return sync(handle); }
  int sync(int handle) noexcept override;
  int reserve(int handle, std::uint64_t bytes) noexcept override;
  int truncate(int handle, std::uint64_t bytes) noexcept override;
  int remove(const std::string& path) noexcept override;
  int make_folder(const std::string& path) noexcept override;
  int sync_folder(const std::string& path) noexcept override;
  void step(const char* name) noexcept override;

 private:
  // Bytes of a file that this process has written since it last synced them; all others are as they
  // were then. A file that is not known here may differ anywhere.
  struct Written {
    std::uint64_t from = 0;
    std::uint64_t end = 0;
  };

  void forget_written(int handle);

  std::string root_;
  std::string dying_step_;
  std::uint32_t steps_left_ = 0;
  std::chrono::microseconds delay_{0};
  bool pretend_ = false;
  std::mutex mutex_;
  std::map<ino_t, Written> written_;
};

// The folder that a journal may live in, below `root`. It does not exist at first.
std::string journal_folder(const std::string& root);
// Segments that were removed, and are gone from there.
std::string removed_folder(const std::string& root);

// What survives of the bytes and names that were not made durable.
enum class Unsynced : std::uint8_t { kLost, kSome };

// The power goes, and comes back.
void lose_power(const std::string& root, Unsynced unsynced, Random& random);

}  // namespace shmatch::tests
