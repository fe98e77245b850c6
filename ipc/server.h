// The engine as a service: one Server is one matching engine behind one Unix socket.
//
//   shmatch::ipc::Server server;
//   if (auto fault = server.start(options)) { std::fputs(fault.text.c_str(), stderr); return 1; }
//   std::printf("ready %s\n", server.socket_path().c_str());
//   server.wait();
//
// start makes two threads: the engine thread, which alone touches the core and the rings, and the
// control thread, which alone touches sockets, logons and the mapping of memory. Everything a
// client can do reaches the engine through its own ring or through the control thread's command
// queue.
//
// Thread: start, wait and the destructor belong to one thread; request_stop may be called from any
// thread and from a signal handler; statistics may be called from any thread while the server
// stands.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/configuration.h"
#include "ipc/fault.h"

namespace shmatch::ipc {

class FileLayer;
struct CapturedRequest;

// What the engine thread does when no session has anything for it.
enum class IdleMode : std::uint8_t {
  kSpin,   // polls on: lowest latency, needs a core of its own
  kYield,  // offers its core to others between passes: for machines with fewer cores than spinners
  kSleep,  // sleeps up to 200 microseconds between passes: for tests and rarely used engines
};

// What an acknowledgement is worth.
enum class Durability : std::uint8_t {
  kNone,   // nothing outlives the process
  kAsync,  // inputs reach the disk soon after they were acknowledged: losing power can lose the
           // last
  kSync,   // no report leaves before the input that it depends on is on the disk
};

enum class LogLevel : std::uint8_t { kInfo, kWarning, kError };

// Who may log on: the kernel's uid of the connecting process, and the users it may be, in
// configured order (the first one is the default).
struct LogonRule {
  uid_t uid = 0;
  std::vector<core::UserId> users;  // ids of ServerOptions::configuration.users
};

struct ServerOptions {
  core::Configuration configuration;
  std::vector<LogonRule> logon_rules;  // at most one a uid

  std::string socket_path;  // empty: default_socket_path() of ipc/socket_path.h
  mode_t socket_mode = 0600;
  std::optional<gid_t> socket_group;

  std::optional<int> cpu;  // pins the engine thread there; the control thread then avoids that cpu
  IdleMode idle = IdleMode::kSpin;

  // Largest rings a client may ask for, in slots of 64 bytes: powers of two within the ranges that
  // LogonOptions (ipc/client.h) allows.
  std::uint32_t request_slots_max = 1U << 16;
  std::uint32_t report_slots_max = 1U << 17;
  // How far a session may fall behind what its report ring holds, in slots (56 bytes of private
  // memory each); one that falls further behind is ended. 256..2^22.
  std::uint32_t backlog_slots = 1U << 14;

  // ---- the journal (docs/JOURNAL.md)

  // Its folder, made if missing; empty: none, and nothing outlives the process.
  std::string journal;
  Durability durability = Durability::kNone;            // kNone exactly when `journal` is empty
  std::uint64_t journal_segment_bytes = 64U << 20;      // room of a segment file, from 4096 on
  std::chrono::milliseconds journal_sync_interval{10};  // async: 1..10000
  std::uint64_t journal_digest_every = 1U << 16;  // inputs between two digest marks, from 1 on
  // Inputs between two snapshots; 0: none are made. Snapshots are made by a thread of their own.
  std::uint64_t snapshot_every = 0;
  // Segments that a verified snapshot has made superfluous are removed. Otherwise everything stays.
  bool remove_old_segments = false;

  // The file system under the journal; null: the kernel's. It must outlive the server. For tests.
  FileLayer* file_layer = nullptr;

  // ---- resumable sessions

  // How long sessions that were open when the engine ended wait for their clients after a start.
  std::chrono::milliseconds resume_grace{10'000};
  // Reports kept for each resumable session, in slots: a power of two, 256..2^20; no more than half
  // of backlog_slots are used.
  std::uint32_t resume_window_slots = 1U << 12;

  // Called with every request that clients send, in the engine's order, on a thread of its own;
  // null when all so far have been told. May be empty.
  std::function<void(const CapturedRequest*)> capture;

  // Called with one sentence without a line break, by several threads and perhaps at the same time;
  // never on the engine thread. May be empty.
  std::function<void(LogLevel, std::string_view)> log;
};

// Counters since start. The engine thread shows its own now and then, so they lag by up to a
// millisecond or so.
struct ServerStatistics {
  std::uint32_t sessions = 0;  // open now
  std::uint64_t logons = 0;    // sessions ever opened
  std::uint64_t logons_refused = 0;
  std::uint64_t slow_readers_ended = 0;  // sessions ended because they did not read
  std::uint64_t breaches_ended = 0;      // sessions ended because they broke the protocol
  std::uint64_t requests = 0;            // taken from the rings
  std::uint64_t reports = 0;             // handed to sessions
  std::uint64_t engine_sequence = 0;
  std::uint32_t working_orders = 0;
  std::uint64_t durable_sequence = 0;  // newest input on the disk; 0 without a journal
};

class Server {
 public:
  Server();
  ~Server();  // stops and waits
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Takes all memory, binds the socket and serves. When it returns without a fault, clients can log
  // on. Faults (nothing is left running or bound; mend and start again):
  //   the configuration or an option is out of range; a logon rule names an unknown user;
  //   the socket path is too long, or its folder is missing or (default folder) not the user's own;
  //   a live engine serves that socket; something that is no socket stands there;
  //   not enough memory or file descriptors; the cpu is not available.
  Fault start(ServerOptions options);

  // Asks for a clean stop: requests already in the rings are answered 102 Server Error, clients see
  // the engine as stopped, the socket file goes away. Does nothing when not started.
  // Async-signal-safe.
  void request_stop() noexcept;

  // Returns when the server has stopped. At once when it was never started.
  void wait();

  bool running() const noexcept;
  const std::string& socket_path() const noexcept;  // the one bound; valid after start
  ServerStatistics statistics() const noexcept;

 private:
  class Service;
  std::unique_ptr<Service> service_;
};

}  // namespace shmatch::ipc
