// The client's side of the Unix socket, for sessions and for watchers: finding the engine, hearing
// its packets, mapping what it sends, and noticing its end.
//
// Thread: one at a time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>

#include "ipc/client.h"
#include "ipc/file_descriptor.h"
#include "ipc/logon.h"
#include "ipc/sealed_memory.h"
#include "ipc/seqpacket.h"

namespace shmatch::ipc {

// Connects to the engine at `path`, or at the default place when it is empty. kNoEngine: nobody
// serves there; kBadArgument: no possible path; kTimeout: it does not accept.
Failure connect_to_engine(const std::string& path, Deadline deadline, FileDescriptor& socket);

// What sits there is no engine of ours.
Failure strange_engine();

// Receives the packet that comes next and must be a `Packet`, with its descriptors, or says why it
// will not come. kRefused: the engine says farewell; `refusal` is its reason.
template <class Packet>
Failure expect(int socket, Deadline deadline, Packet& packet, FarewellReason& refusal,
               std::span<FileDescriptor> descriptors = {}) {
  if (!wait_readable(socket, deadline)) {
    return {ClientError::kTimeout, "the engine did not answer the logon in time"};
  }
  std::array<std::byte, kPacketBytesMax> buffer{};
  const Received received = receive_packet(socket, buffer, descriptors);
  if (received.outcome != Received::Outcome::kPacket || received.size > buffer.size()) {
    return {ClientError::kNoEngine, "the engine closed the connection during logon"};
  }
  const std::span bytes = std::span<const std::byte>(buffer).first(received.size);
  if (read_packet(bytes, packet)) return {};
  if (Farewell farewell; read_packet(bytes, farewell)) {
    refusal = farewell.reason;
    return {ClientError::kRefused, std::string(get_text(farewell.sentence))};
  }
  return strange_engine();
}

// Maps memory that the engine has sent. Checked before it is touched: memory that the engine could
// still shrink would be a SIGBUS to come.
Fault map_checked(int handle, std::size_t size, unsigned seals, Access access, Mapping& mapping);

// True when the engine has closed the socket or said farewell, whose sentence is then `reason`.
bool engine_closed(int socket, std::string& reason) noexcept;

}  // namespace shmatch::ipc
