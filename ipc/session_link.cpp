#include "ipc/session_link.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <thread>
#include <utility>

#include "ipc/ring.h"
#include "ipc/socket_path.h"

namespace shmatch::ipc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kConnectRetry{1};

Failure no_engine(const std::string& path) {
  return {ClientError::kNoEngine, "no engine serves " + path};
}

Failure strange_engine() {
  return {ClientError::kNoEngine, "what serves that socket does not behave like an engine"};
}

Failure check_arguments(const LogonOptions& options) {
  if (!valid_slot_count(options.request_slots, kRequestSlotsMin, kRequestSlotsMax) ||
      !valid_slot_count(options.report_slots, kReportSlotsMin, kReportSlotsMax)) {
    return {ClientError::kBadArgument, "ring sizes must be powers of two within their ranges"};
  }
  if (options.user.size() >= kNameBytes || options.session_name.size() >= kNameBytes) {
    return {ClientError::kBadArgument, "user and session names have at most 31 characters"};
  }
  if ((options.resumable || options.resume) && options.session_name.empty()) {
    return {ClientError::kBadArgument, "a session that is to be resumed needs a name"};
  }
  if (options.seen_sequence != 0 && options.seen_run.first == 0) {
    return {ClientError::kBadArgument, "reports were seen in some run of the engine: name it"};
  }
  return {};
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
    if (Clock::now() >= deadline) {
      return {ClientError::kTimeout, "the engine did not accept the connection in time"};
    }
    std::this_thread::sleep_for(kConnectRetry);
  }
}

// Receives the packet that the handshake expects next, or says why it will not come.
template <class Packet>
Failure expect(SessionLink& link, Deadline deadline, Packet& packet,
               std::span<FileDescriptor> descriptors = {}) {
  const int socket = link.socket.get();
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
    link.refusal = farewell.reason;
    return {ClientError::kRefused, std::string(get_text(farewell.sentence))};
  }
  return strange_engine();
}

bool sensible(const LogonOffer& offer, const LogonOptions& options) {
  return offer.request_slots == options.request_slots &&
         offer.report_slots == options.report_slots && offer.first_slot_offset >= kPageSize &&
         offer.first_slot_offset < 2 * kPageSize && offer.first_slot_offset % kLineSize == 0 &&
         offer.requests_size == memory_size(offer.first_slot_offset, offer.request_slots) &&
         offer.reports_size == memory_size(offer.first_slot_offset, offer.report_slots);
}

// Checked before it is touched: memory that the engine could still shrink would be a SIGBUS to
// come.
Fault map_checked(int handle, std::size_t size, unsigned seals, Access access, Mapping& mapping) {
  if (Fault fault = check_memory(handle, size, seals)) return fault;
  return mapping.map(handle, size, access);
}

Failure map_all(const LogonOffer& offer, std::span<const FileDescriptor> memories,
                SessionLink& link) {
  Mapping reference;
  Fault fault = map_checked(memories[0].get(), offer.requests_size, kSizeSeals, Access::kReadWrite,
                            link.requests);
  if (!fault) {
    fault = map_checked(memories[1].get(), offer.reports_size, kSharedSeals, Access::kReadOnly,
                        link.reports);
  }
  if (!fault) {
    fault = map_checked(memories[2].get(), offer.reference_size, kConstantSeals, Access::kReadOnly,
                        reference);
  }
  if (fault) return {ClientError::kNoMemory, std::move(fault.text)};
  link.request_slots = offer.request_slots;
  link.report_slots = offer.report_slots;
  link.first_slot_offset = offer.first_slot_offset;
  const ReportsHeader* const reports = link.reports_header();
  if (reports->magic != kReportsMagic || reports->version != kLayoutVersion ||
      !link.reference.parse({reference.data(), offer.reference_size})) {
    return strange_engine();
  }
  RequestsHeader* const requests = link.requests_header();
  requests->version = kLayoutVersion;
  requests->slots = offer.request_slots;
  // SYNC POINT confirm: pairs with SessionMemory::confirm; shows the engine that this mapping is
  // the one it made.
  store_word(requests->magic, kRequestsMagic, std::memory_order_release);
  return {};
}

LogonRequest make_request(const LogonOptions& options) {
  LogonRequest request;
  request.flags = (options.cancel_on_disconnect ? kLogonCancelOnDisconnect : 0) |
                  (options.whole_objects ? kLogonWholeObjects : 0) |
                  (options.all_accounts ? kLogonAllAccounts : 0) |
                  (options.resumable ? kLogonResumable : 0) | (options.resume ? kLogonResume : 0);
  request.request_slots = options.request_slots;
  request.report_slots = options.report_slots;
  request.seen_sequence = options.seen_sequence;
  request.seen_ordinal = options.seen_ordinal;
  request.seen_run = options.seen_run;
  set_text(request.user, options.user);
  set_text(request.session_name, options.session_name);
  return request;
}

}  // namespace

Failure open_session(const LogonOptions& options, SessionLink& link) {
  const Deadline deadline = Clock::now() + options.timeout;
  if (Failure failed = check_arguments(options)) return failed;
  std::string path = options.socket;
  if (path.empty()) {
    path = default_socket_path();
    if (const Fault fault = check_default_folder(false)) {
      return {ClientError::kNoEngine, no_engine(path).text + " (" + fault.text + ")"};
    }
  }
  if (Failure failed = connect_to(path, deadline, link.socket)) return failed;
  const int socket = link.socket.get();
  // A send fails when the engine has refused already; its farewell then still waits here.
  send_packet(socket, make_request(options));
  LogonOffer offer;
  std::array<FileDescriptor, 3> memories;
  if (Failure failed = expect(link, deadline, offer, memories)) return failed;
  const bool complete = std::all_of(memories.begin(), memories.end(),
                                    [](const FileDescriptor& memory) { return bool{memory}; });
  if (!complete || !sensible(offer, options)) return strange_engine();
  if (Failure failed = map_all(offer, memories, link)) return failed;
  send_packet(socket, Confirm{});
  Serving serving;
  if (Failure failed = expect(link, deadline, serving)) return failed;
  link.info = {.user_id = offer.user_id,
               .user_name = std::string(get_text(offer.user)),
               .permissions = static_cast<std::uint8_t>(offer.permissions),
               .serial = serving.serial,
               .run = serving.run,
               .resumed = serving.resumed != 0,
               .lost_from = serving.lost_from};
  return {};
}

}  // namespace shmatch::ipc
