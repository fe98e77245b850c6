// A file system in memory that tells what a program has written from what a disk would still have
// after the power went: FileLayer for tests.
//
// What is written is visible at once and durable after a sync of its file; names are durable after
// a sync of their folder. crash() keeps what is durable, and of the rest whatever the seed says:
// any set of the unsynced writes, each whole, or only some of its sectors, or torn at a byte; any
// number of the unsynced changes of names, in their order.
//
// fail_at makes one operation fail, or all from there on. A sync that fails does what Linux does:
// it drops what it had to write, except for parts that reached the disk by chance, and the next one
// succeeds without writing it.
//
// Thread: any; one lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "ipc/file_layer.h"
#include "tests/unit/random.h"

namespace shmatch::tests {

enum class FileFailure : std::uint8_t {
  kNone,
  kNoSpace,      // ENOSPC
  kInputOutput,  // EIO
  kShort,        // a write takes half of what it is given; for good: of each byte then nothing
  kInterrupted,  // EINTR
};

class FakeFiles final : public ipc::FileLayer {
 public:
  using Bytes = std::vector<std::byte>;

  // ---- what a test arranges

  // The operation number `operation`, counted from 1 over every call that can fail, fails as `kind`
  // says; `for_good`: each later one as well.
  void fail_at(std::uint64_t operation, FileFailure kind, bool for_good);
  void heal() { fail_at(0, FileFailure::kNone, false); }
  // Takes the power away. Open handles are dead afterwards, locks are free.
  void crash(std::uint64_t seed);
  // Kills the program: handles and locks are gone, everything written stays visible.
  void kill();
  // Called before each sync, without the lock: delays it, or looks around.
  std::function<void()> on_sync;
  // Called before each open and behind it, without the lock: something happens in between.
  std::function<void(const std::string&)> on_open;
  std::function<void(const std::string&)> on_opened;
  // Called at each step of the journal (ipc/journal_steps.h).
  std::function<void(const char*)> on_step;
  // File systems that cannot reserve space exist.
  bool can_reserve = true;

  // ---- what a test looks at

  std::uint64_t operations() const {
    const std::lock_guard lock(mutex_);
    return operations_;
  }
  std::uint64_t failures() const {  // that fail_at caused
    const std::lock_guard lock(mutex_);
    return failures_;
  }
  bool exists(const std::string& path) const;
  // What the program sees; damage it here. The file must exist.
  Bytes& contents(const std::string& path);
  // What would be there if nothing unsynced reached the disk; empty without the file.
  Bytes durable_contents(const std::string& path) const;

  // ---- FileLayer

  int open(const std::string& path, ipc::OpenMode mode) noexcept override;
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
  void step(const char* name) noexcept override;

 private:
  // A write, or with `resize` a new length.
  struct Change {
    bool resize = false;
    std::uint64_t offset = 0;
    Bytes bytes;
  };
  struct Node {
    Bytes now;
    Bytes disk;
    std::vector<Change> unsynced;
    int lock_owner = -1;
  };
  using NodePointer = std::shared_ptr<Node>;
  // Takes a name away, gives one to a node, or both at once.
  struct NameChange {
    std::string removed;
    std::string set;
    NodePointer node;
  };
  using Names = std::map<std::string, NodePointer>;

  int open_node(const std::string& path, ipc::OpenMode mode);
  FileFailure strike();
  int struck();
  static void apply(const Change& change, Bytes& bytes);
  static void apply(const NameChange& change, Names& names);
  static bool in_folder(const std::string& path, const std::string& folder);
  void change_names(NameChange change);
  void survive(Node& node);
  void survive_write(const Change& change, Bytes& disk);
  Node* node_of(int handle);
  int sync_node(int handle);

  mutable std::mutex mutex_;
  Names names_;
  Names disk_names_;
  std::vector<NameChange> unsynced_names_;
  std::set<std::string> folders_;
  std::map<int, NodePointer> handles_;
  int next_handle_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t fail_operation_ = 0;
  FileFailure failure_ = FileFailure::kNone;
  bool fail_for_good_ = false;
  Random random_{1};
};

}  // namespace shmatch::tests
