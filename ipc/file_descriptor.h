// FileDescriptor: owns one descriptor of the kernel and closes it. Movable, not copyable.
#pragma once

#include <unistd.h>

#include <utility>

namespace shmatch::ipc {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int handle) noexcept : handle_(handle) {}
  ~FileDescriptor() { reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, -1);
    }
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ >= 0; }
  void reset() noexcept {
    if (handle_ >= 0) ::close(std::exchange(handle_, -1));
  }

 private:
  int handle_ = -1;
};

}  // namespace shmatch::ipc
