// A connection's way to a session: logon, offer, confirmation, the engine's answer, and its end.
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "ipc/control_connection.h"
#include "ipc/logon_check.h"

namespace shmatch::ipc {
namespace {

// Keeps unfinished logons from piling up; it says nothing about sessions, which never time out.
constexpr std::chrono::milliseconds kLogonTime{10'000};
constexpr std::uint32_t kLogonsUnderWayPerUid = 128;

}  // namespace

void ControlThread::adopt(FileDescriptor socket) {
  auto owned = std::make_unique<Connection>();
  Connection& connection = *owned;
  connection.number = ++last_number_;
  connection.socket = std::move(socket);
  connections_.emplace(connection.number, std::move(owned));
  const Fault unknown = identify_peer(connection.socket.get(), connection.peer);
  ++logons_under_way_all_;
  const std::uint32_t of_uid = ++logons_under_way_[connection.peer.uid];
  connection.label =
      "uid " + std::to_string(connection.peer.uid) + ", pid " + std::to_string(connection.peer.pid);
  if (unknown) {
    refuse(connection, {FarewellReason::kNoPeerIdentity, unknown.text});
  } else if (stopping_) {
    refuse(connection, stopping());
  } else if (of_uid > kLogonsUnderWayPerUid || logons_under_way_all_ > kLogonsUnderWayMax) {
    refuse(connection,
           {FarewellReason::kTooManyLogons, "too many logons are under way: try again"});
  } else if (!watch(epoll_.get(), connection.socket.get(), EPOLLIN | EPOLLRDHUP,
                    socket_tag(connection.number)) ||
             !watch(epoll_.get(), connection.peer.process.get(), EPOLLIN,
                    process_tag(connection.number))) {
    refuse(connection,
           {FarewellReason::kNoMemory, system_fault("cannot watch a client", errno).text});
  } else {
    deadlines_.push_back({std::chrono::steady_clock::now() + kLogonTime, connection.number});
  }
}

void ControlThread::receive(Connection& connection) {
  std::array<std::byte, kPacketBytesMax> buffer{};
  const Received received = receive_packet(connection.socket.get(), buffer);
  if (received.outcome == Received::Outcome::kNothing) return;
  // A client in session has nothing to say: a packet then is as good as a closed socket.
  if (received.outcome == Received::Outcome::kClosed || received.size > buffer.size() ||
      !connection.logging_on()) {
    on_gone(connection);
    return;
  }
  const std::span packet = std::span<const std::byte>(buffer).first(received.size);
  if (connection.stage == Connection::Stage::kHello) {
    on_first_packet(connection, packet);
    return;
  }
  if (Confirm confirm; read_packet(packet, confirm)) {
    on_confirm(connection);
  } else {
    drop(connection);
  }
}

void ControlThread::on_first_packet(Connection& connection, std::span<const std::byte> packet) {
  PacketHeader header;
  if (packet.size() < sizeof header) return drop(connection);
  std::memcpy(&header, packet.data(), sizeof header);
  const bool watches = header.type == WatchRequest::kType;
  if (header.magic != kPacketMagic || (header.type != LogonRequest::kType && !watches)) {
    return drop(connection);
  }
  if (header.version != kProtocolVersion) {
    return refuse(connection,
                  {FarewellReason::kWrongVersion,
                   "this engine speaks protocol version " + std::to_string(kProtocolVersion) +
                       ", this client version " + std::to_string(header.version)});
  }
  if (WatchRequest request; watches && read_packet(packet, request)) {
    return on_watch_request(connection);
  }
  LogonRequest request;
  if (!read_packet(packet, request) || (request.flags & ~kLogonFlagsAll) != 0) {
    return drop(connection);
  }
  if (const std::string name = printable(get_text(request.session_name)); !name.empty()) {
    connection.label += ", session " + name;
  }
  on_logon_request(connection, request);
}

void ControlThread::on_watch_request(Connection& connection) {
  if (stopping_) return refuse(connection, stopping());
  if (const auto refusal = check_watch(options_, connection.peer.uid)) {
    return refuse(connection, *refusal);
  }
  if (watchers_ == kWatchersMax) {
    return refuse(connection,
                  {FarewellReason::kTooManyWatchers,
                   std::to_string(kWatchersMax) + " clients watch this engine already"});
  }
  WatchOffer offer;
  offer.counters_size = counters_.size();
  offer.reference_size = reference_size_;
  const std::array handles{counters_.handle(), reference_memory_.get()};
  if (!send_packet(connection.socket.get(), offer, handles)) return drop(connection);
  leave_logon(connection);
  connection.stage = Connection::Stage::kWatching;
  ++watchers_;
  log(LogLevel::kInfo, "the counters are watched (" + connection.label + ")");
}

void ControlThread::on_logon_request(Connection& connection, const LogonRequest& request) {
  if (stopping_) return refuse(connection, stopping());
  if (journal_error_ != 0) return refuse(connection, journal_failed(journal_error_));
  const core::User* user = nullptr;
  if (const auto refusal =
          check_logon(options_, connection.peer.uid, request, user, connection.logon)) {
    return refuse(connection, *refusal);
  }
  connection.label += ", user " + user->name;
  if (admit(connection, request)) offer(connection, request, *user);
}

// Finds the logon's place. False when it was refused, and the connection is gone.
bool ControlThread::admit(Connection& connection, const LogonRequest& request) {
  using Answer = SessionRegistry::Answer;
  const SessionRegistry::Admission admission =
      registry_.admit(connection.number, connection.logon, (request.flags & kLogonResume) != 0,
                      {request.seen_sequence, request.seen_ordinal}, request.seen_run);
  if (admission.answer != Answer::kFresh && admission.answer != Answer::kResumed) {
    refuse(connection, not_admitted(admission.answer, registry_.capacity()));
    return false;
  }
  connection.stage = Connection::Stage::kConfirm;
  connection.slot = admission.slot;
  connection.entry = {.gated = options_.durability == Durability::kSync,
                      .resume = admission.answer == Answer::kResumed,
                      .seen = admission.seen};
  connection.lost_from = admission.lost_from;
  return true;
}

void ControlThread::offer(Connection& connection, const LogonRequest& request,
                          const core::User& user) {
  Fault fault = connection.memory.create(
      connection.slot, {request.request_slots, request.report_slots, options_.backlog_slots});
  if (!fault && connection.logon.resumable) fault = state_.windows().populate(connection.slot);
  if (fault) {
    return refuse(connection,
                  {FarewellReason::kNoMemory, "no memory for another session: " + fault.text});
  }
  LogonOffer offer;
  offer.user_id = user.id;
  offer.requests_size = connection.memory.requests_size();
  offer.reports_size = connection.memory.reports_size();
  offer.reference_size = reference_size_;
  offer.request_slots = request.request_slots;
  offer.report_slots = request.report_slots;
  offer.first_slot_offset = connection.memory.first_slot_offset();
  offer.permissions = user.permissions;
  set_text(offer.user, user.name);
  const std::array handles{connection.memory.requests_handle(), connection.memory.reports_handle(),
                           reference_memory_.get()};
  if (!send_packet(connection.socket.get(), offer, handles)) drop(connection);
}

void ControlThread::on_confirm(Connection& connection) {
  if (stopping_) return refuse(connection, stopping());
  if (journal_error_ != 0) return refuse(connection, journal_failed(journal_error_));
  if (const Fault fault = connection.memory.confirm()) {
    return refuse(connection, {FarewellReason::kNoMemory,
                               "the session's memory cannot be used: " + fault.text});
  }
  leave_logon(connection);
  connection.stage = Connection::Stage::kOpening;
  connection.session =
      std::make_unique<Session>(std::move(connection.memory), connection.slot, connection.number,
                                connection.logon, connection.entry);
  if (registry_.open(connection.slot)) {
    log(LogLevel::kInfo,
        "a session that waited for its client gives way (" + connection.label + ")");
    channel_.post(Command{.kind = Command::Kind::kForget, .slot = connection.slot});
  }
  ++opening_;
  channel_.post(Command{.kind = Command::Kind::kOpen,
                        .slot = connection.slot,
                        .number = connection.number,
                        .session = connection.session.get()});
}

void ControlThread::on_opened(const Notice& notice) {
  // A session that broke the protocol while it was being resumed has ended before it opened.
  const auto found = connections_.find(notice.number);
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  --opening_;
  sessions_.fetch_add(1, std::memory_order_relaxed);
  logons_.fetch_add(1, std::memory_order_relaxed);
  connection.opened = true;
  const std::string name = "session " + std::to_string(notice.serial);
  log(LogLevel::kInfo,
      name + (connection.entry.resume ? " resumed (" : " opened (") + connection.label + ")");
  connection.label = name + " (" + connection.label + ")";
  if (connection.stage != Connection::Stage::kOpening) return;
  connection.stage = Connection::Stage::kServing;
  Serving serving;
  serving.serial = notice.serial;
  serving.resumed = connection.entry.resume ? 1 : 0;
  serving.lost_from = connection.lost_from;
  serving.run = state_.runs().back();
  if (!send_packet(connection.socket.get(), serving)) on_gone(connection);
}

void ControlThread::on_ended(const Notice& notice) {
  Connection& connection = *connections_.at(notice.number);
  registry_.ended(connection.slot);
  if (connection.opened) {
    sessions_.fetch_sub(1, std::memory_order_relaxed);
  } else {
    --opening_;
  }
  if (notice.reason == EndReason::kSlowReader) {
    slow_readers_.fetch_add(1, std::memory_order_relaxed);
  } else if (notice.reason == EndReason::kBreach) {
    breaches_.fetch_add(1, std::memory_order_relaxed);
  }
  if (notice.reason == EndReason::kClosed) {
    log(LogLevel::kInfo, connection.label + " ended");
    return drop(connection);
  }
  const Refusal why = notice.reason == EndReason::kFrozen ? journal_failed(journal_error_)
                                                          : ended_by_engine(notice.reason);
  if (!connection.opened) return refuse(connection, why);
  log(LogLevel::kWarning, connection.label + " was ended: " + why.sentence);
  if (connection.socket) send_packet(connection.socket.get(), farewell_of(why));
  drop(connection);
}

// The client logged off or died.
void ControlThread::on_gone(Connection& connection) {
  if (connection.logging_on() || connection.stage == Connection::Stage::kWatching) {
    drop(connection);
    return;
  }
  channel_.post(
      Command{.kind = Command::Kind::kClose, .slot = connection.slot, .number = connection.number});
  connection.stage = Connection::Stage::kClosing;
  unwatch(epoll_.get(), connection.socket.get());
  unwatch(epoll_.get(), connection.peer.process.get());
  connection.socket.reset();
  connection.peer.process.reset();
}

void ControlThread::refuse(Connection& connection, const Refusal& refusal) {
  refused_.fetch_add(1, std::memory_order_relaxed);
  log(LogLevel::kWarning, "logon refused (" + connection.label + "): " + refusal.sentence);
  send_packet(connection.socket.get(), farewell_of(refusal));
  drop(connection);
}

// Forgets a connection that the engine does not know, or knows no more.
void ControlThread::drop(Connection& connection) {
  if (connection.stage == Connection::Stage::kConfirm) registry_.release(connection.slot);
  if (connection.logging_on()) leave_logon(connection);
  if (connection.stage == Connection::Stage::kWatching) --watchers_;
  // Closing alone would not do while a forked child holds a copy of the descriptor.
  if (connection.socket) unwatch(epoll_.get(), connection.socket.get());
  if (connection.peer.process) unwatch(epoll_.get(), connection.peer.process.get());
  connections_.erase(connection.number);
}

void ControlThread::leave_logon(Connection& connection) {
  --logons_under_way_all_;
  const auto of_uid = logons_under_way_.find(connection.peer.uid);
  if (--of_uid->second == 0) logons_under_way_.erase(of_uid);
}

}  // namespace shmatch::ipc
