#include "ipc/engine_socket.h"

#include <algorithm>
#include <cerrno>
#include <thread>

#include "ipc/socket_path.h"

namespace shmatch::ipc {
namespace {

constexpr std::chrono::milliseconds kConnectRetry{1};

Failure no_engine(const std::string& path) {
  return {ClientError::kNoEngine, "no engine serves " + path};
}

Failure connect_to(const std::string& path, Deadline deadline, FileDescriptor& socket) {
  if (!socket_path_fits(path)) {
    return {ClientError::kBadArgument, "the socket path must have 1 to 107 characters: " + path};
  }
  socket = make_socket();
  if (!socket) return {ClientError::kNoMemory, system_fault("cannot create a socket", errno).text};
  while (true) {
    const int error = connect_socket(socket.get(), path);
    if (error == 0) return {};
    if (error == ENOENT || error == ECONNREFUSED || error == ENOTDIR) return no_engine(path);
    // EAGAIN: more clients are connecting than the listening socket queues.
    if (error != EAGAIN && error != EINTR) {
      return {ClientError::kNoEngine, system_fault("cannot connect to " + path, error).text};
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return {ClientError::kTimeout, "the engine did not accept the connection in time"};
    }
    std::this_thread::sleep_for(kConnectRetry);
  }
}

}  // namespace

Failure strange_engine() {
  return {ClientError::kNoEngine, "what serves that socket does not behave like an engine"};
}

Failure connect_to_engine(const std::string& path, Deadline deadline, FileDescriptor& socket) {
  if (!path.empty()) return connect_to(path, deadline, socket);
  const std::string usual = default_socket_path();
  if (const Fault fault = check_default_folder(false)) {
    return {ClientError::kNoEngine, no_engine(usual).text + " (" + fault.text + ")"};
  }
  return connect_to(usual, deadline, socket);
}

Fault map_checked(int handle, std::size_t size, unsigned seals, Access access, Mapping& mapping) {
  if (Fault fault = check_memory(handle, size, seals)) return fault;
  return mapping.map(handle, size, access);
}

bool engine_closed(int socket, std::string& reason) noexcept {
  std::array<std::byte, kPacketBytesMax> buffer{};
  const Received received = receive_packet(socket, buffer);
  if (received.outcome == Received::Outcome::kNothing) return false;
  const std::size_t size = std::min(received.size, buffer.size());
  if (Farewell farewell; read_packet(std::span<const std::byte>(buffer).first(size), farewell)) {
    reason = get_text(farewell.sentence);
  }
  return true;
}

}  // namespace shmatch::ipc
