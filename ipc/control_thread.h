// ControlThread: accepts connections, checks who they are, makes the memory of sessions, and sees
// clients end.
//
// It is the only thread that touches sockets and the only one that makes or destroys sessions. It
// never waits for a client: every socket is non-blocking, a logon that is not finished within
// kLogonTime is dropped, and the number of unfinished logons is bounded, in all and for each uid.
//
// A session ends when its socket closes or its process ends, whichever the kernel tells first, or
// when the engine ends it. A resumable one then waits in its slot (ipc/session_registry.h) for a
// logon that goes on with it.
//
// Whoever only watches gets the page of counters and no session; the engine thread never hears of
// it.
//
// Thread: constructed and prepared before run(); run() is the control thread; request_stop from any
// thread and from signal handlers; the counters from any thread. Sessions that stood at the stop
// are destroyed with this object, which must therefore outlive the engine thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "ipc/counters_page.h"
#include "ipc/engine_channel.h"
#include "ipc/file_descriptor.h"
#include "ipc/logon.h"
#include "ipc/refusal.h"
#include "ipc/replica.h"
#include "ipc/seqpacket.h"
#include "ipc/server.h"
#include "ipc/session_registry.h"
#include "ipc/socket_path.h"

namespace shmatch::ipc {

// Connections that have not become sessions yet, of all uids together.
inline constexpr std::uint32_t kLogonsUnderWayMax = 512;
// Those that watch the counters at the same time.
inline constexpr std::uint32_t kWatchersMax = 32;

class ControlThread {
 public:
  // All must outlive this object. Of `state` the engine is looked at here alone, before its thread
  // runs; its memory is populated further while the server runs.
  ControlThread(const ServerOptions& options, EngineChannel& channel, ListeningSocket& listening,
                Replica& state, const CountersPage& counters);
  ~ControlThread();

  // Makes the reference data and what the thread waits on. Fault: no memory or descriptors.
  Fault prepare();
  void run();
  void request_stop() noexcept;

  std::uint32_t sessions() const noexcept { return sessions_.load(std::memory_order_relaxed); }
  std::uint64_t logons() const noexcept { return logons_.load(std::memory_order_relaxed); }
  std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }
  std::uint64_t slow_readers() const noexcept {
    return slow_readers_.load(std::memory_order_relaxed);
  }
  std::uint64_t breaches() const noexcept { return breaches_.load(std::memory_order_relaxed); }

 private:
  struct Connection;

  // The loop.
  int wait_time() const;
  void tell_pages();
  void handle(std::uint64_t tag);
  void accept_all();
  void pause_accepting(int error);
  void drop_overdue();
  void take_notices();
  void finish();

  // A connection's way to a session.
  void adopt(FileDescriptor socket);
  void receive(Connection& connection);
  void on_first_packet(Connection& connection, std::span<const std::byte> packet);
  void on_watch_request(Connection& connection);
  void on_logon_request(Connection& connection, const LogonRequest& request);
  bool admit(Connection& connection, const LogonRequest& request);
  void offer(Connection& connection, const LogonRequest& request, const core::User& user);
  void on_confirm(Connection& connection);
  void on_gone(Connection& connection);
  void on_opened(const Notice& notice);
  void on_ended(const Notice& notice);

  void refuse(Connection& connection, const Refusal& refusal);
  void drop(Connection& connection);
  void leave_logon(Connection& connection);
  void log(LogLevel level, const std::string& sentence) const;

  const ServerOptions& options_;
  EngineChannel& channel_;
  ListeningSocket& listening_;
  Replica& state_;
  const CountersPage& counters_;

  FileDescriptor epoll_;
  FileDescriptor stop_event_;
  FileDescriptor reference_memory_;
  std::uint64_t reference_size_ = 0;

  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;  // by number
  std::uint64_t last_number_ = 0;
  SessionRegistry registry_;
  std::map<uid_t, std::uint32_t> logons_under_way_;
  std::uint32_t logons_under_way_all_ = 0;
  std::uint32_t watchers_ = 0;
  std::uint32_t opening_ = 0;  // sessions posted to the engine and not yet opened
  struct Overdue {
    Deadline deadline;
    std::uint64_t number;
  };
  std::deque<Overdue> deadlines_;  // ascending; entries may name connections that are further on
  bool accepting_ = true;
  Deadline accept_again_{};
  bool stopping_ = false;
  bool engine_stopped_ = false;
  int journal_error_ = 0;  // not 0: the engine is frozen
  bool populating_ = true;

  // Plain counts that publish nothing else, hence relaxed.
  std::atomic<std::uint32_t> sessions_{0};
  std::atomic<std::uint64_t> logons_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> slow_readers_{0};
  std::atomic<std::uint64_t> breaches_{0};
};

}  // namespace shmatch::ipc
