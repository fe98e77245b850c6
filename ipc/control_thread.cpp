#include "ipc/control_thread.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "ipc/reference_data.h"
#include "ipc/sealed_memory.h"
#include "ipc/session_memory.h"

namespace shmatch::ipc {
namespace {

using std::chrono::milliseconds;

// Keeps unfinished logons from piling up; it says nothing about sessions, which never time out.
constexpr milliseconds kLogonTime{10'000};
constexpr std::uint32_t kLogonsUnderWayPerUid = 128;
constexpr milliseconds kAcceptPause{100};
constexpr int kAcceptsAtOnce = 64;

constexpr int kWaitForEngineMs = 1;
constexpr int kWaitForNoticesMs = 10;
constexpr int kWaitUnusedMs = 500;

// What an epoll event is about: one of the two below, or a connection's number and which of its two
// descriptors.
constexpr std::uint64_t kListenTag = 0;
constexpr std::uint64_t kStopTag = 1;
constexpr std::uint64_t socket_tag(std::uint64_t number) { return number << 1 | 0; }
constexpr std::uint64_t process_tag(std::uint64_t number) { return number << 1 | 1; }

bool watch(int epoll, int handle, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, handle, &event) == 0;
}

void unwatch(int epoll, int handle) { ::epoll_ctl(epoll, EPOLL_CTL_DEL, handle, nullptr); }

// Text from a client, made harmless for a log line or a sentence.
std::string printable(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
  return out;
}

std::string sentence_for(EndReason reason) {
  return reason == EndReason::kSlowReader
             ? "slow reader: this session fell further behind than its report ring and backlog hold"
             : "this session broke the ring protocol";
}

}  // namespace

struct ControlThread::Connection {
  enum class Stage : std::uint8_t {
    kHello,    // waits for the logon request
    kConfirm,  // has a slot and memory, waits for the client to map it
    kOpening,  // handed to the engine
    kServing,  // the engine polls it
    kClosing,  // the client is gone, the engine still has the session
  };

  std::uint64_t number = 0;
  Stage stage = Stage::kHello;
  FileDescriptor socket;
  Peer peer;
  std::string label;  // for the log
  core::Logon logon;
  core::SessionSlot slot = 0;
  SessionMemory memory;              // until the session takes it
  std::unique_ptr<Session> session;  // from kOpening on

  bool logging_on() const { return stage == Stage::kHello || stage == Stage::kConfirm; }
};

ControlThread::ControlThread(const ServerOptions& options, EngineChannel& channel,
                             ListeningSocket& listening, PrivateMemory& core_memory)
    : options_(options), channel_(channel), listening_(listening), core_memory_(core_memory) {
  const core::SessionSlot count = options.configuration.capacities.sessions;
  free_slots_.reserve(count);
  for (core::SessionSlot slot = count; slot > 0; --slot) free_slots_.push_back(slot - 1);
}

ControlThread::~ControlThread() = default;

Fault ControlThread::prepare() {
  const std::string bytes = ReferenceData(options_.configuration).serialize();
  reference_size_ = bytes.size();
  if (Fault fault = create_memory("shmatch-reference", bytes.size(), reference_memory_))
    return fault;
  if (::pwrite(reference_memory_.get(), bytes.data(), bytes.size(), 0) !=
      static_cast<ssize_t>(bytes.size())) {
    return system_fault("cannot write the reference data", errno);
  }
  if (Fault fault = seal_memory(reference_memory_.get(), kConstantSeals)) return fault;
  epoll_ = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
  stop_event_ = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_ || !stop_event_ || !watch(epoll_.get(), stop_event_.get(), EPOLLIN, kStopTag)) {
    return system_fault("cannot wait for events", errno);
  }
  return {};
}

void ControlThread::request_stop() noexcept {
  const std::uint64_t one = 1;
  // It can only fail when the counter is full, that is after a stop was asked for already.
  static_cast<void>(!::write(stop_event_.get(), &one, sizeof one));
}

// ---- the loop

void ControlThread::run() {
  accepting_ = watch(epoll_.get(), listening_.handle(), EPOLLIN, kListenTag);
  std::array<epoll_event, 64> events{};
  while (!engine_stopped_) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_time());
    take_notices();
    for (int i = 0; i < count; ++i) handle(events[static_cast<std::size_t>(i)].data.u64);
    drop_overdue();
    if (populating_) {
      if (const Fault fault = core_memory_.populate_step()) {
        log(LogLevel::kWarning, "the engine's memory is not all present yet: " + fault.text);
        populating_ = false;
      } else {
        populating_ = !core_memory_.populated();
      }
    }
  }
  finish();
}

int ControlThread::wait_time() const {
  if (populating_) return 0;
  if (stopping_ || opening_ > 0) return kWaitForEngineMs;
  const bool unused = connections_.empty() && accepting_ &&
                      free_slots_.size() == options_.configuration.capacities.sessions;
  return unused ? kWaitUnusedMs : kWaitForNoticesMs;
}

void ControlThread::handle(std::uint64_t tag) {
  if (tag == kListenTag) {
    accept_all();
    return;
  }
  if (tag == kStopTag) {
    if (!std::exchange(stopping_, true)) {
      unwatch(epoll_.get(), stop_event_.get());
      channel_.post(Command{.kind = Command::Kind::kStop});
    }
    return;
  }
  // An event of this very batch may have closed the connection already.
  const auto found = connections_.find(tag >> 1);
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  if (connection.stage == Connection::Stage::kClosing) return;
  if (tag == process_tag(connection.number)) {
    on_gone(connection);
  } else {
    receive(connection);
  }
}

void ControlThread::accept_all() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    FileDescriptor socket(
        ::accept4(listening_.handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) {
      adopt(std::move(socket));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) pause_accepting(errno);
    return;
  }
}

// Out of descriptors or memory: the listening socket would stay readable, and this thread would
// spin.
void ControlThread::pause_accepting(int error) {
  log(LogLevel::kWarning, system_fault("cannot accept a connection now", error).text);
  unwatch(epoll_.get(), listening_.handle());
  accepting_ = false;
  accept_again_ = std::chrono::steady_clock::now() + kAcceptPause;
}

void ControlThread::drop_overdue() {
  const Deadline now = std::chrono::steady_clock::now();
  for (; !deadlines_.empty(); deadlines_.pop_front()) {
    const auto found = connections_.find(deadlines_.front().number);
    if (found == connections_.end() || !found->second->logging_on()) continue;
    if (deadlines_.front().deadline > now) break;
    drop(*found->second);
  }
  if (!accepting_ && now >= accept_again_) {
    accepting_ = watch(epoll_.get(), listening_.handle(), EPOLLIN, kListenTag);
  }
}

void ControlThread::take_notices() {
  for (Notice notice; channel_.take(notice);) {
    switch (notice.kind) {
      case Notice::Kind::kOpened:
        on_opened(notice);
        break;
      case Notice::Kind::kEnded:
        on_ended(notice);
        break;
      case Notice::Kind::kSlotFree:
        free_slots_.push_back(notice.slot);
        break;
      case Notice::Kind::kStopped:
        engine_stopped_ = true;
        break;
    }
  }
}

void ControlThread::finish() {
  Farewell farewell;
  farewell.reason = FarewellReason::kStopping;
  set_text(farewell.sentence, "the engine is stopping");
  for (auto& [number, connection] : connections_) {
    if (!connection->socket) continue;
    send_packet(connection->socket.get(), farewell);
    connection->socket.reset();
    connection->peer.process.reset();
  }
  listening_.close();
  sessions_.store(0, std::memory_order_relaxed);
}

// ---- a connection's way to a session

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
    refuse(connection, FarewellReason::kNoPeerIdentity, unknown.text);
  } else if (stopping_) {
    refuse(connection, FarewellReason::kStopping, "the engine is stopping");
  } else if (of_uid > kLogonsUnderWayPerUid || logons_under_way_all_ > kLogonsUnderWayMax) {
    refuse(connection, FarewellReason::kTooManyLogons, "too many logons are under way: try again");
  } else if (!watch(epoll_.get(), connection.socket.get(), EPOLLIN | EPOLLRDHUP,
                    socket_tag(connection.number)) ||
             !watch(epoll_.get(), connection.peer.process.get(), EPOLLIN,
                    process_tag(connection.number))) {
    refuse(connection, FarewellReason::kNoMemory,
           system_fault("cannot watch a client", errno).text);
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
    on_logon_request(connection, packet);
    return;
  }
  if (Confirm confirm; read_packet(packet, confirm)) {
    on_confirm(connection);
  } else {
    drop(connection);
  }
}

void ControlThread::on_logon_request(Connection& connection, std::span<const std::byte> packet) {
  PacketHeader header;
  if (packet.size() < sizeof header) return drop(connection);
  std::memcpy(&header, packet.data(), sizeof header);
  if (header.magic != kPacketMagic || header.type != LogonRequest::kType) return drop(connection);
  if (header.version != kProtocolVersion) {
    return refuse(connection, FarewellReason::kWrongVersion,
                  "this engine speaks protocol version " + std::to_string(kProtocolVersion) +
                      ", this client version " + std::to_string(header.version));
  }
  LogonRequest request;
  if (!read_packet(packet, request) || (request.flags & ~kLogonFlagsAll) != 0) {
    return drop(connection);
  }
  if (const std::string name = printable(get_text(request.session_name)); !name.empty()) {
    connection.label += ", session " + name;
  }
  if (stopping_) return refuse(connection, FarewellReason::kStopping, "the engine is stopping");
  if (const core::User* user = choose_user(connection, request)) offer(connection, request, *user);
}

const core::User* ControlThread::configured_user(core::UserId id) const {
  const auto& users = options_.configuration.users;
  const auto found = std::find_if(users.begin(), users.end(),
                                  [id](const core::User& user) { return user.id == id; });
  return found != users.end() ? &*found : nullptr;
}

// Null when the connection was refused and is gone.
const core::User* ControlThread::choose_user(Connection& connection, const LogonRequest& request) {
  const std::string uid = "uid " + std::to_string(connection.peer.uid);
  const auto& rules = options_.logon_rules;
  const auto rule = std::find_if(rules.begin(), rules.end(), [&connection](const LogonRule& each) {
    return each.uid == connection.peer.uid;
  });
  if (rule == rules.end() || rule->users.empty()) {
    refuse(connection, FarewellReason::kUidNotConfigured, uid + " may not log on to this engine");
    return nullptr;
  }
  const std::string_view name = get_text(request.user);
  if (name.empty()) return configured_user(rule->users.front());
  const auto& users = options_.configuration.users;
  const auto user = std::find_if(users.begin(), users.end(),
                                 [name](const core::User& each) { return each.name == name; });
  if (user == users.end()) {
    refuse(connection, FarewellReason::kUnknownUser, "unknown user " + printable(name));
    return nullptr;
  }
  if (std::find(rule->users.begin(), rule->users.end(), user->id) == rule->users.end()) {
    refuse(connection, FarewellReason::kUserNotAllowed, uid + " may not log on as " + user->name);
    return nullptr;
  }
  return &*user;
}

void ControlThread::offer(Connection& connection, const LogonRequest& request,
                          const core::User& user) {
  if (!valid_slot_count(request.request_slots, kRequestSlotsMin, options_.request_slots_max) ||
      !valid_slot_count(request.report_slots, kReportSlotsMin, options_.report_slots_max)) {
    return refuse(connection, FarewellReason::kBadRingSize,
                  "ring sizes must be powers of two: " + std::to_string(kRequestSlotsMin) + " to " +
                      std::to_string(options_.request_slots_max) + " request slots, " +
                      std::to_string(kReportSlotsMin) + " to " +
                      std::to_string(options_.report_slots_max) + " report slots");
  }
  if (free_slots_.empty()) {
    return refuse(connection, FarewellReason::kSessionsFull,
                  "all " + std::to_string(options_.configuration.capacities.sessions) +
                      " sessions of this engine are taken");
  }
  const core::SessionSlot slot = free_slots_.back();
  SessionMemory memory;
  if (const Fault fault = memory.create(
          slot, {request.request_slots, request.report_slots, options_.backlog_slots})) {
    return refuse(connection, FarewellReason::kNoMemory,
                  "no memory for another session: " + fault.text);
  }
  free_slots_.pop_back();
  connection.slot = slot;
  connection.memory = std::move(memory);
  connection.stage = Connection::Stage::kConfirm;
  connection.label += ", user " + user.name;
  connection.logon = {.user_id = user.id,
                      .cancel_on_disconnect = (request.flags & kLogonCancelOnDisconnect) != 0,
                      .whole_objects = (request.flags & kLogonWholeObjects) != 0,
                      .all_accounts = (request.flags & kLogonAllAccounts) != 0};
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
  if (stopping_) return refuse(connection, FarewellReason::kStopping, "the engine is stopping");
  if (const Fault fault = connection.memory.confirm()) {
    return refuse(connection, FarewellReason::kNoMemory,
                  "the session's memory cannot be used: " + fault.text);
  }
  leave_logon(connection);
  connection.stage = Connection::Stage::kOpening;
  connection.session = std::make_unique<Session>(std::move(connection.memory), connection.slot,
                                                 connection.number, connection.logon);
  ++opening_;
  channel_.post(Command{.kind = Command::Kind::kOpen,
                        .slot = connection.slot,
                        .number = connection.number,
                        .session = connection.session.get()});
}

void ControlThread::on_opened(const Notice& notice) {
  --opening_;
  sessions_.fetch_add(1, std::memory_order_relaxed);
  logons_.fetch_add(1, std::memory_order_relaxed);
  Connection& connection = *connections_.at(notice.number);
  log(LogLevel::kInfo,
      "session " + std::to_string(notice.serial) + " opened (" + connection.label + ")");
  connection.label = "session " + std::to_string(notice.serial) + " (" + connection.label + ")";
  if (connection.stage != Connection::Stage::kOpening) return;
  connection.stage = Connection::Stage::kServing;
  Serving serving;
  serving.serial = notice.serial;
  if (!send_packet(connection.socket.get(), serving)) on_gone(connection);
}

void ControlThread::on_ended(const Notice& notice) {
  sessions_.fetch_sub(1, std::memory_order_relaxed);
  Connection& connection = *connections_.at(notice.number);
  if (notice.reason == EndReason::kClosed) {
    log(LogLevel::kInfo, connection.label + " ended");
  } else {
    const bool slow = notice.reason == EndReason::kSlowReader;
    (slow ? slow_readers_ : breaches_).fetch_add(1, std::memory_order_relaxed);
    log(LogLevel::kWarning, connection.label + " was ended: " + sentence_for(notice.reason));
    Farewell farewell;
    farewell.reason = slow ? FarewellReason::kSlowReader : FarewellReason::kBreach;
    set_text(farewell.sentence, sentence_for(notice.reason));
    if (connection.socket) send_packet(connection.socket.get(), farewell);
  }
  drop(connection);
}

// The client logged off or died.
void ControlThread::on_gone(Connection& connection) {
  if (connection.logging_on()) {
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

void ControlThread::refuse(Connection& connection, FarewellReason reason,
                           const std::string& sentence) {
  refused_.fetch_add(1, std::memory_order_relaxed);
  log(LogLevel::kWarning, "logon refused (" + connection.label + "): " + sentence);
  Farewell farewell;
  farewell.reason = reason;
  set_text(farewell.sentence, sentence);
  send_packet(connection.socket.get(), farewell);
  drop(connection);
}

// Forgets a connection that the engine does not know, or knows no more.
void ControlThread::drop(Connection& connection) {
  if (connection.stage == Connection::Stage::kConfirm) free_slots_.push_back(connection.slot);
  if (connection.logging_on()) leave_logon(connection);
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

void ControlThread::log(LogLevel level, const std::string& sentence) const {
  if (options_.log) options_.log(level, sentence);
}

}  // namespace shmatch::ipc
