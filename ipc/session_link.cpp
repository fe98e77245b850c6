#include "ipc/session_link.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <thread>
#include <utility>

#include "ipc/engine_socket.h"
#include "ipc/ring.h"

namespace shmatch::ipc {
namespace {

using Clock = std::chrono::steady_clock;

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

bool sensible(const LogonOffer& offer, const LogonOptions& options) {
  return offer.request_slots == options.request_slots &&
         offer.report_slots == options.report_slots && offer.first_slot_offset >= kPageSize &&
         offer.first_slot_offset < 2 * kPageSize && offer.first_slot_offset % kLineSize == 0 &&
         offer.requests_size == memory_size(offer.first_slot_offset, offer.request_slots) &&
         offer.reports_size == memory_size(offer.first_slot_offset, offer.report_slots);
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
  if (Failure failed = connect_to_engine(options.socket, deadline, link.socket)) return failed;
  const int socket = link.socket.get();
  // A send fails when the engine has refused already; its farewell then still waits here.
  send_packet(socket, make_request(options));
  LogonOffer offer;
  std::array<FileDescriptor, 3> memories;
  if (Failure failed = expect(socket, deadline, offer, link.refusal, memories)) return failed;
  const bool complete = std::all_of(memories.begin(), memories.end(),
                                    [](const FileDescriptor& memory) { return bool{memory}; });
  if (!complete || !sensible(offer, options)) return strange_engine();
  if (Failure failed = map_all(offer, memories, link)) return failed;
  send_packet(socket, Confirm{});
  Serving serving;
  if (Failure failed = expect(socket, deadline, serving, link.refusal)) return failed;
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
