// Unix sockets of type SOCK_SEQPACKET: sending and receiving packets and descriptors, and who the
// peer is.
//
// All descriptors made or received here are close-on-exec. No call blocks unless it says so, and
// none raises SIGPIPE. Thread: any.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>

#include "ipc/fault.h"
#include "ipc/file_descriptor.h"
#include "ipc/logon.h"

namespace shmatch::ipc {

using Deadline = std::chrono::steady_clock::time_point;

// Fills a socket address; false when `path` is empty or too long for the kernel (107 bytes).
bool socket_path_fits(const std::string& path) noexcept;

// A new non-blocking socket. errno tells why it is empty.
FileDescriptor make_socket() noexcept;
// bind(2) and connect(2) on a path that fits; 0 or the error number.
int bind_socket(int socket, const std::string& path) noexcept;
int connect_socket(int socket, const std::string& path) noexcept;

struct Received {
  enum class Outcome : unsigned char {
    kPacket,
    kNothing,  // none waiting now
    kClosed,   // the peer is gone, or the packet was no packet of ours
  };
  Outcome outcome = Outcome::kClosed;
  std::size_t size = 0;  // of the packet, which may exceed what was copied
};

// Receives one packet without blocking. Descriptors that came along go to `descriptors` in order;
// when it is empty the kernel drops them.
Received receive_packet(int socket, std::span<std::byte> packet,
                        std::span<FileDescriptor> descriptors = {}) noexcept;

// Waits until `receive_packet` would not say kNothing. False at the deadline.
bool wait_readable(int socket, Deadline deadline) noexcept;

// Sends one packet, with descriptors if any. False when the peer is gone or its socket is full.
bool send_bytes(int socket, std::span<const std::byte> packet,
                std::span<const int> descriptors = {}) noexcept;

template <class Packet>
bool send_packet(int socket, Packet packet, std::span<const int> descriptors = {}) noexcept {
  static_assert(std::is_trivially_copyable_v<Packet>);
  packet.header.type = Packet::kType;
  return send_bytes(socket, std::as_bytes(std::span(&packet, 1)), descriptors);
}

// A received packet as `Packet`; false when size, magic, version or type say that it is none.
template <class Packet>
bool read_packet(std::span<const std::byte> bytes, Packet& packet) noexcept {
  static_assert(std::is_trivially_copyable_v<Packet>);
  if (bytes.size() != sizeof(Packet)) return false;
  Packet copy;
  std::memcpy(static_cast<void*>(&copy), bytes.data(), sizeof(Packet));
  if (copy.header.magic != kPacketMagic || copy.header.type != Packet::kType) return false;
  if (copy.header.version != kProtocolVersion && Packet::kType != PacketType::kFarewell) {
    return false;
  }
  packet = copy;
  return true;
}

// The process at the other end as the kernel saw it when it connected. `process` is a pidfd:
// readable once that process has ended.
struct Peer {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  FileDescriptor process;
};
Fault identify_peer(int socket, Peer& peer);

}  // namespace shmatch::ipc
