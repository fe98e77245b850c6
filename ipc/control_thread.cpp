#include "ipc/control_thread.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <span>
#include <utility>

#include "ipc/control_connection.h"
#include "ipc/page_use.h"
#include "ipc/reference_data.h"
#include "ipc/sealed_memory.h"

namespace shmatch::ipc {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAcceptPause{100};
constexpr int kAcceptsAtOnce = 64;

constexpr int kWaitForEngineMs = 1;
constexpr int kWaitForNoticesMs = 10;
constexpr int kWaitUnusedMs = 500;

}  // namespace

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

void ControlThread::log(LogLevel level, const std::string& sentence) const {
  if (options_.log) options_.log(level, sentence);
}

}  // namespace shmatch::ipc
