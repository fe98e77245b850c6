#include "tests/support/fake_files.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace shmatch::tests {
namespace {

constexpr std::size_t kSectorBytes = 512;

int error_of(FileFailure failure) {
  switch (failure) {
    case FileFailure::kNoSpace:
      return -ENOSPC;
    case FileFailure::kInputOutput:
      return -EIO;
    case FileFailure::kInterrupted:
      return -EINTR;
    case FileFailure::kNone:
    case FileFailure::kShort:
      return 0;
  }
  return 0;
}

}  // namespace

void FakeFiles::fail_at(std::uint64_t operation, FileFailure kind, bool for_good) {
  const std::lock_guard lock(mutex_);
  fail_operation_ = operation;
  failure_ = kind;
  fail_for_good_ = for_good;
}

// Counts an operation, and says how it has to fail.
FileFailure FakeFiles::strike() {
  ++operations_;
  const bool due =
      failure_ != FileFailure::kNone &&
      (fail_for_good_ ? operations_ >= fail_operation_ : operations_ == fail_operation_);
  if (!due) return FileFailure::kNone;
  ++failures_;
  return failure_;
}

// The same for operations that cannot be short.
int FakeFiles::struck() { return error_of(strike()); }

void FakeFiles::apply(const Change& change, Bytes& bytes) {
  if (change.resize) {
    bytes.resize(change.offset);
    return;
  }
  bytes.resize(std::max<std::size_t>(bytes.size(), change.offset + change.bytes.size()));
  std::ranges::copy(change.bytes, bytes.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void FakeFiles::apply(const NameChange& change, Names& names) {
  if (!change.removed.empty()) names.erase(change.removed);
  if (!change.set.empty()) names[change.set] = change.node;
}

bool FakeFiles::in_folder(const std::string& path, const std::string& folder) {
  return path.starts_with(folder + "/") && path.find('/', folder.size() + 1) == std::string::npos;
}

void FakeFiles::change_names(NameChange change) {
  apply(change, names_);
  unsynced_names_.push_back(std::move(change));
}

// Whatever of a write the disk happened to have taken.
void FakeFiles::survive_write(const Change& change, Bytes& disk) {
  if (random_.one_in(3)) return;
  if (random_.one_in(2)) return apply(change, disk);
  const std::uint64_t end = change.offset + change.bytes.size();
  for (std::uint64_t from = change.offset; from < end;) {
    const std::uint64_t sector_end = std::min(end, (from / kSectorBytes + 1) * kSectorBytes);
    std::uint64_t stop = sector_end;
    if (random_.one_in(8)) stop = from + random_.below(sector_end - from + 1);
    if (random_.one_in(2)) {
      const auto first = change.bytes.begin() + static_cast<std::ptrdiff_t>(from - change.offset);
      apply({false, from, Bytes(first, first + static_cast<std::ptrdiff_t>(stop - from))}, disk);
    }
    from = sector_end;
  }
}

void FakeFiles::survive(Node& node) {
  for (const Change& change : node.unsynced) {
    if (!change.resize) {
      survive_write(change, node.disk);
    } else if (random_.one_in(2)) {
      apply(change, node.disk);
    }
  }
  node.unsynced.clear();
}

void FakeFiles::crash(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  random_ = Random(seed);
  handles_.clear();
  const std::uint64_t kept = random_.below(unsynced_names_.size() + 1);
  std::set<Node*> known;
  for (auto& [name, node] : names_) known.insert(node.get());
  for (auto& [name, node] : disk_names_) known.insert(node.get());
  for (const NameChange& change : unsynced_names_) {
    if (change.node) known.insert(change.node.get());
  }
  for (Node* node : known) {
    survive(*node);
    node->now = node->disk;
    node->lock_owner = -1;
  }
  for (std::uint64_t i = 0; i < kept; ++i) apply(unsynced_names_[i], disk_names_);
  unsynced_names_.clear();
  names_ = disk_names_;
}

void FakeFiles::kill() {
  const std::lock_guard lock(mutex_);
  for (auto& [handle, node] : handles_) node->lock_owner = -1;
  handles_.clear();
}

bool FakeFiles::exists(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return names_.contains(path);
}

FakeFiles::Bytes& FakeFiles::contents(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return names_.at(path)->now;
}

FakeFiles::Bytes FakeFiles::durable_contents(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = disk_names_.find(path);
  return found == disk_names_.end() ? Bytes{} : found->second->disk;
}

// ------------------------------------------------------------------------------------- FileLayer

FakeFiles::Node* FakeFiles::node_of(int handle) {
  const auto found = handles_.find(handle);
  return found == handles_.end() ? nullptr : found->second.get();
}

int FakeFiles::open(const std::string& path, ipc::OpenMode mode) noexcept {
  if (on_open) on_open(path);
  const int handle = open_node(path, mode);
  if (on_opened) on_opened(path);
  return handle;
}

int FakeFiles::open_node(const std::string& path, ipc::OpenMode mode) {
  const std::lock_guard lock(mutex_);
  if (const int error = struck(); error != 0) return error;
  const auto found = names_.find(path);
  const bool creates = mode != ipc::OpenMode::kRead && mode != ipc::OpenMode::kReadWrite;
  if (found == names_.end() && !creates) return -ENOENT;
  if (found != names_.end() && mode == ipc::OpenMode::kCreate) return -EEXIST;
  NodePointer node = found != names_.end() ? found->second : std::make_shared<Node>();
  if (found == names_.end()) change_names({{}, path, node});
  if (mode == ipc::OpenMode::kCreateOrClear) {
    node->unsynced.push_back({true, 0, {}});
    apply(node->unsynced.back(), node->now);
  }
  handles_[next_handle_] = std::move(node);
  return next_handle_++;
}

void FakeFiles::close(int handle) noexcept {
  const std::lock_guard lock(mutex_);
  if (Node* const node = node_of(handle); node != nullptr && node->lock_owner == handle) {
    node->lock_owner = -1;
  }
  handles_.erase(handle);
}

std::int64_t FakeFiles::write(int handle, std::span<const std::byte> bytes,
                              std::uint64_t offset) noexcept {
  const std::lock_guard lock(mutex_);
  const FileFailure failure = strike();
  if (const int error = error_of(failure); error != 0) return error;
  Node* const node = node_of(handle);
  if (node == nullptr) return -EBADF;
  if (failure == FileFailure::kShort) bytes = bytes.first(bytes.size() / 2);
  if (bytes.empty()) return 0;
  node->unsynced.push_back({false, offset, Bytes(bytes.begin(), bytes.end())});
  apply(node->unsynced.back(), node->now);
  return static_cast<std::int64_t>(bytes.size());
}

std::int64_t FakeFiles::read(int handle, std::span<std::byte> bytes,
                             std::uint64_t offset) noexcept {
  const std::lock_guard lock(mutex_);
  const FileFailure failure = strike();
  if (const int error = error_of(failure); error != 0) return error;
  const Node* const node = node_of(handle);
  if (node == nullptr) return -EBADF;
  if (offset >= node->now.size()) return 0;
  std::size_t count = std::min<std::size_t>(bytes.size(), node->now.size() - offset);
  if (failure == FileFailure::kShort) count = (count + 1) / 2;
  std::copy_n(node->now.begin() + static_cast<std::ptrdiff_t>(offset), count, bytes.begin());
  return static_cast<std::int64_t>(count);
}

std::int64_t FakeFiles::size(int handle) noexcept {
  const std::lock_guard lock(mutex_);
  if (const int error = struck(); error != 0) return error;
  const Node* const node = node_of(handle);
  return node == nullptr ? -EBADF : static_cast<std::int64_t>(node->now.size());
}

int FakeFiles::sync_node(int handle) {
  if (on_sync) on_sync();
  const std::lock_guard lock(mutex_);
  const int error = struck();
  Node* const node = node_of(handle);
  if (node == nullptr) return -EBADF;
  if (error != 0) {
    survive(*node);
    return error;
  }
  for (const Change& change : node->unsynced) apply(change, node->disk);
  node->unsynced.clear();
  return 0;
}

int FakeFiles::sync_data(int handle) noexcept { return sync_node(handle); }
int FakeFiles::sync(int handle) noexcept { return sync_node(handle); }

int FakeFiles::reserve(int handle, std::uint64_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  if (const int error = struck(); error != 0) return error;
  if (!can_reserve) return -EOPNOTSUPP;
  Node* const node = node_of(handle);
  if (node == nullptr) return -EBADF;
  if (node->now.size() >= bytes) return 0;
  node->unsynced.push_back({true, bytes, {}});
  apply(node->unsynced.back(), node->now);
  return 0;
}

int FakeFiles::truncate(int handle, std::uint64_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  if (const int error = struck(); error != 0) return error;
  Node* const node = node_of(handle);
  if (node == nullptr) return -EBADF;
  node->unsynced.push_back({true, bytes, {}});
  apply(node->unsynced.back(), node->now);
  return 0;
}

int FakeFiles::lock(int handle) noexcept {
  const std::lock_guard guard(mutex_);
  if (const int error = struck(); error != 0) return error;
  Node* const node = node_of(handle);
  if (node == nullptr) return -EBADF;
  if (node->lock_owner != -1 && node->lock_owner != handle) return -EAGAIN;
  node->lock_owner = handle;
  return 0;
}

int FakeFiles::locked(int handle) noexcept {
  const std::lock_guard lock(mutex_);
  if (const int error = struck(); error != 0) return error;
  const Node* const node = node_of(handle);
  if (node == nullptr) return -EBADF;
  return node->lock_owner != -1 && node->lock_owner != handle ? 1 : 0;
}

int FakeFiles::rename(const std::string& from, const std::string& to) noexcept {
  const std::lock_guard lock(mutex_);
  if (const int error = struck(); error != 0) return error;
  const auto found = names_.find(from);
  if (found == names_.end()) return -ENOENT;
  change_names({from, to, found->second});
  return 0;
}

int FakeFiles::remove(const std::string& path) noexcept {
  const std::lock_guard lock(mutex_);
  if (const int error = struck(); error != 0) return error;
  if (!names_.contains(path)) return -ENOENT;
  change_names({path, {}, nullptr});
  return 0;
}

int FakeFiles::make_folder(const std::string& path) noexcept {
  const std::lock_guard lock(mutex_);
  if (const int error = struck(); error != 0) return error;
  return folders_.insert(path).second ? 0 : -EEXIST;
}

int FakeFiles::list(const std::string& path, std::vector<std::string>& names) noexcept {
  const std::lock_guard lock(mutex_);
  if (const int error = struck(); error != 0) return error;
  names.clear();
  for (const auto& [name, node] : names_) {
    if (in_folder(name, path)) names.push_back(name.substr(path.size() + 1));
  }
  return 0;
}

int FakeFiles::sync_folder(const std::string& path) noexcept {
  if (on_sync) on_sync();
  const std::lock_guard lock(mutex_);
  if (const int error = struck(); error != 0) return error;
  std::erase_if(unsynced_names_, [&](const NameChange& change) {
    const std::string& name = change.set.empty() ? change.removed : change.set;
    if (!in_folder(name, path)) return false;
    apply(change, disk_names_);
    return true;
  });
  return 0;
}

void FakeFiles::step(const char* name) noexcept {
  if (on_step) on_step(name);
}

}  // namespace shmatch::tests
