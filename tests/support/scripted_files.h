// The kernel's file system with a script: what a test wants to be slow, to wait, or to fail.
//
// The layer also knows what the disk promises: it looks at each group that is written, and says up
// to which record a sync has returned. Whoever tells a client about a later one has told too much.
//
// Thread: any, for all of it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "core/types.h"
#include "ipc/file_layer.h"

namespace shmatch::tests {

class ScriptedFiles final : public ipc::PosixFileLayer {
 public:
  // Sets of these say what a script is about.
  enum Operation : std::uint32_t {
    kOpen = 1,  // that makes or changes a file
    kWrite = 2,
    kSyncData = 4,
    kSync = 8,
    kReserve = 16,
    kTruncate = 32,
    kRename = 64,
    kSyncFolder = 128,
    kRemove = 256,
    kEvery = 511,
  };

  struct Failure {
    std::uint32_t operations = kEvery;
    std::uint64_t nth = 1;     // of them, counted from now on
    int error = 0;             // errno
    bool for_good = true;      // or this one only
    bool short_write = false;  // half of the first write that fails is taken
  };
  void fail(const Failure& failure);
  void heal();
  std::uint64_t failed() const { return failed_.load(); }  // operations, since the start

  // These wait from now on, until release.
  void hold(std::uint32_t operations);
  void release();
  std::uint32_t held() const { return held_.load(); }  // operations that wait now

  void slow_syncs(std::chrono::milliseconds each) { sync_time_.store(each); }

  // The newest record whose group some sync that has returned covers.
  core::Sequence durable() const { return durable_.load(); }
  // How often sync_data was called, and returned.
  std::uint64_t data_syncs() const { return data_syncs_.load(); }

  int open(const std::string& path, ipc::OpenMode mode) noexcept override;
  std::int64_t write(int handle, std::span<const std::byte> bytes,
                     std::uint64_t offset) noexcept override;
  int sync_data(int handle) noexcept override;
  int sync(int handle) noexcept override;
  int reserve(int handle, std::uint64_t bytes) noexcept override;
  int truncate(int handle, std::uint64_t bytes) noexcept override;
  int rename(const std::string& from, const std::string& to) noexcept override;
  int remove(const std::string& path) noexcept override;
  int sync_folder(const std::string& path) noexcept override;

 private:
  // Waits if it is held; the errno with which the operation fails, or 0. `half` becomes true for a
  // write that is to be short first.
  int play(Operation operation, bool* half = nullptr) noexcept;
  template <class Call>
  int synced(Operation operation, int handle, Call call) noexcept;

  std::mutex mutex_;
  std::condition_variable released_;
  std::uint32_t hold_ = 0;
  std::vector<Failure> failures_;
  std::map<int, core::Sequence> newest_;  // record written through this handle
  std::atomic<std::uint32_t> held_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::chrono::milliseconds> sync_time_{};
  std::atomic<core::Sequence> durable_{0};
  std::atomic<std::uint64_t> data_syncs_{0};
};

}  // namespace shmatch::tests
