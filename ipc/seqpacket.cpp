#include "ipc/seqpacket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace shmatch::ipc {
namespace {

constexpr std::size_t kDescriptorsMax = 3;

// The kernel's number for it (Linux 6.5); Debian 12's headers do not know it yet.
constexpr int kPeerPidfdOption = 77;

sockaddr_un address_of(const std::string& path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  return address;
}

union ControlBuffer {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int) * kDescriptorsMax)];
};

// Takes ownership of every descriptor in `message`, also of those that nobody asked for.
void take_descriptors(msghdr& message, std::span<FileDescriptor> descriptors) noexcept {
  std::size_t taken = 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int handle = -1;
      std::memcpy(&handle, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      FileDescriptor owned(handle);
      if (taken < descriptors.size()) descriptors[taken++] = std::move(owned);
    }
  }
}

}  // namespace

bool socket_path_fits(const std::string& path) noexcept {
  return !path.empty() && path.size() < sizeof(sockaddr_un::sun_path) &&
         path.find('\0') == std::string::npos;
}

FileDescriptor make_socket() noexcept {
  return FileDescriptor(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int bind_socket(int socket, const std::string& path) noexcept {
  const sockaddr_un address = address_of(path);
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0
                                                                                          : errno;
}

int connect_socket(int socket, const std::string& path) noexcept {
  const sockaddr_un address = address_of(path);
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
             ? 0
             : errno;
}

Received receive_packet(int socket, std::span<std::byte> packet,
                        std::span<FileDescriptor> descriptors) noexcept {
  iovec part{packet.data(), packet.size()};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control.bytes;
  }
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    const bool empty = errno == EAGAIN || errno == EWOULDBLOCK;
    return {empty ? Received::Outcome::kNothing : Received::Outcome::kClosed, 0};
  }
  if (!descriptors.empty()) take_descriptors(message, descriptors);
  // An empty record cannot be told from the end of the stream, and no packet of ours is empty.
  if (size == 0) return {Received::Outcome::kClosed, 0};
  return {Received::Outcome::kPacket, static_cast<std::size_t>(size)};
}

bool wait_readable(int socket, Deadline deadline) noexcept {
  pollfd entry{socket, POLLIN, 0};
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
    const int ready = ::poll(&entry, 1, timeout);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;
    if (timeout == 0) return false;
  }
}

bool send_bytes(int socket, std::span<const std::byte> packet,
                std::span<const int> descriptors) noexcept {
  iovec part{const_cast<std::byte*>(packet.data()), packet.size()};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty() && descriptors.size() <= kDescriptorsMax) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(packet.size());
}

Fault identify_peer(int socket, Peer& peer) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return system_fault("cannot learn who connected", errno);
  }
  int process = -1;
  size = sizeof process;
  if (::getsockopt(socket, SOL_SOCKET, kPeerPidfdOption, &process, &size) != 0) {
    if (errno != ENOPROTOOPT) return system_fault("cannot watch the connecting process", errno);
    // An older kernel: between connect and here the pid may have been reused; then the socket's own
    // end still tells.
    process = static_cast<int>(::syscall(SYS_pidfd_open, credentials.pid, 0));
    if (process < 0) return system_fault("cannot watch the connecting process", errno);
  }
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  peer.pid = credentials.pid;
  peer.process = FileDescriptor(process);
  return {};
}

}  // namespace shmatch::ipc
