#include "ipc/socket_path.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "ipc/seqpacket.h"

namespace shmatch::ipc {
namespace {

constexpr int kListenBacklog = 256;

std::string default_folder() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') return std::string(runtime) + "/shmatch";
  return "/tmp/shmatch-" + std::to_string(::geteuid());
}

Fault live_engine(const std::string& path) { return Fault{"an engine already serves " + path}; }

}  // namespace

std::string default_socket_path() { return default_folder() + "/engine.sock"; }

Fault check_default_folder(bool create) {
  const std::string folder = default_folder();
  if (create && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_fault("cannot create the folder " + folder, errno);
  }
  struct stat status {};
  // lstat: a symbolic link there could lead into a folder that somebody else controls.
  if (::lstat(folder.c_str(), &status) != 0) {
    return system_fault("cannot use the folder " + folder, errno);
  }
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 0777) != 0700) {
    return Fault{"the folder " + folder +
                 " must be a directory of mode 0700 that belongs to this user"};
  }
  return {};
}

Fault ListeningSocket::take(const std::string& path) {
  if (!socket_path_fits(path)) {
    return Fault{"the socket path must have 1 to 107 characters: " + path};
  }
  path_ = path;
  lock_path_ = path + ".lock";
  if (Fault fault = take_lock()) return fault;
  if (Fault fault = remove_stale_socket()) {
    close();
    return fault;
  }
  return {};
}

void ListeningSocket::close() noexcept {
  if (std::exchange(bound_, false)) ::unlink(path_.c_str());
  socket_.reset();
  if (lock_) ::unlink(lock_path_.c_str());
  lock_.reset();
}

Fault ListeningSocket::take_lock() {
  while (true) {
    FileDescriptor lock(
        ::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) return system_fault("cannot create the lock file " + lock_path_, errno);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return live_engine(path_);
      return system_fault("cannot lock " + lock_path_, errno);
    }
    // An engine that stops removes its lock file: the lock counts only on the file that still has
    // the name.
    struct stat locked {};
    struct stat named {};
    if (::fstat(lock.get(), &locked) == 0 && ::lstat(lock_path_.c_str(), &named) == 0 &&
        locked.st_dev == named.st_dev && locked.st_ino == named.st_ino) {
      lock_ = std::move(lock);
      return {};
    }
  }
}

Fault ListeningSocket::remove_stale_socket() const {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return system_fault("cannot examine " + path_, errno);
  }
  if (!S_ISSOCK(status.st_mode)) return Fault{path_ + " exists and is not a socket"};
  const FileDescriptor probe = make_socket();
  if (!probe) return system_fault("cannot create a socket", errno);
  // The lock already tells engines apart; this finds a socket of any other program.
  if (const int error = connect_socket(probe.get(), path_); error != ECONNREFUSED) {
    if (error == 0 || error == EAGAIN || error == EPROTOTYPE) return live_engine(path_);
    return system_fault("cannot tell whether " + path_ + " is in use", error);
  }
  if (::unlink(path_.c_str()) != 0) return system_fault("cannot replace " + path_, errno);
  return {};
}

Fault ListeningSocket::listen(mode_t mode, std::optional<gid_t> group) {
  FileDescriptor socket = make_socket();
  if (!socket) return system_fault("cannot create a socket", errno);
  if (const int error = bind_socket(socket.get(), path_); error != 0) {
    return system_fault("cannot bind " + path_, error);
  }
  bound_ = true;
  // Nobody can connect before listen, so the rights are in force before the first client.
  if (group && ::lchown(path_.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    return system_fault("cannot give " + path_ + " to its group", errno);
  }
  if (::chmod(path_.c_str(), mode) != 0) {
    return system_fault("cannot set the mode of " + path_, errno);
  }
  if (::listen(socket.get(), kListenBacklog) != 0) {
    return system_fault("cannot listen on " + path_, errno);
  }
  socket_ = std::move(socket);
  return {};
}

}  // namespace shmatch::ipc
