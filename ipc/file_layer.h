// The calls to the file system that the journal needs, in one place: the kernel's in the product,
// and in tests a file system in memory that can fail, crash and forget.
//
// FileLayer is the thin part that is replaced: each of its functions does what one system call
// does, short counts and EINTR included. File and the functions below are what the journal uses:
// they retry what may be retried, and turn what fails into a sentence.
//
// Thread: FileLayer's functions may be called by any thread, for different handles at the same
// time; a File belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/fault.h"

namespace shmatch::ipc {

// A fault of the file system: a sentence that names the operation and the path, and the kernel's
// error number. `error` is 0 when not the kernel refused, but what was found is not acceptable.
struct [[nodiscard]] FileFault : Fault {
  int error = 0;
};

enum class OpenMode : std::uint8_t {
  kRead,           // an existing file
  kReadWrite,      // an existing file
  kCreate,         // a new file: an existing one of that name is an error (EEXIST)
  kCreateOrClear,  // a new file, or an existing one cut to nothing
  kOpenOrCreate,   // an existing file as it is, or a new one
};

// Every function returns what its system call returns, and -errno where that would be -1.
class FileLayer {
 public:
  virtual ~FileLayer() = default;

  virtual int open(const std::string& path, OpenMode mode) noexcept = 0;  // a handle, >= 0
  virtual void close(int handle) noexcept = 0;
  // Bytes taken or given, which may be fewer than asked for; a read gives 0 at the file's end.
  virtual std::int64_t write(int handle, std::span<const std::byte> bytes,
                             std::uint64_t offset) noexcept = 0;
  virtual std::int64_t read(int handle, std::span<std::byte> bytes,
                            std::uint64_t offset) noexcept = 0;
  virtual std::int64_t size(int handle) noexcept = 0;
  // What has been written, and as much metadata as reading it back takes (fdatasync).
  virtual int sync_data(int handle) noexcept = 0;
  virtual int sync(int handle) noexcept = 0;  // fsync
  // Makes the file `bytes` long and gives it all of its space; what is new reads as zeros.
  virtual int reserve(int handle, std::uint64_t bytes) noexcept = 0;
  virtual int truncate(int handle, std::uint64_t bytes) noexcept = 0;
  // Takes the exclusive lock of the open file, which ends with the handle; -EAGAIN when another
  // open file holds it.
  virtual int lock(int handle) noexcept = 0;
  virtual int locked(int handle) noexcept = 0;  // 1 when another open file holds the lock, else 0
  virtual int rename(const std::string& from, const std::string& to) noexcept = 0;
  virtual int remove(const std::string& path) noexcept = 0;
  virtual int make_folder(const std::string& path) noexcept = 0;  // only its owner may enter
  // Names in the folder, in no order, without "." and "..".
  virtual int list(const std::string& path, std::vector<std::string>& names) noexcept = 0;
  // Makes creations, renames and removals in the folder durable.
  virtual int sync_folder(const std::string& path) noexcept = 0;

  // Called at named points of the write path (ipc/journal_steps.h), so that tests can stop, kill or
  // observe there. The product's layer does nothing.
  virtual void step(const char* name) noexcept { static_cast<void>(name); }
};

// The kernel's file system. Stateless. Files are made with mode 0600, folders with 0700, and no
// descriptor is inherited by another program.
class PosixFileLayer : public FileLayer {
 public:
  int open(const std::string& path, OpenMode mode) noexcept override;
  void close(int handle) noexcept override;
  std::int64_t write(int handle, std::span<const std::byte> bytes,
                     std::uint64_t offset) noexcept override;
  std::int64_t read(int handle, std::span<std::byte> bytes, std::uint64_t offset) noexcept override;
  std::int64_t size(int handle) noexcept override;
  int sync_data(int handle) noexcept override;
  int sync(int handle) noexcept override;
  int reserve(int handle, std::uint64_t bytes) noexcept override;
  int truncate(int handle, std::uint64_t bytes) noexcept override;
  int lock(int handle) noexcept override;
  int locked(int handle) noexcept override;
  int rename(const std::string& from, const std::string& to) noexcept override;
  int remove(const std::string& path) noexcept override;
  int make_folder(const std::string& path) noexcept override;
  int list(const std::string& path, std::vector<std::string>& names) noexcept override;
  int sync_folder(const std::string& path) noexcept override;
};

// An open file. Movable; closes when dropped. Every fault reads like
// "journal: write of 512 bytes to x/1.journal failed: No space left on device".
class File {
 public:
  File() = default;
  ~File() { close(); }
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Closes what was open before.
  FileFault open(FileLayer& layer, std::string path, OpenMode mode);
  void close() noexcept;
  explicit operator bool() const noexcept { return layer_ != nullptr; }
  const std::string& path() const noexcept { return path_; }

  // The functions below need an open file.
  FileFault write(std::span<const std::byte> bytes, std::uint64_t offset);  // all of them
  // `count` becomes less than asked for only at the file's end.
  FileFault read(std::span<std::byte> bytes, std::uint64_t offset, std::size_t& count) const;
  FileFault size(std::uint64_t& bytes) const;
  FileFault sync_data();
  FileFault sync();
  // Without fault, but without effect, where the file system cannot reserve space.
  FileFault reserve(std::uint64_t bytes);
  FileFault truncate(std::uint64_t bytes);
  FileFault rename(const std::string& to);  // path() becomes `to`
  FileFault try_lock(bool& taken);
  FileFault find_lock(bool& held_elsewhere) const;

 private:
  FileFault fault(std::string_view operation, int error) const;

  FileLayer* layer_ = nullptr;
  int handle_ = -1;
  std::string path_;
};

FileFault remove_file(FileLayer& layer, const std::string& path);
// An existing folder is no fault; `made` says whether it is new.
FileFault make_folder(FileLayer& layer, const std::string& path, bool& made);
// In alphabetical order.
FileFault list_folder(FileLayer& layer, const std::string& path, std::vector<std::string>& names);
FileFault sync_folder(FileLayer& layer, const std::string& path);

// "journal: <what>: <text of error>".
FileFault file_fault(std::string_view what, int error);
// "journal: <what>", for what was found and not what the kernel refused.
FileFault file_fault(std::string_view what);

}  // namespace shmatch::ipc
