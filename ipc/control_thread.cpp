#include "ipc/control_thread.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "ipc/logon_check.h"
#include "ipc/page_use.h"
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

}  // namespace

struct ControlThread::Connection {
  enum class Stage : std::uint8_t {
    kHello,     // waits for the logon request
    kConfirm,   // has a slot and memory, waits for the client to map it
    kOpening,   // handed to the engine
    kServing,   // the engine polls it
    kClosing,   // the client is gone, the engine still has the session
    kWatching,  // has the page of counters; the engine does not know it
  };

  std::uint64_t number = 0;
  Stage stage = Stage::kHello;
  FileDescriptor socket;
  Peer peer;
  std::string label;  // for the log
  core::Logon logon;
  core::SessionSlot slot = 0;
  Entry entry;
  core::Sequence lost_from = 0;      // as in Serving
  bool opened = false;               // the engine said so
  SessionMemory memory;              // until the session takes it
  std::unique_ptr<Session> session;  // from kOpening on

  bool logging_on() const { return stage == Stage::kHello || stage == Stage::kConfirm; }
};

ControlThread::ControlThread(const ServerOptions& options, EngineChannel& channel,
                             ListeningSocket& listening, Replica& state,
                             const CountersPage& counters)
    : options_(options),
      channel_(channel),
      listening_(listening),
      state_(state),
      counters_(counters),
      registry_(state.engine(), state.runs()) {}

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
      if (const Fault fault = state_.memory().populate_step()) {
        log(LogLevel::kWarning, "the engine's memory is not all present yet: " + fault.text);
        populating_ = false;
      } else {
        populating_ = !state_.memory().populated();
        if (!populating_) tell_pages();
      }
    }
  }
  finish();
}

void ControlThread::tell_pages() {
  const std::span<const std::byte> memory = state_.memory().bytes();
  log(LogLevel::kInfo, "the engine's memory: " + in_words(page_use(memory.data(), memory.size())));
}

int ControlThread::wait_time() const {
  if (populating_) return 0;
  if (stopping_ || opening_ > 0) return kWaitForEngineMs;
  const bool unused = connections_.empty() && accepting_ && registry_.at_rest();
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
        registry_.freed(notice.slot);
        break;
      case Notice::Kind::kDetached:
        registry_.detached(notice.slot);
        break;
      case Notice::Kind::kFrozen:
        // The journal thread has logged it, with the operation and the file.
        journal_error_ = notice.error;
        break;
      case Notice::Kind::kStopped:
        engine_stopped_ = true;
        break;
    }
  }
}

void ControlThread::finish() {
  const Farewell farewell = farewell_of(stopping());
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

void ControlThread::log(LogLevel level, const std::string& sentence) const {
  if (options_.log) options_.log(level, sentence);
}

}  // namespace shmatch::ipc
