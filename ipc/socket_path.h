// Where an engine's socket lives, and how an engine takes that place for itself.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "ipc/fault.h"
#include "ipc/file_descriptor.h"

namespace shmatch::ipc {

// $XDG_RUNTIME_DIR/shmatch/engine.sock when that variable holds an absolute path, else
// /tmp/shmatch-UID/engine.sock with the effective uid. Touches nothing. Any thread.
std::string default_socket_path();

// The folder of the default socket must be a directory of mode 0700 that belongs to the effective
// uid, else another user could pose as the engine. `create` makes it when it is missing (the engine
// does, a client does not).
Fault check_default_folder(bool create);

// A socket that listens, and the lock that says that no other engine may take its place.
// Thread: one at a time.
class ListeningSocket {
 public:
  ListeningSocket() = default;
  ~ListeningSocket() { close(); }
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  // Takes the place `path` and removes a stale socket file there; clients still find nobody.
  // Faults: the path is too long; its folder is missing or not writable; a live engine holds it;
  // something else than a socket is there.
  Fault take(const std::string& path);

  // Binds and listens: clients can connect from here on. Faults: the socket cannot be made, or its
  // mode or group not set.
  Fault listen(mode_t mode, std::optional<gid_t> group);

  // Removes the socket file and the lock file, closes the socket and frees the lock, in that order.
  void close() noexcept;

  int handle() const noexcept { return socket_.get(); }
  const std::string& path() const noexcept { return path_; }

 private:
  Fault take_lock();
  Fault remove_stale_socket() const;

  std::string path_;
  std::string lock_path_;
  FileDescriptor lock_;
  FileDescriptor socket_;
  bool bound_ = false;
};

}  // namespace shmatch::ipc
