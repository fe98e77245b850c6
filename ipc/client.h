// The client library: what a strategy process links to trade with a running engine.
//
//   shmatch::Client client;
//   shmatch::LogonOptions options;
//   if (auto failed = client.logon(options)) { std::puts(failed.text.c_str()); return 3; }
//   shmatch::RequestId id = client.cancel({.oms_id = 1, .order_id = 42});
//   for (shmatch::Report report; client.poll(report);) { ... }
//
// Two layers. The non-blocking core (submit, cancel, send, poll) never allocates, never makes a
// system call and never waits. The blocking conveniences (wait, call, open_orders, l2_snapshot)
// loop over it with a deadline; whatever they meet that is not theirs stays queued for poll, in
// order.
//
// Memory shared with the engine: a request ring that this process writes and the engine can only
// read, and a report ring that the engine writes and the kernel lets nobody else write. Both vanish
// with the last process that maps them.
//
// A session that is `resumable` survives its client and the engine: resume goes on with it, and
// says which requests were taken and which reports were missed.
//
// Thread: one Client belongs to one thread at a time. Ownership: movable, not copyable; the
// destructor logs off by closing the socket, which ends the session as the kernel sees it. fork:
// the child has no mapping and must not touch the Client.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/message.h"
#include "ipc/reference_data.h"

namespace shmatch {

namespace ipc {
class ClientSession;
}

using core::Report;

// A request's place in its session's request stream: 1, 2, 3 ... 0 means that nothing was sent.
using RequestId = core::Sequence;

enum class ClientError : std::uint8_t {
  kNone = 0,
  kNoEngine,       // nobody serves that socket: start shmatchd, or name its socket
  kRefused,        // the engine refused the logon; `text` is its sentence
  kNoMemory,       // the shared memory could not be mapped here
  kEngineGone,     // the engine stopped, died, or ended this session: log on again
  kTimeout,        // no answer before the deadline; the request may still be executed
  kRingFull,       // the engine has not yet taken earlier requests: poll, then try again
  kBadArgument,    // an option out of range; nothing was sent
  kInvalidReport,  // the report ring broke its protocol; log on again and report the bug
};

// Result of an operation that can fail: false (no error) or true with a sentence for a person.
struct Failure {
  ClientError error = ClientError::kNone;
  std::string text;

  explicit operator bool() const noexcept { return error != ClientError::kNone; }
};

struct LogonOptions {
  std::string socket;                // empty: default_socket_path() of ipc/socket_path.h
  std::string user;                  // empty: the first configured user that this uid may log on as
  std::string session_name;          // at most 31 characters; shown in the engine's log
  bool cancel_on_disconnect = true;  // working orders this session entered end with it
  bool whole_objects = false;        // events carry whole objects (four slots instead of one)
  bool all_accounts = false;         // Operators only: events of every account
  bool reply_in_place = false;       // replies also come sooner, by early_reply
  std::uint32_t request_slots = 1024;  // power of two, 64..65536
  std::uint32_t report_slots = 4096;   // power of two, 256..1048576
  std::chrono::milliseconds timeout{2000};

  // The session outlives this client and the engine: it is known by user and session name, which
  // must not be empty, until the same user opens another one of that name, or the engine needs its
  // place. Its orders do so as long as cancel_on_disconnect does not end them.
  bool resumable = false;
  // Goes on with that session, from the reports seen last; opens a fresh one if the engine knows
  // none. Either way a session of that name that has a client still, or was open when the engine
  // ended and is not resumed now, is waited for until `timeout`.
  bool resume = false;
  // With resume: every report named before (sequence, ordinal) is known already. That is the
  // largest (engine_sequence, ordinal + 1) of the reports that this session's clients processed;
  // (0, 0): none.
  core::Sequence seen_sequence = 0;
  std::uint32_t seen_ordinal = 0;
  // And SessionInfo::run of the session in which they were seen, or of one that went on with it: an
  // engine that has lost inputs in a crash gives their names to others.
  core::EngineRun seen_run;
};

struct SessionInfo {
  core::UserId user_id = 0;
  std::string user_name;
  std::uint8_t permissions = 0;  // core::kPermission... bits
  core::SessionSerial serial = 0;
  core::EngineRun run;  // the engine's present one

  // True when an earlier session goes on. All below says how; else it is 0.
  bool resumed = false;
  // The newest SendOrder or CancelOrder that the engine has taken: those up to it were executed or
  // refused, and their replies are among the reports, unless there is a gap. What had a larger
  // number never was and may be sent again; new requests are numbered from here on.
  RequestId last_request = 0;
  // Reports that were missed and come now, before everything new. Answers to queries never do.
  std::uint64_t missed = 0;
  // Not all of them are kept any more: what was named from the mark seen up to (gap_end_sequence,
  // gap_end_ordinal), exclusive, is gone. Ask for the open orders.
  bool gap = false;
  core::Sequence gap_end_sequence = 0;
  std::uint32_t gap_end_ordinal = 0;
  // Not 0 when the engine lost inputs in its crash (durability async only): reports seen before
  // with an engine_sequence from this one on never were, and others have their names now. Drop what
  // was concluded from them, an OrderTracker too, and ask for the open orders.
  core::Sequence lost_from = 0;
};

enum class EngineState : std::uint8_t {
  kServing,
  kStopped,  // it said goodbye
  kGone,     // the socket closed: it died, or ended this session
};

class Client {
 public:
  Client();
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Logs on. Blocks at most `options.timeout`. On failure nothing is held and logon may be tried
  // again.
  [[nodiscard]] Failure logon(const LogonOptions& options);
  // Goes on with a session that was logged on as resumable, in the place where it was left: ends
  // the present connection, waits for an engine that starts again or that has not yet noticed the
  // end, and logs on with the same options. session() then says what became of the requests.
  // Reports that were not polled yet come first, then the missed ones, then new ones; none comes
  // twice. Replies to requests that never were, and to queries with such numbers, are dropped.
  // Blocks at most `timeout`. On failure the reports so far can still be polled, and resume be
  // tried again.
  [[nodiscard]] Failure resume(std::chrono::milliseconds timeout = std::chrono::seconds(10));
  // Ends the session; a resumable one can still be gone on with. Requests already sent are still
  // executed. Safe to call twice.
  void logoff() noexcept;
  bool logged_on() const noexcept;

  const SessionInfo& session() const noexcept;      // valid while logged on
  const ReferenceData& reference() const noexcept;  // instruments, users; valid while logged on

  // ---- non-blocking core

  // Writes one request into the ring. 0 when the ring is full or the client is not logged on.
  RequestId cancel(const core::CancelOrder& request) noexcept;
  RequestId send(const core::NewOrder& request) noexcept;
  RequestId ping() noexcept;
  // Any request of core/message.h; its header is filled in.
  template <class Message>
  RequestId submit(const Message& message) noexcept {
    core::Request request;
    request.assign(message);
    return submit_request(request);
  }

  // Takes the next report, in the engine's order. False when none is waiting.
  bool poll(Report& report) noexcept;

  // With LogonOptions::reply_in_place: the reply to the newest request, sooner than poll has it,
  // and once; true then. poll still brings it, in its order, and brings what came before it. False
  // as long as there is none, and for ever where the engine has reason to answer by the ring alone:
  // durability sync, a client that reads late or has several requests under way. So look at both:
  //
  //   while (!client.early_reply(reply) && !(client.poll(reply) && replied_request(reply) == id))
  //   {}
  bool early_reply(Report& reply) noexcept;

  // Counts passes of the engine's loop: a client that sees it stand still for long may call the
  // engine hung. It moves in every idle mode.
  std::uint64_t heartbeat() const noexcept;
  // Looks at the shared status word only: no system call. kGone needs check_socket.
  EngineState engine_state() const noexcept;
  // The same, and also asks the kernel whether the session still stands (one system call).
  EngineState check_socket() noexcept;
  // Why the engine ended this session, once check_socket has seen it; else empty.
  const std::string& end_reason() const noexcept;
  // Number of this session's socket, for poll(2)-style death watching only; never read from it.
  int socket_handle() const noexcept;

  // ---- blocking conveniences

  // Waits for the reply to `request`: any report that names it. Other reports stay queued for poll.
  [[nodiscard]] Failure wait(RequestId request, Report& reply,
                             std::chrono::milliseconds timeout = std::chrono::seconds(5));

  // submit and wait in one. A full ring is waited for.
  template <class Message>
  [[nodiscard]] Failure call(const Message& message, Report& reply,
                             std::chrono::milliseconds timeout = std::chrono::seconds(5)) {
    core::Request request;
    request.assign(message);
    return call_request(request, reply, timeout);
  }

  // All working orders of an account, ascending by OrderId. When the engine refuses, `refused` is
  // its receipt and `rows` is empty.
  [[nodiscard]] Failure open_orders(core::OmsId oms_id, core::AccountId account_id,
                                    std::vector<core::OpenOrderRow>& rows, core::Receipt& refused,
                                    std::chrono::milliseconds timeout = std::chrono::seconds(5));

  struct L2Snapshot {
    std::uint64_t md_update_id = 0;
    core::Ticks last_trade_price = 0;
    std::vector<core::L2Row> bids;  // best first
    std::vector<core::L2Row> asks;  // best first
  };
  // The book of one instant: a snapshot whose pages straddle a change is fetched again.
  [[nodiscard]] Failure l2_snapshot(core::OmsId oms_id, core::InstrumentId instrument_id,
                                    std::int64_t depth, L2Snapshot& snapshot,
                                    core::Receipt& refused,
                                    std::chrono::milliseconds timeout = std::chrono::seconds(5));

 private:
  using Session = ipc::ClientSession;
  RequestId submit_request(core::Request& request) noexcept;
  Failure call_request(core::Request& request, Report& reply, std::chrono::milliseconds timeout);

  std::unique_ptr<Session> session_;
};

// The request that `report` replies to, or 0 for events.
using core::replied_request;

}  // namespace shmatch
