#include "tests/support/scripted_files.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

#include "ipc/journal_format.h"

namespace shmatch::tests {
namespace {

// The newest record of the group that `bytes` are; 0 if they are no group with records.
core::Sequence newest_record(std::span<const std::byte> bytes) {
  std::array<std::uint64_t, ipc::kGroupHeaderWords> words{};
  if (bytes.size() < sizeof words) return 0;
  std::memcpy(words.data(), bytes.data(), sizeof words);
  const ipc::GroupHeader header = ipc::group_header(words);
  const bool group = header.magic == ipc::kGroupMagic && header.bytes == bytes.size();
  return group ? header.end_sequence() - 1 : 0;
}

}  // namespace

void ScriptedFiles::fail(const Failure& failure) {
  const std::lock_guard lock(mutex_);
  failures_.push_back(failure);
}

void ScriptedFiles::heal() {
  const std::lock_guard lock(mutex_);
  failures_.clear();
}

void ScriptedFiles::hold(std::uint32_t operations) {
  const std::lock_guard lock(mutex_);
  hold_ = operations;
}

void ScriptedFiles::release() {
  const std::lock_guard lock(mutex_);
  hold_ = 0;
  released_.notify_all();
}

int ScriptedFiles::play(Operation operation, bool* half) noexcept {
  std::unique_lock lock(mutex_);
  if ((hold_ & operation) != 0) {
    ++held_;
    released_.wait(lock, [&] { return (hold_ & operation) == 0; });
    --held_;
  }
  int error = 0;
  for (Failure& failure : failures_) {
    if ((failure.operations & operation) == 0) continue;
    if (failure.nth > 1) {
      --failure.nth;
      continue;
    }
    if (failure.nth == 0 && !failure.for_good) continue;
    if (failure.short_write && half != nullptr) {
      failure.short_write = false;
      *half = true;
      return 0;
    }
    failure.nth = 0;
    error = failure.error;
  }
  if (error != 0) ++failed_;
  return error;
}

template <class Call>
int ScriptedFiles::synced(Operation operation, int handle, Call call) noexcept {
  if (const int error = play(operation); error != 0) return -error;
  std::this_thread::sleep_for(sync_time_.load());
  const int result = call();
  const std::lock_guard lock(mutex_);
  if (result == 0) durable_.store(std::max(durable_.load(), newest_[handle]));
  return result;
}

int ScriptedFiles::open(const std::string& path, ipc::OpenMode mode) noexcept {
  if (mode != ipc::OpenMode::kRead) {
    if (const int error = play(kOpen); error != 0) return -error;
  }
  const int handle = PosixFileLayer::open(path, mode);
  const std::lock_guard lock(mutex_);
  newest_[handle] = 0;
  return handle;
}

std::int64_t ScriptedFiles::write(int handle, std::span<const std::byte> bytes,
                                  std::uint64_t offset) noexcept {
  bool half = false;
  if (const int error = play(kWrite, &half); error != 0) return -error;
  if (half) return PosixFileLayer::write(handle, bytes.first(bytes.size() / 2), offset);
  const std::int64_t taken = PosixFileLayer::write(handle, bytes, offset);
  const std::lock_guard lock(mutex_);
  if (taken > 0) newest_[handle] = std::max(newest_[handle], newest_record(bytes));
  return taken;
}

int ScriptedFiles::sync_data(int handle) noexcept {
  const int result = synced(kSyncData, handle, [&] { return PosixFileLayer::sync_data(handle); });
  ++data_syncs_;
  return result;
}

int ScriptedFiles::sync(int handle) noexcept {
  return synced(kSync, handle, [&] { return PosixFileLayer::sync(handle); });
}

int ScriptedFiles::reserve(int handle, std::uint64_t bytes) noexcept {
  if (const int error = play(kReserve); error != 0) return -error;
  return PosixFileLayer::reserve(handle, bytes);
}

int ScriptedFiles::truncate(int handle, std::uint64_t bytes) noexcept {
  if (const int error = play(kTruncate); error != 0) return -error;
  return PosixFileLayer::truncate(handle, bytes);
}

int ScriptedFiles::rename(const std::string& from, const std::string& to) noexcept {
  if (const int error = play(kRename); error != 0) return -error;
  return PosixFileLayer::rename(from, to);
}

int ScriptedFiles::remove(const std::string& path) noexcept {
  if (const int error = play(kRemove); error != 0) return -error;
  return PosixFileLayer::remove(path);
}

int ScriptedFiles::sync_folder(const std::string& path) noexcept {
  if (const int error = play(kSyncFolder); error != 0) return -error;
  return PosixFileLayer::sync_folder(path);
}

}  // namespace shmatch::tests
