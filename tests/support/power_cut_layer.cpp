#include "tests/support/power_cut_layer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "ipc/file_descriptor.h"

namespace shmatch::tests {
namespace {

namespace fs = std::filesystem;

// What disks write at once.
constexpr std::size_t kSectorBytes = 512;

std::string seen(const std::string& root) { return root + "/seen"; }
std::string bytes_of(const std::string& root, ino_t inode) {
  return root + "/kept/bytes/" + std::to_string(inode);
}
std::string kept_names(const std::string& root, const std::string& folder) {
  const std::string named = root + "/kept/names/" + folder;
  return fs::exists(named) ? named : root + "/kept/unnamed/" + folder;
}

void require(bool done, const std::string& what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

struct stat status_of(int handle) {
  struct stat status {};
  require(::fstat(handle, &status) == 0, "fstat");
  return status;
}

// 0: there is no such file.
ino_t inode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

void make_file(const std::string& path) {
  const ipc::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  require(static_cast<bool>(file), path);
}

std::map<std::string, ino_t> inodes_in(const std::string& folder) {
  std::map<std::string, ino_t> inodes;
  if (!fs::exists(folder)) return inodes;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    inodes[entry.path().filename().string()] = inode_of(entry.path().string());
  }
  return inodes;
}

std::vector<char> read_all(const std::string& path) {
  const ipc::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::vector<char> bytes(fs::file_size(path));
  const ssize_t count = ::pread(file.get(), bytes.data(), bytes.size(), 0);
  require(count == static_cast<ssize_t>(bytes.size()), path);
  return bytes;
}

// The file becomes `now`, having been `before`.
void write_changes(const std::string& path, const std::vector<char>& before,
                   const std::vector<char>& now) {
  const ipc::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  require(static_cast<bool>(file), path);
  const auto [old_end, new_end] = std::ranges::mismatch(before, now);
  const auto from = static_cast<std::size_t>(new_end - now.begin());
  const std::size_t size = now.size() - from;
  require(::pwrite(file.get(), now.data() + from, size, static_cast<off_t>(from)) ==
              static_cast<ssize_t>(size),
          path);
  require(::ftruncate(file.get(), static_cast<off_t>(now.size())) == 0, path);
}

// One change of a folder's names that is not durable yet. Renames are one change, because they are
// atomic.
struct NameChange {
  std::string name;
  ino_t inode = 0;   // in `seen`; 0: the name goes
  std::string from;  // the name that it had; empty: none that is durable
};

std::vector<NameChange> pending_changes(const std::string& root, const std::string& folder) {
  const auto now = inodes_in(seen(root) + "/" + folder);
  const auto kept = inodes_in(kept_names(root, folder));
  std::map<ino_t, std::string> kept_name;
  for (const auto& [name, inode] : kept) kept_name[inode] = name;
  std::vector<NameChange> changes;
  std::set<std::string> moved;
  for (const auto& [name, inode] : now) {
    const ino_t bytes = inode_of(bytes_of(root, inode));
    const auto same = kept.find(name);
    if (same != kept.end() && same->second == bytes) continue;
    NameChange change{name, inode, {}};
    if (const auto old = kept_name.find(bytes); bytes != 0 && old != kept_name.end()) {
      change.from = old->second;
      moved.insert(old->second);
    }
    changes.push_back(std::move(change));
  }
  for (const auto& [name, inode] : kept) {
    if (!now.contains(name) && !moved.contains(name)) changes.push_back({name, 0, {}});
  }
  return changes;
}

// Makes one change durable, under another name if the test wants.
void apply(const std::string& root, const std::string& names, const NameChange& change,
           const std::string& name) {
  if (change.inode == 0) {
    fs::remove(names + "/" + name);
  } else if (!change.from.empty()) {
    fs::rename(names + "/" + change.from, names + "/" + name);
  } else {
    const std::string bytes = bytes_of(root, change.inode);
    if (!fs::exists(bytes)) make_file(bytes);
    const std::string link = root + "/kept/link";
    fs::remove(link);
    fs::create_hard_link(bytes, link);
    fs::rename(link, names + "/" + name);
  }
}

// ---- losing power

// What is on the disk of a file when power goes: what was synced, and some of what was not.
class Survivor {
 public:
  explicit Survivor(Random& random) : random_(random) {}

  std::vector<char> mix(const std::vector<char>& kept, const std::vector<char>& seen) {
    std::vector<char> bytes = kept;
    bytes.resize(random_.one_in(2) ? kept.size() : seen.size());
    // Either all up to some byte, or single sectors in any order.
    const bool prefix = random_.one_in(2);
    const std::uint64_t share = 1 + random_.below(8);
    const std::size_t end = std::min(seen.size(), bytes.size());
    const std::size_t torn = differing_prefix(kept, seen, end);
    for (std::size_t at = 0; at < end; at += kSectorBytes) {
      const std::size_t size = std::min(kSectorBytes, end - at);
      if (std::memcmp(&bytes[at], &seen[at], size) == 0) continue;
      if (prefix) {
        const std::size_t taken = torn > at ? std::min(torn - at, size) : 0;
        std::memcpy(&bytes[at], &seen[at], taken);
      } else if (random_.below(8) < share) {
        std::memcpy(&bytes[at], &seen[at], size);
      }
    }
    return bytes;
  }

 private:
  // A byte between the first and the last one that differ.
  std::size_t differing_prefix(const std::vector<char>& kept, const std::vector<char>& seen,
                               std::size_t end) {
    const auto differs = [&](std::size_t at) { return at >= kept.size() || kept[at] != seen[at]; };
    std::size_t first = 0;
    while (first < end && !differs(first)) ++first;
    std::size_t last = end;
    while (last > first && !differs(last - 1)) --last;
    return first + random_.below(last - first + 1);
  }

  Random& random_;
};

// A file that was made under a temporary name may have kept that one.
std::string surviving_name(const NameChange& change, Random& random) {
  const bool finished = change.name.ends_with(".journal") || change.name.ends_with(".snapshot");
  const bool born = change.inode != 0 && change.from.empty();
  return born && finished && random.one_in(4) ? change.name + ".tmp" : change.name;
}

void keep_some(const std::string& root, const std::string& folder, Random& random) {
  const std::string names = kept_names(root, folder);
  for (const NameChange& change : pending_changes(root, folder)) {
    if (random.one_in(2)) apply(root, names, change, surviving_name(change, random));
  }
  Survivor survivor(random);
  for (const auto& [name, inode] : inodes_in(seen(root) + "/" + folder)) {
    const std::string bytes = bytes_of(root, inode);
    if (!fs::exists(bytes)) continue;
    const std::vector<char> kept = read_all(bytes);
    const std::vector<char> now = read_all(seen(root) + "/" + folder + "/" + name);
    if (kept != now) write_changes(bytes, kept, survivor.mix(kept, now));
  }
}

// All that is seen is durable.
void keep_all(const std::string& root) {
  fs::remove_all(root + "/kept");
  for (const char* part : {"bytes", "names", "unnamed"}) {
    fs::create_directories(root + "/kept/" + part);
  }
  for (const fs::directory_entry& folder : fs::directory_iterator(seen(root))) {
    const std::string name = folder.path().filename().string();
    fs::create_directories(root + "/kept/names/" + name);
    for (const auto& [file, inode] : inodes_in(folder.path().string())) {
      fs::copy_file(folder.path() / file, bytes_of(root, inode));
      fs::create_hard_link(bytes_of(root, inode), kept_names(root, name) + "/" + file);
    }
  }
}

}  // namespace

std::string journal_folder(const std::string& root) { return seen(root) + "/journal"; }
std::string removed_folder(const std::string& root) { return root + "/removed"; }

void lose_power(const std::string& root, Unsynced unsynced, Random& random) {
  for (const fs::directory_entry& folder : fs::directory_iterator(seen(root))) {
    const std::string name = folder.path().filename().string();
    if (unsynced == Unsynced::kSome) keep_some(root, name, random);
    const std::string unnamed = root + "/kept/unnamed/" + name;
    if (unsynced == Unsynced::kSome && fs::exists(unnamed) && random.one_in(2)) {
      fs::rename(unnamed, root + "/kept/names/" + name);
    }
  }
  fs::remove_all(seen(root));
  fs::copy(root + "/kept/names", seen(root), fs::copy_options::recursive);
  keep_all(root);
}

PowerCutLayer::PowerCutLayer(std::string root) : root_(std::move(root)) {
  fs::create_directories(removed_folder(root_));
  if (fs::exists(seen(root_))) return;
  fs::create_directories(seen(root_));
  keep_all(root_);
}

void PowerCutLayer::die_at(std::string step, std::uint32_t occurrence) {
  dying_step_ = std::move(step);
  steps_left_ = occurrence;
}

int PowerCutLayer::open(const std::string& path, ipc::OpenMode mode) noexcept {
  const std::lock_guard lock(mutex_);
  const bool existed = fs::exists(path);
  const int handle = PosixFileLayer::open(path, mode);
  // A new file may have the inode of one that was removed, and has nothing of its bytes.
  if (handle >= 0 && !existed) {
    const ino_t inode = status_of(handle).st_ino;
    fs::remove(bytes_of(root_, inode));
    written_.erase(inode);
  }
  return handle;
}

std::int64_t PowerCutLayer::write(int handle, std::span<const std::byte> bytes,
                                  std::uint64_t offset) noexcept {
  const std::lock_guard lock(mutex_);
  if (const auto known = written_.find(status_of(handle).st_ino); known != written_.end()) {
    Written& written = known->second;
    const bool none = written.from == written.end;
    written.from = none ? offset : std::min(written.from, offset);
    written.end = std::max(written.end, offset + bytes.size());
  }
  return PosixFileLayer::write(handle, bytes, offset);
}

int PowerCutLayer::sync(int handle) noexcept {
  if (delay_.count() > 0) std::this_thread::sleep_for(delay_);
  if (pretend_) return 0;
  const std::lock_guard lock(mutex_);
  const struct stat now = status_of(handle);
  const auto size = static_cast<std::uint64_t>(now.st_size);
  const ipc::FileDescriptor kept(
      ::open(bytes_of(root_, now.st_ino).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  require(static_cast<bool>(kept), "the kept bytes");
  const auto known = written_.find(now.st_ino);
  const Written changed = known == written_.end() ? Written{0, size} : known->second;
  std::vector<char> bytes(changed.end - changed.from);
  const auto from = static_cast<off_t>(changed.from);
  const auto count = static_cast<ssize_t>(bytes.size());
  require(::pread(handle, bytes.data(), bytes.size(), from) == count, "pread");
  require(::pwrite(kept.get(), bytes.data(), bytes.size(), from) == count, "pwrite");
  require(::ftruncate(kept.get(), now.st_size) == 0, "ftruncate");
  written_[now.st_ino] = {};
  return 0;
}

int PowerCutLayer::reserve(int handle, std::uint64_t bytes) noexcept {
  forget_written(handle);
  return PosixFileLayer::reserve(handle, bytes);
}

int PowerCutLayer::truncate(int handle, std::uint64_t bytes) noexcept {
  forget_written(handle);
  return PosixFileLayer::truncate(handle, bytes);
}

void PowerCutLayer::forget_written(int handle) {
  const std::lock_guard lock(mutex_);
  written_.erase(status_of(handle).st_ino);
}

int PowerCutLayer::remove(const std::string& path) noexcept {
  const std::lock_guard lock(mutex_);
  const fs::path file(path);
  if (file.extension() == ".journal") {
    std::error_code known;  // from before a loss of power that brought it back
    fs::create_hard_link(file, fs::path(removed_folder(root_)) / file.filename(), known);
  }
  return PosixFileLayer::remove(path);
}

int PowerCutLayer::make_folder(const std::string& path) noexcept {
  const std::lock_guard lock(mutex_);
  const int result = PosixFileLayer::make_folder(path);
  if (result == 0) {
    fs::create_directory(root_ + "/kept/unnamed/" + fs::path(path).filename().string());
  }
  return result;
}

int PowerCutLayer::sync_folder(const std::string& path) noexcept {
  if (pretend_) return 0;
  const std::lock_guard lock(mutex_);
  if (path == seen(root_)) {
    for (const fs::directory_entry& folder : fs::directory_iterator(root_ + "/kept/unnamed")) {
      fs::rename(folder, fs::path(root_) / "kept/names" / folder.path().filename());
    }
    return 0;
  }
  const std::string folder = fs::path(path).filename().string();
  const std::string names = kept_names(root_, folder);
  for (const NameChange& change : pending_changes(root_, folder)) {
    apply(root_, names, change, change.name);
  }
  return 0;
}

void PowerCutLayer::step(const char* name) noexcept {
  const std::lock_guard lock(mutex_);
  if (steps_left_ != 0 && dying_step_ == name && --steps_left_ == 0) {
    ::kill(::getpid(), SIGKILL);
    // The signal may take a moment to end the other threads; nothing more is done here.
    while (true) ::pause();
  }
}

}  // namespace shmatch::tests
