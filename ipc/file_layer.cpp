#include "ipc/file_layer.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace shmatch::ipc {
namespace {

template <class Number>
Number or_error(Number result) noexcept {
  return result < 0 ? -errno : result;
}

// What a signal interrupted is done again.
template <class Call>
auto retried(Call call) noexcept {
  while (true) {
    const auto result = call();
    if (result != -EINTR) return result;
  }
}

int open_flags(OpenMode mode) noexcept {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::kCreateOrClear:
      return O_RDWR | O_CREAT | O_TRUNC;
    case OpenMode::kOpenOrCreate:
      return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

std::string bytes_text(std::size_t bytes) { return std::to_string(bytes) + " bytes"; }

}  // namespace

int PosixFileLayer::open(const std::string& path, OpenMode mode) noexcept {
  return or_error(::open(path.c_str(), open_flags(mode) | O_CLOEXEC, 0600));
}

void PosixFileLayer::close(int handle) noexcept { ::close(handle); }

std::int64_t PosixFileLayer::write(int handle, std::span<const std::byte> bytes,
                                   std::uint64_t offset) noexcept {
  const auto place = static_cast<off_t>(offset);
  return or_error<std::int64_t>(::pwrite(handle, bytes.data(), bytes.size(), place));
}

std::int64_t PosixFileLayer::read(int handle, std::span<std::byte> bytes,
                                  std::uint64_t offset) noexcept {
  const auto place = static_cast<off_t>(offset);
  return or_error<std::int64_t>(::pread(handle, bytes.data(), bytes.size(), place));
}

std::int64_t PosixFileLayer::size(int handle) noexcept {
  struct stat status {};
  return ::fstat(handle, &status) < 0 ? -errno : status.st_size;
}

int PosixFileLayer::sync_data(int handle) noexcept { return or_error(::fdatasync(handle)); }

int PosixFileLayer::sync(int handle) noexcept { return or_error(::fsync(handle)); }

int PosixFileLayer::reserve(int handle, std::uint64_t bytes) noexcept {
  return or_error(::fallocate(handle, 0, 0, static_cast<off_t>(bytes)));
}

int PosixFileLayer::truncate(int handle, std::uint64_t bytes) noexcept {
  return or_error(::ftruncate(handle, static_cast<off_t>(bytes)));
}

// Locks of the open file description: they belong to the descriptor and not to the process, and
// another program can look at them without taking them.
int PosixFileLayer::lock(int handle) noexcept {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  return or_error(::fcntl(handle, F_OFD_SETLK, &whole));
}

int PosixFileLayer::locked(int handle) noexcept {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  if (::fcntl(handle, F_OFD_GETLK, &whole) < 0) return -errno;
  return whole.l_type == F_UNLCK ? 0 : 1;
}

int PosixFileLayer::rename(const std::string& from, const std::string& to) noexcept {
  return or_error(::rename(from.c_str(), to.c_str()));
}

int PosixFileLayer::remove(const std::string& path) noexcept {
  return or_error(::unlink(path.c_str()));
}

int PosixFileLayer::make_folder(const std::string& path) noexcept {
  return or_error(::mkdir(path.c_str(), 0700));
}

int PosixFileLayer::list(const std::string& path, std::vector<std::string>& names) noexcept {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) return -errno;
  names.clear();
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(folder.get());
    if (entry == nullptr) return -errno;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

int PosixFileLayer::sync_folder(const std::string& path) noexcept {
  const int handle = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return -errno;
  const int result = or_error(::fsync(handle));
  ::close(handle);
  return result;
}

File::File(File&& other) noexcept
    : layer_(std::exchange(other.layer_, nullptr)),
      handle_(std::exchange(other.handle_, -1)),
      path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    close();
    layer_ = std::exchange(other.layer_, nullptr);
    handle_ = std::exchange(other.handle_, -1);
    path_ = std::move(other.path_);
  }
  return *this;
}

FileFault File::open(FileLayer& layer, std::string path, OpenMode mode) {
  close();
  path_ = std::move(path);
  const int result = retried([&] { return layer.open(path_, mode); });
  if (result < 0) return file_fault("cannot open " + path_, -result);
  layer_ = &layer;
  handle_ = result;
  return {};
}

void File::close() noexcept {
  if (layer_ != nullptr) layer_->close(handle_);
  layer_ = nullptr;
}

FileFault File::write(std::span<const std::byte> bytes, std::uint64_t offset) {
  const std::size_t all = bytes.size();
  while (!bytes.empty()) {
    const std::int64_t taken = retried([&] { return layer_->write(handle_, bytes, offset); });
    if (taken < 0) return fault("write of " + bytes_text(all) + " to", static_cast<int>(-taken));
    // A disk that takes nothing and gives no reason would otherwise keep us here for ever.
    if (taken == 0) return fault("write of " + bytes_text(all) + " to", ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(taken));
    offset += static_cast<std::uint64_t>(taken);
  }
  return {};
}

FileFault File::read(std::span<std::byte> bytes, std::uint64_t offset, std::size_t& count) const {
  count = 0;
  while (count < bytes.size()) {
    const std::int64_t given =
        retried([&] { return layer_->read(handle_, bytes.subspan(count), offset + count); });
    if (given < 0) {
      return fault(
          "read of " + bytes_text(bytes.size()) + " at byte " + std::to_string(offset) + " of",
          static_cast<int>(-given));
    }
    if (given == 0) return {};
    count += static_cast<std::size_t>(given);
  }
  return {};
}

FileFault File::size(std::uint64_t& bytes) const {
  const std::int64_t result = layer_->size(handle_);
  if (result < 0) return fault("asking for the size of", static_cast<int>(-result));
  bytes = static_cast<std::uint64_t>(result);
  return {};
}

// Not retried, not even for EINTR: after a sync that failed nothing is known of what it left out.
FileFault File::sync_data() {
  const int result = layer_->sync_data(handle_);
  return result < 0 ? fault("sync of the data of", -result) : FileFault{};
}

FileFault File::sync() {
  const int result = layer_->sync(handle_);
  return result < 0 ? fault("sync of", -result) : FileFault{};
}

FileFault File::reserve(std::uint64_t bytes) {
  const int result = retried([&] { return layer_->reserve(handle_, bytes); });
  if (result == 0 || result == -EOPNOTSUPP || result == -ENOSYS) return {};
  return fault("reserving " + bytes_text(bytes) + " for", -result);
}

FileFault File::truncate(std::uint64_t bytes) {
  const int result = retried([&] { return layer_->truncate(handle_, bytes); });
  return result < 0 ? fault("cutting at byte " + std::to_string(bytes) + " of", -result)
                    : FileFault{};
}

FileFault File::rename(const std::string& to) {
  const int result = retried([&] { return layer_->rename(path_, to); });
  if (result < 0) return fault("renaming to " + to + " of", -result);
  path_ = to;
  return {};
}

FileFault File::try_lock(bool& taken) {
  const int result = retried([&] { return layer_->lock(handle_); });
  taken = result == 0;
  if (result == 0 || result == -EAGAIN || result == -EACCES) return {};
  return fault("locking of", -result);
}

FileFault File::find_lock(bool& held_elsewhere) const {
  const int result = layer_->locked(handle_);
  if (result < 0) return fault("looking at the lock of", -result);
  held_elsewhere = result == 1;
  return {};
}

FileFault File::fault(std::string_view operation, int error) const {
  return file_fault(std::string(operation) + " " + path_ + " failed", error);
}

FileFault remove_file(FileLayer& layer, const std::string& path) {
  const int result = retried([&] { return layer.remove(path); });
  return result < 0 ? file_fault("cannot remove " + path, -result) : FileFault{};
}

FileFault make_folder(FileLayer& layer, const std::string& path, bool& made) {
  const int result = retried([&] { return layer.make_folder(path); });
  made = result == 0;
  if (result == 0 || result == -EEXIST) return {};
  return file_fault("cannot make the folder " + path, -result);
}

FileFault list_folder(FileLayer& layer, const std::string& path, std::vector<std::string>& names) {
  const int result = layer.list(path, names);
  if (result < 0) return file_fault("cannot list the folder " + path, -result);
  std::ranges::sort(names);
  return {};
}

FileFault sync_folder(FileLayer& layer, const std::string& path) {
  const int result = layer.sync_folder(path);
  return result < 0 ? file_fault("sync of the folder " + path + " failed", -result) : FileFault{};
}

FileFault file_fault(std::string_view what, int error) {
  return {system_fault("journal: " + std::string(what), error), error};
}

FileFault file_fault(std::string_view what) { return {{"journal: " + std::string(what)}, 0}; }

}  // namespace shmatch::ipc
