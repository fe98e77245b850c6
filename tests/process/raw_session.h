// A session made by hand from ipc/logon.h, for clients that do what the client library never
// would: stop in the middle of a logon, keep the descriptors, write anything at all into their
// memory.
//
// Thread: one. Errors are thrown as sentences; in the body of Process::branch they end the child
// with its own status.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/message.h"
#include "ipc/file_descriptor.h"
#include "ipc/logon.h"
#include "ipc/memory_layout.h"
#include "ipc/ring.h"
#include "ipc/seqpacket.h"
#include "tests/process/process.h"

namespace shmatch::process_test {

class RawSession {
 public:
  // Connects and sends nothing.
  explicit RawSession(const std::string& socket_path);
  ~RawSession();
  RawSession(const RawSession&) = delete;
  RawSession& operator=(const RawSession&) = delete;

  // ---- the logon, step by step
  ipc::LogonRequest request(std::string_view user) const;
  bool send_bytes(std::span<const std::byte> bytes) const;
  template <class Packet>
  bool send(const Packet& packet) const {
    return ipc::send_packet(socket_.get(), packet);
  }
  void receive_offer();
  void map();
  void confirm();

  // All steps. Throws when the engine refuses.
  void logon(std::string_view user, std::uint32_t flags = 0);

  // Waits for the engine's next packet: its farewell, if that is what it is. Nothing when it
  // closed without a word.
  std::optional<ipc::Farewell> farewell() const;
  // True once the engine has closed; packets before that are dropped.
  bool closed() const;

  // ---- what a session holds, valid after the step that makes it
  const ipc::LogonOffer& offer() const noexcept { return offer_; }
  int requests_handle() const noexcept { return handles_[0].get(); }
  int reports_handle() const noexcept { return handles_[1].get(); }
  std::span<std::byte> requests() const noexcept { return requests_; }
  std::span<const std::byte> reports() const noexcept { return reports_; }
  ipc::Slot* request_slots() const noexcept;
  std::uint64_t& reports_consumed() const noexcept;

  template <class Message>
  bool submit(const Message& message) {
    core::Request request;
    request.assign(message);
    return writer_->write(request.words, request.slots()) == ipc::RingResult::kDone;
  }
  // The next report, waited for. Nothing when the ring broke its protocol or none came.
  std::optional<core::Report> report(Milliseconds limit = kPatience);
  // Asks for a pong and waits for it.
  bool served();

 private:
  struct Packet {
    std::byte bytes[ipc::kPacketBytesMax];
    std::size_t size = 0;
  };
  std::optional<Packet> receive(std::span<ipc::FileDescriptor> handles = {}) const;

  ipc::FileDescriptor socket_;
  ipc::FileDescriptor handles_[3];
  ipc::LogonOffer offer_;
  std::span<std::byte> requests_;
  std::span<std::byte> reports_;
  std::optional<ipc::RingWriter> writer_;
  std::optional<ipc::RingReader> reader_;
};

}  // namespace shmatch::process_test
